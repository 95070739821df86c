// Measured kernels as questions to the formulas of sim/perf: what `silicast calibrate kernels` fits on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/perf/chip_rates.hpp"
#include "topology/fabric.hpp"

namespace silicast {

struct KernelSample {
  std::string kernel_class;  // "GEMM, 16-bit": residuals are told by this
  std::string band;          // "m <= 16": and this
  std::string shape;         // rows of one shape hang together: a fit leaves them out together
  double measured = 0;       // s
  std::function<double(const ChipRates&)> predicted;
};

// Rows that say nothing of the formulas, by the reason.
class RowsLeftOut {
 public:
  void add(const std::string& file, const std::string& reason) { ++rows_[file + ": " + reason]; }
  std::vector<std::string> lines() const;  // "gemm.csv: 12 rows of ..."

 private:
  std::map<std::string, std::size_t> rows_;
};

struct KernelSamples {
  std::vector<KernelSample> gemm, experts, attention;
  std::vector<KernelSample> by_library, by_peers, exchange;  // collectives: of the library, by peers' memory, of tokens
  RowsLeftOut left_out;
};

// A table of one option: "FILE" or "FILE@KERNEL", of which only rows count whose `kernel` has KERNEL in its name.
struct TableOption {
  std::string path;
  std::string kernel;
  static TableOption parse(const std::string& text);
  std::string name() const;  // of the file, without folders
  bool takes(const std::string& row_kernel, RowsLeftOut& left_out) const;
};

using GroupOf = std::function<GroupLinks(std::int32_t chips)>;  // of one node

// Each recognises its tables by their columns (README.md lists them). InputError: a table of no format that the option
// takes; bad cells.
void read_gemm_samples(const TableOption& table, KernelSamples& into);
void read_attention_samples(const TableOption& table, KernelSamples& into);
void read_expert_samples(const TableOption& table, KernelSamples& into);
void read_collective_samples(const TableOption& table, const GroupOf& group, KernelSamples& into);

// "m <= 16" and the like: the first limit that holds the value, "m > 1024" beyond the last.
std::string band_of(const char* name, double value, const std::vector<double>& limits);

}  // namespace silicast
