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

inline constexpr std::int64_t kNoPatience = -1;  // for ever

enum class Further;  // trace_further.hpp

// How a request goes on from one before it in its trace.
struct TraceTurn {
  std::int64_t session = 0;  // equal within a session
  std::int64_t parent = -1;  // position of the request whose answer it waits for; -1: none
  std::int64_t think_ns = 0;
};

// One request as the trace has it.
struct TraceRow {
  std::int64_t stamp_ns = 0;       // arrival on the trace's own clock, >= 0
  std::string_view stamp;          // the same as written; holds until the next row
  std::int32_t prompt_tokens = 0;  // 1 to kMaxTokens
  std::int32_t output_tokens = 0;  // 1 to kMaxTokens
  ClassId request_class{0};
  std::vector<std::uint64_t> blocks;  // as RequestSource::blocks()
  // What trace_further.hpp describes.
  std::int32_t max_output_tokens = 0;
  std::int64_t patience_ns = kNoPatience;
  bool leaves = false;
  std::int64_t after_ends = 0;
  std::string id, session, parent;
  std::int64_t think_ns = 0;
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

  // The same of a further column.
  virtual Mark mark_of(Further) const { return mark(); }
  virtual std::string_view name_of(Further) const { return {}; }

  // Whether rows name parents.
  virtual bool sessions() const { return false; }

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
