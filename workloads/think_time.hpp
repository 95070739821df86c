// Time between an answer and the next request of whoever got it: a user who thinks, a tool that works.
#pragma once

#include <optional>

#include "sim/base/random.hpp"
#include "sim/base/units.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

struct ThinkTime {
  Seconds mean;
  double cv = 0;  // 0: always the mean, 1: exponential, else a gamma distribution of that coefficient of variation

  double draw(RandomStream& stream) const {
    if (cv == 0) return mean.value();
    if (cv == 1) return mean.value() * stream.exponential();
    return mean.value() * cv * cv * stream.gamma(1 / (cv * cv));
  }
};

// `1 s`: always; {mean: 1 s}: exponential; {mean: 1 s, cv: 2}. None: no time at all.
ThinkTime read_think_time(const std::optional<ConfigValue>& value);

}  // namespace silicast
