// A 64-bit rolling hash of what a run produced. Two runs of the same
// binary on the same inputs must agree.
#pragma once

#include <bit>
#include <cstdint>

namespace silicast {

class Fingerprint {
 public:
  void add(std::uint64_t word) { hash_ = (std::rotl(hash_, 23) ^ word) * 0x9fb21c651e98df25ULL; }
  std::uint64_t value() const { return hash_ ^ (hash_ >> 32); }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

}  // namespace silicast
