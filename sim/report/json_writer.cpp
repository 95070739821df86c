#include "sim/report/json_writer.hpp"

#include "sim/report/json_text.hpp"
#include "sim/report/metrics.hpp"

namespace silicast {
namespace {

void put(JsonText& json, const std::vector<Metric>& metrics) {
  for (const Metric& metric : metrics) {
    json.item(metric.key).number(metric.value);
    if (!metric.has_range) continue;
    json.item(metric.key + "_low").number(metric.low);
    json.item(metric.key + "_high").number(metric.high);
  }
}

void put_group_extras(JsonText& json, const GroupSummary& group) {
  json.item("end_reasons").open('{');
  for (std::size_t i = 1; i < kEndReasons; ++i) json.item(name_of(static_cast<EndReason>(i))).integer(group.reasons[i]);
  json.close('}');
  json.item("targets").open('[');
  for (const TargetResult& target : group.goodput.targets) {
    json.item().open('{');
    json.item("name").string(target.name);
    json.item("limit_s").number(target.limit);
    json.item("value_s").number(target.value);
    json.item("met");
    if (target.met)
      json.boolean(*target.met);
    else
      json.null();
    json.close('}');
  }
  json.close(']');
}

void put_pools(JsonText& json, const Summary& run) {
  json.item("pools").open('[');
  for (std::size_t i = 0; i < run.use.size(); ++i) {
    json.item().open('{');
    json.item("name").string(run.use[i].name);
    json.item("chip").string(run.use[i].chip);
    json.item("badge").string(name_of(run.use[i].badge.kind));
    json.item("badge_reason").string(run.use[i].badge.reason);
    put(json, use_metrics(run.use[i]));
    const GroupSummary& group = i < run.pools.size() ? run.pools[i] : run.total;
    put(json, group_metrics(group, run.unstable));
    json.close('}');
  }
  json.close(']');
}

void put_cost(JsonText& json, const Cost& cost) {
  json.item("cost_basis").open('{');
  json.item("price_sheet").string(cost.price_sheet);
  json.item("weakest_grade").string(name_of(cost.weakest));
  json.item("grounds").open('[');
  for (const CostGround& ground : cost.grounds) {
    json.item().open('{');
    json.item("what").string(ground.what);
    json.item("grade").string(name_of(ground.grade));
    json.item("source").string(ground.source);
    json.close('}');
  }
  json.close(']');
  json.close('}');
}

void put_groups(JsonText& json, std::string_view name, const std::vector<GroupSummary>& groups, bool unstable) {
  json.item(name).open('[');
  for (const GroupSummary& group : groups) {
    json.item().open('{');
    json.item("name").string(group.name);
    put(json, group_metrics(group, unstable));
    put_group_extras(json, group);
    json.close('}');
  }
  json.close(']');
}

void put_run(JsonText& json, const Summary& run) {
  json.item().open('{');
  json.item("name").string(run.name);
  json.item("version").string(run.version);
  json.item("seed").integer(static_cast<std::int64_t>(run.seed));
  json.item("fingerprint").string(run.fingerprint);
  json.item("unstable").boolean(run.unstable);
  json.item("unstable_reason").string(run.unstable_reason);
  json.item("notes").open('[');
  for (const std::string& note : run.notes) json.item().string(note);
  json.close(']');
  json.item("quantiles_exact").boolean(run.total.ttft.exact);
  json.item("summary").open('{');
  put(json, run_metrics(run));
  json.close('}');
  json.item("latency_weakest_grade").string(name_of(run.latency_weakest));
  json.item("energy_weakest_grade");
  if (run.energy.known)
    json.string(name_of(run.energy.weakest));
  else
    json.null();
  put_group_extras(json, run.total);
  put_pools(json, run);
  put_groups(json, "classes", run.classes, run.unstable);
  if (!run.models.empty()) put_groups(json, "models", run.models, run.unstable);
  if (run.cost) put_cost(json, *run.cost);
  json.close('}');
}

}  // namespace

std::string summary_json(std::span<const Summary> runs) {
  JsonText json;
  json.open('{');
  json.item("runs").open('[');
  for (const Summary& run : runs) put_run(json, run);
  json.close(']');
  json.close('}');
  return json.take() + "\n";
}

}  // namespace silicast
