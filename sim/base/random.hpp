// Named random streams with our own distributions: the standard fixes engines but not distributions, so
// std:: ones would make results depend on the library. A stream is counter-based (SplitMix64 over a key
// mixed from seed and name): adding a consumer never shifts the draws of another.
#pragma once

#include <cstdint>
#include <string_view>

namespace silicast {

class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view name);

  std::uint64_t next();                      // 64 uniform bits
  double uniform();                          // [0, 1), 53 bits
  std::uint64_t below(std::uint64_t bound);  // [0, bound), unbiased; bound > 0
  double exponential();                      // mean 1
  double normal();                           // mean 0, standard deviation 1
  double gamma(double shape);                // scale 1; shape > 0
  double weibull(double shape);              // scale 1; shape > 0
  std::int64_t geometric(double mean);       // 1, 2, ... with that mean; mean >= 1

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
  double spare_normal_ = 0;
  bool has_spare_ = false;
};

}  // namespace silicast
