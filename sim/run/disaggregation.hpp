// Pools that prefill for pools that decode: what a scenario says of them, and the way between them.
#pragma once

#include "sim/run/scenario.hpp"

namespace silicast {

// disaggregation: {transfer: whole | layers, max_local_prefill: 512}, both optional, as is the key itself. The pools
// are read already. Errors (InputError): pools of one of the two roles alone, formats of the KV cache that differ
// between them, the key without such pools.
void read_disaggregation(ConfigMap& map, Scenario& scenario);

// Bytes of a request's KV cache on a pool's chips.
KvSize kv_size(const PoolScenario& pool);

// Of a scenario with disaggregation. Errors (InputError): as of Fabric::build.
TransferSetup transfer_setup(const Scenario& scenario);

}  // namespace silicast
