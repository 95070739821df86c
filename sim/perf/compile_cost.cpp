// Fills the tables, stage by stage, and adds up the work rates of the replica.
#include "sim/perf/compile_cost.hpp"

#include <utility>

#include "sim/base/check.hpp"
#include "sim/perf/piecewise_fit.hpp"
#include "sim/perf/stage_price.hpp"

namespace silicast {
namespace {

constexpr double kDecodeTolerance = 1e-3;  // relative, of the compiled decode attention

struct Amount {
  double flops = 0;
  double bytes = 0;
};

Amount total(const std::vector<Kernel>& kernels) {
  Amount amount;
  for (const Kernel& kernel : kernels) {
    amount.flops += kernel.times * kernel.flops.value();
    amount.bytes += kernel.times * kernel.bytes.value();
  }
  return amount;
}

// Work of the kernels is linear in their count: two cases give the slope and what is there anyway (weights).
struct Slope {
  double flops;
  double bytes;
  double fixed_bytes;
};

Slope slope_of(const Amount& one, const Amount& two) {
  const double bytes = two.bytes - one.bytes;
  return {two.flops - one.flops, bytes, one.bytes - bytes};
}

void add_work(WorkRates& work, const StageWork& stage, double ranks) {
  const Slope tokens = slope_of(total(stage.token_kernels(1)), total(stage.token_kernels(2)));
  const Slope sampled = slope_of(total(stage.sequence_kernels(1)), total(stage.sequence_kernels(2)));
  const Kernel decode = stage.decode_attention(1, 1);
  const Kernel decode_longer = stage.decode_attention(1, 2);
  const Kernel decode_more = stage.decode_attention(2, 2);
  const Kernel chunk = stage.prefill_attention(1, 0);
  const Kernel chunk_longer = stage.prefill_attention(1, 1);
  const double layers = ranks * stage.layers();
  work.flops_per_token += ranks * tokens.flops;
  work.bytes_per_token +=
      ranks * tokens.bytes + layers * (decode_more.bytes - decode_longer.bytes).value();  // queries and outputs
  work.bytes_per_pass += ranks * (tokens.fixed_bytes + sampled.fixed_bytes);
  work.flops_per_sampled += ranks * sampled.flops;
  work.bytes_per_sampled += ranks * sampled.bytes;
  work.flops_per_decode_kv_token += layers * (decode_longer.flops - decode.flops).value();
  work.bytes_per_decode_kv_token += layers * (decode_longer.bytes - decode.bytes).value();
  work.flops_per_prefill_pair += layers * (chunk_longer.flops - chunk.flops).value();
  work.bytes_per_prefill_kv_token += layers * (chunk_longer.bytes - chunk.bytes).value();
}

StageCost compile_stage(const StagePrice& stage, std::int32_t max_tokens, std::int32_t max_sequences,
                        double max_kv_tokens) {
  StageCost cost;
  cost.layers = stage.layers();
  cost.tokens.reserve(static_cast<std::size_t>(max_tokens) + 1);
  for (std::int32_t m = 0; m <= max_tokens; ++m) cost.tokens.push_back(stage.tokens(m));
  for (std::int32_t s = 0; s <= max_sequences; ++s) {
    cost.sequences.push_back(stage.sequences(s));
    cost.decode_base.push_back(stage.decode_base(s));
  }
  cost.decode_kv =
      fit_line([&stage](double kv_tokens) { return stage.decode_kv(kv_tokens); }, max_kv_tokens, kDecodeTolerance);
  return cost;
}

}  // namespace

CompiledCost compile_cost(const ReplicaSetup& setup, std::int32_t max_tokens, std::int32_t max_sequences) {
  SILICAST_CHECK(max_tokens >= 1 && max_sequences >= 1, "tables of {} tokens, {} sequences", max_tokens, max_sequences);
  const double max_kv_tokens = static_cast<double>(max_sequences) * setup.model.max_context;
  const double chips = setup.plan.chips();
  CompiledCost compiled;
  std::vector<StageCost> stages;
  AttentionRates attention;
  for (std::int32_t s = 0; s < setup.plan.stages(); ++s) {
    const StagePrice price(setup, s);
    stages.push_back(compile_stage(price, max_tokens, max_sequences, max_kv_tokens));
    add_work(compiled.work, price.work(), setup.plan.tensor);
    attention = price.attention();  // per layer, so the same in every stage
  }
  std::vector<double> quadratic{0};
  quadratic.reserve(static_cast<std::size_t>(max_tokens) + 1);
  for (std::int32_t c = 1; c <= max_tokens; ++c) quadratic.push_back(attention.prefill_quadratic(c));
  compiled.cost = IterationCost(std::move(stages), setup.host, std::move(quadratic), attention.prefill_kv);
  compiled.work.peak_flops = chips * setup.chip.peak_flops(setup.precision.activations);
  compiled.work.peak_bandwidth = chips * setup.chip.memory_bandwidth;
  compiled.work.stages = setup.plan.stages();
  return compiled;
}

}  // namespace silicast
