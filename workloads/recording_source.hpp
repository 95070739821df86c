// A source that writes down what it gives, so that it can be replayed bit for bit: see Further::kAfterEnds for what
// that takes where clients wait for answers.
#pragma once

#include <memory>
#include <string>

#include "workloads/request_source.hpp"
#include "workloads/trace_writer.hpp"

namespace silicast {

class RecordingSource final : public RequestSource {
 public:
  RecordingSource(std::unique_ptr<RequestSource> source, std::unique_ptr<TraceWriter> writer)
      : source_(std::move(source)), writer_(std::move(writer)) {}

  std::optional<SimTime> next_time() override { return source_->next_time(); }
  RequestSpec take() override;
  std::span<const std::uint64_t> blocks() const override { return source_->blocks(); }
  std::int32_t block_tokens() const override { return source_->block_tokens(); }
  bool more_after_ends() const override { return source_->more_after_ends(); }
  SimTime closes() const override { return source_->closes(); }
  void ended(const RequestSpec& request, SimTime now, bool answered) override {
    ++ends_;
    last_end_ = now;
    source_->ended(request, now, answered);
  }

  // Once, when nothing more is taken; gives the mapping by which a scenario replays it.
  std::string finish();

 private:
  std::unique_ptr<RequestSource> source_;
  std::unique_ptr<TraceWriter> writer_;
  std::int64_t ends_ = 0;
  SimTime last_end_ = SimTime::never();
};

}  // namespace silicast
