// A fixed number of clients, each of which asks, waits for the answer, thinks, and asks again.
#pragma once

#include <queue>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/io/config_reader.hpp"
#include "workloads/generated_source.hpp"
#include "workloads/request_source.hpp"
#include "workloads/think_time.hpp"

namespace silicast {

class ClosedLoopSource final : public RequestSource {
 public:
  // All clients ask at time 0. A request that would arrive at bounds.end or later is not made; next_time() is an
  // InputError when one would arrive past kLastArrival.
  ClosedLoopSource(std::int32_t concurrency, ThinkTime think_time, RandomStream think_stream, RequestLengths lengths,
                   SourceBounds bounds, ConfigValue at);

  std::optional<SimTime> next_time() override;
  RequestSpec take() override;
  bool more_after_ends() const override;
  SimTime closes() const override { return bounds_.end; }
  void ended(const RequestSpec& request, SimTime now, bool answered) override;

 private:
  // A client that will ask; the lower number first among those of one instant.
  struct Asking {
    SimTime time;
    std::int32_t client = 0;
    auto operator<=>(const Asking&) const = default;
  };

  std::priority_queue<Asking, std::vector<Asking>, std::greater<>> asking_;
  // Per client, how long it thinks once its answer has come; -1 while it is not waiting for one. Drawn with
  // the request, so that request i is followed by the same pause on every cluster.
  std::vector<double> pause_;
  std::int64_t waiting_ = 0;  // clients that wait for an answer
  ThinkTime think_time_;
  RandomStream think_stream_;
  RequestLengths lengths_;
  SourceBounds bounds_;
  ConfigValue at_;  // of the loop, for errors
  SimTime last_end_;
  std::size_t ends_at_once_ = 0;  // how many in a row ended at last_end_
};

}  // namespace silicast
