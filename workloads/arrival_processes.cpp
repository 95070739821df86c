// Arrival processes of a constant rate, and the registry of all of them.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "workloads/arrival_process.hpp"
#include "workloads/limits.hpp"

namespace silicast {
namespace {

struct ExponentialGap {
  double mean;
  double operator()(RandomStream& stream) const { return stream.exponential() * mean; }
};
struct GammaGap {
  double shape, scale;
  double operator()(RandomStream& stream) const { return stream.gamma(shape) * scale; }
};
struct WeibullGap {
  double shape, scale;
  double operator()(RandomStream& stream) const { return stream.weibull(shape) * scale; }
};

// Gaps that do not depend on each other. Each is rounded to nanoseconds by itself: errors do not add up in
// one direction, and instants stay exact over any length of run.
template <class Gap>
class RenewalArrivals final : public ArrivalProcess {
 public:
  RenewalArrivals(double rate, Gap gap, RandomStream stream, ConfigValue at)
      : rate_(rate), gap_(gap), stream_(stream), at_(std::move(at)) {}

  std::optional<SimTime> next() override { return now_ = later(now_, gap_(stream_), at_); }
  double mean_rate() const override { return rate_; }

 private:
  double rate_;
  Gap gap_;
  RandomStream stream_;
  SimTime now_;
  ConfigValue at_;
};

template <class Gap>
std::unique_ptr<ArrivalProcess> renewal(double rate, Gap gap, RandomStream stream, const ConfigMap& map) {
  return std::make_unique<RenewalArrivals<Gap>>(rate, gap, stream, map.value());
}

class FixedArrivals final : public ArrivalProcess {
 public:
  FixedArrivals(double rate, ConfigValue at) : rate_(rate), at_(std::move(at)) {}

  std::optional<SimTime> next() override { return later({}, static_cast<double>(index_++) / rate_, at_); }
  double mean_rate() const override { return rate_; }

 private:
  double rate_;
  std::int64_t index_ = 0;
  ConfigValue at_;
};

double read_rate(ConfigMap& map) {
  return rate_of(map.required("rate"));
}

std::unique_ptr<ArrivalProcess> make_poisson(ConfigMap& map, RandomStream stream) {
  const double rate = read_rate(map);
  return renewal(rate, ExponentialGap{1 / rate}, stream, map);
}

std::unique_ptr<ArrivalProcess> make_gamma(ConfigMap& map, RandomStream stream) {
  const double rate = read_rate(map), cv = map.required("cv").number({0.01, 100});
  return renewal(rate, GammaGap{1 / (cv * cv), cv * cv / rate}, stream, map);
}

// The squared coefficient of variation of a Weibull, less that of `cv`.
double excess(double shape, double cv) {
  return std::exp(std::lgamma(1 + 2 / shape) - 2 * std::lgamma(1 + 1 / shape)) - 1 - cv * cv;
}

// It falls as the shape grows: bisect in the logarithm of the shape.
double weibull_shape(double cv) {
  double low = std::log(0.1), high = std::log(1000.0);
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (excess(std::exp(middle), cv) > 0 ? low : high) = middle;
  }
  return std::exp(low);
}

std::unique_ptr<ArrivalProcess> make_weibull(ConfigMap& map, RandomStream stream) {
  const double rate = read_rate(map);
  const auto cv = map.optional("cv"), shape = map.optional("shape");
  if (cv.has_value() == shape.has_value()) {
    if (!cv) map.done();  // a misspelt key first
    map.fail("weibull arrivals need one of cv and shape");
  }
  const double k = shape ? shape->number({0.1, 1000}) : weibull_shape(cv->number({0.01, 100}));
  return renewal(rate, WeibullGap{k, std::exp(-std::lgamma(1 + 1 / k)) / rate}, stream, map);
}

std::unique_ptr<ArrivalProcess> make_fixed(ConfigMap& map, RandomStream) {
  const double rate = read_rate(map);
  return std::make_unique<FixedArrivals>(rate, map.value());
}

constexpr std::array<RegistryEntry<ArrivalFactory>, 6> kProcesses = {{
    {"poisson", "independent arrivals at a rate", make_poisson},
    {"gamma", "gamma gaps, by rate and cv: burstier than Poisson above cv 1, smoother below", make_gamma},
    {"weibull", "Weibull gaps, by rate and cv or shape", make_weibull},
    {"fixed", "evenly spaced at a rate", make_fixed},
    {"diurnal", "Poisson with a sinusoidal rate, by its mean, peak_to_mean, period and phase", make_diurnal_arrivals},
    {"piecewise", "Poisson with a rate for each of several pieces of time", make_piecewise_arrivals},
}};
constexpr Registry<ArrivalFactory> kRegistry("arrival process", kProcesses);

}  // namespace

const Registry<ArrivalFactory>& arrival_processes() {
  return kRegistry;
}

double rate_of(const ConfigValue& rate) {
  const double value = rate.quantity(Dimension::kEventRate, kPositive);
  if (value < 1e-6 || value > 1e9) rate.fail(fmt::format("'{}' must be from 1e-6 /s to 1e9 /s", rate.text()));
  return value;
}

SimTime later(SimTime now, double gap_seconds, const ConfigValue& at) {
  if (!(now.seconds() + gap_seconds <= kLastArrivalSeconds))
    at.fail("arrivals run past 63 years; ask for fewer requests or a higher rate");
  return now + Seconds(gap_seconds);
}

}  // namespace silicast
