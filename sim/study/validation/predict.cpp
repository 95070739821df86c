#include "sim/study/validation/predict.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/check.hpp"
#include "sim/run/lone_prompt.hpp"
#include "sim/study/validation/served_requests.hpp"

namespace silicast {
namespace {

bool is_ttft(const Measurement& measured) {
  return measured.metric == "ttft_mean" || measured.metric == "ttft_median";
}

// Arrivals at random differ from those that were measured, by several percent in their rate where they are few: the
// mean of some streams is nearer to what any stream was measured to give.
constexpr std::uint64_t kStreams = 5;

std::vector<ServedRequests> serve_all(const Scenario& scenario, const ServeQuestion& question) {
  const WorkloadInfo& info = scenario.workload_info;
  std::vector<ServedRequests> runs;
  Scenario stream = scenario;
  for (std::uint64_t i = 0; i < (info.open_loop && info.generated ? kStreams : 1); ++i) {
    stream.seed = stream.workload_context.seed = scenario.seed + i;
    runs.push_back(serve_scenario(stream, question));
  }
  return runs;
}

double mean_of(const std::vector<ServedRequests>& runs, const std::string& metric) {
  double sum = 0;
  for (const ServedRequests& run : runs) sum += run.value_of(metric);
  return sum / static_cast<double>(runs.size());
}

Prediction serve(const Scenario& scenario, const ValidationCase& one, const ServeQuestion& question) {
  const std::vector<ServedRequests> runs = serve_all(scenario, question);
  Prediction prediction;
  for (const Measurement& measured : one.measured) {
    prediction.values.push_back(mean_of(runs, measured.metric));
    // Outputs of one token have no time per token.
    if (!std::isfinite(prediction.values.back()))
      throw InputError(fmt::format("the simulated run has no {} to compare with", measured.metric));
  }
  prediction.curve = runs[0].curve();
  // By the measured TTFT where there is one, else by ours.
  const auto measured = std::find_if(one.measured.begin(), one.measured.end(), is_ttft);
  const double ttft = measured != one.measured.end() ? measured->value : mean_of(runs, "ttft_mean");
  prediction.load = ttft < kSaturatedTtft * lone_prefill(scenario) ? "unsaturated" : "saturated";
  return prediction;
}

// One iteration of every rank alike.
double price(const PoolScenario& pool, const IterationQuestion& question) {
  const BreakdownBatch& batch = question.batch;
  ReplicaSetup setup = pool.replica;
  setup.drafts = question.drafts;
  if (question.drafting && setup.model.mtp_layers > 0) setup.draft = mtp_network(setup.model);
  const EngineLimits limits = pool.engine.limits();
  const std::int32_t decoded = batch.decode_sequences * (1 + question.drafts);
  const std::int32_t tokens = std::max(decoded + question.prompts * batch.prefill_tokens, 1);
  const IterationCost cost = compile_cost(setup, std::max(tokens, limits.max_batched_tokens),
                                          std::max(batch.decode_sequences + question.prompts, 1))
                                 .cost;
  BatchShape shape;
  shape.decode_sequences = batch.decode_sequences;
  shape.decode_kv_tokens = batch.decode_sequences * batch.kv_length;
  for (std::size_t i = 0; i < cost.reaches().size(); ++i)
    shape.limited[i].tokens =
        static_cast<double>(batch.decode_sequences * std::min(batch.kv_length, cost.reaches()[i]));
  shape.sampled_sequences = batch.decode_sequences;
  if (batch.prefill_tokens > 0) {
    shape.prefill_sequences = question.prompts;
    shape.prefill_tokens = question.prompts * batch.prefill_tokens;
    shape.largest_chunk = batch.prefill_tokens;
    shape.largest_context = batch.prefill_context;
    shape.largest_attention = cost.prefill_attention(batch.prefill_tokens, batch.prefill_context);
    shape.prefill_attention = question.prompts * shape.largest_attention;
    shape.sampled_sequences += question.prompts;
  }
  const double own = cost.line(shape).first;
  return setup.plan.data > 1 ? own + cost.shared(std::int64_t{tokens} * setup.plan.data, tokens) : own;
}

double memory_metric(const PoolScenario& pool, const std::string& metric) {
  if (metric == "kv_memory") return pool.memory.stages[0].kv.value();
  SILICAST_CHECK(metric == "kv_tokens", "{} is no metric of memory", metric);
  return static_cast<double>(pool.memory.kv_tokens);
}

}  // namespace

double lone_prefill(const Scenario& scenario) {
  return lone_prompt(scenario.pools[0], static_cast<std::int64_t>(scenario.workload_info.mean_prompt.value_or(1)))
      .value();
}

Prediction predict(const Scenario& scenario, const ValidationCase& one) {
  if (const auto* question = std::get_if<ServeQuestion>(&one.question)) return serve(scenario, one, *question);
  Prediction prediction;
  const auto* iteration = std::get_if<IterationQuestion>(&one.question);
  prediction.load = iteration != nullptr ? "one pass" : "at start";
  for (const Measurement& measured : one.measured)
    prediction.values.push_back(iteration != nullptr ? price(scenario.pools[0], *iteration)
                                                     : memory_metric(scenario.pools[0], measured.metric));
  return prediction;
}

}  // namespace silicast
