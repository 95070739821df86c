// Who a request goes to: gateways by model, each over the pools that serve it.
#include <algorithm>
#include <limits>

#include "sim/serving/cluster.hpp"

namespace silicast {

// None where no pool is chosen.
template <class Chosen>
std::unique_ptr<Placement> Cluster::placement_over(Chosen chosen, std::uint64_t seed) {
  std::vector<std::int64_t> capacities;
  bool any = false;
  for (const Place& place : places_) {
    const bool is_chosen = chosen(pool_of(place));
    capacities.push_back(is_chosen ? replica_of(place).kv_capacity() : -1);
    any = any || is_chosen;
  }
  return any ? std::make_unique<Placement>(std::move(capacities), setup_.make_router, seed) : nullptr;
}

void Cluster::add_gateway(std::int32_t model) {
  Gateway gateway;
  // Routers that draw have a stream each: tiers of a placement take the seeds behind its own.
  const std::uint64_t seed = setup_.seed + 1'000'000 * static_cast<std::uint64_t>(model);
  std::vector<double> after;
  for (const PoolSetup& pool : setup_.pools)
    if (pool.model == model) after.push_back(pool.overflow_after);
  std::sort(after.begin(), after.end());
  after.erase(std::unique(after.begin(), after.end()), after.end());
  for (const double level : after) {
    bool prefills = true;
    const auto takes = [&](const PoolSetup& pool) {
      const bool taken = pool.model == model && pool.overflow_after == level && pool.role != PoolRole::kDecode;
      prefills = prefills && (!taken || pool.role == PoolRole::kPrefill);
      return taken;
    };
    if (auto placement = placement_over(takes, seed + 1000 * gateway.arrivals.size()))
      gateway.arrivals.push_back({level, prefills, std::move(placement)});
  }
  SILICAST_CHECK(!gateway.arrivals.empty(), "no pool serves model {}", model);
  if (setup_.transfers) {
    const auto serves_short = [&](const PoolSetup& pool) {
      return pool.model == model && pool.role != PoolRole::kPrefill && pool.overflow_after == 0;
    };
    const auto decodes = [&](const PoolSetup& pool) { return pool.model == model && pool.role == PoolRole::kDecode; };
    if (setup_.transfers->max_local_prefill > 0) gateway.whole = placement_over(serves_short, seed + 100'000);
    gateway.decoders = placement_over(decodes, seed + 200'000);
  }
  for (const Overflow& level : gateway.arrivals) gateway.all.push_back(level.placement.get());
  for (Placement* one : {gateway.whole.get(), gateway.decoders.get()})
    if (one != nullptr) gateway.all.push_back(one);
  gateways_.push_back(std::move(gateway));
}

// Pools that are there for what others leave get a request when all of those before them are that busy, or cannot hold
// it.
ReplicaId Cluster::choose(const RequestSpec& spec, std::span<const std::uint64_t> blocks) {
  const Gateway& gateway = gateways_[model_of(spec)];
  const RequestView view{spec.prompt_tokens, spec.max_output_tokens, spec.request_class, blocks};
  if (gateway.whole && spec.prompt_tokens <= transfers_->max_local_prefill())
    return gateway.whole->choose(view, kv_tokens_declared(spec));
  const auto holds = [&](const Overflow& at) { return at.kv_tokens(spec) <= at.placement->largest(); };
  const Overflow* chosen = gateway.arrivals.data();
  const Overflow* const end = chosen + gateway.arrivals.size();
  double least = std::numeric_limits<double>::infinity();  // mean requests of the levels so far
  while (chosen + 1 != end) {
    const Overflow* const next = chosen + 1;
    least = std::min(least, chosen->placement->mean_requests());
    const bool no_room = !holds(*chosen) && std::any_of(next, end, holds);
    if (least < next->after && !no_room) break;
    chosen = next;
  }
  return chosen->placement->choose(view, chosen->kv_tokens(spec));
}

}  // namespace silicast
