// A trace whose requests wait for answers: roots are asked at their arrivals, every other one its think time after its
// parent's answer, whenever that comes. The trace is held whole, since a child may be asked long before its stamp.
#pragma once

#include <memory>
#include <vector>

#include "workloads/trace_source.hpp"

namespace silicast {

class SessionTraceSource final : public RequestSource {
 public:
  // Reads the trace to its end. What waits for a request that is not answered is never asked.
  explicit SessionTraceSource(std::unique_ptr<TraceSource> trace);

  std::optional<SimTime> next_time() override;
  RequestSpec take() override;
  std::span<const std::uint64_t> blocks() const override { return blocks_; }
  std::int32_t block_tokens() const override { return block_tokens_; }
  bool more_after_ends() const override { return awaited_ > 0; }
  void ended(const RequestSpec& request, SimTime now, bool answered) override;

  std::int64_t requests() const { return static_cast<std::int64_t>(turns_.size()); }
  std::int64_t waiting() const { return waiting_; }  // requests with a parent

 private:
  struct Turn {
    RequestSpec spec;
    std::size_t first_block = 0, blocks = 0;                    // in ids_
    std::int32_t first_child = -1, last_child = -1, next = -1;  // in the order of the trace
    std::int32_t children = 0;
    std::int64_t think_ns = 0;
  };
  // The earlier in the trace first among those of one instant.
  struct Asking {
    SimTime time;
    std::int32_t turn = 0;
    auto operator<=>(const Asking&) const = default;
  };

  void ask(std::int32_t turn, SimTime time);

  std::vector<Turn> turns_;
  std::vector<std::uint64_t> ids_;
  std::vector<Asking> asking_;  // a heap
  std::vector<std::uint64_t> blocks_;
  std::int32_t block_tokens_ = 0;
  std::int64_t waiting_ = 0;
  std::int64_t awaited_ = 0;  // requests that wait for one that is in the system
};

}  // namespace silicast
