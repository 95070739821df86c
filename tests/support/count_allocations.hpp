// Counts what a program allocates, by replaced operators new and delete: for one file of a program only.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>

namespace silicast::testing {

inline std::int64_t allocations = 0;

}  // namespace silicast::testing

// Not inlined: GCC 12 would take the malloc inside for one that is freed by delete, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++silicast::testing::allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
