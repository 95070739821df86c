#include "sim/serving/router/router.hpp"

namespace silicast {

RouterFactory make_round_robin, make_random, make_least_loaded, make_two_choices, make_shortest_by_tokens,
    make_prefix_affinity;

namespace {
constexpr RegistryEntry<RouterFactory> kRouters[] = {
    {"round_robin", "each replica in turn", make_round_robin},
    {"random", "a replica drawn evenly", make_random},
    {"least_loaded", "the replica with the fewest requests", make_least_loaded},
    {"two_choices", "of two replicas drawn evenly, the one with fewer requests", make_two_choices},
    {"shortest_by_tokens", "the replica with the fewest prompt tokens in its requests", make_shortest_by_tokens},
    {"prefix_affinity", "where the longest beginning of the prompt went last, unless that is overloaded",
     make_prefix_affinity},
};
}  // namespace

constexpr Registry<RouterFactory> routers{"router", kRouters};

}  // namespace silicast
