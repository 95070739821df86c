#include "sim/serving/weight_loads.hpp"

#include <array>

namespace silicast {
namespace {

// The store's, then each replica's.
std::vector<BytesPerSecond> links_of(BytesPerSecond store, const std::vector<WeightLoad>& replicas) {
  std::vector<BytesPerSecond> links{store};
  for (const WeightLoad& one : replicas) links.push_back(one.bandwidth);
  return links;
}

}  // namespace

WeightLoads::WeightLoads(BytesPerSecond store, const std::vector<WeightLoad>& replicas, Engine& engine,
                         WeightHost& host)
    : flows_(links_of(store, replicas), engine, Action::of<&WeightLoads::flows_end>(this)),
      engine_(engine),
      host_(host) {
  for (std::size_t i = 0; i < replicas.size(); ++i) {
    const std::array<std::int32_t, 2> links{0, 1 + static_cast<std::int32_t>(i)};
    flows_.network().start(links, replicas[i].bytes, engine.now(), {.tag = static_cast<std::int64_t>(i)});
  }
  flows_.rates_change();
}

void WeightLoads::flows_end(std::int64_t) {
  last_ = engine_.now();
  for (const FlowEnd& end : flows_.network().advance(engine_.now()))
    host_.weights_loaded(static_cast<std::int32_t>(end.tag));
  flows_.rates_change();
}

}  // namespace silicast
