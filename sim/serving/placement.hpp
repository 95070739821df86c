// Which replica a request goes to. A router chooses among the replicas whose KV cache can hold the request at all:
// pools of unlike memory make tiers, and each tier has a router of its own over the replicas that reach it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/serving/router/router.hpp"

namespace silicast {

class Placement {
 public:
  // `capacities`: KV tokens that each replica holds, below 0 where it is not to be chosen; at least one is.
  Placement(std::vector<std::int64_t> capacities, RouterFactory* make_router, std::uint64_t seed);

  std::int64_t largest() const { return tiers_.back().capacity; }  // KV tokens that some replica holds

  double mean_requests() const {  // sent to a replica and not over yet
    return static_cast<double>(requests_) / static_cast<double>(tiers_.front().members.size());
  }

  // For a request that needs `kv_tokens` at its longest. Where no replica can hold it, one of the largest.
  ReplicaId choose(const RequestView& request, std::int64_t kv_tokens);

  // A request was sent to a replica (+1 and its prompt tokens) or is over (-1, less them).
  void change_load(ReplicaId replica, std::int32_t requests, std::int64_t prompt_tokens);

 private:
  // The replicas that hold at least `capacity` tokens, with numbers of their own for the router.
  struct Tier {
    std::int64_t capacity = 0;
    std::vector<ReplicaId> members;
    std::vector<ReplicaLoad> loads;       // by member
    std::vector<std::int32_t> number_of;  // by replica; -1 where it is no member
    std::unique_ptr<Router> router;
  };

  std::int64_t requests_ = 0;
  std::vector<Tier> tiers_;  // by growing capacity; the first holds every replica
};

}  // namespace silicast
