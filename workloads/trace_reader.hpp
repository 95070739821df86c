// Trace formats: how a file says when requests came and how long they were. A new format is one factory and
// one entry in the registry (trace_formats.cpp).
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"
#include "sim/base/ids.hpp"
#include "sim/base/registry.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

struct WorkloadContext;

// One request as the trace has it.
struct TraceRow {
  std::int64_t stamp_ns = 0;       // arrival on the trace's own clock, >= 0
  std::string_view stamp;          // the same as written; holds until the next row
  std::int32_t prompt_tokens = 0;  // 1 to kMaxTokens
  std::int32_t output_tokens = 0;  // 1 to kMaxTokens
  ClassId request_class{0};
  std::vector<std::uint64_t> blocks;  // as RequestSource::blocks(); at most as many as the prompt has blocks
};

// Rows in the order of the file, one in memory at a time.
class TraceReader {
 public:
  virtual ~TraceReader() = default;

  // Reads the next row; false at the end of the trace. InputError names file, line, column and field.
  virtual bool next(TraceRow& row) = 0;

  // Where the arrival of the last row stands, and what the trace calls it.
  virtual Mark mark() const = 0;
  virtual std::string_view arrival_name() const = 0;

  // Tokens of a block; 0: the rows have no ids. Known once the first row is read.
  virtual std::int32_t block_tokens() const { return 0; }

  // Rows that were passed over so far because they are failures, where the format has such.
  virtual std::int64_t failures() const { return 0; }

  // Whether the rows are drawn at random, rather than read.
  virtual bool drawn() const { return false; }

  // What is done to the rows of the file, for the description of the workload: ", spread over their steps".
  virtual std::string note() const { return {}; }
};

// Reads its own keys of the `trace` mapping (`format` and `file` are asked for already).
using TraceFormatFactory = std::unique_ptr<TraceReader>(ConfigMap& trace, std::unique_ptr<std::istream> input,
                                                        const std::string& name, const WorkloadContext& context);

// azure, burstgpt, csv, hdf5, jsonl, llmservingsim, mooncake, servegen, sglang_bench, vllm_bench.
const Registry<TraceFormatFactory>& trace_formats();

}  // namespace silicast
