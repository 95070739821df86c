// A source cut to a window of its own clock or to its first requests, and played faster or slower.
#pragma once

#include <limits>
#include <memory>

#include "sim/io/config_reader.hpp"
#include "workloads/request_source.hpp"

namespace silicast {

struct TimeEdits {
  SimTime from;                                                   // arrivals ahead of it are dropped; it becomes time 0
  SimTime to = SimTime::never();                                  // arrivals from it on are dropped
  std::int64_t first = std::numeric_limits<std::int64_t>::max();  // requests kept, from the first in the window
  double speed = 1;                                               // gaps between arrivals are divided by it
};

class TimeSource final : public RequestSource {
 public:
  // `at` is where an arrival that speed < 1 stretches past kLastArrival is reported.
  TimeSource(std::unique_ptr<RequestSource> source, TimeEdits edits, ConfigValue at);

  std::optional<SimTime> next_time() override;
  RequestSpec take() override;
  bool more_after_ends() const override { return edits_.first > 0 && source_->more_after_ends(); }
  SimTime closes() const override { return source_->closes(); }
  std::span<const std::uint64_t> blocks() const override { return source_->blocks(); }
  std::int32_t block_tokens() const override { return source_->block_tokens(); }
  void ended(const RequestSpec& request, SimTime now, bool answered) override {
    source_->ended(request, now, answered);
  }

 private:
  SimTime edited(SimTime time) const;

  std::unique_ptr<RequestSource> source_;
  TimeEdits edits_;
  ConfigValue at_;
};

}  // namespace silicast
