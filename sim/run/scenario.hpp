// One run's whole input as plain validated values: everything is read, resolved against the catalogue and checked
// before anything is built or written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/io/config_reader.hpp"
#include "sim/model/draft_spec.hpp"
#include "sim/model/engine_spec.hpp"
#include "sim/model/memory_plan.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/model/parallel_plan.hpp"
#include "sim/perf/compile_cost.hpp"
#include "sim/report/badge.hpp"
#include "sim/report/facts.hpp"
#include "sim/run/pool_placement.hpp"
#include "sim/serving/cluster.hpp"
#include "sim/serving/router/router.hpp"
#include "sim/serving/scheduler/scheduler.hpp"
#include "topology/chip_spec.hpp"
#include "topology/cluster_spec.hpp"
#include "topology/node_spec.hpp"
#include "topology/price_sheet.hpp"
#include "topology/stack_spec.hpp"
#include "workloads/workload.hpp"

namespace silicast {

// A tier below the caches of prompts of a pool's replicas: see read_tiers.
struct TierScenario {
  std::string name;
  Bytes capacity;  // of one store
  TierOwner of = TierOwner::kReplica;
  BytesPerSecond bandwidth;          // of one store, each way
  BytesPerSecond replica_bandwidth;  // of a replica to and from a store that others share
  Seconds latency;
  bool through = false;
  TierEviction eviction = TierEviction::kLru;
  Seconds ttl;
  std::optional<ConfigValue> at;  // where it is given
};

// Like replicas on like nodes.
struct PoolScenario {
  std::string name;
  NodeSpec node;
  ChipSpec chip;
  Calibration calibration;  // at the maturity
  StackSpec stack;          // the same
  double maturity = 0.5;    // of the chip's software, 0 untuned to 1 tuned
  std::int32_t nodes = 1;
  std::int32_t replicas = 1;
  ParallelPlan plan;
  PoolPlacement placement;
  std::int32_t first_chip = 0;  // of its nodes, numbered pool by pool as the fabric does
  ReplicaChips replica_chips;   // so numbered
  Precision precision;
  Speculation speculation;  // of 0 tokens: none
  EngineSpec engine;
  std::int32_t model = 0;  // which it serves, of Scenario::models
  PoolRole role = PoolRole::kWhole;
  double overflow_after = 0;  // see PoolSetup
  const RegistryEntry<SchedulerFactory>* scheduler = nullptr;
  MemoryPlan memory;
  std::int64_t kv_blocks = 0;  // per replica: computed, or as given
  bool kv_blocks_given = false;
  ReplicaSetup replica;  // what the cost of its iterations follows from
  std::vector<TierScenario> tiers;
  Badge badge;  // whether any of that was measured
  Mark mark;
};

// Whether KV blocks of prompts are kept for others: not where a sequence has a state besides that of its tokens (linear
// attention, windows), which nobody can take up in its middle.
inline bool shares_prompts(const PoolScenario& pool) {
  return pool.engine.prefix_cache && pool.memory.sequence_blocks == 0;
}

struct OutputScenario {
  std::string file;               // empty: no file
  std::optional<ConfigValue> at;  // where the file is named
  bool requests = true;           // one row each
  Seconds series;                 // sampling interval; 0: none
};

// How requests go from pools that prefill to pools that decode.
struct DisaggregationScenario {
  bool by_layers = false;              // KV moves layer by layer during the prefill, not after it
  std::int32_t max_local_prefill = 0;  // prompts of up to so many tokens are prefilled where they are decoded
};

// Mean load of a day over that of its busiest hour, which the run is taken for.
struct LoadFactor {
  Evidence factor;
  std::string of;  // who says so: "the scenario", "its use cases", "the price sheet"
};

struct PriceScenario {
  PriceSheet sheet;
  Evidence tariff;
  std::string region;
  std::optional<LoadFactor> load_factor;  // none: the same load all day
};

struct Scenario {
  std::string name;
  std::uint64_t seed = 1;
  ModelSpec model;                // of pools and classes that name none
  std::vector<ModelSpec> models;  // that classes ask for and pools serve, that one first
  std::int32_t max_context = 0;   // of any model's requests
  ClusterFabric fabric;
  std::vector<PoolScenario> pools;
  const RegistryEntry<RouterFactory>* router = nullptr;
  std::optional<DisaggregationScenario> disaggregation;  // where some pools prefill and others decode
  std::optional<BytesPerSecond> weight_store;            // that replicas load their weights from at time 0
  std::vector<ClassFacts> classes;
  MeasureWindow window;
  std::optional<Seconds> until;
  std::optional<PriceScenario> prices;
  OutputScenario output;
  std::optional<ConfigValue> workload;  // read again by every simulation: a source is used up by one
  WorkloadContext workload_context;
  WorkloadInfo workload_info;
  std::vector<std::string> without_effect;  // keys that were given and changed nothing, with the reason
  std::vector<std::string> notes;           // what else whoever reads the results should know
  std::string resolved;                     // YAML of the scenario as given, with --set applied

  std::int32_t replicas() const;
};

struct ScenarioSource {
  std::string configs_dir;
  // "key.path=value" in YAML, applied in order before anything is read.
  std::vector<std::string> settings;
  std::string output_file = {};  // in place of the scenario's output.file; empty: as the scenario has it
};

// Where a run without memory to spare stops: check and run need all pools to fit, explain does not.
enum class Fit { kRequired, kReported };

// Errors: InputError for anything wrong in the file or in a file that it names.
Scenario read_scenario(const std::string& path, const ScenarioSource& source, Fit fit = Fit::kRequired);
Scenario read_scenario(ConfigNode root, const std::string& path, const ScenarioSource& source,
                       Fit fit = Fit::kRequired);

}  // namespace silicast
