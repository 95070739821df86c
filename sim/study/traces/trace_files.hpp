// Traces from files into files: what 'silicast trace' does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/registry.hpp"
#include "sim/study/traces/reuse_table.hpp"
#include "sim/study/traces/trace_summary.hpp"
#include "workloads/trace_writer.hpp"
#include "workloads/workload.hpp"

namespace silicast {

struct TraceInput {
  std::string format;
  std::string file;
};

// "FORMAT:FILE", or a file of `format`, or one that is known by its ending (.h5). Error (InputError): neither.
TraceInput trace_input(const std::string& text, const std::optional<std::string>& format);

// The format to write by --as, else by the ending: .h5, .hdf5, .csv, .jsonl. Error (InputError): neither, unknown.
const RegistryEntry<TraceWriterFactory>& trace_output(const std::string& file, const std::optional<std::string>& as);

struct TraceQuestion {
  std::vector<TraceInput> inputs;        // several are merged by time
  std::vector<std::string> settings;     // "KEY=YAML" of the `trace:` mapping of each input
  std::vector<std::string> class_names;  // of csv and jsonl; empty: those that HDF5 inputs have
  // As a scenario's slice: {from, to, first}; "10 min".
  std::optional<std::string> from, to, first;
};

// A stream of requests with what a trace says of them as a whole. Traces are read once through before it is given, so
// that a mistake in the last line is found before anything is written.
struct TraceStream {
  Workload workload;
  std::vector<std::string> class_names;
  bool sessions = false;  // some of its requests wait for others
  bool whole = false;     // one trace of which nothing is left out
};

// Columns and units of csv and jsonl that `settings` leave out are those that we write. Error (InputError): anything
// wrong in the inputs.
TraceStream open_traces(const TraceQuestion& question);

// The arrivals of a scenario's workload. Error (InputError): a closed loop, whose arrivals come of being served.
TraceStream open_scenario(const std::string& path, const std::string& configs_dir,
                          const std::vector<std::string>& settings);

struct TraceWritten {
  std::int64_t requests = 0;
  double span_s = 0;                  // from the first arrival to the last
  std::int32_t block_tokens = 0;      // 0: no ids of blocks
  std::int64_t blocks = 0;            // ids that the source had
  std::string mapping;                // how a scenario reads the file
  std::vector<std::string> left_out;  // what the format has no place for, in words
};

// Plays the stream into a file, in memory that does not grow with it unless requests name parents; it is used up. Error
// (InputError): no request, and what the writer refuses.
TraceWritten write_trace(TraceStream& stream, const RegistryEntry<TraceWriterFactory>& format, const std::string& file);

// Counts the stream instead; `curves` gets the JSON of TraceCurves, and `reuse` the blocks, where they are asked for.
TraceSummary count_trace(TraceStream& stream, std::string* curves = nullptr, ReuseCounter* reuse = nullptr);

}  // namespace silicast
