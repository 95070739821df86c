// A small mixed integer program, solved by CBC (the only user of it).
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace silicast {

// Minimise cost x, x >= 0, low <= row x <= high.
class IntegerProgram {
 public:
  static constexpr double kNone = std::numeric_limits<double>::infinity();

  std::size_t add_integer(double cost, double most = kNone);  // the variable's number
  void add_row(double low, double high, std::vector<std::pair<std::size_t, double>> terms);

  // The optimum; nothing where no x keeps all rows. Our own mistake (CHECK): it has no optimum for another reason.
  std::optional<std::vector<double>> solve() const;

 private:
  struct Row {
    double low, high;
    std::vector<std::pair<std::size_t, double>> terms;
  };
  std::vector<double> costs_, most_;
  std::vector<Row> rows_;
};

}  // namespace silicast
