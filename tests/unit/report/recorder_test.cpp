// The summary of hand-made records against values worked out by hand.
#include "sim/report/recorder.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/base/random.hpp"

using namespace silicast;

namespace {

SimTime at(double seconds) {
  return SimTime{} + Seconds(seconds);
}

RequestRecord completed(std::int64_t index, double arrival, double scheduled, double first, double end,
                        std::int32_t prompt, std::int32_t output) {
  RequestRecord record;
  record.index = index;
  record.arrival = at(arrival);
  record.scheduled = at(scheduled);
  record.first_token = at(first);
  record.end = at(end);
  record.prompt_tokens = prompt;
  record.output_tokens = output;
  record.replica = ReplicaId{0};
  record.pool = PoolId{0};
  record.request_class = ClassId{0};
  return record;
}

RunFacts facts_of(MeasureWindow::Mode mode = MeasureWindow::Mode::kNone) {
  RunFacts facts;
  facts.name = "by hand";
  facts.pools.resize(1);
  facts.pools[0].name = "pool";
  facts.pools[0].chip = "chip";
  facts.classes.resize(1);
  facts.window.mode = mode;
  return facts;
}

// Arrivals at 0, 1, 2, 3, 10 s; ends at 3, 4, 5 (rejected at once: 3), 14 s.
Recorder five_requests(const RunFacts& facts) {
  Recorder recorder(facts);
  recorder.request_arrived(at(0), 1);
  recorder.request_arrived(at(1), 2);
  recorder.request_arrived(at(2), 3);
  RequestRecord preempted = completed(0, 0, 0.25, 1, 3, 100, 5);
  preempted.preempted_before_first_token = Seconds(0.5);
  preempted.preemptions = 2;
  recorder.request_ended(preempted);
  recorder.request_arrived(at(3), 3);
  RequestRecord rejected;
  rejected.index = 3;
  rejected.arrival = rejected.end = at(3);
  rejected.request_class = ClassId{0};
  rejected.state = EndState::kRejected;
  rejected.reason = EndReason::kQueueFull;
  recorder.request_ended(rejected);
  recorder.request_ended(completed(1, 1, 2, 4, 4, 200, 1));
  recorder.request_ended(completed(2, 2, 2, 3, 5, 300, 3));
  recorder.request_arrived(at(10), 1);
  recorder.arrivals_ended(at(10));
  recorder.request_ended(completed(4, 10, 11, 12, 14, 400, 11));
  return recorder;
}

}  // namespace

TEST_CASE("latencies are those of completed requests; TPOT leaves out the first token and single-token answers") {
  const Summary summary = five_requests(facts_of()).summarize(at(14));
  const GroupSummary& all = summary.total;
  CHECK(all.ttft.count == 4);
  CHECK(all.ttft.mean == Approx((1 + 3 + 1 + 2) / 4.0));
  CHECK(all.ttft.max == Approx(3));
  CHECK(all.e2e.mean == Approx((3 + 3 + 3 + 4) / 4.0));
  CHECK(all.tpot.count == 3);
  CHECK(all.tpot.mean == Approx((2.0 / 4 + 2.0 / 2 + 2.0 / 10) / 3));
  CHECK(all.tpot.p50 == Approx(0.5));
}

TEST_CASE("the time to the first token splits into queue, preemption and prefill without a rest") {
  const Summary summary = five_requests(facts_of()).summarize(at(14));
  CHECK(summary.total.split.queue == Approx((0.25 + 1 + 0 + 1) / 4));
  CHECK(summary.total.split.preemption == Approx(0.5 / 4));
  CHECK(summary.total.split.prefill == Approx((0.25 + 2 + 1 + 1) / 4));
  CHECK(summary.total.split.queue + summary.total.split.preemption + summary.total.split.prefill ==
        Approx(summary.total.ttft.mean));
}

TEST_CASE("every request is counted once by its state and reason") {
  const Summary summary = five_requests(facts_of()).summarize(at(14));
  CHECK(summary.total.requests == 5);
  CHECK(summary.total.states == std::array<std::int64_t, kEndStates>{4, 1, 0, 0, 0});
  CHECK(summary.total.reasons[static_cast<std::size_t>(EndReason::kQueueFull)] == 1);
  CHECK(summary.total.preemptions == 2);
}

TEST_CASE("throughput counts completions from the first to the last arrival") {
  const Summary summary = five_requests(facts_of()).summarize(at(14));
  CHECK(summary.throughput_to == 10);
  CHECK(summary.total.throughput.requests == Approx(3 / 10.0));
  CHECK(summary.total.throughput.output_tokens == Approx(9 / 10.0));
  CHECK(summary.total.throughput.prompt_tokens == Approx(600 / 10.0));
  CHECK(summary.total.throughput.total_tokens == Approx(609 / 10.0));
}

TEST_CASE("where most completions come after the last arrival, rates run to the end and the notes say so") {
  Recorder recorder(facts_of());
  for (int i = 0; i < 4; ++i) recorder.request_arrived(at(0), i + 1);
  recorder.arrivals_ended(at(0));
  for (int i = 0; i < 4; ++i) recorder.request_ended(completed(i, 0, 0, 1, 2 + i, 10, 10));
  const Summary summary = recorder.summarize(at(5));
  CHECK(summary.throughput_to == 5);
  CHECK(summary.total.throughput.requests == Approx(4 / 5.0));
  CHECK(summary.notes.back() ==
        "drain: over half of the requests completed after the last arrival, so rates are taken to the end of "
        "the run");
}

TEST_CASE("a given window counts the requests that arrive in it and the completions that fall in it") {
  RunFacts facts = facts_of(MeasureWindow::Mode::kGiven);
  facts.window.from = 1;
  facts.window.until = 4.5;
  const Summary summary = five_requests(facts).summarize(at(14));
  CHECK(summary.total.e2e.count == 2);  // arrivals at 1 and 2; the one at 3 was rejected
  CHECK(summary.total.ttft.mean == Approx((3 + 1) / 2.0));
  CHECK(summary.total.requests == 5);
  CHECK(summary.total.throughput.requests == Approx(2 / 3.5));  // ends at 3 and 4
  CHECK(summary.notes[0] == "warm-up: 1 arrival before the given 1 s left out");
}

TEST_CASE("a given window past the end measures nothing, judges no target and says so") {
  RunFacts facts = facts_of(MeasureWindow::Mode::kGiven);
  facts.window.from = 1e8;
  facts.classes[0].targets.percentiles = {{LatencyMetric::kTtft, 0.99, 1}};
  const Summary summary = five_requests(facts).summarize(at(14));
  CHECK(summary.total.e2e.count == 0);
  CHECK_FALSE(summary.total.goodput.targets[0].met);
  CHECK(summary.notes[0] == "warm-up: 5 arrivals before the given 1e+08 s left out");
  CHECK(summary.notes[1] == "the given window holds no arrival; nothing is measured");
}

TEST_CASE("Little's law holds between the moments of events and the records") {
  const Summary summary = five_requests(facts_of()).summarize(at(14));
  CHECK(summary.little.rate_times_stay == Approx((3 + 3 + 3 + 0 + 4) / 14.0));
  CHECK(summary.little.time_average == Approx(summary.little.rate_times_stay));
}

TEST_CASE("a request that is announced twice breaks Little's law") {
  Recorder recorder = five_requests(facts_of());
  recorder.request_ended(completed(4, 10, 11, 12, 14, 400, 11));
  const Summary summary = recorder.summarize(at(14));
  CHECK(std::abs(summary.little.time_average / summary.little.rate_times_stay - 1) > 0.1);
}

TEST_CASE("goodput counts requests that meet every target of their class, out of all that arrived") {
  RunFacts facts = facts_of();
  facts.classes[0].targets.ttft = 2.5;
  facts.classes[0].targets.tpot = 0.5;
  facts.classes[0].targets.percentiles = {{LatencyMetric::kTtft, 0.5, 1.2}, {LatencyMetric::kE2e, -1, 3.5}};
  const Summary summary = five_requests(facts).summarize(at(14));
  // TTFT 1, 3, 1, 2; TPOT 0.5, none, 1, 0.2: the first and the last are good.
  CHECK(summary.total.goodput.share == Approx(2 / 5.0));
  CHECK(summary.total.goodput.requests == Approx(1 / 10.0));
  REQUIRE(summary.total.goodput.targets.size() == 2);
  CHECK(summary.total.goodput.targets[0].value == Approx(1.5));
  CHECK(summary.total.goodput.targets[0].met == false);
  CHECK(summary.total.goodput.targets[1].value == Approx(3.25));
  CHECK(summary.total.goodput.targets[1].met == true);
}

TEST_CASE("without targets there is no goodput") {
  const Summary summary = five_requests(facts_of()).summarize(at(14));
  CHECK(std::isnan(summary.total.goodput.share));
  CHECK(std::isnan(summary.total.goodput.requests));
}

TEST_CASE("classes are judged by their own targets and add up to the whole") {
  RunFacts facts = facts_of();
  facts.classes.resize(2);
  facts.classes[0].name = "chat";
  facts.classes[0].targets.e2e = 2;
  facts.classes[1].name = "batch";
  facts.classes[1].targets.e2e = 20;
  Recorder recorder(facts);
  for (int i = 0; i < 10; ++i) {
    recorder.request_arrived(at(i), 1);
    RequestRecord record = completed(i, i, i, i + 1, i + 3, 10, 3);
    record.request_class = ClassId{i % 2};
    recorder.request_ended(record);
  }
  recorder.arrivals_ended(at(9));
  const Summary summary = recorder.summarize(at(12));
  REQUIRE(summary.classes.size() == 2);
  CHECK(summary.classes[0].name == "chat");
  CHECK(summary.classes[0].goodput.share == 0);
  CHECK(summary.classes[1].goodput.share == 1);
  CHECK(summary.total.goodput.share == 0.5);
  CHECK(summary.classes[0].requests + summary.classes[1].requests == summary.total.requests);
  CHECK(summary.pools.empty());
}

TEST_CASE("gaps between tokens: steady sequences in the first iteration, all in the later ones, others singly") {
  Recorder recorder(facts_of());
  recorder.request_arrived(at(0), 1);
  RunRecord run;
  run.pool = PoolId{0};
  run.start = at(0);
  run.end = at(1.5);
  run.iterations = 5;
  run.line = {0.1, 0.1, 1000};
  run.shape.decode_sequences = 4;
  run.steady_first = 3;
  recorder.run_ended(run);
  recorder.token_gap(PoolId{0}, Seconds(2), 1);
  recorder.arrivals_ended(at(2));
  const Summary summary = recorder.summarize(at(2));
  const Distribution& itl = summary.total.itl;
  CHECK(itl.count == 3 + 4 * 4 + 1);
  CHECK(itl.mean == Approx((3 * 0.1 + 4 * (0.2 + 0.3 + 0.4 + 0.5) + 2) / 20));
  CHECK(itl.max == Approx(2));
  CHECK(itl.p50 == Approx(0.3).epsilon(kSketchError));
}

TEST_CASE("MSER leaves out a cold start, the same for every metric and rate") {
  RunFacts facts = facts_of(MeasureWindow::Mode::kMser);
  Recorder recorder(facts);
  RandomStream random(1, "mser");
  constexpr int kCount = 16'000;
  for (int i = 0; i < kCount; ++i) {
    const double slow = i < 1600 ? 5 : 1;
    recorder.request_arrived(at(i), 1);
    recorder.request_ended(completed(i, i, i, i + 0.1 * slow * (0.5 + random.uniform()), i + 0.99, 10, 4));
  }
  recorder.arrivals_ended(at(kCount - 1));
  const Summary summary = recorder.summarize(at(kCount));
  CHECK(summary.window_from >= 1500);
  CHECK(summary.window_from < 4000);
  CHECK(summary.total.ttft.count == kCount - static_cast<std::int64_t>(summary.window_from));
  CHECK(summary.total.ttft.mean == Approx(0.1).epsilon(0.05));
  CHECK(summary.total.throughput.requests == Approx(1).epsilon(1e-3));
  CHECK(summary.notes[0].find("left out (MSER on TTFT and TPOT)") != std::string::npos);
  CHECK_FALSE(summary.unstable);
}

TEST_CASE("an overloaded run is unstable and judges no target on TTFT or E2E") {
  RunFacts facts = facts_of();
  facts.classes.resize(2);
  for (ClassFacts& one : facts.classes)
    one.targets.percentiles = {
        {LatencyMetric::kTtft, 0.99, 1e9}, {LatencyMetric::kE2e, -1, 1e9}, {LatencyMetric::kTpot, 0.99, 1e9}};
  Recorder recorder(facts);
  double free_at = 0;
  std::int64_t index = 0;
  std::vector<RequestRecord> ends;
  std::size_t ended = 0;
  for (; index < 2000; ++index) {
    const double now = 0.5 * static_cast<double>(index);
    while (ended < ends.size() && ends[ended].end.seconds() <= now) recorder.request_ended(ends[ended++]);
    recorder.request_arrived(at(now), 0);
    const double start = std::max(now, free_at);
    free_at = start + 1;
    ends.push_back(completed(index, now, start, start + 0.5, start + 1, 10, 10));
  }
  recorder.arrivals_ended(at(1000));
  while (ended < ends.size()) recorder.request_ended(ends[ended++]);
  const Summary summary = recorder.summarize(at(free_at));
  REQUIRE(summary.unstable);
  for (const auto* targets : {&summary.total.goodput.targets, &summary.classes[0].goodput.targets}) {
    for (const std::size_t i : {0, 1}) {
      CHECK(std::isnan(targets->at(i).value));
      CHECK_FALSE(targets->at(i).met);
      CHECK(targets->at(i).unstable);
    }
    CHECK(targets->at(2).met == true);
    CHECK_FALSE(targets->at(2).unstable);
  }
  CHECK(summary.unstable_reason ==
        "in the second half of the arrivals the number in the system grows by 1 per second, 50.1% of what "
        "arrives, "
        "and each second adds 1 s of waiting");
}

TEST_CASE("the same announcements give the same summary whatever the cohort doublings, up to rounding") {
  // 100,000 requests; a window that begins at 0 keeps all of them.
  Recorder recorder(facts_of());
  double sum = 0;
  RandomStream random(2, "values");
  constexpr std::int64_t kCount = 100'000;
  for (std::int64_t i = 0; i < kCount; ++i) {
    const double now = 0.01 * static_cast<double>(i), ttft = 0.001 + 0.001 * random.uniform();
    sum += ttft;
    recorder.request_arrived(at(now), 1);
    recorder.request_ended(completed(i, now, now, now + ttft, now + 0.009, 10, 4));
  }
  const Summary summary = recorder.summarize(at(1000));
  CHECK(summary.total.ttft.count == kCount);
  CHECK(summary.total.ttft.mean == Approx(sum / kCount).epsilon(1e-6));
  CHECK(summary.window_from == 0);
}

TEST_CASE("a record whose times run backwards is our mistake") {
  Recorder recorder(facts_of());
  recorder.request_arrived(at(0), 1);
  REQUIRE_THROWS_AS(recorder.request_ended(completed(0, 1, 0.5, 2, 3, 1, 1)), InternalError);
}

TEST_CASE("a run without requests has a summary") {
  const Summary summary = Recorder(facts_of(MeasureWindow::Mode::kMser)).summarize(at(0));
  CHECK(summary.total.requests == 0);
  CHECK(std::isnan(summary.total.ttft.mean));
  CHECK(std::isnan(summary.total.throughput.requests));
}
