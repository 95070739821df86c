// Each replica in turn.
#include "sim/serving/router/router.hpp"

namespace silicast {
namespace {

class RoundRobin final : public Router {
 public:
  ReplicaId choose(const RequestView&, std::span<const ReplicaLoad> loads) override {
    const ReplicaId chosen = next_;
    next_.value = next_.index() + 1 == loads.size() ? 0 : next_.value + 1;
    return chosen;
  }

 private:
  ReplicaId next_{0};
};

}  // namespace

std::unique_ptr<Router> make_round_robin(std::int32_t, std::uint64_t) {
  return std::make_unique<RoundRobin>();
}

}  // namespace silicast
