// The replica with the least load, the lowest number among equals: by requests or by prompt tokens. An index keeps
// the choice O(log replicas).
#include "sim/serving/router/min_index.hpp"
#include "sim/serving/router/router.hpp"

namespace silicast {
namespace {

template <auto Measure>
class Least final : public Router {
 public:
  explicit Least(std::int32_t replicas) : index_(replicas) {}
  ReplicaId choose(const RequestView&, std::span<const ReplicaLoad>) override { return {index_.smallest()}; }
  void load_changed(ReplicaId replica, const ReplicaLoad& load) override { index_.set(replica.value, load.*Measure); }

 private:
  MinIndex index_;
};

}  // namespace

std::unique_ptr<Router> make_least_loaded(std::int32_t replicas, std::uint64_t) {
  return std::make_unique<Least<&ReplicaLoad::requests>>(replicas);
}

std::unique_ptr<Router> make_shortest_by_tokens(std::int32_t replicas, std::uint64_t) {
  return std::make_unique<Least<&ReplicaLoad::prompt_tokens>>(replicas);
}

}  // namespace silicast
