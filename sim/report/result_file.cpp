// Columns while the run goes on, attributes when it is over.
#include "sim/report/result_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sim/base/check.hpp"
#include "sim/report/metrics.hpp"

namespace silicast {
namespace {

using Column = Hdf5Writer::Column;

std::string state_names() {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kEndStates; ++i) names.push_back(name_of(static_cast<EndState>(i)));
  return fmt::format("{}", fmt::join(names, ","));
}

std::string reason_names() {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kEndReasons; ++i) names.push_back(name_of(static_cast<EndReason>(i)));
  return fmt::format("{}", fmt::join(names, ","));
}

// A path component may hold anything but a slash; names come from scenarios.
std::string path_name(std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  return name == "." || name == ".." || name.empty() ? "_" + name : name;
}

// An instant that never came is -1.
std::int64_t instant(SimTime time) {
  return time == SimTime::never() ? -1 : time.ns;
}

void put(Hdf5Writer& file, const std::string& object, const std::vector<Metric>& metrics) {
  for (const Metric& metric : metrics) {
    file.set_number(object, metric.key, metric.value);
    if (!metric.has_range) continue;
    file.set_number(object, metric.key + "_low", metric.low);
    file.set_number(object, metric.key + "_high", metric.high);
  }
}

// One text attribute per key, in a group of their own: numbers stay plain numbers to every reader.
void put_units(Hdf5Writer& file, const std::string& object, const std::vector<Metric>& metrics) {
  for (const Metric& metric : metrics) {
    const std::string unit(metric.si_unit());
    file.set_text(object, metric.key, unit);
    if (!metric.has_range) continue;
    file.set_text(object, metric.key + "_low", unit);
    file.set_text(object, metric.key + "_high", unit);
  }
}

void put_reasons(Hdf5Writer& file, const std::string& object, const GroupSummary& group) {
  for (std::size_t i = 1; i < kEndReasons; ++i)
    file.set_integer(object, fmt::format("reason_{}", name_of(static_cast<EndReason>(i))), group.reasons[i]);
}

void put_summary(Hdf5Writer& file, const Summary& summary) {
  Summary without_cost = summary;
  without_cost.cost.reset();
  put(file, "/summary", run_metrics(without_cost));
  put_units(file, "/summary/units", run_metrics(without_cost));
  put_units(file, "/summary/units", use_metrics({}));
  put_reasons(file, "/summary", summary.total);
  file.set_text("/summary", "name", summary.name);
  file.set_flag("/summary", "unstable", summary.unstable);
  file.set_text("/summary", "unstable_reason", summary.unstable_reason);
  file.set_text("/summary", "latency_weakest_grade", std::string(name_of(summary.latency_weakest)));
  if (summary.energy.known)
    file.set_text("/summary", "energy_weakest_grade", std::string(name_of(summary.energy.weakest)));
  file.set_flag("/summary", "quantiles_exact", summary.total.ttft.exact);
  file.set_text("/summary", "notes", fmt::format("{}", fmt::join(summary.notes, "\n")));
  for (const TargetResult& target : summary.total.goodput.targets) {
    const std::string object = "/summary/targets/" + path_name(target.name);
    file.set_number(object, "limit_s", target.limit);
    file.set_number(object, "value_s", target.value);
    if (target.met) file.set_flag(object, "met", *target.met);
  }
  for (std::size_t i = 0; i < summary.use.size(); ++i) {
    const std::string object = "/summary/pools/" + path_name(summary.use[i].name);
    const GroupSummary& group = i < summary.pools.size() ? summary.pools[i] : summary.total;
    file.set_text(object, "chip", summary.use[i].chip);
    file.set_text(object, "badge", std::string(name_of(summary.use[i].badge.kind)));
    file.set_text(object, "badge_reason", summary.use[i].badge.reason);
    put(file, object, use_metrics(summary.use[i]));
    put(file, object, group_metrics(group, summary.unstable));
    put_reasons(file, object, group);
  }
  const auto put_groups = [&](const std::string& name, const std::vector<GroupSummary>& groups) {
    for (const GroupSummary& group : groups) {
      const std::string object = fmt::format("/summary/{}/{}", name, path_name(group.name));
      put(file, object, group_metrics(group, summary.unstable));
      put_reasons(file, object, group);
    }
  };
  put_groups("classes", summary.classes);
  put_groups("models", summary.models);
}

void put_cost(Hdf5Writer& file, const Cost& cost) {
  put(file, "/cost", cost_metrics(cost));
  put_units(file, "/cost/units", cost_metrics(cost));
  file.set_text("/cost", "price_sheet", cost.price_sheet);
  file.set_text("/cost", "weakest_grade", std::string(name_of(cost.weakest)));
  std::vector<std::string> grounds;
  for (const CostGround& ground : cost.grounds)
    grounds.push_back(fmt::format("{}: {} ({})", ground.what, name_of(ground.grade), ground.source));
  file.set_text("/cost", "grounds", fmt::format("{}", fmt::join(grounds, "\n")));
}

void put_histogram(Hdf5Writer& file, const std::string& name, const std::string& of, const Sketch& sketch) {
  std::vector<double> low, high;
  std::vector<std::int64_t> counts;
  for (const Sketch::Bin& bin : sketch.bins()) {
    low.push_back(bin.low);
    high.push_back(bin.high);
    counts.push_back(bin.count);
  }
  const std::string group = "/histograms/" + name;
  file.add_array(group + "/low", low, "s", "lower edge of the bin, included");
  file.add_array(group + "/high", high, "s", "upper edge of the bin, excluded");
  file.add_array(group + "/count", counts, "1", of + " in the bin; empty bins are left out");
}

}  // namespace

struct ResultFile::RequestColumns {
  Column &index, &arrival, &scheduled, &first_token, &completion, &prompt, &cached, &output, &replica, &pool,
      &request_class, &preemptions, &state, &reason;
  Column *prefill_replica = nullptr, *prefilled = nullptr;  // where some pools prefill and others decode
  std::vector<Column*> fetched = {};                        // by tier
};

struct ResultFile::PoolColumns {
  Column &time, &running, &waiting, &kv, &prompt_rate, &output_rate, &watts;
  SimTime last_time;
  PoolSample last;
};

ResultFile::ResultFile(const std::string& path, const RunIdentity& identity, const RunFacts& facts,
                       const ResultFileOptions& options)
    : pools_(facts.pools), file_(path) {
  file_.set_text("/scenario", "name", identity.name);
  file_.set_text("/scenario", "yaml", identity.scenario_yaml);
  file_.set_text("/scenario", "seed", fmt::format("{}", identity.seed));
  file_.set_text("/scenario", "version", identity.version);
  file_.set_text("/scenario", "git_hash", identity.git_hash);
  if (options.requests) add_request_columns(facts);
  if (options.series) add_series_columns();
  file_.start_rows();
}

ResultFile::~ResultFile() = default;

void ResultFile::add_request_columns(const RunFacts& facts) {
  const auto time = [&](const char* name, const char* what) -> Column& {
    return file_.add_column<std::int64_t>(fmt::format("/requests/{}", name), "ns", what);
  };
  const auto number = [&](const char* name, const char* unit, const char* what) -> Column& {
    return file_.add_column<std::int32_t>(fmt::format("/requests/{}", name), unit, what);
  };
  const auto code = [&](const char* name, const char* what) -> Column& {
    return file_.add_column<std::uint8_t>(fmt::format("/requests/{}", name), "1", what);
  };
  requests_.reset(
      new RequestColumns{file_.add_column<std::int64_t>(
                             "/requests/index", "1", "position in order of arrival; rows are in order of completion"),
                         time("arrival", "arrival since the start of the run"),
                         time("scheduled", "start of the first iteration that worked on it; -1 if none did"),
                         time("first_token", "end of the iteration that gave the first output token; -1 if none did"),
                         time("completion", "last token, or the moment it was rejected, timed out, aborted or cut off"),
                         number("prompt_tokens", "tokens", "tokens of the prompt"),
                         number("cached_tokens", "tokens", "prompt tokens that were found in the cache"),
                         number("output_tokens", "tokens", "tokens delivered until completion"),
                         number("replica", "1", "replica that served it, numbered through all pools; -1 if none did"),
                         number("pool", "1", "position in the attribute names; -1 if none"),
                         number("class", "1", "position in the attribute names; -1 if none"),
                         number("preemptions", "1", "times that it lost its KV blocks"),
                         code("state", "how it ended: position in the attribute names"),
                         code("reason", "why it did not complete: position in the attribute names; 0 if it did")});
  if (facts.transfers) {
    requests_->prefill_replica = &number("prefill_replica", "1",
                                         "replica that computed its prompt for the one that "
                                         "served it; -1 if none did");
    requests_->prefilled = &time("prefilled", "end of the prefill, when its KV cache can move; -1 if none did");
  }
  for (std::size_t tier = 0; tier < facts.tiers.size(); ++tier)
    requests_->fetched.push_back(&file_.add_column<std::int32_t>(
        fmt::format("/requests/fetched_tokens_tier{}", tier + 1), "tokens",
        fmt::format("of the cached tokens, those that came from tier '{}'", facts.tiers[tier])));
  std::vector<std::string> pools, classes;
  for (const PoolFacts& pool : facts.pools) pools.push_back(pool.name);
  for (const ClassFacts& one : facts.classes) classes.push_back(one.name);
  file_.set_text("/requests/pool", "names", fmt::format("{}", fmt::join(pools, ",")));
  file_.set_text("/requests/class", "names", fmt::format("{}", fmt::join(classes, ",")));
  file_.set_text("/requests/state", "names", state_names());
  file_.set_text("/requests/reason", "names", reason_names());
}

void ResultFile::add_series_columns() {
  for (const PoolFacts& pool : pools_) {
    const auto column = [&](const char* name, const char* unit, const char* what) -> Column& {
      return file_.add_column<double>(fmt::format("/series/{}/{}", path_name(pool.name), name), unit, what);
    };
    series_.emplace_back(
        new PoolColumns{column("time", "s", "time of the sample since the start of the run"),
                        column("running", "requests", "requests in batches"),
                        column("waiting", "requests", "requests in queues or on their way there"),
                        column("kv_use", "1", "share of the KV blocks in use"),
                        column("prompt_tokens", "tokens/s", "prompt tokens computed, since the last sample"),
                        column("output_tokens", "tokens/s", "output tokens delivered, since the last sample"),
                        column("watts", "W", "mean power of the pool's servers since the last sample"),
                        {},
                        {}});
  }
}

void ResultFile::request_ended(const RequestRecord& record) {
  if (requests_ == nullptr) return;
  RequestColumns& columns = *requests_;
  columns.index.append(record.index);
  columns.arrival.append(record.arrival.ns);
  columns.scheduled.append(instant(record.scheduled));
  columns.first_token.append(instant(record.first_token));
  columns.completion.append(record.end.ns);
  columns.prompt.append(record.prompt_tokens);
  columns.cached.append(record.cached_tokens);
  columns.output.append(record.output_tokens);
  columns.replica.append(record.replica.value);
  columns.pool.append(record.pool.value);
  columns.request_class.append(record.request_class.value);
  columns.preemptions.append(record.preemptions);
  columns.state.append(static_cast<std::uint8_t>(record.state));
  columns.reason.append(static_cast<std::uint8_t>(record.reason));
  for (std::size_t tier = 0; tier < columns.fetched.size(); ++tier)
    columns.fetched[tier]->append(record.fetched_tokens[tier]);
  if (columns.prefilled == nullptr) return;
  columns.prefill_replica->append(record.prefill_replica.value);
  columns.prefilled->append(instant(record.prefilled));
}

void ResultFile::sampled(SimTime now, std::span<const PoolSample> pools) {
  if (series_.empty()) return;
  for (const PoolSample& sample : pools) {
    SILICAST_CHECK(sample.pool.valid() && sample.pool.index() < series_.size());
    PoolColumns& columns = *series_[sample.pool.index()];
    const double seconds = (now - columns.last_time).value();
    const auto rate = [&](double difference) { return seconds > 0 ? difference / seconds : 0; };
    columns.time.append(now.seconds());
    columns.running.append(static_cast<double>(sample.running));
    columns.waiting.append(static_cast<double>(sample.waiting));
    columns.kv.append(sample.kv_blocks_total > 0
                          ? static_cast<double>(sample.kv_blocks_used) / static_cast<double>(sample.kv_blocks_total)
                          : 0.0);
    columns.prompt_rate.append(rate(static_cast<double>(sample.prompt_tokens - columns.last.prompt_tokens)));
    columns.output_rate.append(rate(static_cast<double>(sample.output_tokens - columns.last.output_tokens)));
    PoolWork work;
    work.busy = (sample.busy_time - columns.last.busy_time).value();
    work.prefill = (sample.prefill_time - columns.last.prefill_time).value();
    columns.watts.append(pool_watts(pools_[sample.pool.index()], work, seconds).value);
    columns.last_time = now;
    columns.last = sample;
  }
}

void ResultFile::finish(const Summary& summary, const Histograms& histograms, std::uint64_t fingerprint) {
  file_.end_rows();
  file_.set_text("/scenario", "fingerprint", fmt::format("{:016x}", fingerprint));
  put_histogram(file_, "ttft", "requests", histograms.ttft);
  put_histogram(file_, "tpot", "requests", histograms.tpot);
  put_histogram(file_, "itl", "gaps", histograms.itl);
  put_histogram(file_, "e2e", "requests", histograms.e2e);
  put_summary(file_, summary);
  if (summary.cost) put_cost(file_, *summary.cost);
  file_.finish();
}

void ResultFile::abandon() {
  file_.abandon();
}

}  // namespace silicast
