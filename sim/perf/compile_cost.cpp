// Fills the tables, stage by stage, and adds up the work rates of the replica.
#include "sim/perf/compile_cost.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "sim/base/check.hpp"
#include "sim/perf/stage_price.hpp"

namespace silicast {
namespace {

// Prices change in steps with the smallest tiles; beyond them they are smooth enough for chords over 1/64 of the count
// (off by less than 1e-4).
constexpr std::int64_t kDense = 256;
constexpr std::int64_t kChords = 64;
// Measured kernels go on in steps.
constexpr std::int64_t kDenseMeasured = 4096;

// price(0 .. last), the counts beyond `dense` by chords.
std::vector<double> table_of(std::int64_t last, std::int64_t dense, const std::function<double(std::int64_t)>& price) {
  std::vector<double> table{0};
  table.reserve(static_cast<std::size_t>(last) + 1);
  for (std::int64_t m = 1; m <= std::min(last, dense); ++m) table.push_back(price(m));
  while (static_cast<std::int64_t>(table.size()) <= last) {
    const std::int64_t from = static_cast<std::int64_t>(table.size()) - 1;
    const std::int64_t to = std::min(last, from + std::max<std::int64_t>(1, from / kChords));
    const double low = table.back(), high = price(to);
    for (std::int64_t m = from + 1; m < to; ++m)
      table.push_back(low + (high - low) * (static_cast<double>(m - from) / static_cast<double>(to - from)));
    table.push_back(high);
  }
  return table;
}

std::int64_t dense_of(const ReplicaSetup& setup) {
  return setup.measured ? kDenseMeasured : kDense;
}

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

void add_work(WorkRates& work, const StageWork& stage, const ParallelPlan& plan,
              const std::vector<std::int64_t>& reaches) {
  const double ranks = plan.ranks();
  const Slope tokens = slope_of(total(stage.token_kernels(1)), total(stage.token_kernels(2)));
  const Slope sampled = slope_of(total(stage.sequence_kernels(1)), total(stage.sequence_kernels(2)));
  work.flops_per_token += plan.tensor * tokens.flops;
  work.bytes_per_token += plan.tensor * tokens.bytes;
  work.bytes_per_pass += ranks * (tokens.fixed_bytes + sampled.fixed_bytes);
  work.reaches = reaches.size();
  work.flops_per_sampled += plan.tensor * sampled.flops;
  work.bytes_per_sampled += plan.tensor * sampled.bytes;
  for (const AttentionPart& part : stage.attention()) {
    const double layers = plan.tensor * part.layers;
    work.bytes_per_token += layers * part.query_bytes;
    if (part.reach == 0) {
      work.flops_per_decode_kv_token += layers * part.decode_flops;
      work.bytes_per_decode_kv_token += layers * part.decode_bytes;
      work.flops_per_prefill_pair += layers * part.prefill_flops;
      work.bytes_per_prefill_kv_token += layers * part.prefill_bytes;
    } else if (part.reach == 1) {
      work.flops_per_token += layers * part.decode_flops;
      work.bytes_per_token += layers * part.decode_bytes;
    } else {
      const auto found = std::find(reaches.begin(), reaches.end(), part.reach);
      WorkRates::Limited& limited = work.limited[static_cast<std::size_t>(found - reaches.begin())];
      limited.flops_per_decode_kv_token += layers * part.decode_flops;
      limited.bytes_per_decode_kv_token += layers * part.decode_bytes;
      limited.flops_per_prefill_pair += layers * part.prefill_flops;
    }
  }
}

// Routed experts of all ranks together.
void add_expert_work(WorkRates& work, const ReplicaSetup& setup) {
  const ParallelPlan whole = single_chip(setup.model);
  for (const LayerSpec& layer : setup.model.layers) {
    const FeedForwardSpec& block = setup.model.feed_forwards[static_cast<std::size_t>(layer.feed_forward)];
    if (!block.mixture()) continue;
    work.expert_share = static_cast<double>(block.active) / block.experts;
    for (const RankMatrix& matrix : feed_forward_matrices(setup.model, block, whole)) {
      if (matrix.store != WeightStore::kExpert) continue;
      work.bytes_of_experts += matrix.numbers() * bytes_of(setup.precision.experts);
      work.flops_per_token += 2 * matrix.numbers() * work.expert_share;
    }
  }
}

// Attention of every stage together; each stage's share of it by its pairs.
void add_prefill(IterationCost::Common& common, std::vector<StageCost>& stages, const StagePrice& price) {
  double pairs = 0;
  for (std::size_t i = 0; i < price.attention().size() && !common.attention; ++i) {
    const AttentionPart& part = price.work().attention()[i];
    const AttentionRates& rates = price.attention()[i];
    PrefillPart added{part.reach, part.layers * rates.prefill_pair, part.layers * rates.prefill_row,
                      part.layers * rates.prefill_walk, part.layers * rates.prefill_kv};
    pairs += added.pair;
    const auto same = std::find_if(common.prefill.begin(), common.prefill.end(), [&](const PrefillPart& known) {
      return known.reach == added.reach && known.pair * added.kv == added.pair * known.kv;
    });
    if (same == common.prefill.end()) {
      common.prefill.push_back(added);
      continue;
    }
    same->pair += added.pair;
    same->row += added.row;
    same->walk += added.walk;
    same->kv += added.kv;
  }
  stages.back().prefill_share = pairs;
}

StageCost compile_stage(const StagePrice& stage, const ReplicaSetup& setup, std::int32_t max_tokens,
                        std::int32_t max_sequences, const std::vector<std::int64_t>& reaches) {
  StageCost cost;
  const bool own_experts = setup.plan.data == 1;  // otherwise shared by ranks in lock step
  const std::int64_t dense = dense_of(setup);
  cost.tokens = table_of(max_tokens, dense, [&](std::int64_t m) {
    return stage.tokens(m) + (own_experts ? stage.experts(m * setup.plan.context) : 0);
  });
  cost.sequences = table_of(std::int64_t{max_sequences} * (1 + setup.drafts), dense,
                            [&](std::int64_t s) { return stage.sequences(s); });
  for (std::int32_t s = 0; s <= max_sequences; ++s) cost.decode_base.push_back(stage.decode_base(s));
  cost.decode_kv.assign(1 + reaches.size(), PiecewiseLine{{{0, 0, 0}}});
  if (stage.measures_attention()) return cost;
  for (std::size_t i = 0; i < stage.attention().size(); ++i) {
    const AttentionPart& part = stage.work().attention()[i];
    const double slope = part.layers * stage.attention()[i].decode_kv(1);
    if (part.reach == 1) {  // every sequence reaches just one
      for (std::int32_t s = 0; s <= max_sequences; ++s) cost.decode_base[static_cast<std::size_t>(s)] += slope * s;
      continue;
    }
    const auto found = std::find(reaches.begin(), reaches.end(), part.reach);
    const std::size_t line = part.reach == 0 ? 0 : static_cast<std::size_t>(found - reaches.begin()) + 1;
    cost.decode_kv[line].pieces[0].slope += slope;
  }
  return cost;
}

// The network runs once for each drafted token of every decode sequence. What it reaches to a limit that the model does
// not have counts as whole contexts.
void add_drafts(StageCost& cost, const ReplicaSetup& setup, std::int32_t max_sequences,
                const std::vector<std::int64_t>& reaches) {
  const ReplicaSetup own = draft_setup(setup);
  const StagePrice price(own, 0);
  for (std::size_t i = 0; i < price.attention().size(); ++i) {
    const AttentionPart& part = price.work().attention()[i];
    const double slope = setup.drafts * part.layers * price.attention()[i].decode_kv(1);
    if (part.reach == 1) {
      for (std::int32_t s = 1; s <= max_sequences; ++s) cost.decode_base[static_cast<std::size_t>(s)] += slope * s;
      continue;
    }
    const auto found = std::find(reaches.begin(), reaches.end(), part.reach);
    cost.decode_kv[found == reaches.end() ? 0 : static_cast<std::size_t>(found - reaches.begin()) + 1]
        .pieces[0]
        .slope += slope;
  }
  for (std::int32_t s = 1; s <= max_sequences; ++s)
    cost.decode_base[static_cast<std::size_t>(s)] +=
        setup.drafts * (price.tokens(s) + price.experts(s) + price.sequences(s) + price.decode_base(s));
}

std::vector<std::int64_t> reaches_of(const ReplicaSetup& setup) {
  std::vector<std::int64_t> reaches;
  for (const AttentionPart& part :
       attention_parts(setup.model, setup.plan, setup.precision, 0, setup.model.layer_count()))
    if (part.reach > 1 && std::find(reaches.begin(), reaches.end(), part.reach) == reaches.end())
      reaches.push_back(part.reach);
  return reaches;
}

}  // namespace

ReplicaSetup draft_setup(const ReplicaSetup& setup) {
  ReplicaSetup own = setup;
  own.model = setup.draft;
  own.drafts = 0;
  own.measured.reset();
  own.plan.stage_layers = {setup.draft.layer_count()};
  own.tensor_groups = {setup.tensor_groups.back()};
  own.stage_groups = {setup.stage_groups.back()};
  own.stage_links.clear();
  return own;
}

std::optional<Tier> tier_between_nodes(const ReplicaSetup& setup) {
  std::optional<Tier> tier;
  for (const std::vector<GroupLinks>* groups : {&setup.tensor_groups, &setup.stage_groups, &setup.stage_links})
    for (const GroupLinks& group : *groups) {
      if (!group.within_pod) return Tier::kScaleOut;
      if (!group.within_node) tier = Tier::kPod;
    }
  return tier;
}

ReplicaSetup crowded_setup(const ReplicaSetup& setup) {
  ReplicaSetup crowded = setup;
  const bool beyond_pods = tier_between_nodes(setup) == Tier::kScaleOut;
  for (std::vector<GroupLinks>* groups : {&crowded.tensor_groups, &crowded.stage_groups, &crowded.stage_links})
    for (GroupLinks& group : *groups) {
      if (beyond_pods ? group.within_pod : group.within_node) continue;
      for (BytesPerSecond* rate : {&group.all_to_all, &group.ring, &group.rail}) *rate = *rate * 0.5;
    }
  return crowded;
}

CompiledCost compile_cost(const ReplicaSetup& setup, std::int32_t max_tokens, std::int32_t max_sequences) {
  SILICAST_CHECK(max_tokens >= 1 && max_sequences >= 1, "tables of {} tokens, {} sequences", max_tokens, max_sequences);
  const double chips = setup.plan.chips();
  CompiledCost compiled;
  std::vector<StageCost> stages;
  IterationCost::Common common;
  common.reaches = reaches_of(setup);
  common.query_tokens = 1 + setup.drafts;
  common.prefill_split = setup.plan.context;
  common.mixed = setup.chip.reached.attention.mixed.value;
  for (std::int32_t s = 0; s < setup.plan.stages(); ++s) {
    const StagePrice price(setup, s);
    if (price.measures_attention())
      common.attention.emplace(setup.measured->attention, price.attention()[0], common.mixed,
                               price.work().attention()[0].layers, max_sequences);
    stages.push_back(compile_stage(price, setup, max_tokens, max_sequences, common.reaches));
    if (!setup.draft.layers.empty() && s + 1 == setup.plan.stages())
      add_drafts(stages.back(), setup, max_sequences, common.reaches);
    add_prefill(common, stages, price);
    add_work(compiled.work, price.work(), setup.plan, common.reaches);
    if (setup.plan.data == 1) continue;
    common.group_tokens = table_of(std::int64_t{max_tokens} * setup.plan.data, dense_of(setup),
                                   [&](std::int64_t tokens) { return price.experts(tokens); });
    common.exchange = table_of(max_tokens, kDense, [&](std::int64_t tokens) { return price.exchange(tokens); });
  }
  add_expert_work(compiled.work, setup);
  double pairs = 0;
  for (const StageCost& stage : stages) pairs += stage.prefill_share;
  for (StageCost& stage : stages) stage.prefill_share = pairs > 0 ? stage.prefill_share / pairs : 1;
  if (stages.size() == 1) stages[0].prefill_share = 1;
  compiled.cost = IterationCost(std::move(stages), setup.host, std::move(common));
  compiled.work.peak_flops = chips * setup.chip.peak_flops(setup.precision.activations);
  compiled.work.peak_bandwidth = chips * setup.chip.memory_bandwidth;
  compiled.work.stages = setup.plan.stages();
  return compiled;
}

}  // namespace silicast
