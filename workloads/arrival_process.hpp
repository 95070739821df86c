// When requests come, if no trace says so. A new process is one factory and one entry in the registry
// (arrival_processes.cpp).
#pragma once

#include <memory>
#include <optional>

#include "sim/base/random.hpp"
#include "sim/base/registry.hpp"
#include "sim/base/sim_time.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

class ArrivalProcess {
 public:
  virtual ~ArrivalProcess() = default;

  // The next arrival, never before the last one; nullopt when the process has an end and reached it.
  // InputError when arrivals run past kLastArrival.
  virtual std::optional<SimTime> next() = 0;

  virtual double mean_rate() const = 0;                                // requests/s in the long run, or until its end
  virtual std::optional<Seconds> end() const { return std::nullopt; }  // when the process ends of itself
};

// Reads its own keys of a mapping such as {process: gamma, rate: 5.5 /s, cv: 1.1} (`process`, `requests` and
// `duration` are asked for already).
using ArrivalFactory = std::unique_ptr<ArrivalProcess>(ConfigMap& arrivals, RandomStream stream);

//   poisson    {rate}; the gaps are exponential with mean 1/rate
//   gamma      {rate, cv}; gaps Gamma(shape 1/cv^2, scale cv^2/rate)
//   weibull    {rate, cv} or {rate, shape}; gaps of mean 1/rate, scale 1/(rate Gamma(1 + 1/shape))
//   fixed      {rate}; request k (from 0) at k/rate exactly
//   diurnal    {rate, peak_to_mean, period, phase}; Poisson of rate(t) = rate (1 + (peak_to_mean - 1)
//              sin(2 pi (t + phase) / period)): phase 0 starts at the mean and rises
//   piecewise  {pieces: [{until | duration, rate}, ...]}; Poisson of that rate in each; the last may be open
// All but fixed begin with a gap, as a renewal process seen from one of its arrivals.
const Registry<ArrivalFactory>& arrival_processes();

// Those whose rate moves (varying_arrivals.cpp).
ArrivalFactory make_diurnal_arrivals;
ArrivalFactory make_piecewise_arrivals;

// A rate from 1e-6 to 1e9 requests/s, in requests/s.
double rate_of(const ConfigValue& rate);

// now + gap; InputError at `at` when that is past kLastArrival.
SimTime later(SimTime now, double gap_seconds, const ConfigValue& at);

}  // namespace silicast
