// A closed loop keeps its clients, its order and its bounds, whatever serves it.
#include <catch2/catch.hpp>
#include <map>

#include "workload_test_support.hpp"

namespace silicast {
namespace {

constexpr char kLengths[] =
    "\nprompt: {distribution: geometric, mean: 100}\noutput: {distribution: geometric, mean: 50}\n";

struct Served {
  std::vector<RequestSpec> requests;
  std::size_t most_in_flight = 0;
  std::size_t least_in_flight = SIZE_MAX;  // while requests were still to come
};

// A server that answers every request after `service(request)` seconds, all at once.
Served serve(RequestSource& source, const std::function<double(const RequestSpec&)>& service) {
  Served served;
  std::multimap<SimTime, RequestSpec> in_flight;
  while (true) {
    const auto next = source.next_time();
    if (!next && in_flight.empty()) return served;
    if (next && (in_flight.empty() || *next <= in_flight.begin()->first)) {
      const RequestSpec request = source.take();
      in_flight.emplace(request.arrival + Seconds(service(request)), request);
      served.requests.push_back(request);
      served.most_in_flight = std::max(served.most_in_flight, in_flight.size());
      continue;
    }
    if (!next && source.next_time()) continue;
    const auto [end, request] = *in_flight.begin();
    in_flight.erase(in_flight.begin());
    source.ended(request, end, true);
    // Without thinking, the client asks again at once.
    if (source.next_time()) served.least_in_flight = std::min(served.least_in_flight, in_flight.size() + 1);
  }
}

double by_output(const RequestSpec& request) {
  return 0.01 * request.output_tokens;
}

TEST_CASE("a closed loop without thinking keeps exactly its clients in flight") {
  const Workload workload = workload_of(std::string("closed_loop: {concurrency: 64, requests: 1000}") + kLengths);
  CHECK_FALSE(workload.info.open_loop);
  CHECK(workload.info.requests == 1000);
  const Served served = serve(*workload.source, by_output);
  CHECK(served.requests.size() == 1000);
  CHECK(served.most_in_flight == 64);
  CHECK(served.least_in_flight == 64);
}

TEST_CASE("a closed loop of fewer requests than clients asks each once") {
  const Served served =
      serve(*workload_of(std::string("closed_loop: {concurrency: 64, requests: 10}") + kLengths).source, by_output);
  CHECK(served.requests.size() == 10);
  CHECK(served.most_in_flight == 10);
}

TEST_CASE("clients of a closed loop all ask at time 0, in their order") {
  const Workload workload = workload_of(std::string("closed_loop: {concurrency: 5, requests: 100}") + kLengths);
  for (std::int32_t client = 0; client < 5; ++client) {
    CHECK(workload.source->next_time() == SimTime{});
    CHECK(workload.source->take().client == client);
  }
  CHECK_FALSE(workload.source->next_time().has_value());
}

TEST_CASE("a client asks again when its own answer ended, after its fixed pause") {
  const Workload workload =
      workload_of(std::string("closed_loop: {concurrency: 2, requests: 100, think_time: 3 s}") + kLengths);
  const RequestSpec first = workload.source->take(), second = workload.source->take();
  workload.source->ended(second, SimTime{5'000'000'000}, true);
  REQUIRE(workload.source->next_time() == SimTime{8'000'000'000});
  workload.source->ended(first, SimTime{6'000'000'000}, true);
  const RequestSpec third = workload.source->take();
  CHECK(third.client == second.client);
  CHECK(third.arrival.ns == 8'000'000'000);
  CHECK(workload.source->take().client == first.client);
}

TEST_CASE("exponential thinking has its mean and keeps fewer in flight") {
  const Workload workload =
      workload_of(std::string("closed_loop: {concurrency: 10, requests: 50000, think_time: {mean: 2 s}}") + kLengths);
  const Served served = serve(*workload.source, [](const RequestSpec&) { return 1.0; });
  std::map<std::int32_t, SimTime> last;
  std::vector<double> pauses;
  for (const RequestSpec& request : served.requests) {
    if (last.contains(request.client)) pauses.push_back((request.arrival - last[request.client]).value() - 1);
    last[request.client] = request.arrival;
  }
  CHECK(ks_of(pauses, [](double x) { return -std::expm1(-x / 2); }) < kKsLimit);
  // Each client is served 1 s of every 3 s on average.
  CHECK(served.requests.back().arrival.seconds() == Approx(50000 / 10 * 3).epsilon(0.03));
}

TEST_CASE("a closed loop ends at its duration") {
  const Workload workload = workload_of(std::string("closed_loop: {concurrency: 3, duration: 10 s}") + kLengths);
  CHECK_FALSE(workload.info.requests.has_value());
  const Served served = serve(*workload.source, [](const RequestSpec&) { return 1.0; });
  CHECK(served.requests.size() == 30);  // at 0 to 9 s
}

TEST_CASE("the lengths of a closed loop do not depend on who serves it") {
  const std::string yaml = std::string("closed_loop: {concurrency: 8, requests: 500}") + kLengths;
  const Served slow = serve(*workload_of(yaml).source, by_output),
               fast = serve(*workload_of(yaml).source, [](const RequestSpec&) { return 1e-3; });
  for (std::size_t i = 0; i < 500; ++i) {
    CHECK(slow.requests[i].prompt_tokens == fast.requests[i].prompt_tokens);
    CHECK(slow.requests[i].output_tokens == fast.requests[i].output_tokens);
  }
}

TEST_CASE("a closed loop says whether answers will bring more requests, through edits and merges too") {
  const std::string loop =
      "closed_loop: {concurrency: 2, requests: 3}, prompt: {distribution: fixed, tokens: 1}, output: "
      "{distribution: fixed, tokens: 1}";
  for (const std::string& yaml : {"{" + loop + "}", "{" + loop + ", timeout: 5 s}", "merge: [{" + loop + "}]",
                                  "{slice: {first: 3}, " + loop + "}"}) {
    INFO(yaml);
    const Workload workload = workload_of(yaml);
    RequestSource& source = *workload.source;
    CHECK_FALSE(source.more_after_ends());  // nobody waits yet
    const RequestSpec first = source.take(), second = source.take();
    CHECK_FALSE(source.next_time().has_value());
    CHECK(source.more_after_ends());
    source.ended(first, SimTime{1}, true);
    CHECK_FALSE(source.more_after_ends());  // the last request is known, though one client still waits
    source.take();
    source.ended(second, SimTime{2}, true);
    CHECK_FALSE(source.next_time().has_value());
    CHECK_FALSE(source.more_after_ends());
  }
  const Workload open = workload_of(std::string("arrivals: {process: fixed, rate: 1 /s, requests: 3}") + kLengths);
  CHECK_FALSE(open.source->more_after_ends());
  const Workload cut = workload_of("{slice: {first: 2}, " + loop + "}");
  cut.source->take();
  cut.source->take();
  CHECK_FALSE(cut.source->more_after_ends());
}

TEST_CASE("a merged closed loop hears of its own answers alone") {
  const std::string yaml =
      "merge:\n"
      "- {arrivals: {process: fixed, rate: 10 /s, requests: 300}, prompt: {distribution: fixed, tokens: 1}, "
      "output: {distribution: fixed, tokens: 1}}\n"
      "- merge:\n"
      "  - {closed_loop: {concurrency: 4, requests: 100}, prompt: {distribution: fixed, tokens: 2}, output: "
      "{distribution: fixed, tokens: 1}}\n"
      "  - {closed_loop: {concurrency: 7, requests: 200}, prompt: {distribution: fixed, tokens: 3}, output: "
      "{distribution: fixed, tokens: 1}}\n";
  const Workload workload = workload_of(yaml);
  CHECK_FALSE(workload.info.open_loop);
  const Served served = serve(*workload.source, [](const RequestSpec&) { return 1.0; });
  std::map<std::int32_t, std::map<std::int64_t, int>> by_kind;  // prompt length -> arrival -> count
  for (const RequestSpec& request : served.requests) ++by_kind[request.prompt_tokens][request.arrival.ns];
  CHECK(by_kind[1].size() == 300);
  CHECK(by_kind[2].size() == 25);  // 4 at a time, one second apart
  CHECK(by_kind[2].begin()->second == 4);
  CHECK(by_kind[3].size() == 29);  // 7 at a time
  CHECK(by_kind[3].begin()->second == 7);
}

TEST_CASE("answering a client that asked nothing is our mistake") {
  const Workload workload = workload_of(std::string("closed_loop: {concurrency: 2, requests: 100}") + kLengths);
  const RequestSpec request = workload.source->take();
  workload.source->ended(request, SimTime{1}, true);
  CHECK_THROWS(workload.source->ended(request, SimTime{2}, true));
}

TEST_CASE("a closed loop whose clients would ask past the last arrival is the user's mistake") {
  const auto served = [](const std::string& bounds) {
    return message_of([&] {
      serve(*workload_of("closed_loop: {concurrency: 1, think_time: 100000000 s, " + bounds + "}" + kLengths).source,
            by_output);
    });
  };
  CHECK(served("requests: 20") == "no error");  // 19 pauses, 60 years
  CHECK(served("requests: 22") ==
        "w.yaml:1:14: closed_loop: arrivals run past 63 years; ask for fewer requests or a shorter think_time");
  CHECK(served("requests: 22, duration: 2000000000 s") == "no error");
}

TEST_CASE("merged closed loops together have at most as many clients as one may have") {
  const auto merged = [](int first, int second) {
    const auto loop = [](int clients) {
      return "  - {closed_loop: {concurrency: " + std::to_string(clients) +
             ", requests: 9}, prompt: {distribution: fixed, tokens: 1}, output: {distribution: fixed, tokens: 1}}\n";
    };
    return message_of([&] { workload_of("merge:\n" + loop(first) + loop(second)); });
  };
  CHECK(merged(500'000, 500'000) == "no error");
  CHECK(merged(500'000, 500'001) ==
        "w.yaml:3:5: merge[1]: 1000001 clients in all of the merged closed loops so far; at most 1000000 may ask");
}

TEST_CASE("a broken closed loop is told exactly") {
  const auto error = [](const std::string& text) { return message_of([&] { workload_of(text + kLengths); }); };
  CHECK(error("closed_loop: {requests: 1}") == "w.yaml:1:14: closed_loop: missing key 'concurrency'");
  CHECK(error("closed_loop: {concurrency: 4}") ==
        "w.yaml:1:14: closed_loop: needs an end: give requests, duration or both");
  CHECK(error("closed_loop: {concurrency: 0, requests: 1}") ==
        "w.yaml:1:28: closed_loop.concurrency: '0' must be a whole number from 1 to 1000000");
  CHECK(error("closed_loop: {concurrency: 4, requests: 1, think_time: -1 s}") ==
        "w.yaml:1:56: closed_loop.think_time: '-1 s' must be at least 0.00 s and at most 1157 d");
  CHECK(error("closed_loop: {concurrency: 4, requests: 1, think: 1 s}") ==
        "w.yaml:1:44: closed_loop.think: unknown key (known: concurrency, duration, requests, think_time)");
  CHECK(error("speed: 2\nclosed_loop: {concurrency: 4, requests: 1}") ==
        "w.yaml:1:8: speed: who waits for answers asks when it is answered; such arrivals cannot be moved");
  CHECK(error("slice: {to: 5 s}\nclosed_loop: {concurrency: 4, requests: 1}") ==
        "w.yaml:1:13: slice.to: who waits for answers asks when it is answered; such arrivals cannot be moved");
  CHECK(error("slice: {first: 5}\nclosed_loop: {concurrency: 4, requests: 10}") == "no error");
}

}  // namespace
}  // namespace silicast
