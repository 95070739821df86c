// Kernel times that somebody measured, for a pool that is priced by them: `perf: {measured: ...}`. README.md has the
// format of the files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/perf/measured_grid.hpp"

namespace silicast {

// Of one layer, the launch included, all in one: a lone prompt chunk by (tokens, context before it); sequences that
// only decode by (sequences, KV length of each); both in one launch by (KV length, sequences, chunk, context). Of
// mixed rows the KV length goes first: profiles take families of points, each with KV lengths of its own.
struct AttentionGrids {
  MeasuredGrid prefill, decode, mixed;

  bool empty() const { return prefill.empty(); }
};

struct KernelTables {
  std::map<std::string, MeasuredGrid, std::less<>> tokens;     // by layer, by tokens
  std::map<std::string, MeasuredGrid, std::less<>> sequences;  // by layer, by sequences: LM head, sampling
  AttentionGrids attention;
  MeasuredGrid experts;  // routed experts of a layer by (active experts, tokens whose experts are all here)

  // By the name that a kernel has in sim/model; nullptr without a table.
  const MeasuredGrid* of(std::string_view kernel) const;
};

// A folder (of its files those of `tensor` ranks, called tp4_dense.csv and the like, where any is called so; other
// tables in it are left alone) or files. Known by their columns. Errors (InputError): no table in it, a table of
// unknown columns or layers, two rows at one point, a time that is not over 0, a fall to under a quarter.
KernelTables read_kernel_tables(const std::vector<std::string>& paths, std::int32_t tensor);

}  // namespace silicast
