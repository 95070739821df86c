// A replica drawn evenly.
#include "sim/base/random.hpp"

#include "sim/serving/router/router.hpp"

namespace silicast {
namespace {

class Random final : public Router {
 public:
  explicit Random(std::uint64_t seed) : stream_(seed, "router/random") {}
  ReplicaId choose(const RequestView&, std::span<const ReplicaLoad> loads) override {
    return {static_cast<std::int32_t>(stream_.below(loads.size()))};
  }

 private:
  RandomStream stream_;
};

}  // namespace

std::unique_ptr<Router> make_random(std::int32_t, std::uint64_t seed) {
  return std::make_unique<Random>(seed);
}

}  // namespace silicast
