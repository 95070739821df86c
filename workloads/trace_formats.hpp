// The factories of the trace formats that have files of their own; registered in trace_formats.cpp.
#pragma once

#include "workloads/trace_reader.hpp"

namespace silicast {

TraceFormatFactory make_jsonl_trace, make_mooncake_trace, make_llmservingsim_trace;  // trace_jsonl.cpp
TraceFormatFactory make_burstgpt_trace;                                              // trace_burstgpt.cpp
TraceFormatFactory make_vllm_bench_trace, make_sglang_bench_trace;                   // trace_bench.cpp
TraceFormatFactory make_servegen_trace;                                              // trace_servegen.cpp
TraceFormatFactory make_hdf5_trace;                                                  // trace_store.cpp

}  // namespace silicast
