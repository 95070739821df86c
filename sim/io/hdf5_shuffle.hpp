// HDF5's shuffle filter: the first bytes of all values, then the second bytes, and so on, because the high
// bytes of neighbouring values are alike and pack well side by side.
#pragma once

#include <cstddef>

namespace silicast {

// `count` values of `size` bytes each (any size) from `in` to `out`, which do not overlap.
void shuffle_bytes(const unsigned char* in, std::size_t count, std::size_t size, unsigned char* out);

}  // namespace silicast
