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

namespace silicast {

// What is the same for all requests of a trace.
struct TraceShape {
  std::int32_t block_tokens = 0;         // 0: no ids of blocks
  std::vector<std::string> class_names;  // by ClassId; empty: requests have no classes
};

// Keeps arrival, prompt, output, class and ids of blocks of each request; limits and deadlines are no part of a trace.
// A file is there whole, after finish(), or not at all. Errors (InputError) name the path and the system's reason.
class TraceWriter {
 public:
  virtual ~TraceWriter() = default;
  virtual void add(const RequestSpec& request, std::span<const std::uint64_t> blocks) = 0;
  virtual void finish() = 0;

  // The `trace:` mapping by which a scenario reads what this wrote, in YAML: "{format: hdf5, file: FILE}".
  virtual std::string mapping() const = 0;
};

using TraceWriterFactory = std::unique_ptr<TraceWriter>(const std::string& path, const TraceShape& shape);

// csv, hdf5, jsonl, mooncake. All but hdf5 refuse a file that is there.
const Registry<TraceWriterFactory>& trace_writers();

TraceWriterFactory make_hdf5_writer;  // trace_store.cpp

// A text as JSON and YAML quote it.
std::string quoted_scalar(std::string_view text);

}  // namespace silicast
