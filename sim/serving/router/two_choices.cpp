// Power of two choices: of two different replicas drawn evenly the one with fewer requests, the first drawn among
// equals (Mitzenmacher, The power of two choices in randomized load balancing, 2001).
#include "sim/base/random.hpp"
#include "sim/serving/router/router.hpp"

namespace silicast {
namespace {

class TwoChoices final : public Router {
 public:
  explicit TwoChoices(std::uint64_t seed) : stream_(seed, "router/two_choices") {}

  ReplicaId choose(const RequestView&, std::span<const ReplicaLoad> loads) override {
    if (loads.size() == 1) return {0};
    const std::size_t first = stream_.below(loads.size());
    std::size_t second = stream_.below(loads.size() - 1);
    if (second >= first) ++second;
    return {static_cast<std::int32_t>(loads[second].requests < loads[first].requests ? second : first)};
  }

 private:
  RandomStream stream_;
};

}  // namespace

std::unique_ptr<Router> make_two_choices(std::int32_t, std::uint64_t seed) {
  return std::make_unique<TwoChoices>(seed);
}

}  // namespace silicast
