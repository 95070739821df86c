// Traces of a test with the ids of their blocks.
#pragma once

#include "workload_test_support.hpp"

namespace silicast {

using Ids = std::vector<std::uint64_t>;

struct Played {
  std::vector<RequestSpec> requests;
  std::vector<Ids> blocks;
  std::int32_t block_tokens = 0;
  std::string description;

  std::vector<std::int64_t> times() const {
    std::vector<std::int64_t> times;
    for (const RequestSpec& request : requests) times.push_back(request.arrival.ns);
    return times;
  }
};

inline Played played(const std::string& yaml, const WorkloadContext& context) {
  const Workload workload = workload_of(yaml, context);
  Played played;
  played.block_tokens = workload.source->block_tokens();
  played.description = workload.info.description;
  if (workload.info.block_tokens != played.block_tokens) throw std::logic_error("info and source differ on blocks");
  while (workload.source->next_time()) {
    played.requests.push_back(workload.source->take());
    workload.source->next_time();  // must leave the ids alone
    const auto blocks = workload.source->blocks();
    played.blocks.emplace_back(blocks.begin(), blocks.end());
  }
  return played;
}

// One file of a trace, "t", in a folder of its own.
class TraceFixture {
 public:
  Played play(const std::string& yaml, const std::string& text) const {
    folder.write("t", text);
    return played(yaml, context);
  }
  std::string error_of(const std::string& yaml, const std::string& text) const {
    folder.write("t", text);
    return message_of([&] { played(yaml, context); }, folder.path());
  }

  TestFolder folder;
  WorkloadContext context = context_of(folder.path());
};

}  // namespace silicast
