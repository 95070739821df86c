// Several sources as one, in time order; the earlier in the list first among those of one instant.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "workloads/request_source.hpp"

namespace silicast {

class MergeSource final : public RequestSource {
 public:
  // A child's `client` must be below 2^31 / children: it is numbered client * children + child outside. Children that
  // have block ids must agree on block_tokens(); their ids are mixed with the child's number, since equal ids of
  // different children mean nothing.
  explicit MergeSource(std::vector<std::unique_ptr<RequestSource>> children);

  std::optional<SimTime> next_time() override;
  RequestSpec take() override;
  bool more_after_ends() const override;
  SimTime closes() const override;
  std::span<const std::uint64_t> blocks() const override { return blocks_; }
  std::int32_t block_tokens() const override { return block_tokens_; }
  void ended(const RequestSpec& request, SimTime now, bool answered) override;  // reaches the child that asked

 private:
  void refresh(std::size_t child);

  std::vector<std::unique_ptr<RequestSource>> children_;
  std::vector<SimTime> next_;  // of each child; never() when it knows of none
  std::vector<std::uint64_t> blocks_;
  std::int32_t block_tokens_ = 0;
};

}  // namespace silicast
