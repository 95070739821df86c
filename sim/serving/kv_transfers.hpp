// KV caches on their way from the replicas that computed them to those that decode: flows that share the links of the
// fabric max-min fairly. A cache moves when its context has been computed, or layer by layer while it still is.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/perf/flows/transfer_paths.hpp"
#include "sim/serving/request_table.hpp"
#include "sim/serving/timed_flows.hpp"

namespace silicast {

// What the KV cache of a request weighs where it is decoded, over all chips that hold a part (or a copy) of it.
struct KvSize {
  Bytes per_token;
  Bytes per_sequence;       // windows and states, whatever its length
  std::int32_t layers = 1;  // of the model

  std::int64_t of(std::int64_t tokens) const {
    return static_cast<std::int64_t>(per_token.value() * static_cast<double>(tokens) + per_sequence.value());
  }
};

struct TransferSetup {
  explicit TransferSetup(TransferPaths ways) : paths(std::move(ways)) {}

  TransferPaths paths;                 // between the places of the cluster, by their numbers
  double efficiency = 1;               // of the links' bandwidth that transfers reach
  Seconds start;                       // from when one may begin to its first byte, besides the links' latency
  bool by_layers = false;              // what a chunk leaves in all layers but the last moves while it is computed
  std::int32_t max_local_prefill = 0;  // prompts of up to so many tokens are served whole where others are decoded
};

// Where a transfer ends one hears of it, by the request's slot there.
class TransferHost {
 public:
  virtual ~TransferHost() = default;
  virtual void kv_arrived(RequestSlot slot) = 0;  // all of it, now
  // Transfers take another share of the links of a place that is watched, of the fuller direction: from this instant,
  // or, where this instant has been planned already, from behind it.
  virtual void links_taken(std::int32_t place, double share, bool planned) = 0;
};

// A transfer is known by the slot of its request where it is going. Nothing is allocated once tables have grown.
class KvTransfers {
 public:
  KvTransfers(TransferSetup setup, Engine& engine, TransferHost& host);

  // Before the first transfer: its host is told what transfers take of the links of a place in a tier.
  void watch(std::int32_t place, Tier tier);

  bool by_layers() const { return setup_.by_layers; }
  std::int32_t max_local_prefill() const { return setup_.max_local_prefill; }

  // A request is to go from one place to another; nothing has been computed.
  void expect(RequestSlot slot, std::int32_t from, std::int32_t to, const KvSize& size);
  // Its context will have reached so many tokens at `then`; what is not there yet moves layer by layer until then.
  void computing(RequestSlot slot, std::int64_t tokens, SimTime then);
  // All of its context, of so many tokens, has been computed.
  void computed(RequestSlot slot, std::int64_t tokens);
  // Memory is there for it, or no longer: what has moved is lost.
  void memory_taken(RequestSlot slot);
  void memory_lost(RequestSlot slot);
  void forget(RequestSlot slot);  // whatever state it is in; no more is heard of it

  std::size_t in_flight() const { return flows_.network().size(); }
  const FlowNetwork& flows() const { return flows_.network(); }
  std::int64_t bytes_asked() const { return bytes_asked_; }  // by all transfers so far, lost ones as far as they came

 private:
  struct Transfer {
    std::int32_t from = 0, to = 0;
    KvSize size;
    std::int64_t available = 0;  // bytes that may have moved: computed, or being computed until `then`
    std::int64_t moved = 0;      // bytes of the flows that have ended
    std::int64_t moving = 0;     // bytes of the flow in flight
    SimTime then;
    FlowId flow;
    EventId start;  // of the first flow
    bool known = false, has_memory = false, all_computed = false, begun = false;
  };

  Transfer& at(RequestSlot slot) { return transfers_[slot.index()]; }
  void go_on(RequestSlot slot);
  void begin(std::int64_t slot);
  void stop(Transfer& transfer);
  void flows_end(std::int64_t);
  void settled(std::int64_t) { tell_taken(true); }
  void tell_taken(bool planned);

  struct Watch {
    std::int32_t place = 0;
    TransferPaths::Exits exits;
    double share = 0;
  };

  TransferSetup setup_;
  Engine& engine_;
  TransferHost& host_;
  TimedFlows flows_;
  std::vector<Transfer> transfers_;  // by slot
  std::vector<Watch> watches_;
  std::vector<std::int32_t> watch_of_;  // by link, -1: none; empty without any
  std::int64_t bytes_asked_ = 0;
};

}  // namespace silicast
