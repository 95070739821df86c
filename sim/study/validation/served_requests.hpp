// The requests of one run that a benchmark would have counted, and the figures that it would have printed of them:
// unlike a summary's, over all of the counted requests from first arrival to last token, drain included.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "sim/run/scenario.hpp"
#include "sim/study/validation/validation_case.hpp"

namespace silicast {

struct ServedRequest {
  static constexpr double kNever = std::numeric_limits<double>::infinity();
  double arrival = 0, first_token = 0, end = 0;  // s
  std::int64_t prompt = 0, output = 0;           // tokens
  double prefilled = kNever;                     // s; by another replica, which handed the request on
};

class ServedRequests {
 public:
  // At least one request.
  ServedRequests(std::vector<ServedRequest> requests, std::vector<CurvePoint> curve)
      : requests_(std::move(requests)), curve_(std::move(curve)) {}

  // Of a metric that is a statistic of requests, a throughput, the makespan or a mean of the curve. TPOT and ITL leave
  // out requests of one token; the mean ITL counts gaps, not requests.
  double value_of(const std::string& metric) const;

  const std::vector<CurvePoint>& curve() const { return curve_; }

 private:
  std::vector<double> values_of(const std::string& metric) const;

  std::vector<ServedRequest> requests_;
  std::vector<CurvePoint> curve_;
};

// Runs the scenario. InputError: a counted request was not served to its end.
ServedRequests serve_scenario(const Scenario& scenario, const ServeQuestion& question);

}  // namespace silicast
