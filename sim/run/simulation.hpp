// Builds the system that a scenario describes, runs it, and hands over what came out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "sim/report/summary.hpp"
#include "sim/run/scenario.hpp"
#include "sim/serving/cluster.hpp"

namespace silicast {

struct SimulationOptions {
  bool leap = true;                     // false: step mode, one event per iteration; the same answer, slower
  std::string output_file;              // HDF5; empty: none
  ServingObserver* listener = nullptr;  // hears everything beside the report; outlives the simulation
  Seconds sample_interval = {};         // of listener->sampled(), where nothing is written; 0: none
  std::string arrivals_file = {};       // a trace of the requests as they were asked, by its ending; empty: none
};

struct RunResult {
  Summary summary;
  std::uint64_t fingerprint = 0;  // of all request records, in order of arrival and end
  std::int64_t iterations = 0;
  std::int64_t output_tokens = 0;
  std::uint64_t events = 0;
  std::string arrivals;  // the `trace:` mapping that replays them, where arrivals_file was given
};

class Simulation {
 public:
  Simulation(const Scenario& scenario, const SimulationOptions& options);
  ~Simulation();
  Simulation(Simulation&&) noexcept;

  bool advance(std::uint64_t events);  // false when the run is over
  double now_seconds() const;          // simulated
  std::int64_t arrived() const;
  std::int64_t in_system() const;

  // After the last advance(); writes and closes the output file. Call once.
  RunResult finish();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Runs to the end.
RunResult simulate(const Scenario& scenario, const SimulationOptions& options);

// Limits and cost of a pool's replicas, as the serving layer takes them.
PoolSetup pool_setup(const Scenario& scenario, const PoolScenario& pool, WorkRates& work);

}  // namespace silicast
