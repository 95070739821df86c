#include "sim/base/random.hpp"

#include <cmath>

#include "sim/base/mix.hpp"

namespace silicast {
namespace {

__extension__ using Wide = unsigned __int128;

}  // namespace

RandomStream::RandomStream(std::uint64_t seed, std::string_view name) : key_(mix(seed + kGolden)) {
  for (const char c : name) key_ = mix(key_ * 31 + static_cast<unsigned char>(c) + kGolden);
}

std::uint64_t RandomStream::next() {
  return mix(key_ + kGolden * ++counter_);
}

double RandomStream::uniform() {
  return static_cast<double>(next() >> 11) * 0x1p-53;
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
  // Lemire, Fast random integer generation in an interval, 2019: reject the short tail.
  Wide product = static_cast<Wide>(next()) * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t threshold = -bound % bound;
    while (static_cast<std::uint64_t>(product) < threshold) product = static_cast<Wide>(next()) * bound;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

double RandomStream::exponential() {
  return -std::log1p(-uniform());
}

double RandomStream::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  // Marsaglia's polar method.
  double u, v, s;
  do {
    u = 2 * uniform() - 1;
    v = 2 * uniform() - 1;
    s = u * u + v * v;
  } while (s >= 1 || s == 0);
  const double factor = std::sqrt(-2 * std::log(s) / s);
  spare_normal_ = v * factor;
  has_spare_ = true;
  return u * factor;
}

double RandomStream::gamma(double shape) {
  // Marsaglia and Tsang, A simple method for generating gamma variables, 2000; boosted below shape 1.
  if (shape < 1) {
    const double boost = std::pow(1 - uniform(), 1 / shape);
    return gamma(shape + 1) * boost;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal();
    const double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
    if (v > 0 && std::log(1 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double RandomStream::weibull(double shape) {
  return std::pow(exponential(), 1 / shape);
}

std::int64_t RandomStream::geometric(double mean) {
  if (mean <= 1) return 1;
  // P(X > k) = (1 - 1/mean)^k.
  return 1 + static_cast<std::int64_t>(std::floor(exponential() / -std::log1p(-1 / mean)));
}

}  // namespace silicast
