// The 8-byte case, which timestamps are, transposes blocks of 8 x 8 bytes in registers.
#include "sim/io/hdf5_shuffle.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

namespace silicast {
namespace {

// Swaps the bits of `a` under `mask << shift` with those of `b` under `mask`.
void exchange(std::uint64_t& a, std::uint64_t& b, int shift, std::uint64_t mask) {
  const std::uint64_t difference = ((a >> shift) ^ b) & mask;
  b ^= difference;
  a ^= difference << shift;
}

void transpose(std::uint64_t (&rows)[8]) {
  for (int i = 0; i < 4; ++i) exchange(rows[i], rows[i + 4], 32, 0x00000000FFFFFFFFULL);
  for (int i = 0; i < 8; i += 4)
    for (int j = i; j < i + 2; ++j) exchange(rows[j], rows[j + 2], 16, 0x0000FFFF0000FFFFULL);
  for (int i = 0; i < 8; i += 2) exchange(rows[i], rows[i + 1], 8, 0x00FF00FF00FF00FFULL);
}

}  // namespace

void shuffle_bytes(const unsigned char* in, std::size_t count, std::size_t size, unsigned char* out) {
  std::size_t start = 0;
  if (size == 8 && std::endian::native == std::endian::little) {
    for (; start + 8 <= count; start += 8) {
      std::uint64_t rows[8];
      std::memcpy(rows, in + start * 8, 64);
      transpose(rows);
      for (std::size_t byte = 0; byte < 8; ++byte) std::memcpy(out + byte * count + start, &rows[byte], 8);
    }
  }
  for (std::size_t byte = 0; byte < size; ++byte)
    for (std::size_t i = start; i < count; ++i) out[byte * count + i] = in[i * size + byte];
}

}  // namespace silicast
