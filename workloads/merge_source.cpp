#include "workloads/merge_source.hpp"

#include <algorithm>
#include <limits>

#include "sim/base/check.hpp"
#include "workloads/block_ids.hpp"

namespace silicast {

MergeSource::MergeSource(std::vector<std::unique_ptr<RequestSource>> children)
    : children_(std::move(children)), next_(children_.size()) {
  for (std::size_t child = 0; child < children_.size(); ++child) {
    refresh(child);
    const std::int32_t tokens = children_[child]->block_tokens();
    SILICAST_CHECK(tokens == 0 || block_tokens_ == 0 || tokens == block_tokens_, "merged blocks of unlike sizes");
    block_tokens_ = std::max(block_tokens_, tokens);
  }
}

void MergeSource::refresh(std::size_t child) {
  next_[child] = children_[child]->next_time().value_or(SimTime::never());
}

std::optional<SimTime> MergeSource::next_time() {
  const SimTime first = *std::min_element(next_.begin(), next_.end());
  if (first == SimTime::never()) return std::nullopt;
  return first;
}

RequestSpec MergeSource::take() {
  const auto child = static_cast<std::size_t>(std::min_element(next_.begin(), next_.end()) - next_.begin());
  SILICAST_CHECK(next_[child] != SimTime::never(), "take() of an exhausted source");
  RequestSpec request = children_[child]->take();
  const std::int64_t client = static_cast<std::int64_t>(request.client) * static_cast<std::int64_t>(children_.size()) +
                              static_cast<std::int64_t>(child);
  SILICAST_CHECK(client <= std::numeric_limits<std::int32_t>::max(), "too many merged clients");
  request.client = static_cast<std::int32_t>(client);
  blocks_.clear();
  for (const std::uint64_t id : children_[child]->blocks()) blocks_.push_back(block_of_part(id, child));
  refresh(child);
  return request;
}

SimTime MergeSource::closes() const {
  SimTime last;
  for (const auto& child : children_) last = std::max(last, child->closes());
  return last;
}

bool MergeSource::more_after_ends() const {
  return std::any_of(children_.begin(), children_.end(), [](const auto& child) { return child->more_after_ends(); });
}

void MergeSource::ended(const RequestSpec& request, SimTime now, bool answered) {
  const auto children = static_cast<std::int32_t>(children_.size());
  const auto child = static_cast<std::size_t>(request.client % children);
  RequestSpec inner = request;
  inner.client = request.client / children;
  children_[child]->ended(inner, now, answered);
  refresh(child);
}

}  // namespace silicast
