#include <catch2/catch.hpp>
#include <map>

#include "sim/base/random.hpp"
#include "sim/engine/engine.hpp"

namespace silicast {
namespace {

struct Log {
  std::vector<std::int64_t> values;
  void note(std::int64_t value) { values.push_back(value); }
};

TEST_CASE("the event queue agrees with an ordered map over random pushes, pops, moves and cancels") {
  RandomStream draw(7, "event_queue_test");
  EventQueue queue;
  Log log;
  using Key = std::tuple<std::int64_t, int, std::int64_t>;
  std::map<Key, std::int64_t> reference;
  std::vector<std::pair<EventId, Key>> handles;
  std::int64_t sequence = 0, now = 0;
  for (int i = 0; i < 200000; ++i) {
    const std::uint64_t what = draw.below(10);
    if (what < 5) {
      const Key key{now + static_cast<std::int64_t>(draw.below(50)), static_cast<int>(draw.below(4)), sequence};
      handles.emplace_back(
          queue.push({std::get<0>(key)}, static_cast<EventRank>(std::get<1>(key)), Action::of<&Log::note>(&log, sequence)),
          key);
      reference[key] = sequence++;
    } else if (what < 8) {
      if (reference.empty()) continue;
      now = queue.next_time().ns;
      queue.pop()();
      REQUIRE(log.values.back() == reference.begin()->second);
      reference.erase(reference.begin());
    } else if (!handles.empty() && what == 8) {
      auto& [id, key] = handles[draw.below(handles.size())];
      if (!queue.pending(id)) continue;
      const std::int64_t value = reference.at(key);
      reference.erase(key);
      key = {now + static_cast<std::int64_t>(draw.below(60)), std::get<1>(key), sequence++};
      queue.move(id, {std::get<0>(key)});
      reference[key] = value;
    } else if (!handles.empty()) {
      const auto [id, key] = handles[draw.below(handles.size())];
      REQUIRE(queue.pending(id) == (reference.count(key) == 1));
      REQUIRE(queue.cancel(id) == (reference.erase(key) == 1));
    }
    REQUIRE(queue.size() == reference.size());
    if (!reference.empty()) REQUIRE(queue.next_time().ns == std::get<0>(reference.begin()->first));
    const EventRank rank = static_cast<EventRank>(draw.below(4));
    REQUIRE(queue.due_before({now}, rank) ==
            (!reference.empty() && reference.begin()->first < Key{now, rank, sequence}));
  }
}

TEST_CASE("a handle of an event that has run cancels nothing, even when its slot is in use again") {
  EventQueue queue;
  Log log;
  const EventId first = queue.push({1}, 0, Action::of<&Log::note>(&log, 1));
  queue.pop()();
  queue.push({2}, 0, Action::of<&Log::note>(&log, 2));
  CHECK_FALSE(queue.cancel(first));
  CHECK(queue.size() == 1);
}

TEST_CASE("events at one instant run by rank, then in the order of scheduling") {
  Engine engine;
  Log log;
  engine.at({5}, 2, Action::of<&Log::note>(&log, 3));
  engine.at({5}, 0, Action::of<&Log::note>(&log, 1));
  engine.at({5}, 2, Action::of<&Log::note>(&log, 4));
  engine.at({5}, 0, Action::of<&Log::note>(&log, 2));
  CHECK_FALSE(engine.run(SimTime::never(), 100));
  CHECK(log.values == std::vector<std::int64_t>{1, 2, 3, 4});
}

TEST_CASE("an event in the past is refused as our own mistake") {
  Engine engine;
  Log log;
  engine.at({5}, 0, Action::of<&Log::note>(&log, 1));
  engine.run(SimTime::never(), 100);
  CHECK_THROWS_AS(engine.at({4}, 0, Action::of<&Log::note>(&log, 2)), InternalError);
}

}  // namespace
}  // namespace silicast
