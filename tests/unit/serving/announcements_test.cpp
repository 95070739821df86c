// What the serving layer announces of its iterations adds up to what the requests got, in either mode.
#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

// A chunk of 100, then one of 50 beside nobody; 30 tokens beside a decode; decodes. Prefill ends at 1.100
// + 1.050 = 2.150, the mixed iteration at 3.181, the first request after 8 more decodes of 1.001, at 11.189.
const std::vector<RequestSpec> kRequests = {request_at(0, 150, 10), request_at(1500 * kUs, 30, 1)};

double seconds_of(const RunRecord& run) {
  return cumulative(run.line, run.iterations);
}

TEST_CASE("runs are announced with the iterations, tokens and times that the requests got") {
  for (bool leap : {true, false}) {
    INFO("leap " << leap);
    ClusterSetup setup = one_replica();
    setup.leap = leap;
    const Watcher seen = serve(setup, kRequests);
    std::int64_t iterations = 0, prompts = 0, sampled = 0, busy_ns = 0;
    double busy = 0;
    for (const RunRecord& run : seen.runs) {
      iterations += run.iterations;
      prompts += run.iterations * run.shape.prefill_tokens;
      sampled += run.iterations * run.shape.sampled_sequences;
      busy_ns += run.end.ns - run.start.ns;
      busy += seconds_of(run);
    }
    CHECK(iterations == 2 + 1 + 8);
    CHECK(prompts == 150 + 30);
    CHECK(sampled == 10 + 1);
    CHECK(busy_ns == at(11.189).ns);
    CHECK(busy == Approx(11.189e-3).epsilon(1e-9));
  }
}

TEST_CASE("a run's prefill time is what its iterations would save without their chunks") {
  const Watcher seen = serve(one_replica(), kRequests);
  CHECK(seen.runs.at(0).prefill_time.value() == Approx(1.100e-3).epsilon(1e-9));  // all of it
  CHECK(seen.runs.at(1).prefill_time.value() == Approx(1.050e-3).epsilon(1e-9));
  CHECK(seen.runs.at(2).prefill_time.value() == Approx(0.030e-3).epsilon(1e-9));  // beside a decode
  CHECK(seen.runs.at(3).prefill_time.value() == 0);
}

TEST_CASE("the attention pairs of a prompt do not depend on how it is cut") {
  // A prompt of 150 has 150 * 151 / 2 causal pairs, in one chunk or in several.
  for (std::int32_t chunk : {1, 7, 100, 150}) {
    INFO("chunks of " << chunk);
    ClusterSetup setup = one_replica();
    limits_of(setup).max_batched_tokens = 150;
    limits_of(setup).max_chunk = chunk;
    double pairs = 0;
    for (const RunRecord& run : serve(setup, {request_at(0, 150, 1)}).runs) pairs += run.prefill_pairs;
    CHECK(pairs == 150 * 151 / 2);
  }
}

TEST_CASE("each chunk touches the KV tokens ahead of it and its own") {
  const Watcher seen = serve(one_replica(), {request_at(0, 250, 1)});
  CHECK(seen.runs.at(0).prefill_kv_tokens == 100);
  CHECK(seen.runs.at(1).prefill_kv_tokens == 200);
  CHECK(seen.runs.at(2).prefill_kv_tokens == 250);
}

TEST_CASE("a run is announced with the blocks of its first iteration, those for its new tokens included") {
  // The prompt of 20 fills two blocks of 10; the first of the 12 decodes computes the 21st token.
  const Watcher seen = serve(one_replica(), {request_at(0, 20, 13)});
  REQUIRE(seen.runs.size() == 2);
  CHECK((seen.runs[0].kv_blocks_start == 2 && seen.runs[0].iterations == 1));
  CHECK((seen.runs[1].kv_blocks_start == 3 && seen.runs[1].iterations == 12));
}

TEST_CASE("gaps of one iteration are in the runs: all sequences but those that waited longer, then all of them") {
  // One sequence of 10 tokens has 9 gaps; the other, preempted (preemption_test.cpp), has one gap announced
  // singly.
  ClusterSetup setup = one_replica();
  limits_of(setup).block_size = 4;
  limits_of(setup).blocks = 6;
  VectorSource source({request_at(0, 8, 10), request_at(0, 8, 10)});
  Collector seen;
  Cluster cluster(setup, source, seen);
  while (cluster.run(1000)) {
  }
  std::int64_t steady = 0, single = 0;
  double seconds = 0;
  for (const RunRecord& run : seen.runs) {
    const std::int64_t later = run.iterations - 1;
    steady += run.steady_first + later * run.shape.decode_sequences;
    seconds += run.steady_first * run.line.first + (seconds_of(run) - run.line.first) * run.shape.decode_sequences;
  }
  for (const Gap& gap : seen.gaps) {
    single += gap.count;
    seconds += gap.seconds * static_cast<double>(gap.count);
  }
  CHECK(single == 1);
  CHECK(steady == 9 + 8);
  // All gaps of a request add up to the time from its first to its last token: 1.016 to 10.029 and to 15.046.
  CHECK(seconds == Approx((10.029 - 1.016 + 15.046 - 1.016) * 1e-3).epsilon(1e-9));
}

TEST_CASE("samples count what was computed, delivered and spent since the start") {
  // A request at 50 ms keeps the run alive; at 40 ms all that the others did is over.
  for (bool leap : {true, false}) {
    INFO("leap " << leap);
    ClusterSetup setup = one_replica();
    setup.leap = leap;
    setup.sample_interval = Seconds(40e-3);
    std::vector<RequestSpec> requests = kRequests;
    requests.push_back(request_at(50 * kMs, 10, 1));
    const Watcher seen = serve(setup, requests);
    const auto sample = std::find_if(seen.samples.begin(), seen.samples.end(),
                                     [](const Sample& candidate) { return candidate.time == at(40); });
    REQUIRE(sample != seen.samples.end());
    const PoolSample& pool = sample->pools.at(0);
    CHECK((pool.prompt_tokens == 150 + 30 && pool.output_tokens == 10 + 1));
    CHECK(pool.busy_time.value() == Approx(11.189e-3).epsilon(1e-9));
    CHECK(pool.prefill_time.value() == Approx((1.100 + 1.050 + 0.030) * 1e-3).epsilon(1e-9));
    CHECK((pool.running == 0 && pool.waiting == 0));
    CHECK((pool.kv_blocks_used == 0 && pool.kv_blocks_total == 1000));
  }
}

TEST_CASE("a sample in the middle of a leap sees the iterations that have ended and the one in flight") {
  // At 5 ms two of the 8 lone decodes have ended (3.181, 4.182); the second request waits for no one.
  ClusterSetup setup = one_replica();
  setup.sample_interval = Seconds(5e-3);
  const Watcher seen = serve(setup, kRequests);
  const Sample& sample = *std::find_if(seen.samples.begin(), seen.samples.end(),
                                       [](const Sample& candidate) { return candidate.time == at(5); });
  const PoolSample& pool = sample.pools.at(0);
  CHECK(pool.running == 1);
  CHECK(pool.output_tokens == 1 + 2 + 1);  // at 2.150; two at 3.181; at 4.182
  CHECK(pool.busy_time.value() == Approx(5e-3).epsilon(1e-9));
}

TEST_CASE("a sample counts the block that the iteration in flight fills") {
  // The prompt of 18 takes two blocks of 10 to 1.018; the third decode, from 3.020 to 4.021, computes the
  // 21st token.
  ClusterSetup setup = one_replica();
  setup.sample_interval = Seconds(0.5e-3);
  for (const Sample& sample : serve(setup, {request_at(0, 18, 13)}).samples) {
    INFO(sample.time.ns);
    if (sample.time == at(3)) CHECK(sample.pools[0].kv_blocks_used == 2);
    if (sample.time == at(3.5)) CHECK(sample.pools[0].kv_blocks_used == 3);
  }
}

}  // namespace
}  // namespace silicast::testing
