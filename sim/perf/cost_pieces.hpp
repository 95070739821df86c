// The closed forms that the cost of an iteration is put together from.
#pragma once

#include <cstdint>
#include <vector>

namespace silicast {

// A piecewise linear, continuous, non-decreasing function on x >= 0; its last piece has no end.
struct PiecewiseLine {
  struct Piece {
    double start;  // x where the piece begins; the first begins at 0
    double value;  // at start
    double slope;
  };
  std::vector<Piece> pieces;

  // The piece that holds x.
  const Piece& at(double x) const {
    std::size_t i = pieces.size() - 1;
    while (i > 0 && pieces[i].start > x) --i;
    return pieces[i];
  }
  double operator()(double x) const {
    const Piece& piece = at(x);
    return piece.value + piece.slope * (x - piece.start);
  }
};

// One kind of prefill attention in all layers that have it. A chunk of c tokens after p takes
// cbrt((pair pairs + row c)^3 + (walk k)^3 + (kv k)^3) with k keys reached: computing, one tile's way, and reading
// overlap as in GEMMs.
struct PrefillPart {
  std::int64_t reach = 0;  // keys that a query sees at most; 0: all
  double pair = 0;         // s per (query, key) pair
  double row = 0;          // s per token of the chunk
  double walk = 0;         // s per key
  double kv = 0;           // s per key

  double seconds(std::int64_t tokens, std::int64_t context) const;
};

}  // namespace silicast
