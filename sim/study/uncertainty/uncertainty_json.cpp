#include "sim/study/uncertainty/plan_uncertainty.hpp"

namespace silicast {
namespace {

// {"p5": ..., "p50": ..., "p95": ...}
void put_quantiles(JsonText& json, const std::string& key, const std::vector<double>& values) {
  json.item(key).open('{');
  json.item("p5").number(quantile(values, 0.05));
  json.item("p50").number(quantile(values, 0.5));
  json.item("p95").number(quantile(values, 0.95));
  json.close('}');
}

void put_option(JsonText& json, const PlanSpec& plan, const PlanUncertainty& found, const UncertainOption& one) {
  json.item().open('{');
  json.item("service").string(plan.services[one.part->service].name);
  json.item("node").string(plan.candidates[one.part->candidate].node);
  json.item("option").string(one.part->sized->option.name());
  json.item("nodes").integer(one.part->sized->nodes);
  json.item("all_targets_hold").number(one.all_hold);
  json.item("targets_hold").open('{');
  for (std::size_t t = 0; t < one.targets.size(); ++t) json.item(one.targets[t]).number(one.holds[t]);
  json.close('}');
  put_quantiles(json, "rmb_per_million_tokens", one.per_million);
  put_quantiles(json, "rmb_per_hour", one.per_hour);
  put_quantiles(json, "requests_per_s", one.capacity);
  if (plan.growth.months > 0) put_quantiles(json, "months_until_full", one.months);
  json.item("beats").open('{');
  for (const UncertainOption& other : found.options)
    if (&other != &one && other.part->service == one.part->service)
      json.item(plan.candidates[other.part->candidate].node).number(beats(one, other));
  json.close('}');
  json.item("refused_draws").integer(static_cast<std::int64_t>(one.refused));
  json.close('}');
}

}  // namespace

void put_uncertainty(JsonText& json, const PlanSpec& plan, const PlanUncertainty& found) {
  json.open('{');
  json.item("draws").integer(static_cast<std::int64_t>(found.draws));
  json.item("numbers").integer(static_cast<std::int64_t>(found.unknowns));
  json.item("not_drawn").open('[');
  for (const std::string& file : found.certain) json.item().string(file);
  json.close(']');
  json.item("options").open('[');
  for (const UncertainOption& one : found.options) put_option(json, plan, found, one);
  json.close(']');
  json.item("tornado").open('[');
  for (std::size_t s = 0; s < plan.services.size(); ++s)
    for (const TornadoBar& bar : found.tornado[s]) {
      json.item().open('{');
      json.item("service").string(plan.services[s].name);
      json.item("number").string(bar.name);
      json.item("at_low").number(bar.at_low);
      json.item("at_high").number(bar.at_high);
      json.close('}');
    }
  json.close(']');
  json.close('}');
}

}  // namespace silicast
