// What is given beside a source of requests: slices, speed, tokenizers, limits, classes, patience and
// merging.
#include <catch2/catch.hpp>
#include <map>

#include "workload_test_support.hpp"

namespace silicast {
namespace {

using Times = std::vector<std::int64_t>;
constexpr std::int64_t kSecond = 1'000'000'000;

// Ten requests at 0, 1, ... 9 s with prompts 10, 11, ... and outputs 100, 200, ...
constexpr char kTrace[] =
    "trace: {format: csv, file: t.csv, columns: {arrival: t, prompt: p, output: o}, units: {arrival: s}}\n";

class EditsFixture {
 public:
  EditsFixture() {
    std::string text = "t,p,o\n";
    for (int i = 0; i < 10; ++i)
      text += std::to_string(1000 + i) + "," + std::to_string(10 + i) + "," + std::to_string(100 * (i + 1)) + "\n";
    folder.write("t.csv", text);
    context = context_of(folder.path());
    context.class_names = {"chat", "batch"};
  }
  std::vector<RequestSpec> play(const std::string& edits) const { return requests_of(kTrace + edits, context); }
  Times times(const std::string& edits) const {
    Times times;
    for (const RequestSpec& request : play(edits)) times.push_back(request.arrival.ns);
    return times;
  }
  std::string error_of(const std::string& edits) const {
    return message_of([&] { play(edits); }, folder.path());
  }

  TestFolder folder;
  WorkloadContext context;
};

TEST_CASE_METHOD(EditsFixture, "speed divides the times between arrivals") {
  CHECK(times("speed: 2.0")[9] == 9 * kSecond / 2);
  CHECK(times("speed: 0.5")[9] == 18 * kSecond);
  CHECK(times("speed: 3")[1] == 333'333'333);
  CHECK(times("speed: 1") == times(""));
}

TEST_CASE_METHOD(EditsFixture, "a slice by time keeps the window, its end left out, and starts at its start") {
  CHECK(times("slice: {from: 2 s, to: 5 s}") == Times{0, kSecond, 2 * kSecond});
  CHECK(play("slice: {from: 2 s, to: 5 s}")[0].prompt_tokens == 12);
  CHECK(times("slice: {from: 7.5 s}") == Times{kSecond / 2, 3 * kSecond / 2});
  CHECK(times("slice: {to: 1 s}") == Times{0});
}

TEST_CASE_METHOD(EditsFixture, "a slice by count keeps the first requests, of the window if there is one") {
  CHECK(times("slice: {first: 3}") == Times{0, kSecond, 2 * kSecond});
  CHECK(times("slice: {from: 6 s, first: 2}") == Times{0, kSecond});
  CHECK(times("slice: {first: 100}").size() == 10);
}

TEST_CASE_METHOD(EditsFixture, "a slice is cut on the trace's own clock, before speed, in whatever order they stand") {
  CHECK(times("slice: {from: 2 s, to: 5 s}\nspeed: 2") == Times{0, kSecond / 2, kSecond});
  CHECK(times("speed: 2\nslice: {from: 2 s, to: 5 s}") == Times{0, kSecond / 2, kSecond});
}

TEST_CASE_METHOD(EditsFixture, "a token scale rounds to the nearest token and leaves at least one") {
  const auto up = play("token_scale: 1.15");
  CHECK(up[0].prompt_tokens == 12);  // 11.5
  CHECK(up[1].prompt_tokens == 13);  // 12.65
  CHECK(up[0].output_tokens == 115);
  CHECK(play("token_scale: 0.001")[0].prompt_tokens == 1);
}

TEST_CASE_METHOD(EditsFixture, "a limit on output is declared, and cuts what is longer") {
  const auto requests = play("max_output: 512");
  CHECK(requests[3].output_tokens == 400);
  CHECK(requests[3].max_output_tokens == 512);
  CHECK(requests[7].output_tokens == 512);
  CHECK(requests[7].max_output_tokens == 512);
}

TEST_CASE_METHOD(EditsFixture, "a limit on output counts the scaled tokens") {
  CHECK(play("max_output: 512\ntoken_scale: 2")[2].output_tokens == 512);
}

TEST_CASE_METHOD(EditsFixture, "a class is given to every request") {
  for (const RequestSpec& request : play("class: batch")) CHECK(request.request_class == ClassId{1});
}

TEST_CASE_METHOD(EditsFixture, "a timeout counts from the arrival as it is simulated") {
  const auto requests = play("timeout: 30 s\nspeed: 2");
  CHECK(requests[4].arrival.ns == 2 * kSecond);
  CHECK(requests[4].deadline.ns == 32 * kSecond);
  CHECK_FALSE(requests[4].deadline_is_abort);
}

TEST_CASE_METHOD(EditsFixture, "the timeout of a merged part does not shrink with the speed of the whole") {
  const auto requests =
      requests_of("speed: 2\nmerge: [{timeout: 30 s, " + std::string(kTrace, sizeof(kTrace) - 2) + "}]", context);
  CHECK(requests.at(4).arrival.ns == 2 * kSecond);
  CHECK(requests.at(4).deadline.ns == 32 * kSecond);
}

constexpr char kMany[] =
    "arrivals: {process: fixed, rate: 1 /s, requests: 100000}\nprompt: {distribution: fixed, tokens: "
    "1}\noutput: {distribution: fixed, tokens: 1}\n";

TEST_CASE("clients abort with their probability after an exponential time") {
  std::vector<double> waits;
  for (const RequestSpec& request : requests_of(std::string(kMany) + "abort: {probability: 0.2, after: {mean: 5 s}}")) {
    if (request.deadline == SimTime::never()) continue;
    CHECK(request.deadline_is_abort);
    waits.push_back((request.deadline - request.arrival).value());
  }
  CHECK(static_cast<double>(waits.size()) == Approx(20000).epsilon(0.03));
  CHECK(ks_of(waits, [](double x) { return -std::expm1(-x / 5); }) < kKsLimit);
}

TEST_CASE("of timeout and abort the earlier counts") {
  int aborts = 0;
  for (const RequestSpec& request :
       requests_of(std::string(kMany) + "timeout: 5 s\nabort: {probability: 1, after: {mean: 5 s}}")) {
    const double wait = (request.deadline - request.arrival).value();
    if (request.deadline_is_abort ? wait >= 5 : wait != 5) FAIL(wait);
    aborts += request.deadline_is_abort;
  }
  CHECK(aborts / 100000.0 == Approx(1 - std::exp(-1)).epsilon(0.02));
}

TEST_CASE("another abort probability changes who leaves, never when") {
  const auto few = requests_of(std::string(kMany) + "abort: {probability: 0.1, after: {mean: 5 s}}");
  const auto many = requests_of(std::string(kMany) + "abort: {probability: 0.5, after: {mean: 5 s}}");
  int same = 0;
  for (std::size_t i = 0; i < few.size(); ++i) {
    if (few[i].deadline == SimTime::never()) continue;
    if (few[i].deadline != many[i].deadline) FAIL("request " << i);
    ++same;
  }
  CHECK(same > 9000);
}

TEST_CASE_METHOD(EditsFixture, "a merge gives every request of every part, in time order, each with its own edits") {
  const std::string trace(kTrace, sizeof(kTrace) - 2);
  const auto requests = requests_of("merge:\n- {" + trace + ", class: batch}\n- {" + trace +
                                        ", speed: 2, max_output: 50}\n- {slice: {from: 8 s}, " + trace + "}\n",
                                    context);
  REQUIRE(requests.size() == 22);
  std::map<std::int64_t, int> at;
  int batch = 0, cut = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (i > 0) CHECK(requests[i - 1].arrival <= requests[i].arrival);
    ++at[requests[i].arrival.ns];
    batch += requests[i].request_class == ClassId{1};
    cut += requests[i].max_output_tokens == 50;
  }
  CHECK(at[0] == 3);
  CHECK(at[kSecond] == 3);
  CHECK(at[kSecond / 2] == 1);
  CHECK(batch == 10);
  CHECK(cut == 10);
  CHECK(requests[0].request_class == ClassId{1});  // on a tie the first of the list comes first
  CHECK(requests[1].max_output_tokens == 50);
}

TEST_CASE("a part added to a merge does not shift the draws of the others") {
  const std::string part =
      "{arrivals: {process: poisson, rate: 1 /s, requests: 100}, prompt: {distribution: geometric, mean: "
      "9000}, output: {distribution: geometric, mean: 50}";
  const auto alone = requests_of("merge: [" + part + "}]");
  WorkloadContext context = context_of();
  context.class_names = {"chat", "batch"};
  const auto both = requests_of(
      "merge: [" + part + "}, " + part + ", class: batch, abort: {probability: 0.5, after: {mean: 1 s}}}]", context);
  std::size_t next = 0;
  bool differ = false;
  for (const RequestSpec& request : both) {
    if (request.request_class == ClassId{1}) {
      differ |= request.prompt_tokens != alone[std::min<std::size_t>(next, 99)].prompt_tokens;
      continue;
    }
    REQUIRE(next < alone.size());
    CHECK(request.arrival == alone[next].arrival);
    CHECK(request.prompt_tokens == alone[next].prompt_tokens);
    CHECK(request.output_tokens == alone[next].output_tokens);
    ++next;
  }
  CHECK(next == 100);
  CHECK(differ);  // equal parts are still independent
}

TEST_CASE_METHOD(EditsFixture, "what is known of a merge is the sum of its parts") {
  const std::string trace(kTrace, sizeof(kTrace) - 2);
  const Workload workload = workload_of("merge: [{" + trace + "}, {" + trace + ", speed: 2}]", context);
  CHECK(workload.info.requests == 20);
  CHECK(*workload.info.mean_rate == Approx(3));
  CHECK(*workload.info.mean_prompt == Approx(14.5));
  CHECK(workload.info.description == "merge of [csv trace t.csv; csv trace t.csv, speed 2]");
}

TEST_CASE_METHOD(EditsFixture, "broken edits are told exactly") {
  CHECK(error_of("speed: 0") == "w.yaml:2:8: speed: '0' must be at least 0.001 and at most 1e+06");
  CHECK(error_of("speed: -1") == "w.yaml:2:8: speed: '-1' must be at least 0.001 and at most 1e+06");
  CHECK(error_of("speed: 2 x") == "w.yaml:2:8: speed: '2 x' has a unit where a plain number is due");
  CHECK(error_of("slice: {}") == "w.yaml:2:8: slice: needs one of from, to and first");
  CHECK(error_of("slice: {from: 5 s, to: 5 s}") == "w.yaml:2:24: slice.to: must be over 'from'");
  CHECK(error_of("slice: {from: 5}") ==
        "w.yaml:2:15: slice.from: '5' needs a unit (one of: ns, us, ms, s, min, h, d, month, year)");
  CHECK(error_of("slice: {frm: 5 s}") ==
        "w.yaml:2:9: slice.frm: unknown key; did you mean 'from'? (known: first, from, to)");
  CHECK(error_of("slice: {from: 1 h}") == "w.yaml:2:8: slice: keeps no request of the trace 'DIR/t.csv'");
  CHECK(error_of("token_scale: nan") == "w.yaml:2:14: token_scale: 'nan' is not a finite number");
  CHECK(error_of("token_scale: 0") == "w.yaml:2:14: token_scale: '0' must be at least 0.001 and at most 1000");
  CHECK(error_of("max_output: 0") == "w.yaml:2:13: max_output: '0' must be a whole number from 1 to 100000000");
  CHECK(error_of("class: bach") ==
        "w.yaml:2:8: class: unknown class 'bach'; did you mean 'batch'? (known: chat, batch)");
  CHECK(error_of("timeout: 30") ==
        "w.yaml:2:10: timeout: '30' needs a unit (one of: ns, us, ms, s, min, h, d, month, year)");
  CHECK(error_of("abort: {probability: 2, after: {mean: 1 s}}") ==
        "w.yaml:2:22: abort.probability: '2' must be at least 0 and at most 1");
  CHECK(error_of("abort: {probability: 0.5, after: 5 s}") ==
        "w.yaml:2:34: abort.after: a plain value where a mapping is due");
  CHECK(error_of("abort: {probability: 0.5}") == "w.yaml:2:8: abort: missing key 'after'");
}

TEST_CASE("a token scale that outgrows the limit is an error") {
  const std::string yaml =
      "arrivals: {process: fixed, rate: 1 /s, requests: 1}\nprompt: {distribution: fixed, tokens: "
      "1000000}\noutput: {distribution: fixed, tokens: 1}\ntoken_scale: 1000\n";
  CHECK(message_of([&] { requests_of(yaml); }) == "w.yaml:1:1: makes over 100000000 tokens of 1000000");
}

TEST_CASE("a class needs classes") {
  CHECK(message_of([] { workload_of(std::string(kMany) + "class: chat"); }) ==
        "w.yaml:4:8: class: the scenario declares no classes");
}

}  // namespace
}  // namespace silicast
