#include "tests/support/random_scenario.hpp"

#include <fmt/format.h>

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

IterationCost random_cost(RandomStream& draw, std::int32_t max_tokens, std::int32_t max_sequences, double scale) {
  std::vector<StageCost> stages(static_cast<std::size_t>(draw.below(4) == 0 ? between(draw, 2, 3) : 1));
  for (StageCost& stage : stages) {
    stage.layers = between(draw, 1, 8);
    stage.tokens = table(draw, max_tokens, scale * 2e-3, scale * 2e-5);
    stage.sequences = table(draw, max_sequences, scale * 1e-5, scale * 1e-6);
    stage.decode_base = table(draw, max_sequences, scale * 1e-5, scale * 1e-6);
    double start = 0, value = 0, slope = scale * 1e-7 * draw.uniform();
    for (std::int32_t piece = between(draw, 1, 4); piece > 0; --piece) {
      stage.decode_kv.pieces.push_back({start, value, slope});
      const double length = 50 + 400 * draw.uniform();
      start += length;
      value += length * slope;
      slope += scale * 1e-6 * draw.uniform();
    }
  }
  const IterationCost::HostOverhead host{scale * 1e-3 * draw.uniform(), scale * 1e-5 * draw.uniform(),
                                         draw.below(2) == 0};
  return IterationCost(std::move(stages), host, table(draw, max_tokens, scale * 1e-9, scale * 1e-10), scale * 1e-8);
}

}  // namespace

RandomScenario random_scenario(std::uint64_t seed, int time_scale) {
  RandomStream draw(seed, "random_scenario");
  RandomScenario scenario;
  ClusterSetup& setup = scenario.setup;
  const std::int32_t longest_prompt = between(draw, 1, 300), longest_output = between(draw, 1, 150);
  setup.max_context = between(draw, 0, 9) == 0 ? (longest_prompt + longest_output) * 3 / 4 + 2 : 100000;
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
    const std::int32_t tokens = std::max(pool.limits.max_batched_tokens, longest_prompt + longest_output);
    pool.cost = random_cost(draw, tokens, pool.limits.max_sequences, time_scale);
    const auto& scheduler = schedulers.entries()[draw.below(schedulers.entries().size())];
    pool.make_scheduler = scheduler.make;
    schedulers_used += fmt::format(" {}(blocks {} of {})", scheduler.name, pool.limits.blocks, pool.limits.block_size);
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
  if (draw.below(5) == 0) setup.horizon = {time_scale * nanoseconds(Seconds(now * (0.3 + draw.uniform())))};
  scenario.description =
      fmt::format("seed {}: {} requests, router {}, schedulers{}", seed, count, router.name, schedulers_used);
  return scenario;
}

}  // namespace silicast::testing
