// Jobs on processes of their own: what crashes, or is killed, takes no other job with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace silicast {

struct WorkerPoolCalls {
  std::function<std::string(std::int32_t job)> work;                   // in a worker; must not throw
  std::function<void(std::int32_t job, std::string bytes)> done;       // what work() gave, in order of completion
  std::function<void(std::int32_t job, const std::string& why)> died;  // "killed by signal 9 (Killed)", twice
  std::function<void()> tick;                                          // a few times a second
  std::function<bool()> stopped;                                       // give up: workers are killed
};

// Jobs in their order, each by the next worker that is free; the job of a worker that dies is given to another once.
// The caller must have no other threads. What done() throws ends the workers and is thrown on. Error (InputError): no
// process can be started.
void run_in_workers(const std::vector<std::int32_t>& jobs, std::size_t workers, const WorkerPoolCalls& calls);

}  // namespace silicast
