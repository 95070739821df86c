// Requests written as a trace: what the trace formats read, made one request at a time. A new format is one factory and
// one entry in the registry (trace_writers.cpp).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/registry.hpp"
#include "workloads/request_source.hpp"
#include "workloads/trace_reader.hpp"

namespace silicast {

// What is the same for all requests of a trace.
struct TraceShape {
  std::int32_t block_tokens = 0;         // 0: no ids of blocks
  std::vector<std::string> class_names;  // by ClassId; empty: requests have no classes
  bool clients = false;                  // keep what clients declare and bear, and TraceFurther::after_ends
  bool sessions = false;                 // keep TraceFurther::turn
};

// What a request has besides, see trace_further.hpp.
struct TraceFurther {
  std::int64_t after_ends = 0;
  TraceTurn turn;
};

// Keeps arrival, prompt, output, class and ids of blocks of each request, and what else its shape says.
// A file is there whole, after finish(), or not at all. Errors (InputError) name the path and the system's reason.
class TraceWriter {
 public:
  virtual ~TraceWriter() = default;
  virtual void add(const RequestSpec& request, std::span<const std::uint64_t> blocks,
                   const TraceFurther& further = {}) = 0;
  virtual void finish() = 0;

  // The `trace:` mapping by which a scenario reads what this wrote, in YAML: "{format: hdf5, file: FILE}".
  virtual std::string mapping() const = 0;
};

using TraceWriterFactory = std::unique_ptr<TraceWriter>(const std::string& path, const TraceShape& shape);

// csv, hdf5, jsonl, mooncake. All but hdf5 refuse a file that is there.
const Registry<TraceWriterFactory>& trace_writers();

TraceWriterFactory make_hdf5_writer;  // trace_store_writer.cpp

// That which the file's name ends in: .h5, .hdf5, .csv, .jsonl; nullptr where none does.
const RegistryEntry<TraceWriterFactory>* trace_writer_by_ending(const std::string& file);

// A text as JSON and YAML quote it.
std::string quoted_scalar(std::string_view text);

}  // namespace silicast
