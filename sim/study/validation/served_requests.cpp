#include "sim/study/validation/served_requests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/report/quantiles.hpp"
#include "sim/run/simulation.hpp"
#include "sim/study/validation/metric.hpp"

namespace silicast {
namespace {

// Keeps the requests that count, and the state of the run at each sample.
class Log final : public ServingObserver {
 public:
  Log(const ServeQuestion& question, const MeasureWindow& window) : question_(question) {
    from_ = question.from, until_ = question.until;
    if (window.mode == MeasureWindow::Mode::kGiven) from_ = window.from, until_ = window.until;
  }

  void request_ended(const RequestRecord& record) override {
    const double arrival = record.arrival.seconds();
    if (record.index < question_.skip || arrival < from_ || arrival >= until_) return;
    if (record.state != EndState::kCompleted && refusal_.empty())
      refusal_ = fmt::format("a request of {} prompt tokens is {}{}", record.prompt_tokens, name_of(record.state),
                             record.reason == EndReason::kNone ? "" : fmt::format(" ({})", name_of(record.reason)));
    ServedRequest one{arrival, record.first_token.seconds(), record.end.seconds()};
    if (record.prefilled != SimTime::never()) one.prefilled = record.prefilled.seconds();
    one.prompt = record.prompt_tokens, one.output = record.output_tokens;
    requests_.push_back(one);
  }

  void sampled(SimTime now, std::span<const PoolSample> pools) override {
    CurvePoint point{now.seconds()};
    for (const PoolSample& pool : pools) {
      point.running += static_cast<double>(pool.running);
      point.waiting += static_cast<double>(pool.waiting);
    }
    curve_.push_back(point);
  }

  ServedRequests take() {
    if (!refusal_.empty()) throw InputError(refusal_);
    if (requests_.empty()) throw InputError("no request arrives in the measured time");
    return {std::move(requests_), std::move(curve_)};
  }

 private:
  const ServeQuestion& question_;
  double from_ = 0, until_ = 0;
  std::vector<ServedRequest> requests_;
  std::vector<CurvePoint> curve_;
  std::string refusal_;
};

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

std::vector<double> ServedRequests::values_of(const std::string& metric) const {
  std::vector<double> values;
  for (const ServedRequest& request : requests_) {
    if (metric == "ttft") values.push_back(request.first_token - request.arrival);
    if (metric == "transfer" && std::isfinite(request.prefilled))
      values.push_back(request.first_token - request.prefilled);
    if (metric == "e2e") values.push_back(request.end - request.arrival);
    if (metric == "tpot" && request.output > 1)
      values.push_back((request.end - request.first_token) / static_cast<double>(request.output - 1));
  }
  return values;
}

double ServedRequests::value_of(const std::string& metric) const {
  double first = std::numeric_limits<double>::infinity(), last = 0, prompt = 0, output = 0, gap_time = 0, gaps = 0;
  for (const ServedRequest& request : requests_) {
    first = std::min(first, request.arrival);
    last = std::max(last, request.end);
    prompt += static_cast<double>(request.prompt);
    output += static_cast<double>(request.output);
    gap_time += request.end - request.first_token;
    gaps += static_cast<double>(request.output - 1);
  }
  if (metric == "makespan") return last - first;
  if (metric == "output_throughput") return output / (last - first);
  if (metric == "input_throughput") return prompt / (last - first);
  if (metric == "total_throughput") return (prompt + output) / (last - first);
  if (metric == "request_throughput") return static_cast<double>(requests_.size()) / (last - first);
  if (metric == "itl_mean") return gap_time / gaps;
  const auto statistic = request_statistic(metric);
  SILICAST_CHECK(statistic, "{} is no figure of a run of requests", metric);
  std::vector<double> values = values_of(std::string(statistic->of));
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (statistic->quantile < 0) return mean_of(values);
  std::sort(values.begin(), values.end());
  return quantile_of_sorted(values, statistic->quantile);
}

ServedRequests serve_scenario(const Scenario& scenario, const ServeQuestion& question) {
  Log log(question, scenario.window);
  SimulationOptions options;
  options.listener = &log;
  const std::vector<CurvePoint>& curve = question.measured_curve;
  if (curve.size() > 1) options.sample_interval = Seconds(curve[1].time - curve[0].time);
  simulate(scenario, options);
  return log.take();
}

}  // namespace silicast
