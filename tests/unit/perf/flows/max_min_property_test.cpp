// Thousands of random events; after each the rates are max-min fair, equal to those computed from scratch, and what the
// links carried is what was asked of them.
#include <catch2/catch.hpp>
#include <map>

#include "tests/unit/perf/flows/flows_for_tests.hpp"

namespace silicast::testing {
namespace {

struct Live {
  FlowId id;
  TestFlow flow;
  std::int64_t bytes = 0;
  double left = 0;  // bytes, by the rates from scratch
  double rate = 0;  // bytes/s by them, since the last step
};

// A network, what is in flight on it, and what the test knows of both.
struct Play {
  std::vector<double> capacities;
  FlowNetwork network;
  std::map<std::int64_t, Live> live;  // by tag
  std::vector<std::int64_t> asked;    // bytes by link, of flows that ended or were cancelled
  std::int64_t ended = 0, cancelled = 0, without_links = 0;

  explicit Play(std::vector<double> links)
      : capacities(std::move(links)), network(network_of(capacities)), asked(capacities.size(), 0) {}

  void gone(std::int64_t tag, std::int64_t bytes) {
    for (const std::int32_t link : live.at(tag).flow.links) asked[static_cast<std::size_t>(link)] += bytes;
    live.erase(tag);
  }
};

// Every flow is at its cap, or on a full link where nobody is faster; no link carries more than it can.
void check_max_min(Play& play) {
  const std::size_t links = play.capacities.size();
  std::vector<double> sum(links, 0), fastest(links, 0);
  for (const auto& [tag, live] : play.live) {
    if (live.bytes == 0) continue;
    for (const std::int32_t link : live.flow.links) {
      const double rate = play.network.rate(live.id).value();
      sum[static_cast<std::size_t>(link)] += rate;
      fastest[static_cast<std::size_t>(link)] = std::max(fastest[static_cast<std::size_t>(link)], rate);
    }
  }
  for (std::size_t l = 0; l < links; ++l) {
    REQUIRE(sum[l] <= play.capacities[l] * (1 + 1e-12));
    REQUIRE(play.network.used(static_cast<std::int32_t>(l)).value() <= play.capacities[l]);
    REQUIRE(play.network.used(static_cast<std::int32_t>(l)).value() == Approx(sum[l]).epsilon(1e-12).margin(1e-6));
  }
  for (const auto& [tag, live] : play.live) {
    if (live.bytes == 0 || live.flow.links.empty()) continue;
    const double rate = play.network.rate(live.id).value();
    bool bound = rate >= live.flow.cap * (1 - 1e-12);
    for (const std::int32_t link : live.flow.links) {
      const auto l = static_cast<std::size_t>(link);
      bound = bound || (sum[l] >= play.capacities[l] * (1 - 1e-12) && rate >= fastest[l] * (1 - 1e-12));
    }
    REQUIRE(bound);
  }
}

void check_from_scratch(Play& play) {
  std::vector<TestFlow> flows;
  for (const auto& [tag, live] : play.live)
    if (live.bytes > 0) flows.push_back(live.flow);
  const std::vector<double> rates = filled_from_scratch(play.capacities, flows);
  std::size_t i = 0;
  for (const auto& [tag, live] : play.live)
    if (live.bytes > 0) {
      if (!live.flow.links.empty()) REQUIRE(play.network.rate(live.id).value() == Approx(rates[i]).epsilon(1e-9));
      ++i;
    }
}

// Time passes for the reference as well.
void progress(Play& play, double seconds) {
  std::vector<TestFlow> flows;
  for (const auto& [tag, live] : play.live) flows.push_back(live.bytes > 0 ? live.flow : TestFlow{});
  const std::vector<double> rates = filled_from_scratch(play.capacities, flows);
  std::size_t i = 0;
  for (auto& [tag, live] : play.live) {
    live.rate = rates[i++];
    live.left -= std::isinf(live.rate) ? live.left : live.rate * seconds;
  }
}

void check_ends(Play& play, SimTime now) {
  for (const FlowEnd& end : play.network.advance(now)) {
    const Live& live = play.live.at(end.tag);
    REQUIRE(end.flow == live.id);
    REQUIRE_FALSE(play.network.in_flight(end.flow));
    REQUIRE(end.time == now);
    // It ended in the nanosecond in which the reference has its last byte.
    REQUIRE(live.left <= 0.01);
    if (!std::isinf(live.rate)) REQUIRE(live.left >= -live.rate * 1e-9 - 0.01);
    play.without_links += live.flow.links.empty() ? 1 : 0;
    play.gone(end.tag, live.bytes);
    ++play.ended;
  }
}

void random_history(std::uint64_t seed, int events, std::size_t most, Play& play) {
  RandomStream draw(seed, "flows");
  std::int64_t tags = 0;
  for (int event = 0; event < events; ++event) {
    const SimTime now = play.network.now(), end = play.network.next_end();
    REQUIRE(end >= now);
    const std::uint64_t what = draw.below(10);
    if (what < 5 && play.live.size() < most) {
      Live live;
      live.flow = random_flow(draw, play.capacities.size(), 5);
      live.bytes = draw.below(20) == 0 ? 0 : static_cast<std::int64_t>(1 + draw.below(1'000'000'000));
      live.left = static_cast<double>(live.bytes);
      live.id = play.network.start(live.flow.links, live.bytes, now, {BytesPerSecond(live.flow.cap), tags});
      play.live[tags++] = live;
    } else if (what < 6 && !play.live.empty()) {
      const auto chosen = std::next(play.live.begin(), static_cast<std::ptrdiff_t>(draw.below(play.live.size())));
      const auto [tag, live] = *chosen;
      const std::int64_t bytes = play.network.cancel(live.id, now);
      REQUIRE_FALSE(play.network.in_flight(live.id));
      const bool due = live.flow.links.empty() && std::isinf(live.flow.cap);
      const double delivered = static_cast<double>(live.bytes) - (due ? 0 : std::max(0.0, live.left));
      REQUIRE(static_cast<double>(bytes) <= delivered + 0.01);
      // Alone, a flow lasts whole nanoseconds and moves evenly over them.
      const double late = live.flow.links.empty() && !due ? live.flow.cap * 1e-9 : 0;
      REQUIRE(static_cast<double>(bytes) >= delivered - late - 1.01);
      play.gone(tag, bytes);
      ++play.cancelled;
    } else if (end != SimTime::never()) {
      // To the next end, or somewhere on the way.
      const SimTime to = draw.below(4) == 0 ? SimTime{now.ns + (end.ns - now.ns) / 2} : end;
      progress(play, (to - now).value());
      check_ends(play, to);
    }
    // Several events of one instant may be settled together.
    if (draw.below(4) == 0) continue;
    check_max_min(play);
    check_from_scratch(play);
    for (std::size_t l = 0; l < play.asked.size(); ++l)
      REQUIRE(play.network.carried(static_cast<std::int32_t>(l)) == play.asked[l]);
  }
}

TEST_CASE("rates are max-min fair and as from scratch after every one of 60,000 random events") {
  std::int64_t ended = 0, cancelled = 0, without_links = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    RandomStream draw(seed, "networks");
    Play play(random_capacities(draw, 1 + draw.below(24), seed % 3 == 0 ? 1e3 : 4));
    random_history(seed, 600, 1 + draw.below(60), play);
    // Everything that is left ends as well.
    while (play.network.next_end() != SimTime::never()) {
      const SimTime end = play.network.next_end();
      progress(play, (end - play.network.now()).value());
      check_ends(play, end);
      check_from_scratch(play);
    }
    REQUIRE(play.live.empty());
    REQUIRE(play.network.size() == 0);
    for (std::size_t l = 0; l < play.asked.size(); ++l) {
      REQUIRE(play.network.carried(static_cast<std::int32_t>(l)) == play.asked[l]);
      REQUIRE(play.network.used(static_cast<std::int32_t>(l)).value() == 0);
    }
    ended += play.ended;
    cancelled += play.cancelled;
    without_links += play.without_links;
  }
  CHECK(ended > 10000);
  CHECK(cancelled > 3000);
  CHECK(without_links > 500);
}

TEST_CASE("on a fabric of two tiers with 1,500 flows in one component, too, rates are as from scratch") {
  constexpr std::int32_t kChips = 400, kLeaf = 20, kLeaves = kChips / kLeaf;
  std::vector<double> capacities(2 * kChips, 50e9);
  capacities.insert(capacities.end(), 2 * kLeaves, 50e9 * kLeaf / 3);
  Play play(capacities);
  RandomStream draw(11, "tiers");
  std::int64_t tags = 0;
  for (int event = 0; event < 6000; ++event) {
    if (event > 1500) {
      for (const FlowEnd& end : play.network.advance(play.network.next_end()))
        play.gone(end.tag, play.live.at(end.tag).bytes);
    }
    while (play.live.size() < std::min<std::size_t>(1500, static_cast<std::size_t>(event))) {
      const auto from = static_cast<std::int32_t>(draw.below(kChips)),
                 to = static_cast<std::int32_t>(draw.below(kChips));
      Live live;
      live.bytes = static_cast<std::int64_t>(1 + draw.below(2'000'000'000));
      live.flow.links = {from, kChips + to};
      if (from / kLeaf != to / kLeaf) {
        live.flow.links.push_back(2 * kChips + from / kLeaf);
        live.flow.links.push_back(2 * kChips + kLeaves + to / kLeaf);
      }
      if (draw.below(4) == 0) live.flow.cap = 2e9;
      live.id =
          play.network.start(live.flow.links, live.bytes, play.network.now(), {BytesPerSecond(live.flow.cap), tags});
      play.live[tags++] = live;
      play.network.next_end();
    }
    if (event % 100 != 0) continue;
    check_max_min(play);
    check_from_scratch(play);
  }
  REQUIRE(play.network.size() == 1500);
}

}  // namespace
}  // namespace silicast::testing
