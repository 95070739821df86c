// The length distributions with a formula, and the registry of all of them.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "workloads/length_distribution.hpp"
#include "workloads/limits.hpp"

namespace silicast {
namespace {

constexpr Bounds kTokenBounds{1, static_cast<double>(kMaxTokens)};

struct TokenRange {
  std::int32_t min = 1;
  std::int32_t max = static_cast<std::int32_t>(kMaxTokens);

  static TokenRange read(ConfigMap& map) {
    TokenRange range;
    if (const auto min = map.optional("min")) range.min = static_cast<std::int32_t>(min->integer(1, kMaxTokens));
    if (const auto max = map.optional("max")) {
      range.max = static_cast<std::int32_t>(max->integer(1, kMaxTokens));
      if (range.max < range.min) max->fail(fmt::format("{} is below min {}", range.max, range.min));
    }
    return range;
  }
};

class FixedLengths final : public LengthDistribution {
 public:
  explicit FixedLengths(std::int32_t tokens) : tokens_(tokens) {}
  std::int32_t draw(RandomStream&) const override { return tokens_; }
  double mean() const override { return tokens_; }

 private:
  std::int32_t tokens_;
};

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

class LognormalLengths final : public LengthDistribution {
 public:
  LognormalLengths(double mu, double sigma, TokenRange range) : mu_(mu), sigma_(sigma), range_(range) {}

  std::int32_t draw(RandomStream& stream) const override {
    const double x = std::exp(mu_ + sigma_ * stream.normal()) + 0.5;
    if (x < range_.min) return range_.min;
    return x >= range_.max ? range_.max : static_cast<std::int32_t>(x);
  }

  double mean() const override {
    if (sigma_ == 0) return std::min<double>(std::max<double>(std::exp(mu_), range_.min), range_.max);
    const double low = (std::log(range_.min) - mu_) / sigma_, high = (std::log(range_.max) - mu_) / sigma_;
    return range_.min * normal_cdf(low) + range_.max * normal_cdf(-high) +
           std::exp(mu_ + sigma_ * sigma_ / 2) * (normal_cdf(high - sigma_) - normal_cdf(low - sigma_));
  }

 private:
  double mu_, sigma_;
  TokenRange range_;
};

class GeometricLengths final : public LengthDistribution {
 public:
  GeometricLengths(double mean, TokenRange range) : mean_(mean), range_(range) {}

  std::int32_t draw(RandomStream& stream) const override {
    const std::int64_t length = stream.geometric(mean_);
    return static_cast<std::int32_t>(std::min<std::int64_t>(std::max<std::int64_t>(length, range_.min), range_.max));
  }

  // E[clamp(X, a, b)] = a + sum of P(X > k) for k from a to b - 1.
  double mean() const override {
    const double q = 1 - 1 / mean_;
    return range_.min + mean_ * (std::pow(q, range_.min) - std::pow(q, range_.max));
  }

 private:
  double mean_;
  TokenRange range_;
};

std::unique_ptr<LengthDistribution> make_fixed(ConfigMap& map, const WorkloadScope&) {
  return fixed_lengths(map.required("tokens").integer(1, kMaxTokens));
}

std::unique_ptr<LengthDistribution> make_lognormal(ConfigMap& map, const WorkloadScope&) {
  const auto mean = map.optional("mean"), cv = map.optional("cv"), p50 = map.optional("p50");
  const auto median = map.optional("median"), sigma = map.optional("sigma");
  const int given = mean.has_value() + cv.has_value() + p50.has_value() + median.has_value() + sigma.has_value();
  const bool whole = (mean && (cv || p50)) || (median && sigma);
  const TokenRange range = TokenRange::read(map);
  if (given != 2 || !whole) {
    map.done();  // a misspelt key first
    map.fail("a lognormal length needs two of its keys: mean and cv, or mean and p50, or median and sigma");
  }
  double mu = 0, sigma_value = 0;
  if (median) {
    mu = std::log(median->number(kTokenBounds));
    sigma_value = sigma->number({0, 10});
  } else if (p50) {
    const double m = mean->number(kTokenBounds), d = p50->number(kTokenBounds);
    if (d > m) p50->fail(fmt::format("{:g} is over the mean {:g}; a lognormal's median is not", d, m));
    mu = std::log(d);
    sigma_value = std::sqrt(2 * std::log(m / d));
  } else {
    const double m = mean->number(kTokenBounds), c = cv->number({0, 100});
    sigma_value = std::sqrt(std::log1p(c * c));
    mu = std::log(m) - sigma_value * sigma_value / 2;
  }
  return std::make_unique<LognormalLengths>(mu, sigma_value, range);
}

std::unique_ptr<LengthDistribution> make_geometric(ConfigMap& map, const WorkloadScope&) {
  const double mean = map.required("mean").number(kTokenBounds);
  return std::make_unique<GeometricLengths>(mean, TokenRange::read(map));
}

constexpr std::array<RegistryEntry<LengthFactory>, 4> kDistributions = {{
    {"fixed", "always the same number of tokens", make_fixed},
    {"lognormal", "by mean and cv, mean and p50, or median and sigma; clamped to min and max", make_lognormal},
    {"geometric", "memoryless, by its mean; clamped to min and max", make_geometric},
    {"histogram", "measured values or bins with weights, inline or from a CSV file", make_histogram_lengths},
}};
constexpr Registry<LengthFactory> kRegistry("length distribution", kDistributions);

}  // namespace

const Registry<LengthFactory>& length_distributions() {
  return kRegistry;
}

std::unique_ptr<LengthDistribution> fixed_lengths(std::int64_t tokens) {
  return std::make_unique<FixedLengths>(static_cast<std::int32_t>(tokens));
}

std::unique_ptr<LengthDistribution> make_lengths(const ConfigValue& lengths, const WorkloadScope& scope) {
  ConfigMap map = lengths.map();
  std::unique_ptr<LengthDistribution> made = map.required("distribution").entry_of(kRegistry).make(map, scope);
  map.done();
  return made;
}

}  // namespace silicast
