// A linear fit of many unknowns to few data: each is tied to what is known of it, some to a common value of their like.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace silicast {

struct TiedUnknown {
  double present = 0;
  double about = 0;   // what is known of it without the data, or of its like where it has any
  double spread = 0;  // around that, one standard deviation
  std::optional<std::size_t> group =
      {};              // unknowns of one group are alike: they spread around a value that is fitted too
  double between = 0;  // of that value around `about`
};

struct TiedRow {
  double residual = 0;        // at the present values
  std::vector<double> slope;  // by each unknown
  double weight = 1;
};

// Values that minimise the sum of weight * loss(residual / noise) + ((value - about) / spread)^2. The loss is 4 log(1 +
// (x / 2)^2), Cauchy's, under which a row that has something in it that nobody modelled hardly counts; by iterated
// weights from the present values on. Residuals are taken to be linear in the unknowns.
std::vector<double> tied_fit(const std::vector<TiedUnknown>& unknowns, const std::vector<TiedRow>& rows, double noise);

}  // namespace silicast
