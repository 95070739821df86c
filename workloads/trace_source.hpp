// Requests from a trace, one row in memory at a time. Times count from the trace's first request.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "workloads/request_source.hpp"
#include "workloads/trace_order.hpp"
#include "workloads/trace_reader.hpp"

namespace silicast {

class TraceSource final : public RequestSource {
 public:
  // Reads the first row at once, so that an unreadable trace is known before a run starts. InputError: no
  // rows.
  TraceSource(std::unique_ptr<TraceReader> reader, const std::string& name);

  std::optional<SimTime> next_time() override;
  RequestSpec take() override;  // InputError: a bad row, or one that arrives before the row ahead of it
  std::span<const std::uint64_t> blocks() const override { return blocks_; }
  std::int32_t block_tokens() const override { return reader_->block_tokens(); }

  const TraceReader& reader() const { return *reader_; }

 private:
  bool read();

  std::unique_ptr<TraceReader> reader_;
  TraceRow row_;
  std::int64_t first_ns_ = 0;
  TraceOrder order_;
  std::vector<std::uint64_t> blocks_;  // of the request taken last; row_ may hold the next one already
  bool row_is_new_ = false;            // row_ holds a row that was not taken
  bool over_ = false;
};

}  // namespace silicast
