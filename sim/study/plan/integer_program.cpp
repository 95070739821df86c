#include "sim/study/plan/integer_program.hpp"

#include <Cbc_C_Interface.h>

#include <cmath>
#include <memory>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::max();  // as CBC writes it (COIN_DBL_MAX)

}  // namespace

std::size_t IntegerProgram::add_integer(double cost, double most) {
  costs_.push_back(cost);
  most_.push_back(most);
  return costs_.size() - 1;
}

void IntegerProgram::add_row(double low, double high, std::vector<std::pair<std::size_t, double>> terms) {
  rows_.push_back({low, high, std::move(terms)});
}

std::optional<std::vector<double>> IntegerProgram::solve() const {
  const auto columns = static_cast<int>(costs_.size()), rows = static_cast<int>(rows_.size());
  // CBC takes the matrix by columns.
  std::vector<std::vector<std::pair<int, double>>> by_column(costs_.size());
  std::vector<double> low, high;
  for (int r = 0; r < rows; ++r) {
    const Row& row = rows_[static_cast<std::size_t>(r)];
    for (const auto& [column, factor] : row.terms) by_column[column].emplace_back(r, factor);
    low.push_back(row.low == -kNone ? -kUnbounded : row.low);
    high.push_back(row.high == kNone ? kUnbounded : row.high);
  }
  std::vector<int> start = {0}, index;
  std::vector<double> value, least(costs_.size(), 0), most;
  for (const auto& column : by_column) {
    for (const auto& [row, factor] : column) index.push_back(row), value.push_back(factor);
    start.push_back(static_cast<int>(index.size()));
  }
  for (const double one : most_) most.push_back(one == kNone ? kUnbounded : one);
  const std::unique_ptr<Cbc_Model, void (*)(Cbc_Model*)> model(Cbc_newModel(), Cbc_deleteModel);
  Cbc_setParameter(model.get(), "logLevel", "0");
  Cbc_setParameter(model.get(), "ratioGap", "0");
  Cbc_loadProblem(model.get(), columns, rows, start.data(), index.data(), value.data(), least.data(), most.data(),
                  costs_.data(), low.data(), high.data());
  for (int c = 0; c < columns; ++c) Cbc_setInteger(model.get(), c);
  Cbc_solve(model.get());
  if (!Cbc_isProvenOptimal(model.get())) {
    SILICAST_CHECK(Cbc_isProvenInfeasible(model.get()), "the integer program was given up");
    return std::nullopt;
  }
  std::vector<double> solution(costs_.size());
  const double* x = Cbc_getColSolution(model.get());
  for (std::size_t i = 0; i < solution.size(); ++i) solution[i] = std::round(x[i]);
  return solution;
}

}  // namespace silicast
