// The serving layer against an independent implementation of its specification, which adds up single iterations.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <limits>

#include "sim/serving/scheduler/scheduler.hpp"
#include "tests/support/measured_data.hpp"
#include "tests/support/random_scenario.hpp"
#include "tests/support/sum_reference.hpp"
#include "workloads/block_ids.hpp"

namespace silicast::testing {
namespace {

// The reference knows no clients that leave, and no end of the run but the last request's.
RandomScenario patient_scenario(std::uint64_t seed, RandomFeatures features = {.ranks = true, .drafts = false}) {
  RandomScenario scenario = random_scenario(seed, 1, features);
  scenario.setup.horizon = SimTime::never();
  for (RequestSpec& spec : scenario.requests) spec.deadline = SimTime::never();
  return scenario;
}

// The first rank of each rank's replica, under whose number its runs are told.
std::vector<std::size_t> first_ranks(const ClusterSetup& setup) {
  std::vector<std::size_t> result;
  for (const PoolSetup& pool : setup.pools)
    for (std::int32_t replica = 0; replica < pool.replicas; ++replica)
      result.insert(result.end(), static_cast<std::size_t>(pool.ranks), result.size());
  return result;
}

// What the cluster said, laid out by rank.
struct Announced {
  std::vector<RequestRecord> records;            // by order of arrival
  std::vector<std::vector<std::int64_t>> ended;  // in order of their ends
  std::vector<std::vector<RunRecord>> runs;      // with the first rank of a replica
  std::vector<std::size_t> first;                // rank of a rank's replica
  bool flows = false;                            // whose ends are rounded up
  std::int64_t gaps = 0;                         // between output tokens
  double gap_seconds = 0;
};

Announced play(const RandomScenario& scenario) {
  VectorSource source = scenario.source();
  Collector collector;
  Cluster cluster(scenario.setup, source, collector);
  while (cluster.run(1'000'000)) {
  }
  Announced announced;
  announced.records = collector.by_index();
  announced.flows = cluster.transfers() != nullptr || cluster.weight_loads() != nullptr;
  announced.first = first_ranks(scenario.setup);
  REQUIRE(announced.first.size() == static_cast<std::size_t>(cluster.ranks()));
  announced.ended.resize(announced.first.size());
  announced.runs.resize(announced.first.size());
  for (const RequestRecord& record : collector.records)
    if (record.replica.valid()) announced.ended[record.replica.index()].push_back(record.index);
  for (const RunRecord& run : collector.runs) {
    announced.runs[run.replica.index()].push_back(run);
    announced.gaps += run.steady_first + (run.iterations - 1) * run.shape.decode_sequences;
    announced.gap_seconds += run.line.first * run.steady_first +
                             (cumulative(run.line, run.iterations) - run.line.first) * run.shape.decode_sequences;
  }
  for (const Gap& gap : collector.gaps) {
    announced.gaps += gap.count;
    announced.gap_seconds += gap.seconds * static_cast<double>(gap.count);
  }
  return announced;
}

// Every run rounds its end once, so that an instant after n runs is off by at most n / 2 ns.
// `more`: ns that other causes allow.
bool agree(SimTime time, double seconds, const std::vector<RunRecord>& runs, double more) {
  if (time == SimTime::never() || seconds == kNeverSeconds) return time == SimTime::never() && seconds == kNeverSeconds;
  std::int64_t before = 0;
  for (const RunRecord& run : runs) before += run.end <= time;
  return std::abs(static_cast<double>(time.ns) - seconds * 1e9) <= 0.5 * static_cast<double>(before) + 0.01 + more;
}

std::string told(SimTime time, double seconds) {
  const std::string left = time == SimTime::never() ? "never" : fmt::format("{} ns", time.ns);
  return left + " instead of " + (seconds == kNeverSeconds ? "never" : fmt::format("{:.2f} ns", seconds * 1e9));
}

std::string difference(const RequestRecord& a, const SumRequest& b, const std::vector<RunRecord>& runs, double more) {
  if (a.state != b.state || a.reason != b.reason)
    return fmt::format("{} {} instead of {} {}", name_of(a.state), name_of(a.reason), name_of(b.state),
                       name_of(b.reason));
  if (a.replica != b.replica) return fmt::format("replica {} instead of {}", a.replica.value, b.replica.value);
  if (!agree(a.scheduled, b.scheduled, runs, more)) return "scheduled at " + told(a.scheduled, b.scheduled);
  if (a.prefill_replica != b.prefill_replica)
    return fmt::format("prefilled by {} instead of {}", a.prefill_replica.value, b.prefill_replica.value);
  if (!agree(a.prefilled, b.prefilled, runs, more)) return "prefilled at " + told(a.prefilled, b.prefilled);
  if (a.preemptions != b.preemptions) return fmt::format("{} preemptions instead of {}", a.preemptions, b.preemptions);
  if (!agree(a.first_token, b.first_token, runs, more)) return "first token at " + told(a.first_token, b.first_token);
  if (!agree(a.end, b.end, runs, more)) return "end at " + told(a.end, b.end);
  if (a.cached_tokens != b.cached_tokens)
    return fmt::format("{} tokens in the cache instead of {}", a.cached_tokens, b.cached_tokens);
  if (a.output_tokens != b.output_tokens)
    return fmt::format("{} output tokens instead of {}", a.output_tokens, b.output_tokens);
  // Each of its preemptions adds an interval with two rounded ends.
  const double waited = a.preempted_before_first_token.value(), expected = b.preempted_before_first_token;
  if (std::abs(waited - expected) > 1e-9 * (static_cast<double>(runs.size()) * a.preemptions + 2 * more))
    return fmt::format("{} s waiting again instead of {} s", waited, expected);
  return "";
}

// Ranks in lock step do not add up the attention of their prompts.
std::string text(const BatchShape& shape, bool alone) {
  std::string limited;
  for (const LengthSum& length : shape.limited) limited += fmt::format(" {}", length.tokens);
  return fmt::format("{} decoding and {} drafts,{} limited, {} prompts of {} tokens (attention {:.17g}), {} sampled",
                     shape.decode_sequences, shape.accepted_drafts, limited, shape.prefill_sequences,
                     shape.prefill_tokens, alone ? shape.prefill_attention : 0, shape.sampled_sequences);
}

// The iterations of one run against those of the reference from number `at` on. Batches must be equal;
// durations may differ by the rounding of a product instead of an evaluation, and of shares of links.
std::string difference(const RunRecord& run, const std::vector<SumIteration>& iterations, std::size_t at, bool alone) {
  if (at + static_cast<std::size_t>(run.iterations) > iterations.size()) return "more iterations than expected";
  // Of ranks in lock step the blocks are estimates.
  if (alone && run.kv_blocks_start != iterations[at].kv_blocks)
    return fmt::format("{} blocks instead of {}", run.kv_blocks_start, iterations[at].kv_blocks);
  BatchShape shape = run.shape;
  for (std::int64_t i = 0; i < run.iterations; ++i, ++at) {
    const std::string mine = text(shape, alone), expected = text(iterations[at].shape, alone);
    if (mine != expected) return fmt::format("iteration {} of it has {} instead of {}", i, mine, expected);
    // Whole tokens are counted at the start of a run; drafts are kept in fractions of tokens on average.
    const double kv = static_cast<double>(shape.decode_kv_tokens) +
                      (shape.decode_sequences + shape.accepted_drafts) * static_cast<double>(i);
    const double unsure = shape.accepted_drafts > 0 ? (alone ? 1 : 8) : 0;
    if (std::abs(kv - static_cast<double>(iterations[at].shape.decode_kv_tokens)) > unsure)
      return fmt::format("iteration {} of it is over {} tokens instead of {}", i, kv,
                         iterations[at].shape.decode_kv_tokens);
    const double duration = run.line.first + run.line.slope * static_cast<double>(i);
    if (std::abs(duration - iterations[at].duration) > 1e-11 * iterations[at].duration)
      return fmt::format("iteration {} of it takes {} s instead of {}", i, duration, iterations[at].duration);
    for (LengthSum& limited : shape.limited) limited.tokens += limited.growth;
  }
  return "";
}

std::string difference(const std::vector<RunRecord>& runs, const std::vector<SumIteration>& iterations, bool alone) {
  std::size_t at = 0;
  for (const RunRecord& run : runs) {
    const std::string found = difference(run, iterations, at, alone);
    if (!found.empty()) return fmt::format("run from {} ns, iteration {}: {}", run.start.ns, at, found);
    at += static_cast<std::size_t>(run.iterations);
  }
  return at == iterations.size() ? "" : fmt::format("{} iterations instead of {}", at, iterations.size());
}

// The earliest request that fared otherwise, then the iterations; empty when both tell the same history.
std::string first_difference(const Announced& announced, const SumHistory& expected) {
  if (announced.records.size() != expected.requests.size())
    return fmt::format("{} records of {} requests", announced.records.size(), expected.requests.size());
  const std::vector<RunRecord> none;
  // A transfer ends with the nanosecond, and begins where the runs of another replica put it: so the rounding of all of
  // these reaches everybody.
  double others = 0;
  if (announced.flows) {
    others = static_cast<double>(2 * announced.records.size());
    for (const std::vector<RunRecord>& runs : announced.runs) others += 0.5 * static_cast<double>(runs.size());
  }
  for (std::size_t i = 0; i < expected.requests.size(); ++i) {
    const RequestRecord& record = announced.records[i];
    const auto& runs = record.replica.valid() ? announced.runs[announced.first[record.replica.index()]] : none;
    const std::string found = difference(record, expected.requests[i], runs, others);
    if (!found.empty()) return fmt::format("request {} (arrival {} ns): {}", i, record.arrival.ns, found);
  }
  for (std::size_t r = 0; r < expected.replicas.size(); ++r) {
    const bool alone = std::count(announced.first.begin(), announced.first.end(), announced.first[r]) == 1;
    const std::string found = difference(announced.runs[r], expected.replicas[r].iterations, alone);
    if (!found.empty()) return fmt::format("replica {}: {}", r, found);
    if (announced.ended[r] != expected.replicas[r].ended)
      return fmt::format("replica {}: its requests end in another order", r);
  }
  return "";
}

// Gaps between the output tokens of each request, and their sum, in the reference.
std::pair<std::int64_t, double> token_gaps(const SumHistory& history) {
  std::pair<std::int64_t, double> gaps;
  for (const SumRequest& request : history.requests) {
    if (request.state != EndState::kCompleted) continue;
    gaps.first += request.output_tokens - 1;
    gaps.second += request.end - request.first_token;
  }
  return gaps;
}

// Distance in ns from an arrival to the end of an iteration, the smallest there is. The cluster sees both at
// the same nanosecond where sum mode, which does not round, may tell them apart: such a tie allows another
// decision.
double closest_tie(const SumHistory& history, const std::vector<RequestSpec>& requests) {
  double closest = std::numeric_limits<double>::infinity();
  for (const SumReplica& replica : history.replicas)
    for (const SumIteration& iteration : replica.iterations) {
      const double end = (iteration.start + iteration.duration) * 1e9;
      const auto next = std::lower_bound(
          requests.begin(), requests.end(), end,
          [](const RequestSpec& spec, double time) { return static_cast<double>(spec.arrival.ns) < time; });
      if (next != requests.end()) closest = std::min(closest, static_cast<double>(next->arrival.ns) - end);
      if (next != requests.begin()) closest = std::min(closest, end - static_cast<double>(std::prev(next)->arrival.ns));
    }
  return closest;
}

struct Reached {
  std::int64_t preemptions = 0, preempted_early = 0, rejected = 0, mixed_batches = 0, long_runs = 0, lock_steps = 0,
               limits = 0, drafts = 0, cached = 0, answers = 0, handed_on = 0, crowded = 0;
};

void compare(const RandomScenario& scenario, Reached& reached) {
  INFO(scenario.description);
  const Announced announced = play(scenario);
  const SumHistory expected = sum_reference(scenario.setup, scenario.requests, scenario.blocks, scenario.block_tokens);
  INFO("the arrival closest to the end of an iteration is " << closest_tie(expected, scenario.requests) << " ns off");
  REQUIRE(first_difference(announced, expected) == "");
  const bool drafts = std::any_of(scenario.setup.pools.begin(), scenario.setup.pools.end(),
                                  [](const PoolSetup& pool) { return pool.limits.drafts > 0; });
  if (!drafts) {  // which come in bursts that are counted as means
    const auto [gaps, gap_seconds] = token_gaps(expected);
    REQUIRE(announced.gaps == gaps);
    const double rounded = announced.flows ? 3e-9 * static_cast<double>(gaps) : 1e-9;
    REQUIRE(announced.gap_seconds == Approx(gap_seconds).epsilon(1e-7).margin(rounded));
  }
  note_accuracy("decisions against the independent sum mode, random systems", "test_property", 0);
  for (std::size_t i = 0; i < scenario.blocks.size(); ++i)
    reached.answers +=
        expected.requests[i].cached_tokens > 0 && blocks_in(scenario.requests[i].prompt_tokens, scenario.block_tokens) <
                                                      static_cast<std::int64_t>(scenario.blocks[i].size());
  for (const SumRequest& request : expected.requests) {
    reached.preempted_early += request.preempted_before_first_token > 0;
    reached.preemptions += request.preemptions;
    reached.cached += request.cached_tokens > 0;
    reached.handed_on += request.prefilled != kNeverSeconds;
    reached.rejected += request.state == EndState::kRejected;
  }
  for (const SumReplica& replica : expected.replicas)
    for (const SumIteration& iteration : replica.iterations) reached.crowded += iteration.crowded;
  for (const auto& runs : announced.runs)
    for (const RunRecord& run : runs) {
      reached.mixed_batches += run.shape.prefill_sequences > 0 && run.shape.decode_sequences > 0;
      reached.long_runs += run.iterations > 10;
      reached.limits += run.shape.limited[0].tokens > 0;
      reached.drafts += run.shape.accepted_drafts > 0;
    }
  for (std::size_t r = 1; r < announced.first.size(); ++r)
    if (announced.first[r] < r) {
      reached.lock_steps += static_cast<std::int64_t>(announced.runs[announced.first[r]].size());
    }
}

TEST_CASE("the cluster takes every decision of sum mode, at the same instants, in 400 random systems") {
  Reached reached;
  for (std::uint64_t seed = 10'001; seed <= 10'400; ++seed) compare(patient_scenario(seed), reached);
  // The generator reaches the hard places.
  CHECK(reached.preemptions > 1000);
  CHECK(reached.preempted_early > 50);
  CHECK(reached.rejected > 100);
  CHECK(reached.mixed_batches > 1000);
  CHECK(reached.long_runs > 1000);
  CHECK(reached.lock_steps > 1000);
  CHECK(reached.limits > 1000);
}

// Without lengths in the price: sum mode would count them anew in every iteration, a run from its start.
TEST_CASE("the cluster and sum mode agree in 400 systems that draft tokens") {
  Reached reached;
  for (std::uint64_t seed = 15'001; seed <= 15'400; ++seed)
    compare(patient_scenario(seed, {.ranks = true, .drafts = true, .flat = true}), reached);
  CHECK(reached.drafts > 1000);
  CHECK(reached.preemptions > 1000);
}

TEST_CASE("the cluster and sum mode agree in 400 systems that keep prompts in a cache") {
  Reached reached;
  for (std::uint64_t seed = 30'001; seed <= 30'400; ++seed)
    compare(patient_scenario(seed, {.ranks = true, .drafts = false, .prompts = true}), reached);
  CHECK(reached.cached > 3000);
  CHECK(reached.preemptions > 500);
}

// What moves layer by layer does so at a rate that depends on rounded instants: there messages find no transfers on their
// links.
void leave_links_alone_by_layers(RandomScenario& scenario) {
  if (scenario.setup.transfers && scenario.setup.transfers->by_layers)
    for (PoolSetup& pool : scenario.setup.pools) pool.crowded.reset();
}

// Transfers alike end within a nanosecond of each other at times, which sum mode does not round: such a tie, in one of a
// thousand systems, lets the next batch begin with one of the two or with both. These seeds have none.
TEST_CASE("the cluster and sum mode agree in 400 systems where pools prefill for others") {
  Reached reached;
  for (std::uint64_t seed = 51'001; seed <= 51'400; ++seed) {
    RandomScenario scenario = patient_scenario(
        seed, {.ranks = true, .drafts = false, .prompts = seed % 2 == 0, .answers = seed % 4 == 0, .roles = true});
    leave_links_alone_by_layers(scenario);
    compare(scenario, reached);
  }
  CHECK(reached.handed_on > 10'000);
  CHECK(reached.crowded > 1'000);
  CHECK(reached.preemptions > 500);
}

TEST_CASE("the cluster and sum mode agree in 400 systems whose replicas load their weights first") {
  Reached reached;
  std::int64_t waited = 0;
  for (std::uint64_t seed = 60'001; seed <= 60'400; ++seed) {
    RandomScenario scenario = patient_scenario(seed, {.drafts = false, .roles = seed % 2 == 0, .loads = true});
    leave_links_alone_by_layers(scenario);
    waited += scenario.requests.front().arrival.seconds() < 0.1 && scenario.setup.pools[0].weights.bytes > 100'000'000;
    compare(scenario, reached);
  }
  CHECK(waited > 50);
  CHECK(reached.preemptions > 500);
}

TEST_CASE("the cluster and sum mode agree in 400 systems whose answers are kept for the next turn") {
  Reached reached;
  for (std::uint64_t seed = 40'001; seed <= 40'400; ++seed)
    compare(patient_scenario(seed, {.ranks = true, .drafts = false, .prompts = true, .answers = true}), reached);
  CHECK(reached.cached > 3000);
  CHECK(reached.answers > 1000);
  CHECK(reached.preemptions > 500);
}

// Where many short steps of long prompts meet little memory, prompts are preempted before they are through.
TEST_CASE("the cluster and sum mode agree in 400 systems of tiny chunks, tight budgets and little memory") {
  Reached reached;
  for (std::uint64_t seed = 20'001; seed <= 20'400; ++seed) {
    RandomScenario scenario = patient_scenario(seed);
    RandomStream draw(seed, "tight_budget");
    std::int64_t longest = 0;
    for (RequestSpec& spec : scenario.requests) {
      if (draw.below(2) == 0) spec.prompt_tokens = 1 + spec.prompt_tokens / 20;
      longest = std::max<std::int64_t>(longest, spec.prompt_tokens + spec.output_tokens);
    }
    for (PoolSetup& pool : scenario.setup.pools) {
      pool.make_scheduler = schedulers.find("chunked")->make;
      pool.limits.max_batched_tokens = pool.limits.max_sequences + static_cast<std::int32_t>(draw.below(4));
      pool.limits.max_chunk = 1 + static_cast<std::int32_t>(draw.below(6));
      pool.limits.blocks = blocks_for(longest, pool.limits.block_size) + pool.limits.sequence_blocks +
                           static_cast<std::int64_t>(draw.below(4));
      pool.limits.reserve_prompt = false;
    }
    scenario.description += ", then all chunked with little memory";
    compare(scenario, reached);
  }
  CHECK(reached.preempted_early > 1000);
  CHECK(reached.mixed_batches > 1000);
}

}  // namespace
}  // namespace silicast::testing
