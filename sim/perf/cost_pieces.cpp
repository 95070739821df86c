#include "sim/perf/cost_pieces.hpp"

#include <algorithm>
#include <cmath>

#include "sim/model/attention_work.hpp"

namespace silicast {

double PrefillPart::seconds(std::int64_t tokens, std::int64_t context) const {
  const auto cube = [](double x) { return x * x * x; };
  const double all = static_cast<double>(context + tokens);
  const double keys = reach > 0 ? std::min(all, static_cast<double>(reach + tokens)) : all;
  const double compute = pair * reached_pairs(tokens, context, reach) + row * static_cast<double>(tokens);
  return std::cbrt(cube(compute) + cube(walk * keys) + cube(kv * keys));
}

}  // namespace silicast
