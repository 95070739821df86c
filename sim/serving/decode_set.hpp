// The decoding sequences of a rank. Each gains tokens at a rate of its own per iteration (one, or more where drafts are
// accepted), so the set needs no update per sequence: lengths are kept relative to the iteration number, finishes wait
// in a heap.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/memory/block_growth.hpp"
#include "sim/serving/decode_progress.hpp"
#include "sim/serving/draft_blocks.hpp"
#include "sim/serving/limited_lengths.hpp"
#include "sim/serving/request_table.hpp"

namespace silicast {

class DecodeSet {
 public:
  // `reaches`: of the model's attention, see IterationCost. `drafts`: tokens drafted per sequence and iteration.
  DecodeSet(const RequestTable& table, std::int32_t block_size, std::int32_t drafts,
            const std::vector<std::int64_t>& reaches)
      : table_(table), growth_(block_size), block_size_(block_size) {
    for (const std::int64_t reach : reaches) limited_.emplace_back(table, reach);
    if (drafts > 0) drafts_.emplace(table, block_size, drafts);
  }

  std::int32_t size() const { return size_; }
  std::int64_t iteration() const { return iteration_; }               // decode iterations since the start of the run
  std::int64_t kv_tokens() const { return kv_units_ / kTokenUnits; }  // sum of the KV lengths as of now
  // Tokens per iteration beyond one for each sequence.
  double accepted_drafts() const {
    if (!drafts_) return 0;
    return static_cast<double>(rate_ - std::int64_t{kTokenUnits} * size()) / kTokenUnits;
  }
  const std::vector<LimitedLengths>& limited() const { return limited_; }

  // KV length and generated tokens of a decoding request as of now.
  std::int64_t kv_length(const Request& request) const { return kv_length_at(request, iteration_); }
  std::int32_t generated(const Request& request, std::int64_t later = 0) const {
    return generated_at(request, iteration_ + later);
  }

  // The request's generated, rate, admission and phase must be set. O(log n).
  void add(RequestSlot slot);
  // Takes a sequence out before its end; its entry in the heap goes stale. O(1).
  void remove(RequestSlot slot);
  // All sequences compute `iterations` tokens; gives the KV blocks that they fill more.
  std::int64_t advance(std::int64_t iterations);

  // KV blocks that the next iteration fills more, of all sequences and of one.
  std::int64_t blocks_next() const { return drafts_ ? drafts_->needed_next(iteration_) : growth_.needed_next(); }
  std::int64_t blocks_next(const Request& request) const;
  // The most iterations, from 1 to `limit`, that fill no more than `free` blocks for sure.
  std::int64_t iterations_within(std::int64_t free, std::int64_t limit) const {
    return drafts_ ? drafted_iterations_within(free, limit) : growth_.iterations_within(free, limit);
  }
  // About how many blocks so many iterations fill more, for samples.
  std::int64_t blocks_after(std::int64_t iterations) const;

  // Iterations for which every limited length grows as it does now.
  std::int64_t iterations_to_limit() {
    std::int64_t iterations = kForever;
    for (LimitedLengths& lengths : limited_)
      iterations = std::min(iterations, lengths.iterations_to_change(iteration_));
    return iterations;
  }
  // Iterations until the next sequence finishes; the set must not be empty.
  std::int64_t iterations_to_finish() {
    if (stale_ > 0) drop_stale();
    SILICAST_CHECK(!finishes_.empty());
    return finishes_.front().iteration - iteration_;
  }
  // A sequence that finishes with the present iteration, earliest in the running order first; invalid when none
  // is left. The caller removes it.
  RequestSlot next_finished();

 private:
  struct Finish {
    std::int64_t iteration;
    std::int64_t admission;
    RequestSlot slot;
    bool operator<(const Finish& other) const {  // std heaps keep the largest in front
      return iteration != other.iteration ? iteration > other.iteration : admission > other.admission;
    }
  };
  void drop_stale();
  std::int64_t drafted_iterations_within(std::int64_t free, std::int64_t limit) const;

  const RequestTable& table_;
  BlockGrowth growth_;                 // of sequences that grow by one token each
  std::optional<DraftBlocks> drafts_;  // in its place where tokens are drafted
  std::int32_t block_size_;
  std::vector<LimitedLengths> limited_;
  std::vector<Finish> finishes_;
  std::int64_t stale_ = 0;  // entries of finishes_ whose sequence was taken out before its end
  std::int32_t size_ = 0;
  std::int64_t iteration_ = 0;
  std::int64_t kv_units_ = 0;  // sum of lengths and rates, in units of kTokenUnits
  std::int64_t rate_ = 0;
};

}  // namespace silicast
