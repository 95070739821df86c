// The requests in flight: a table of reused slots, and lists that thread through it. Memory is O(in flight).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/check.hpp"
#include "sim/base/ids.hpp"
#include "sim/base/sim_time.hpp"
#include "sim/engine/event_queue.hpp"
#include "sim/serving/observer.hpp"
#include "workloads/block_ids.hpp"
#include "workloads/request_source.hpp"

namespace silicast {

// A decoding sequence gets this many units of a token per iteration without drafts; with drafts more.
inline constexpr std::int32_t kTokenUnits = 1 << 16;

enum class Phase : std::uint8_t {
  kFree,
  kArriving,
  kWaiting,
  kPrefilling,
  kDecoding,
  // Where one replica computes the context and another decodes:
  kHeld,       // computed; its KV waits there until it has moved
  kReceiving,  // admitted where it is decoded; its KV is on the way
  kReceived,   // its KV is there; it decodes from the next plan on
  // Where KV blocks of its prompt come from a tier below the cache of prompts:
  kFetching,  // admitted; they are on the way
  kFetched,   // they are there; what is left of its context is computed from the next plan on
};

// Live state of a request. Only the replica that serves it changes it. One that is prefilled by one replica and decoded
// by another has a slot for each.
struct Request {
  RequestSpec spec;
  std::int64_t index = 0;  // in order of arrival
  SimTime scheduled = SimTime::never();
  SimTime first_token = SimTime::never();
  SimTime last_token;  // as of the last prefill or preemption; decoding goes on from there
  SimTime preempted_at;
  Seconds preempted_before_first_token;
  std::int64_t admission = 0;         // unique; larger means later in the running order
  std::int64_t finish_iteration = 0;  // decoding: the rank's decode iteration that gives the last token
  std::int64_t decode_start = 0;      // decoding: the rank's decode iteration when it began
  std::int64_t eligible = 0;          // the replica's iteration before which it cannot be scheduled
  std::int32_t rate = 0;              // tokens per decode iteration in units of kTokenUnits; 0: not drawn yet
  std::int32_t generated = 0;         // output tokens, up to date except while decoding
  std::int32_t context = 0;           // tokens whose KV the next token needs: prompt and what was generated
  std::int32_t computed = 0;          // of the context, while prefilling
  std::int32_t cached = 0;            // tokens of its prompt that were found when it was first admitted
  std::array<std::int32_t, kMaxTiers> fetched{};  // those among them that came from tiers, by their numbers
  std::int32_t incoming = 0;                      // tokens of its context that are being fetched
  std::int32_t shared_blocks = 0;  // blocks of its prompt, from the start, that it uses in the prompt cache
  std::int32_t preemptions = 0;
  ReplicaId replica;
  Phase phase = Phase::kFree;
  bool left = false;                     // its client has gone; it leaves the batch with the iteration in flight
  bool elsewhere = false;                // its KV is that of its other slot: it is admitted with room for all of it
  bool shadow = false;                   // the other slot stands for the request
  RequestSlot other;                     // where it is prefilled, or decoded; invalid where one replica does both
  ReplicaId prefill_replica;             // that computed its context for this one
  SimTime prefilled = SimTime::never();  // when it had
  RequestSlot previous, next;            // in the waiting or the running list of its replica
  EventId deadline_event;
  EventId entry_event;  // kArriving: when it reaches its queue
};

class RequestTable {
 public:
  Request& operator[](RequestSlot slot) { return requests_[slot.index()]; }
  const Request& operator[](RequestSlot slot) const { return requests_[slot.index()]; }
  std::int64_t live() const { return static_cast<std::int64_t>(requests_.size() - free_.size()); }
  std::int64_t next_admission() { return ++admissions_; }

  RequestSlot add() {
    if (free_.empty()) {
      requests_.emplace_back();
      return {static_cast<std::int32_t>(requests_.size()) - 1};
    }
    const RequestSlot slot = free_.back();
    free_.pop_back();
    requests_[slot.index()] = Request{};
    return slot;
  }
  void remove(RequestSlot slot) {
    SILICAST_CHECK(requests_[slot.index()].phase != Phase::kFree);
    requests_[slot.index()].phase = Phase::kFree;
    requests_[slot.index()].admission = 0;
    free_.push_back(slot);
  }

  // Of a block that requests name, see RequestSource::block_tokens().
  void set_block_tokens(std::int32_t tokens) { block_tokens_ = tokens; }
  // Of the request, see RequestSource::blocks(). Memory of a slot is used again.
  void set_blocks(RequestSlot slot, std::span<const std::uint64_t> blocks) {
    if (!blocks.empty() || !blocks_.empty()) assign_blocks(slot, blocks);
  }
  // Of its prompt and, where they go on through it, its answer.
  std::span<const std::uint64_t> blocks(RequestSlot slot) const {
    if (slot.index() >= blocks_.size()) return {};
    return blocks_[slot.index()];
  }
  bool answer_named(RequestSlot slot) const { return blocks(slot).size() > prompt_count(slot); }
  // Of its prompt alone: all that may be known before it is answered.
  std::span<const std::uint64_t> prompt_blocks(RequestSlot slot) const {
    const std::span<const std::uint64_t> all = blocks(slot);
    return all.empty() ? all : all.first(std::min(all.size(), prompt_count(slot)));
  }

  // Slots of the live requests, in order of arrival. O(slots); for the end of a run.
  std::vector<RequestSlot> live_slots() const;

 private:
  void assign_blocks(RequestSlot slot, std::span<const std::uint64_t> blocks);
  std::size_t prompt_count(RequestSlot slot) const {
    if (block_tokens_ == 0) return 0;
    return static_cast<std::size_t>(blocks_in(requests_[slot.index()].spec.prompt_tokens, block_tokens_));
  }

  std::vector<Request> requests_;
  std::vector<RequestSlot> free_;
  std::vector<std::vector<std::uint64_t>> blocks_;  // by slot; empty where no request has any
  std::int32_t block_tokens_ = 0;
  std::int64_t admissions_ = 0;
};

// A doubly linked list of slots; a request is in one list at most.
class RequestList {
 public:
  bool empty() const { return size_ == 0; }
  std::int32_t size() const { return size_; }
  RequestSlot front() const { return front_; }
  RequestSlot back() const { return back_; }

  void push_back(RequestTable& table, RequestSlot slot) { insert(table, back_, slot, RequestSlot{}); }
  void push_front(RequestTable& table, RequestSlot slot) { insert(table, RequestSlot{}, slot, front_); }
  void erase(RequestTable& table, RequestSlot slot);

 private:
  void insert(RequestTable& table, RequestSlot before, RequestSlot slot, RequestSlot after);

  RequestSlot front_, back_;
  std::int32_t size_ = 0;
};

}  // namespace silicast
