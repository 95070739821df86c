// `sessions:` of a workload, made into a source.
#pragma once

#include "workloads/session_source.hpp"
#include "workloads/workload.hpp"

namespace silicast {

struct SessionWorkload {
  std::unique_ptr<SessionSource> source;
  WorkloadInfo info;
};

// Reads the whole mapping: the shape (session_shape.hpp), the process by which sessions begin (arrival_process.hpp;
// poisson where none is named) with requests and duration, and
//   start: stationary | empty    # stationary unless the rate moves; see session_start.hpp
//   answer_time: 10 s            # the guess that it needs; 0 where it is not given
// Error: InputError at the key.
SessionWorkload make_sessions(const ConfigValue& value, const WorkloadScope& scope);

}  // namespace silicast
