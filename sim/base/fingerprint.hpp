// A 64-bit rolling hash of what a run produced. Two runs of the same
// binary on the same inputs must agree.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace silicast {

class Fingerprint {
 public:
  void add(std::uint64_t word) { hash_ = (std::rotl(hash_, 23) ^ word) * 0x9fb21c651e98df25ULL; }
  void add_text(std::string_view text) {
    add(text.size());
    for (std::size_t i = 0; i < text.size(); i += 8) {
      std::uint64_t word = 0;
      for (std::size_t k = i; k < text.size() && k < i + 8; ++k) word = word << 8 | static_cast<unsigned char>(text[k]);
      add(word);
    }
  }
  std::uint64_t value() const { return hash_ ^ (hash_ >> 32); }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

}  // namespace silicast
