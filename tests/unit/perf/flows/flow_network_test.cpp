// Cases that can be worked out by hand, and what a caller may rely on.
#include "sim/perf/flows/flow_network.hpp"

#include <catch2/catch.hpp>

#include "sim/engine/engine.hpp"
#include "tests/unit/perf/flows/flows_for_tests.hpp"

namespace silicast::testing {
namespace {

using Links = std::vector<std::int32_t>;

FlowId start(FlowNetwork& network, const Links& links, std::int64_t bytes, std::int64_t ns = 0, double cap = kUncapped,
             std::int64_t tag = 0) {
  return network.start(links, bytes, {ns}, {BytesPerSecond(cap), tag});
}

TEST_CASE("two flows share a link evenly, and who stays takes over what the other leaves") {
  FlowNetwork network = network_of({100});
  const FlowId small = start(network, {0}, 100), large = start(network, {0}, 300);
  CHECK(network.rate(small).value() == 50);
  CHECK(network.rate(large).value() == 50);
  REQUIRE(network.next_end().ns == 2'000'000'000);
  REQUIRE(network.advance({2'000'000'000}).size() == 1);
  CHECK(network.rate(large).value() == 100);
  CHECK(network.next_end().ns == 4'000'000'000);
  CHECK(network.carried(0) == 100);
}

TEST_CASE("a long flow and a short one on each of its two links: half of the narrow link, the rest of the wide one") {
  FlowNetwork network = network_of({100, 300});
  const FlowId both = start(network, {0, 1}, 1000), narrow = start(network, {0}, 1000),
               wide = start(network, {1}, 1000);
  CHECK(network.rate(both).value() == 50);
  CHECK(network.rate(narrow).value() == 50);
  CHECK(network.rate(wide).value() == 250);
  CHECK(network.used(0).value() == 100);
  CHECK(network.used(1).value() == 300);
  network.cancel(narrow, {0});
  CHECK(network.rate(both).value() == 100);
  CHECK(network.rate(wide).value() == 200);
}

TEST_CASE("what ends on one link slows flows two links away") {
  // a on 0, b on 0 and 1, c on 1 and 2, d on 2.
  FlowNetwork network = network_of({10, 12, 10});
  const FlowId a = start(network, {0}, 1000), b = start(network, {0, 1}, 1000), c = start(network, {1, 2}, 1000),
               d = start(network, {2}, 1000);
  CHECK(network.rate(d).value() == 5);
  network.cancel(a, {0});
  CHECK(network.rate(b).value() == 7);
  CHECK(network.rate(c).value() == 5);
  network.cancel(d, {0});
  CHECK(network.rate(b).value() == 6);
  CHECK(network.rate(c).value() == 6);
}

TEST_CASE("what a capped flow does not take goes to the others") {
  FlowNetwork network = network_of({100});
  const FlowId capped = start(network, {0}, 1000, 0, 20), free = start(network, {0}, 1000);
  CHECK(network.rate(capped).value() == 20);
  CHECK(network.rate(free).value() == 80);
  const FlowId third = start(network, {0}, 1000, 0, 1e30);
  CHECK(network.rate(free).value() == 40);
  CHECK(network.rate(third).value() == 40);
  start(network, {0}, 1000), start(network, {0}, 1000), start(network, {0}, 1000);
  CHECK(network.rate(capped).value() == Approx(100.0 / 6).epsilon(1e-12));
}

TEST_CASE("a flow without bytes is due at once and takes nothing from others") {
  FlowNetwork network = network_of({100});
  const FlowId other = start(network, {0}, 100);
  const FlowId none = start(network, {0}, 0, 0, 1, 7);
  CHECK(network.next_end().ns == 0);
  CHECK(network.rate(other).value() == 100);
  const auto ends = network.advance({0});
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].flow == none);
  CHECK(ends[0].tag == 7);
  CHECK(network.next_end().ns == 1'000'000'000);
}

TEST_CASE("a flow without links is due at once, or after bytes / cap") {
  FlowNetwork network = network_of({100});
  start(network, {}, 1'000'000);
  CHECK(network.next_end().ns == 0);
  CHECK(network.advance({0}).size() == 1);
  const FlowId capped = start(network, {}, 1'000'000, 0, 4e12);
  CHECK(network.next_end().ns == 250);
  CHECK(network.rate(capped).value() == Approx(4e12).epsilon(1e-12));
  CHECK(network.cancel(capped, {100}) == 400'000);
  CHECK(network.next_end() == SimTime::never());
}

TEST_CASE("the last byte is never early: an end is rounded up to the next nanosecond") {
  FlowNetwork network = network_of({3});
  start(network, {0}, 1);
  CHECK(network.next_end().ns == 333'333'334);
}

TEST_CASE("a flow that is cancelled says how many whole bytes it delivered") {
  FlowNetwork network = network_of({1000});
  const FlowId first = start(network, {0}, 1000);
  const FlowId second = start(network, {0}, 1000, 100'000'000);  // 100 bytes of the first are there
  CHECK(network.cancel(first, {301'000'000}) == 200);            // 100.5 more
  CHECK(network.cancel(second, {301'999'999}) == 101);           // and 0.999999 of one of 500 us
  CHECK(network.carried(0) == 301);
  CHECK(network.size() == 0);
}

TEST_CASE("a flow due now can still be cancelled, and has delivered everything") {
  FlowNetwork network = network_of({1000});
  const FlowId flow = start(network, {0}, 1);
  CHECK(network.cancel(flow, network.next_end()) == 1);
}

TEST_CASE("flows that end at one instant come in the order of their starts") {
  FlowNetwork network = network_of({100, 50});
  start(network, {1}, 50, 0, kUncapped, 1);
  start(network, {0}, 50, 0, kUncapped, 2);
  start(network, {0}, 50, 0, kUncapped, 3);
  start(network, {}, 100, 0, 100, 4);
  std::vector<std::int64_t> tags;
  for (const FlowEnd& end : network.advance({5'000'000'000})) {
    CHECK(end.time.ns == 1'000'000'000);
    tags.push_back(end.tag);
  }
  CHECK(tags == std::vector<std::int64_t>{1, 2, 3, 4});
}

TEST_CASE("one advance over many ends is the same as one for each") {
  FlowNetwork network = network_of({100});
  for (std::int64_t i = 1; i <= 3; ++i) start(network, {0}, 100 * i, 0, kUncapped, i);
  std::vector<std::int64_t> times;
  for (const FlowEnd& end : network.advance({7'000'000'000})) times.push_back(end.time.ns / 1'000'000'000);
  CHECK(times == std::vector<std::int64_t>{3, 5, 6});
  CHECK(network.now().ns == 7'000'000'000);
}

TEST_CASE("a handle of a flow that ended is not taken for the flow that has its place") {
  FlowNetwork network = network_of({100});
  const FlowId first = start(network, {0}, 100);
  network.cancel(first, {0});
  const FlowId second = start(network, {0}, 100);
  CHECK(second.slot == first.slot);
  CHECK_FALSE(network.in_flight(first));
  CHECK(network.in_flight(second));
}

TEST_CASE("our own mistakes are found: a link twice, time that runs back, an end passed over, links too far apart") {
  FlowNetwork network = network_of({100, 100});
  CHECK_THROWS_AS(start(network, {0, 1, 0}, 100), InternalError);
  FlowNetwork other = network_of({100});
  start(other, {0}, 100, 10);
  CHECK_THROWS_AS(start(other, {0}, 100, 9), InternalError);
  CHECK_THROWS_AS(start(other, {0}, 100, 2'000'000'000), InternalError);
  CHECK_THROWS_AS(start(other, {1}, 100, 10), InternalError);
  CHECK_THROWS_AS(start(other, {0}, -1, 10), InternalError);
  CHECK_THROWS_AS(start(other, {0}, 1, 10, 0), InternalError);
  CHECK_THROWS_AS(network_of({1, 1e9}), InternalError);
  CHECK_THROWS_AS(network_of({0}), InternalError);
  CHECK_THROWS_AS(network_of({-1, 1}), InternalError);
  CHECK_THROWS_AS(network_of({1e19}), InternalError);
}

// How a caller with an engine drives it: one event, moved whenever something changes.
struct Driver {
  Engine engine;
  FlowNetwork network = network_of({1e9});
  EventId event;
  std::vector<std::int64_t> ends;  // ns
  int left = 5;

  void begin() {
    network.start(Links{0}, 1000, engine.now());
    watch();
  }
  void watch() {
    const SimTime next = network.next_end();
    if (engine.pending(event)) engine.cancel(event);
    if (next != SimTime::never()) event = engine.at(next, 0, Action::of<&Driver::wake>(this));
  }
  void wake(std::int64_t) {
    for (const FlowEnd& end : network.advance(engine.now())) {
      ends.push_back(end.time.ns);
      if (left-- > 0) network.start(Links{0}, 1000, engine.now());
    }
    watch();
  }
};

TEST_CASE("an engine drives it with one event") {
  Driver driver;
  driver.begin();
  driver.engine.run(SimTime::never(), 100);
  CHECK(driver.ends == std::vector<std::int64_t>{1000, 2000, 3000, 4000, 5000, 6000});
}

}  // namespace
}  // namespace silicast::testing
