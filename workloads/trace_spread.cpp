#include "workloads/trace_spread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace silicast {
namespace {

constexpr std::size_t kMaxRows = 65'536;
constexpr std::size_t kMaxIds = std::size_t{1} << 24;  // 128 MiB

}  // namespace

SpreadTrace::SpreadTrace(std::unique_ptr<TraceReader> rows, std::string name)
    : rows_(std::move(rows)), name_(std::move(name)) {}

bool SpreadTrace::read_ahead() {
  ahead_is_there_ = rows_->next(ahead_.row);
  if (!ahead_is_there_) return false;
  order_.check(ahead_.row, *rows_);
  const Mark mark = rows_->mark();
  ahead_.line = mark.line;
  ahead_.column = mark.column;
  return true;
}

bool SpreadTrace::read_group() {
  if (!started_) read_ahead();
  started_ = true;
  if (!ahead_is_there_) return false;
  const std::int64_t stamp = ahead_.row.stamp_ns;
  stamp_ = ahead_.row.stamp;
  std::size_t ids = 0;
  size_ = taken_ = 0;
  do {
    ids += ahead_.row.blocks.size();
    if (size_ == kMaxRows || ids > kMaxIds)
      throw InputError(rows_->mark(), rows_->arrival_name(),
                       fmt::format("{} is the stamp of over {}; give 'spread: none'", quoted_text(stamp_),
                                   size_ == kMaxRows ? fmt::format("{} requests", kMaxRows)
                                                     : fmt::format("{} ids of blocks", kMaxIds)));
    if (size_ == group_.size()) group_.emplace_back();
    std::swap(group_[size_++], ahead_);
  } while (read_ahead() && ahead_.row.stamp_ns == stamp);
  step_ns_ = step();
  return true;
}

// The time over which the group spreads.
std::int64_t SpreadTrace::step() {
  const std::int64_t stamp = group_[0].row.stamp_ns;
  std::int64_t step = 0;
  if (ahead_is_there_) {
    step = ahead_.row.stamp_ns - stamp;
    shortest_ns_ = std::min(shortest_ns_, step);
    if (step / 2 > shortest_ns_) step = shortest_ns_;
  } else if (shortest_ns_ != std::numeric_limits<std::int64_t>::max()) {
    step = shortest_ns_;
  }
  return std::min(step, std::numeric_limits<std::int64_t>::max() - stamp);
}

bool SpreadTrace::next(TraceRow& row) {
  if (taken_ == size_ && !read_group()) return false;
  std::swap(row, group_[taken_].row);
  const auto count = static_cast<std::int64_t>(size_), index = static_cast<std::int64_t>(taken_++);
  // step * index / count without a product that overflows.
  row.stamp_ns += step_ns_ / count * index + step_ns_ % count * index / count;
  row.stamp = stamp_;
  return true;
}

Mark SpreadTrace::mark() const {
  const Held& held = group_[taken_ - 1];
  return {name_, held.line, held.column};
}

}  // namespace silicast
