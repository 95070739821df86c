// The table of live requests and the lists through it, against standard containers.
#include <deque>
#include <map>

#include "serving_for_tests.hpp"
#include "sim/base/check.hpp"

namespace silicast::testing {
namespace {

TEST_CASE("a slot that is used again holds a fresh request") {
  RequestTable table;
  const RequestSlot slot = table.add();
  table[slot].phase = Phase::kDecoding;
  table[slot].generated = 7;
  table.remove(slot);
  REQUIRE(table.add() == slot);
  CHECK(table[slot].generated == 0);
  CHECK(table[slot].phase == Phase::kFree);
}

TEST_CASE("a slot cannot be freed twice") {
  RequestTable table;
  const RequestSlot slot = table.add();
  table[slot].phase = Phase::kWaiting;
  table.remove(slot);
  CHECK_THROWS_AS(table.remove(slot), InternalError);
}

TEST_CASE("admissions are numbered upwards and never twice") {
  RequestTable table;
  const std::int64_t first = table.next_admission();
  CHECK(first > 0);  // 0 is that of a request that was not admitted
  CHECK(table.next_admission() > first);
}

TEST_CASE("the table holds as many slots as were ever live at once, and lists the live in order of arrival") {
  check_property(200, [] {
    RequestTable table;
    std::map<std::int64_t, RequestSlot> live;  // by index
    std::size_t most = 0;
    for (std::int64_t index = 0; index < 60; ++index) {
      const RequestSlot slot = table.add();
      table[slot].index = index;
      table[slot].phase = Phase::kWaiting;
      live[index] = slot;
      most = std::max(most, live.size());
      RC_ASSERT(slot.index() < most);
      while (!live.empty() && draw(0, 1) == 0) {
        const auto gone = std::next(live.begin(), draw<std::ptrdiff_t>(0, std::ssize(live) - 1));
        table.remove(gone->second);
        live.erase(gone);
      }
      RC_ASSERT(table.live() == std::ssize(live));
      std::vector<RequestSlot> expected;
      for (const auto& [number, held] : live) expected.push_back(held);
      RC_ASSERT((table.live_slots() == expected));
    }
  });
}

TEST_CASE("a list keeps its order under pushes at both ends and erasures anywhere") {
  check_property(200, [] {
    RequestTable table;
    RequestList list;
    std::deque<RequestSlot> model;
    for (int step = 0; step < 60; ++step) {
      const int what = draw(0, 4);
      if (what < 3 || model.empty()) {
        const RequestSlot slot = table.add();
        table[slot].phase = Phase::kWaiting;
        what == 0 ? list.push_front(table, slot) : list.push_back(table, slot);
        what == 0 ? model.push_front(slot) : model.push_back(slot);
      } else {
        const auto gone = std::next(model.begin(), draw<std::ptrdiff_t>(0, std::ssize(model) - 1));
        list.erase(table, *gone);
        table.remove(*gone);
        model.erase(gone);
      }
      std::deque<RequestSlot> forward, backward;
      for (RequestSlot s = list.front(); s.valid(); s = table[s].next) forward.push_back(s);
      for (RequestSlot s = list.back(); s.valid(); s = table[s].previous) backward.push_front(s);
      RC_ASSERT((forward == model));
      RC_ASSERT((backward == model));
      RC_ASSERT(list.size() == std::ssize(model));
      RC_ASSERT(list.empty() == model.empty());
    }
  });
}

}  // namespace
}  // namespace silicast::testing
