// How many tokens a prompt or an output has. A new distribution is one factory and one entry in the registry
// (length_distributions.cpp).
#pragma once

#include <cstdint>
#include <memory>

#include "sim/base/random.hpp"
#include "sim/base/registry.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

struct WorkloadScope;

class LengthDistribution {
 public:
  virtual ~LengthDistribution() = default;
  virtual std::int32_t draw(RandomStream& stream) const = 0;  // 1 to kMaxTokens
  virtual double mean() const = 0;                            // of what draw() gives, within half a token
};

// Reads its own keys of a mapping such as {distribution: lognormal, mean: 1000, cv: 1.0, max: 8000}
// (`distribution` is asked for already).
using LengthFactory = std::unique_ptr<LengthDistribution>(ConfigMap& lengths, const WorkloadScope& scope);

//   fixed      {tokens}
//   lognormal  {mean, cv} or {mean, p50} or {median, sigma}; min, max
//              exp(mu + sigma Z), Z standard normal, rounded to the nearest token, then clamped to [min, max].
//              mean m, cv c: sigma^2 = ln(1 + c^2), mu = ln m - sigma^2 / 2;
//              mean m, p50 d: mu = ln d, sigma^2 = 2 ln(m / d); median d, sigma: mu = ln d.
//              m, c and d are those before clamping.
//   geometric  {mean}; min, max. P(X > k) = (1 - 1/mean)^k on 1, 2, ..., then clamped.
//   histogram  {values, weights}: each value with its share of the weight;
//              {edges, weights}: bin i holds the whole numbers from edges[i] to edges[i + 1] - 1, all alike;
//              {file}: a CSV file with the columns value,weight or from,to,weight (to excluded).
const Registry<LengthFactory>& length_distributions();

// Reads the whole mapping, strictly.
std::unique_ptr<LengthDistribution> make_lengths(const ConfigValue& lengths, const WorkloadScope& scope);

// Always `tokens`.
std::unique_ptr<LengthDistribution> fixed_lengths(std::int64_t tokens);

// The factory of `histogram` (length_histogram.cpp).
LengthFactory make_histogram_lengths;

}  // namespace silicast
