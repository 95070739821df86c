#include "tests/support/random_scenario.hpp"

#include <fmt/format.h>

#include "tests/support/random_tiers.hpp"
#include "tests/support/random_transfers.hpp"
#include "workloads/block_ids.hpp"

namespace silicast::testing {
namespace {

std::int32_t between(RandomStream& draw, std::int32_t low, std::int32_t high) {
  return low + static_cast<std::int32_t>(draw.below(static_cast<std::uint64_t>(high - low + 1)));
}

std::vector<double> table(RandomStream& draw, std::int32_t size, double base, double step) {
  std::vector<double> values = {0};
  double value = base * (0.5 + draw.uniform());
  for (std::int32_t i = 1; i <= size; ++i) values.push_back(value += step * draw.uniform());
  return values;
}

PiecewiseLine line(RandomStream& draw, double scale) {
  PiecewiseLine result;
  double start = 0, value = 0, slope = scale * 1e-7 * draw.uniform();
  for (std::int32_t piece = between(draw, 1, 4); piece > 0; --piece) {
    result.pieces.push_back({start, value, slope});
    const double length = 50 + 400 * draw.uniform();
    start += length;
    value += length * slope;
    slope += scale * 1e-6 * draw.uniform();
  }
  return result;
}

// What a pool has besides, drawn from a stream of its own.
struct Besides {
  std::vector<std::int64_t> reaches;
  std::int32_t ranks = 1;
  std::int32_t drafts = 0;
  std::int64_t sequence_blocks = 0;
  Acceptance acceptance;
  bool plans_ahead = false;
  double mixed = 1;
  bool flat = false;
  bool measured = false;  // attention by a table
};

Besides random_besides(RandomStream& draw, RandomFeatures features, std::uint64_t seed) {
  Besides besides;
  for (std::int32_t i = draw.below(3) == 0 ? between(draw, 1, 3) : 0; i > 0; --i)
    besides.reaches.push_back(between(draw, 1, 60) * i);
  if (!besides.reaches.empty() && draw.below(2) == 0) besides.sequence_blocks = between(draw, 1, 4);
  if (draw.below(4) == 0) besides.ranks = between(draw, 2, 4);
  if (draw.below(4) == 0) besides.drafts = between(draw, 1, 4);
  besides.acceptance = {besides.drafts * draw.uniform(), draw.below(2) == 0 ? 0 : draw.uniform(), seed};
  besides.plans_ahead = draw.below(3) == 0;
  if (draw.below(3) == 0) besides.mixed = 1 + draw.uniform();
  besides.flat = features.flat;
  if (!features.ranks) besides.ranks = 1;
  if (!features.drafts) besides.drafts = 0;
  besides.measured = besides.reaches.empty() && besides.drafts == 0 && !besides.flat && draw.below(3) == 0;
  return besides;
}

// Times that grow with every coordinate, by steps alike for one axis but noisy; lengths that the systems pass by far.
AttentionTable random_attention(RandomStream& draw, std::int32_t max_sequences, double scale) {
  const std::vector<double> lengths = {2, 9, 33, 80, 200}, counts = {1, 3, 8}, chunks = {2, 20, 90},
                            contexts = {0, 15, 60};
  const auto time = [&](double work) { return scale * (1e-5 + 1e-7 * work) * (1 + 0.2 * draw.uniform()); };
  std::vector<MeasuredGrid::Row> prefill, decode, mixed;
  for (const double chunk : chunks)
    for (const double context : contexts) prefill.push_back({{chunk, context}, time(chunk * (1 + context / 9))});
  for (const double count : counts)
    for (const double length : lengths) {
      decode.push_back({{count, length}, time(count * length)});
      for (const double chunk : chunks)
        for (const double context : contexts)
          if (draw.below(4) > 0 || chunk == chunks[0])
            mixed.push_back({{length, count, chunk, context}, time(2 * count * length + chunk * (1 + context / 9))});
    }
  AttentionRates rates;
  rates.start = scale * 1e-5;
  rates.prefill_pair = rates.decode_memory = scale * 1e-8;
  rates.decode_sequence = scale * 1e-7;
  return AttentionTable({MeasuredGrid(prefill, 2), MeasuredGrid(decode, 2), MeasuredGrid(mixed, 4)}, rates, 2, 3,
                        max_sequences);
}

// And another of the same shape, of which what may be messages takes longer.
std::pair<IterationCost, IterationCost> random_costs(RandomStream& draw, std::int32_t max_tokens,
                                                     std::int32_t max_sequences, double scale, const Besides& besides) {
  std::vector<StageCost> stages(static_cast<std::size_t>(draw.below(4) == 0 ? between(draw, 2, 3) : 1));
  if (besides.measured) stages.resize(1);
  IterationCost::Common common;
  common.reaches = besides.reaches;
  common.query_tokens = 1 + besides.drafts;
  common.mixed = besides.mixed;
  common.prefill = {{0, scale * 1e-9 * draw.uniform(), scale * 1e-8 * draw.uniform(), scale * 1e-8 * draw.uniform(),
                     scale * 1e-8 * draw.uniform()}};
  for (const std::int64_t reach : besides.reaches)
    common.prefill.push_back({reach, scale * 1e-8 * draw.uniform(), 0, 0, scale * 1e-8 * draw.uniform()});
  for (StageCost& stage : stages) {
    stage.prefill_share = stages.size() == 1 ? 1 : draw.uniform();
    stage.tokens = table(draw, max_tokens, scale * 2e-3, scale * 2e-5);
    stage.sequences = table(draw, max_sequences * common.query_tokens, scale * 1e-5, scale * 1e-6);
    stage.decode_base = table(draw, max_sequences, scale * 1e-5, scale * 1e-6);
    for (std::size_t i = 0; i <= besides.reaches.size(); ++i)
      stage.decode_kv.push_back(line(draw, besides.flat ? 0 : scale));
  }
  if (besides.ranks > 1) {
    common.group_tokens = table(draw, besides.ranks * max_tokens, scale * 1e-3, scale * 5e-6);
    common.exchange = table(draw, max_tokens, scale * 1e-4, scale * 5e-6);
  }
  if (besides.measured) common.attention = random_attention(draw, max_sequences, scale);
  const IterationCost::HostOverhead host{scale * 1e-3 * draw.uniform(), scale * 1e-5 * draw.uniform(),
                                         draw.below(2) == 0};
  IterationCost cost(stages, host, common);
  for (StageCost& stage : stages)
    for (double& seconds : stage.tokens) seconds *= 1.7;
  for (double& seconds : common.exchange) seconds *= 1.9;
  return {std::move(cost), IterationCost(std::move(stages), host, std::move(common))};
}

// Prompts that begin alike: each goes on where one of those before it was, or begins anew. A block's id is made of the
// one before it and a choice of its own.
void add_prompt_blocks(RandomScenario& scenario, RandomStream& draw) {
  scenario.block_tokens = scenario.setup.pools[0].limits.block_size * between(draw, 1, 3);
  for (PoolSetup& pool : scenario.setup.pools) {
    pool.limits.block_size = scenario.setup.pools[0].limits.block_size;
    if (draw.below(8) > 0) pool.limits.prompt_block = scenario.block_tokens;
    pool.limits.blocks = pool.limits.blocks * 2 + 40;  // those of another size were meant
  }
  for (const RequestSpec& request : scenario.requests) {
    std::vector<std::uint64_t> prompt;
    std::uint64_t id = 1;
    const std::int32_t count = (request.prompt_tokens + scenario.block_tokens - 1) / scenario.block_tokens;
    while (static_cast<std::int32_t>(prompt.size()) < count)
      prompt.push_back(id = chained_id(id, draw.below(draw.below(4) + 1)));
    scenario.blocks.push_back(std::move(prompt));
  }
}

// Half of the requests name their answers, too; some of these are the next turn of one before, if it arrives that late.
// Their prompts stay within the longest there is, so that what is served stays as tight.
void add_answers(RandomScenario& scenario, RandomStream& draw, std::int32_t longest_prompt) {
  const std::int32_t size = scenario.block_tokens;
  std::vector<std::size_t> named;
  for (std::size_t i = 0; i < scenario.requests.size(); ++i) {
    if (draw.below(2) == 0) continue;
    RequestSpec& request = scenario.requests[i];
    std::vector<std::uint64_t>& ids = scenario.blocks[i];
    const std::size_t before = named.empty() ? i : named[draw.below(named.size())];
    const RequestSpec& turn = scenario.requests[before];
    const std::int32_t said = turn.prompt_tokens + turn.output_tokens;
    if (before != i && said < longest_prompt) {
      request.prompt_tokens = said + between(draw, 1, std::min(longest_prompt - said, 20));
      ids.assign(scenario.blocks[before].begin(), scenario.blocks[before].begin() + said / size);
    }
    const auto all = static_cast<std::size_t>(blocks_in(request.prompt_tokens + request.output_tokens, size));
    while (ids.size() < all) ids.push_back(chained_id(ids.empty() ? 1 : ids.back(), 100 + i));
    named.push_back(i);
  }
}

}  // namespace

RandomScenario random_scenario(std::uint64_t seed, int time_scale, RandomFeatures features) {
  RandomStream draw(seed, "random_scenario"), draw_besides(seed, "random_besides"), draw_way_in(seed, "random_way_in");
  RandomScenario scenario;
  ClusterSetup& setup = scenario.setup;
  const std::int32_t longest_prompt = between(draw, 1, 300), longest_output = between(draw, 1, 150);
  setup.max_contexts = {between(draw, 0, 9) == 0 ? (longest_prompt + longest_output) * 3 / 4 + 2 : 100000};
  setup.seed = seed;
  const auto& router = routers.entries()[draw.below(routers.entries().size())];
  setup.make_router = router.make;
  std::string schedulers_used;
  for (std::int32_t pools = between(draw, 1, 2); pools > 0; --pools) {
    PoolSetup pool;
    pool.replicas = between(draw, 1, 3);
    pool.limits.max_sequences = between(draw, 1, 24);
    pool.limits.max_batched_tokens = pool.limits.max_sequences + between(draw, 0, 200);
    pool.limits.max_chunk = draw.below(3) == 0 ? between(draw, 1, 64) : pool.limits.max_batched_tokens;
    pool.limits.max_waiting = draw.below(6) == 0 ? between(draw, 1, 20) : 0;
    pool.limits.block_size = between(draw, 1, 32);
    const std::int64_t one = blocks_for(longest_prompt + longest_output, pool.limits.block_size);
    pool.limits.blocks =
        one + static_cast<std::int64_t>(draw.below(static_cast<std::uint64_t>(one * (draw.below(2) == 0 ? 2 : 12))));
    if (draw.below(10) == 0) pool.limits.blocks = std::max<std::int64_t>(1, one / 2);
    pool.limits.reserve_prompt = draw.below(2) == 0;
    const Besides besides = random_besides(draw_besides, features, seed);
    pool.ranks = besides.ranks;
    pool.acceptance = besides.acceptance;
    pool.plans_ahead = besides.plans_ahead;
    if (draw_way_in.below(3) == 0)
      pool.way_in = Seconds(time_scale * 1e-9 * static_cast<double>(draw_way_in.below(40'000'000)));
    pool.limits.drafts = besides.drafts;
    pool.limits.max_batched_tokens += pool.limits.max_sequences * besides.drafts;
    pool.limits.sequence_blocks = besides.sequence_blocks;
    if (besides.drafts > 0 || besides.sequence_blocks > 0)
      pool.limits.blocks += (besides.sequence_blocks + besides.drafts) * between(draw_besides, 1, 8);
    const std::int32_t tokens = std::max(pool.limits.max_batched_tokens, longest_prompt + longest_output);
    auto [cost, crowded] = random_costs(draw, tokens, pool.limits.max_sequences, time_scale, besides);
    pool.cost = std::move(cost);
    pool.crowded.emplace(std::move(crowded), Tier::kScaleOut);
    const auto& scheduler = schedulers.entries()[draw.below(schedulers.entries().size())];
    pool.make_scheduler = scheduler.make;
    schedulers_used += fmt::format(" {}(blocks {} of {}, {} a sequence, {} ranks, {} drafts, {} reaches{}{})",
                                   scheduler.name, pool.limits.blocks, pool.limits.block_size, besides.sequence_blocks,
                                   besides.ranks, besides.drafts, besides.reaches.size(),
                                   besides.plans_ahead ? ", plans ahead" : "", besides.measured ? ", measured" : "");
    setup.pools.push_back(std::move(pool));
  }
  const std::int32_t count = between(draw, 1, 160);
  const double mean_gap = 1e-3 * (1 + 60 * draw.uniform());
  const bool impatient = draw.below(3) == 0;
  double now = 0;
  for (std::int32_t i = 0; i < count; ++i) {
    const std::uint64_t burst = draw.below(8);
    if (burst > 2) now += mean_gap * draw.exponential();
    if (burst == 2) now += 1e-6 * draw.uniform();
    RequestSpec spec =
        request_at(nanoseconds(Seconds(now)), between(draw, 1, longest_prompt), between(draw, 1, longest_output));
    if (impatient && draw.below(3) == 0) {
      spec.deadline = spec.arrival + Seconds(0.3 * draw.exponential());
      spec.deadline_is_abort = draw.below(2) == 0;
    }
    scenario.requests.push_back(spec);
  }
  for (RequestSpec& spec : scenario.requests) {
    spec.arrival.ns *= time_scale;
    if (spec.deadline != SimTime::never()) spec.deadline.ns *= time_scale;
  }
  if (features.prompts) {
    RandomStream draw_prompts(seed, "random_prompts");
    add_prompt_blocks(scenario, draw_prompts);
    if (features.answers) add_answers(scenario, draw_prompts, longest_prompt);
  }
  if (draw.below(5) == 0) setup.horizon = {time_scale * nanoseconds(Seconds(now * (0.3 + draw.uniform())))};
  scenario.description =
      fmt::format("seed {}: {} requests, router {}, schedulers{}", seed, count, router.name, schedulers_used);
  if (features.roles) split_roles(scenario, seed, time_scale);
  if (features.tiers) add_tiers(scenario, seed, time_scale);
  if (features.loads) {
    RandomStream draw_loads(seed, "random_loads");
    const double last = scenario.requests.back().arrival.seconds();  // by when most have come
    setup.weight_store = BytesPerSecond(1e9 * (0.5 + draw_loads.uniform()));
    for (PoolSetup& pool : setup.pools) {
      pool.weights.bytes =
          static_cast<std::int64_t>(1e9 * last * draw_loads.uniform() /
                                    static_cast<double>(setup.pools.size() * static_cast<std::size_t>(pool.replicas)));
      pool.weights.bandwidth = *setup.weight_store * (0.1 + draw_loads.uniform());
    }
  }
  return scenario;
}

}  // namespace silicast::testing
