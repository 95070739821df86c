// A flow event allocates nothing once the tables have grown: counted by a replaced operator new.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <new>

#include "tests/unit/perf/flows/flows_for_tests.hpp"

namespace {

std::uint64_t allocations = 0;

}  // namespace

// Not inlined: GCC 12 would take the malloc inside for one that is freed by delete, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace silicast::testing {
namespace {

TEST_CASE("the steady state allocates nothing") {
  FlowNetwork network = network_of(std::vector<double>(40, 1e9));
  RandomStream draw(5, "steady");
  std::vector<std::int32_t> links(2);
  std::uint64_t before = 0;
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
