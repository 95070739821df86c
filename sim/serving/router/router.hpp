// Sends each request to a replica.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "sim/base/ids.hpp"
#include "sim/base/registry.hpp"

namespace silicast {

// All that a router may know of a request. Its true output length is not here.
struct RequestView {
  std::int32_t prompt_tokens = 0;
  std::int32_t max_output_tokens = 0;  // as the client declared; 0: nothing declared
  ClassId request_class;
  std::span<const std::uint64_t> blocks = {};  // of its prompt, see RequestSource::blocks()
};

// What a router may know of a replica, as a gateway counts it: fresh, by its own book-keeping.
struct ReplicaLoad {
  std::int32_t requests = 0;       // sent there and not over yet
  std::int64_t prompt_tokens = 0;  // of those requests
};

// Called for every arrival; decides and returns, changes nothing but itself. Replicas are numbered from 0.
class Router {
 public:
  virtual ~Router() = default;
  virtual ReplicaId choose(const RequestView& request, std::span<const ReplicaLoad> loads) = 0;
  // The load of one replica has changed: for routers that keep an index over loads.
  virtual void load_changed(ReplicaId replica, const ReplicaLoad& load) {
    (void)replica;
    (void)load;
  }
};

// `replicas` of them, at least 1; `seed` for those that draw.
using RouterFactory = std::unique_ptr<Router>(std::int32_t replicas, std::uint64_t seed);
extern const Registry<RouterFactory> routers;

}  // namespace silicast
