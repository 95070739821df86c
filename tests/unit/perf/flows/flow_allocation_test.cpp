// A flow event allocates nothing once the tables have grown: counted by a replaced operator new.
#include <catch2/catch.hpp>

#include "tests/support/count_allocations.hpp"
#include "tests/unit/perf/flows/flows_for_tests.hpp"

namespace silicast::testing {
namespace {

TEST_CASE("the steady state allocates nothing") {
  FlowNetwork network = network_of(std::vector<double>(40, 1e9));
  RandomStream draw(5, "steady");
  std::vector<std::int32_t> links(2);
  std::int64_t before = 0;
  for (int i = 0; i < 40000; ++i) {
    if (i == 20000) before = allocations;
    if (network.size() >= 100) network.advance(network.next_end());
    links[0] = static_cast<std::int32_t>(draw.below(20));
    links[1] = static_cast<std::int32_t>(20 + draw.below(20));
    network.start(links, static_cast<std::int64_t>(1 + draw.below(1'000'000)), network.now());
    network.next_end();
  }
  CHECK(allocations - before <= 4);  // the agenda and the like may see a new longest
}

}  // namespace
}  // namespace silicast::testing
