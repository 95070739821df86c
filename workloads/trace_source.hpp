// Requests from a trace, one row in memory at a time; where rows name parents all blocks and ids so far. Times count
// from the trace's first request, or in a replay are the stamps themselves.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "workloads/request_source.hpp"
#include "workloads/trace_order.hpp"
#include "workloads/trace_reader.hpp"
#include "workloads/trace_sessions.hpp"

namespace silicast {

class TraceSource final : public RequestSource {
 public:
  // Reads the first row at once, so that an unreadable trace is known before a run starts. InputError: no
  // rows. With `replay`, a request that was asked at the very instant at which others ended comes behind them again
  // (Further::kAfterEnds), which only holds on the system that wrote the trace: InputError where it does not.
  TraceSource(std::unique_ptr<TraceReader> reader, const std::string& name, bool replay = false);

  std::optional<SimTime> next_time() override;
  RequestSpec take() override;  // InputError: a bad row, or one that arrives before the row ahead of it
  std::span<const std::uint64_t> blocks() const override { return blocks_; }
  std::int32_t block_tokens() const override { return reader_->block_tokens(); }

  bool more_after_ends() const override { return held(); }
  void ended(const RequestSpec& request, SimTime now, bool answered) override;

  const TraceReader& reader() const { return *reader_; }
  bool sessions() const { return sessions_.has_value(); }
  bool replay() const { return replay_; }
  const TraceTurn& turn() const { return turn_; }  // of the request taken last

 private:
  bool read();
  SimTime time_of_row() const { return {row_.stamp_ns - first_ns_}; }
  // The row waits for others to end, of which some are still in the system.
  bool held() const { return replay_ && row_is_new_ && row_.after_ends > ends_ && ends_ < taken_; }

  std::unique_ptr<TraceReader> reader_;
  TraceRow row_;
  std::int64_t first_ns_ = 0;
  TraceOrder order_;
  std::vector<std::uint64_t> blocks_;  // of the request taken last; row_ may hold the next one already
  bool row_is_new_ = false;            // row_ holds a row that was not taken
  bool over_ = false;
  bool replay_;
  std::int64_t taken_ = 0, ends_ = 0;
  std::optional<TraceSessions> sessions_;
  TraceTurn turn_;
};

}  // namespace silicast
