// Names and units of every number that a report shows.
#include "sim/report/metrics.hpp"

#include <fmt/format.h>

namespace silicast {
namespace {

// Collects metrics of one section.
class Section {
 public:
  Section(std::vector<Metric>& metrics, std::string_view title) : metrics_(metrics), title_(title) {}

  Metric& add(std::string key, std::string label, std::string unit, double scale, double value) {
    Metric metric;
    metric.key = std::move(key);
    metric.section = title_;
    metric.label = std::move(label);
    metric.unit = std::move(unit);
    metric.scale = scale;
    metric.value = value;
    return metrics_.emplace_back(std::move(metric));
  }
  Metric& add(std::string key, std::string label, std::string unit, double scale, const Range& range) {
    Metric& metric = add(std::move(key), std::move(label), std::move(unit), scale, range.value);
    metric.has_range = true;
    metric.low = range.low;
    metric.high = range.high;
    return metric;
  }
  Metric& add(std::string key, std::string label, std::string unit, double scale, double value,
              const Interval& interval) {
    return add(std::move(key), std::move(label), std::move(unit), scale, Range{value, interval.low, interval.high});
  }

 private:
  std::vector<Metric>& metrics_;
  std::string title_;
};

// Blanks what an unstable run cannot say.
void void_from(std::vector<Metric>& metrics, std::size_t first, bool unstable) {
  for (std::size_t i = first; i < metrics.size(); ++i) {
    metrics[i].void_when_unstable = true;
    if (unstable) metrics[i].value = metrics[i].low = metrics[i].high = kNoValue;
  }
}

void add_distribution(std::vector<Metric>& metrics, std::string_view key, std::string_view name, std::string_view unit,
                      double scale, const Distribution& d, bool intervals) {
  Section section(metrics, "latency");
  const auto add = [&](std::string_view suffix, double value) -> Metric& {
    return section.add(fmt::format("{}_{}_s", key, suffix), fmt::format("{} {}", name, suffix), std::string(unit),
                       scale, value);
  };
  const auto with = [&](std::string_view suffix, double value, const Interval& interval) {
    section.add(fmt::format("{}_{}_s", key, suffix), fmt::format("{} {}", name, suffix), std::string(unit), scale,
                value, interval);
  };
  if (intervals)
    with("mean", d.mean, d.mean_interval);
  else
    add("mean", d.mean);
  add("p50", d.p50);
  add("p90", d.p90);
  add("p95", d.p95);
  if (intervals)
    with("p99", d.p99, d.p99_interval);
  else
    add("p99", d.p99);
  add("max", d.max);
}

void add_counts(std::vector<Metric>& metrics, const GroupSummary& group) {
  Section section(metrics, "requests");
  section.add("requests", "requests", "", 1, static_cast<double>(group.requests));
  for (std::size_t i = 0; i < kEndStates; ++i) {
    const std::string name(name_of(static_cast<EndState>(i)));
    section.add("requests_" + name, name, "", 1, static_cast<double>(group.states[i]));
  }
  section.add("requests_measured", "measured", "", 1, static_cast<double>(group.e2e.count));
  section.add("preemptions", "preemptions", "", 1, static_cast<double>(group.preemptions));
  section.add("cached_prompt_share", "prompt tokens found in the cache", "%", 100, group.cached_share);
  for (std::size_t tier = 0; tier < group.tier_shares.size(); ++tier)
    section.add(fmt::format("cached_prompt_share_tier{}", tier + 1),
                fmt::format("those that came from tier {}", tier + 1), "%", 100, group.tier_shares[tier]);
}

void add_basis(std::vector<Metric>& metrics, std::string_view name, const CostBasis& basis) {
  Section section(metrics, fmt::format("cost, {}", name));
  const auto add = [&](std::string_view key, std::string_view label, const Money& money) {
    section.add(fmt::format("{}_{}_rmb", name, key), std::string(label), "RMB", 1, money.rmb);
    section.add(fmt::format("{}_{}_usd", name, key), std::string(label), "USD", 1, money.usd);
  };
  add("per_hour", "per hour", basis.per_hour);
  add("per_million_input_tokens", "per million input tokens", basis.per_million_input);
  add("per_million_output_tokens", "per million output tokens", basis.per_million_output);
  add("per_million_tokens", "per million tokens, all", basis.per_million_total);
  section.add(fmt::format("{}_per_good_request_rmb", name), "per 1,000 good requests", "RMB", 1000,
              basis.per_good_request.rmb);
  section.add(fmt::format("{}_per_good_request_usd", name), "per 1,000 good requests", "USD", 1000,
              basis.per_good_request.usd);
}

void add_token_cost(std::vector<Metric>& metrics, std::string_view name, std::string_view title,
                    const TokenCost& cost) {
  Section section(metrics, title);
  const auto add = [&](std::string_view key, std::string_view label, double scale, const Money& money) {
    section.add(fmt::format("{}_{}_rmb", name, key), std::string(label), "RMB", scale, money.rmb);
    section.add(fmt::format("{}_{}_usd", name, key), std::string(label), "USD", scale, money.usd).in_tables = false;
  };
  add("per_million_input_tokens", "per million input tokens", 1, cost.per_million_input);
  add("per_million_output_tokens", "per million output tokens", 1, cost.per_million_output);
  add("per_million_tokens", "per million tokens, all", 1, cost.per_million_total);
  add("per_good_request", "per 1,000 good requests", 1000, cost.per_good_request);
}

CostBasis no_basis() {
  const Money none{Range::none(), Range::none()};
  return {none, none, none, none, none};
}

TokenCost no_token_cost() {
  const Money none{Range::none(), Range::none()};
  return {none, none, none, none};
}

}  // namespace

std::string_view Metric::si_unit() const {
  if (unit.empty() || unit == "%") return "1";
  if (unit == "/s") return "1/s";
  if (unit == "ms") return "s";
  if (unit == "kW") return "W";
  if (unit == "MJ") return "J";
  return unit;
}

std::vector<Metric> group_metrics(const GroupSummary& group, bool unstable) {
  std::vector<Metric> metrics;
  add_counts(metrics, group);
  std::size_t first = metrics.size();
  add_distribution(metrics, "ttft", "TTFT", "s", 1, group.ttft, true);
  Section latency(metrics, "latency");
  latency.add("ttft_queue_mean_s", "TTFT: queue, mean", "s", 1, group.split.queue);
  latency.add("ttft_preemption_mean_s", "TTFT: preemption, mean", "s", 1, group.split.preemption);
  latency.add("ttft_prefill_mean_s", "TTFT: prefill, mean", "s", 1, group.split.prefill);
  latency.add("ttft_transfer_mean_s", "TTFT: transfer, mean", "s", 1, group.split.transfer);
  void_from(metrics, first, unstable);
  add_distribution(metrics, "tpot", "TPOT", "ms", 1e3, group.tpot, true);
  add_distribution(metrics, "itl", "ITL", "ms", 1e3, group.itl, false);
  first = metrics.size();
  add_distribution(metrics, "e2e", "E2E", "s", 1, group.e2e, true);
  void_from(metrics, first, unstable);
  Section rates(metrics, "throughput");
  rates.add("requests_per_s", "requests", "/s", 1, group.throughput.requests);
  rates.add("prompt_tokens_per_s", "prompt tokens", "/s", 1, group.throughput.prompt_tokens);
  rates.add("output_tokens_per_s", "output tokens", "/s", 1, group.throughput.output_tokens);
  rates.add("tokens_per_s", "tokens", "/s", 1, group.throughput.total_tokens);
  rates.add("good_requests_per_s", "goodput", "/s", 1, group.goodput.requests);
  rates.add("good_share", "good requests", "%", 100, group.goodput.share);
  return metrics;
}

std::vector<Metric> use_metrics(const PoolUse& use) {
  std::vector<Metric> metrics;
  Section section(metrics, "use of the hardware");
  section.add("chips", "chips", "", 1, static_cast<double>(use.chips));
  section.add("unused_chips", "chips not used", "", 1, static_cast<double>(use.unused_chips));
  section.add("replicas", "replicas", "", 1, static_cast<double>(use.replicas));
  section.add("busy_share", "busy", "%", 100, use.busy);
  section.add("prefill_time_share", "prefill's share of busy", "%", 100, use.prefill_time_share);
  section.add("compute_share", "compute", "%", 100, use.compute);
  section.add("memory_bandwidth_share", "memory bandwidth", "%", 100, use.memory);
  section.add("kv_mean_share", "KV blocks, mean", "%", 100, use.kv_mean);
  section.add("kv_peak_share", "KV blocks, peak", "%", 100, use.kv_peak);
  section.add("iterations_per_s", "iterations per replica", "/s", 1, use.iterations);
  section.add("chip_w", "one chip", "W", 1, use.chip_watts);
  section.add("server_per_chip_w", "one chip with its server", "W", 1, use.server_watts);
  section.add("pool_w", "the pool's servers", "kW", 1e-3, use.watts);
  return metrics;
}

std::vector<Metric> cost_metrics(const Cost& cost) {
  std::vector<Metric> metrics;
  add_basis(metrics, "purchase", cost.purchase.value_or(no_basis()));
  Section parts(metrics, "cost, purchase");
  parts.add("capital_per_hour_rmb", "of which capital, per hour", "RMB", 1, cost.capital);
  parts.add("electricity_per_hour_rmb", "of which electricity, per hour", "RMB", 1, cost.electricity);
  parts.add("site_per_hour_rmb", "of which site, per hour", "RMB", 1, cost.site_cost);
  parts.add("staff_per_hour_rmb", "of which staff, per hour", "RMB", 1, cost.staff);
  parts.add("porting_per_hour_rmb", "of which porting, per hour", "RMB", 1, cost.porting);
  parts.add("licence_per_hour_rmb", "of which licences, per hour", "RMB", 1, cost.licence);
  add_basis(metrics, "rent", cost.rent.value_or(no_basis()));
  Section day(metrics, "cost, over a day");
  day.add("load_factor", "mean over peak load", "", 1, cost.load_factor);
  day.add("electricity_day_per_hour_rmb", "electricity, per hour", "RMB", 1, cost.electricity_day);
  add_token_cost(metrics, "purchase_day", "cost, purchase, over a day", cost.purchase_day.value_or(no_token_cost()));
  add_token_cost(metrics, "rent_day", "cost, rent, over a day", cost.rent_day.value_or(no_token_cost()));
  Section life(metrics, "cost, over its life");
  life.add("porting_delay_factor", "porting delay, factor", "", 1, cost.porting_delay_factor);
  add_token_cost(metrics, "purchase_life", "cost, purchase, over its life",
                 cost.purchase_life.value_or(no_token_cost()));
  add_token_cost(metrics, "rent_life", "cost, rent, over its life", cost.rent_life.value_or(no_token_cost()));
  Section carbon(metrics, "carbon");
  carbon.add("co2_per_million_tokens_g", "CO2 per million tokens", "g", 1, cost.grams_co2_per_million_tokens);
  carbon.add("co2_day_per_million_tokens_g", "CO2 per million tokens, over a day", "g", 1,
             cost.grams_co2_per_million_tokens_day);
  return metrics;
}

std::vector<Metric> run_metrics(const Summary& summary) {
  std::vector<Metric> metrics;
  Section window(metrics, "window");
  window.add("run_s", "run", "s", 1, summary.run_seconds);
  window.add("window_from_s", "measured from", "s", 1, summary.window_from);
  window.add("window_to_s", "arrivals until", "s", 1, summary.window_to);
  window.add("throughput_to_s", "rates until", "s", 1, summary.throughput_to);
  window.add("little_time_average", "in system, time average", "", 1, summary.little.time_average);
  window.add("little_rate_times_stay", "in system, rate x stay", "", 1, summary.little.rate_times_stay);
  const auto append = [&](std::vector<Metric> more) { metrics.insert(metrics.end(), more.begin(), more.end()); };
  append(group_metrics(summary.total, summary.unstable));
  if (summary.use.size() <= 1) append(use_metrics(summary.use.empty() ? PoolUse{} : summary.use[0]));
  Section energy(metrics, "energy");
  const Energy& e = summary.energy;
  energy.add("power_w", "all servers", "kW", 1e-3, e.watts);
  energy.add("energy_j", "whole run", "MJ", 1e-6, e.whole_run_joules);
  energy.add("energy_per_output_token_j", "per output token", "J", 1, e.joules_per_output_token);
  energy.add("energy_per_token_j", "per token", "J", 1, e.joules_per_token);
  if (summary.cost) append(cost_metrics(*summary.cost));
  return metrics;
}

std::vector<Metric> group_catalogue() {
  GroupSummary group;
  group.tier_shares.assign(kMaxTiers, kNoValue);
  return group_metrics(group, false);
}

std::vector<Metric> metric_catalogue() {
  Summary summary;
  summary.total.tier_shares.assign(kMaxTiers, kNoValue);
  summary.cost.emplace();
  return run_metrics(summary);
}

}  // namespace silicast
