// The decoding sequences of a replica. Each computes one token per iteration, so the set needs no update per
// sequence: lengths are kept relative to the iteration number, finishes wait in a heap.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/memory/block_growth.hpp"
#include "sim/serving/request_table.hpp"

namespace silicast {

class DecodeSet {
 public:
  DecodeSet(const RequestTable& table, std::int32_t block_size) : table_(table), growth_(block_size) {}

  std::int32_t size() const { return static_cast<std::int32_t>(growth_.sequences()); }
  std::int64_t iteration() const { return iteration_; }  // decode iterations since the start of the run
  std::int64_t kv_tokens() const { return kv_tokens_; }  // sum of the KV lengths as of now
  const BlockGrowth& growth() const { return growth_; }

  // KV length and generated tokens of a decoding request as of now.
  std::int32_t kv_length(const Request& request) const { return request.spec.prompt_tokens + generated(request) - 1; }
  std::int32_t generated(const Request& request) const {
    return request.spec.output_tokens - static_cast<std::int32_t>(request.finish_iteration - iteration_);
  }

  // The request's finish_iteration, admission and phase must be set. O(log n).
  void add(RequestSlot slot);
  // Takes a sequence out before its end; its entry in the heap goes stale. O(1).
  void remove(RequestSlot slot);
  // All sequences compute `iterations` tokens.
  void advance(std::int64_t iterations);

  // Iterations until the next sequence finishes; the set must not be empty.
  std::int64_t iterations_to_finish();
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

  const RequestTable& table_;
  BlockGrowth growth_;
  std::vector<Finish> finishes_;
  std::int64_t stale_ = 0;  // entries of finishes_ whose sequence was taken out before its end
  std::int64_t iteration_ = 0;
  std::int64_t kv_tokens_ = 0;
};

}  // namespace silicast
