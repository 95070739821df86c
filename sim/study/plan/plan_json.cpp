#include <cmath>

#include "sim/study/plan/plan_report.hpp"

namespace silicast {
namespace {

void put(JsonText& json, const Verdict& verdict) {
  json.open('{');
  json.item("met").boolean(verdict.met);
  json.item("target").string(verdict.target);
  json.item("value").number(verdict.value);
  json.item("limit").number(verdict.limit);
  json.item("excess").number(verdict.excess);
  json.close('}');
}

void put_figures(JsonText& json, const OptionFigures& f) {
  json.item("chips").integer(f.chips);
  const std::pair<const char*, double> figures[] = {{"rmb_per_hour", f.per_hour},
                                                    {"rmb_per_million_tokens", f.per_million_tokens},
                                                    {"purchase_rmb", f.purchase},
                                                    {"rated_w", f.watts},
                                                    {"ttft_p50_s", f.ttft_p50},
                                                    {"ttft_p99_s", f.ttft_p99},
                                                    {"tpot_p50_s", f.tpot_p50},
                                                    {"tpot_p99_s", f.tpot_p99},
                                                    {"requests_per_replica_per_s", f.requests_per_replica},
                                                    {"busy", f.busy},
                                                    {"tokens_per_user_per_s", f.tokens_per_user},
                                                    {"tokens_per_chip_per_s", f.tokens_per_chip},
                                                    {"tokens_per_megawatt_per_s", f.tokens_per_megawatt}};
  for (const auto& [key, value] : figures) json.item(key).number(value);
}

void put_option(JsonText& json, const PlanSpec& plan, const SizedOption& one, const std::string& configs_dir) {
  json.open('{');
  json.item("service").string(one.option.service->name);
  json.item("node").string(one.option.candidate->node);
  json.item("layout").string(flow_text(one.option.layout));
  json.item("precision").string(flow_text(one.option.precision));
  json.item("max_sequences").integer(one.option.limits.max_sequences);
  json.item("max_batched_tokens").integer(one.option.limits.max_batched_tokens);
  json.item("status").string(name_of(one.status));
  json.item("reason").string(one.reason);
  json.item("by").number(one.by);
  json.item("least_nodes").integer(one.least_nodes);
  json.item("nodes").integer(one.nodes);
  put(json.item("verdict"), one.verdict);
  if (one.status == OptionStatus::kCompliant) put_figures(json, figures_of(plan, one, configs_dir));
  json.close('}');
}

void put_mix(JsonText& json, const PlanSpec& plan, const Mix& mix) {
  json.open('{');
  json.item("pools").open('[');
  for (const MixPool& pool : mix.pools) {
    json.item().open('{');
    json.item("service").string(plan.services[pool.part->service].name);
    json.item("node").string(plan.candidates[pool.part->candidate].node);
    json.item("option").string(pool.part->sized->option.name());
    json.item("needed").integer(pool.needed);
    json.item("bought").integer(pool.bought);
    json.close('}');
  }
  json.close(']');
  json.item("rmb_per_hour").number(mix.per_hour);
  json.item("purchase_rmb").number(mix.purchase);
  json.item("rated_w").number(mix.watts);
  json.item("racks").integer(mix.racks);
  json.close('}');
}

void put_service(JsonText& json, const PlanSpec& plan, const PlanAnswer& answer, std::size_t s,
                 const std::string& configs_dir) {
  const ServiceAnswer& service = answer.services[s];
  json.open('{');
  json.item("name").string(plan.services[s].name);
  json.item("requests_per_s").number(service.requests_per_second);
  json.item("verified").boolean(service.verified);
  put(json.item("verdict"), service.verdict);
  json.item("best").open('[');
  for (const SizedOption* one : service.best) put_option(json.item(), plan, *one, configs_dir);
  json.close(']');
  json.item("views").open('[');
  for (const PlanView& view : views_of(plan, answer, s, configs_dir)) {
    json.item().open('{');
    json.item("view").string(view.name);
    json.item("node").string(view.option->option.candidate->node);
    json.item("option").string(view.option->option.name());
    json.item("nodes").integer(view.option->nodes);
    json.item("because").string(view.figure);
    json.close('}');
  }
  json.close(']');
  json.item("pareto").open('[');
  for (const SizedOption* one : pareto_front(plan, answer, s)) put_option(json.item(), plan, *one, configs_dir);
  json.close(']');
  json.item("cliffs").open('[');
  for (const Cliff& one : service.cliffs) {
    json.item().open('{');
    json.item("load").number(one.load);
    put(json.item("verdict"), one.verdict);
    json.close('}');
  }
  json.close(']');
  json.close('}');
}

}  // namespace

void put_plan(JsonText& json, const PlanSpec& plan, const PlanAnswer& answer, const std::string& configs_dir) {
  json.item("name").string(plan.name);
  json.item("services").open('[');
  for (std::size_t s = 0; s < answer.services.size(); ++s) put_service(json.item(), plan, answer, s, configs_dir);
  json.close(']');
  json.item("mix");
  if (answer.mix)
    put_mix(json, plan, *answer.mix);
  else
    json.null();
  json.item("why_not").open('[');
  for (const std::string& why : answer.no_mix) json.item().string(why);
  json.close(']');
  json.item("shadow_prices").open('[');
  for (const ShadowPrice& one : answer.shadow_prices) {
    json.item().open('{');
    json.item("what").string(one.what);
    json.item("change").string(one.change);
    json.item("saves_rmb_per_hour").number(one.per_hour);
    json.close('}');
  }
  json.close(']');
  json.item("growth").open('[');
  for (const GrowthStep& step : answer.growth) {
    json.item().open('{');
    json.item("month").integer(step.month);
    json.item("load").number(step.load);
    json.item("mix");
    if (step.mix)
      put_mix(json, plan, *step.mix);
    else
      json.null();
    json.close('}');
  }
  json.close(']');
  json.item("ledger").open('[');
  for (const SizedOption& one : answer.ledger) put_option(json.item(), plan, one, configs_dir);
  json.close(']');
  json.item("runs").integer(answer.runs);
}

}  // namespace silicast
