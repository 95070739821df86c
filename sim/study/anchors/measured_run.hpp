// The result file of a benchmark client, in one form whatever the client.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/study/validation/validation_case.hpp"

namespace silicast {

struct MeasuredRun {
  std::string format;     // "vllm", "sglang", "guidellm", "aiperf"
  std::string date;       // "2026-11-27": the run's own, else the file's
  std::string signature;  // of the file's bytes, 16 hexadecimal digits
  std::vector<Measurement> figures;
  std::optional<double> requests, prompt, output;  // completed; mean tokens of one
  std::optional<double> concurrency, rate;         // clients at once, requests/s; nothing where there was no limit

  // nullptr where it was not measured.
  const Measurement* figure(std::string_view metric) const;
};

// vLLM: `vllm bench serve --save-result`. SGLang: a line of bench_serving's JSONL. GuideLLM: benchmarks.json. AIPerf:
// profile_export_aiperf.json. `which` of several runs in a file, from 1. Errors (InputError): no such format; several
// runs and none chosen; requests that failed; neither a TTFT, a TPOT nor a throughput.
MeasuredRun read_measured_run(const std::string& path, std::optional<std::int64_t> which = {});

}  // namespace silicast
