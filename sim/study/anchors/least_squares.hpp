// The few unknowns of a fit: which of them the data tell apart, and their best values in the unit cube.
#pragma once

#include <functional>
#include <vector>

namespace silicast {

struct Independent {
  std::vector<std::size_t> chosen;  // the largest first
  std::vector<double> norms;        // of each change
};

// Of the unknowns' changes of the data, those of length `least` at the least of which the ones chosen before do not
// explain all but the share `apart` (Gram-Schmidt with pivoting): never more than there are data.
Independent independent(const std::vector<std::vector<double>>& changes, double least, double apart);

// Minimises the sum of squares of residuals(x), 0 <= x <= 1, by damped Gauss-Newton steps from x. Slopes are taken over
// a fifth of the range at first, because simulations move in steps, and over less where that leads no further. At most
// 40 rounds.
std::vector<double> least_squares(const std::function<std::vector<double>(const std::vector<double>&)>& residuals,
                                  std::vector<double> x);

}  // namespace silicast
