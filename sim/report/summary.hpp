// What a run amounts to: a plain value that the table, JSON, HDF5 and comparisons are all made of. METRICS.md
// defines every metric and its population. Seconds, watts, joules, tokens; NaN where there is nothing to say.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "sim/report/badge.hpp"
#include "sim/report/batched_series.hpp"
#include "sim/report/cost.hpp"
#include "sim/report/targets.hpp"
#include "sim/serving/observer.hpp"

namespace silicast {

inline constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();
inline constexpr std::size_t kEndStates = 5;

// Where the time to the first token goes, means in seconds; they sum up to the mean TTFT.
struct TtftSplit {
  double queue = kNoValue;       // arrival to the start of its first iteration
  double preemption = kNoValue;  // waiting again after losing its blocks
  double transfer = kNoValue;    // from the end of its prefill to its first token, where another replica decodes
  double prefill = kNoValue;     // the rest: its own prompt and the batches that it shares
};

// Requests that completed in the measurement window, whenever they arrived.
struct Throughput {
  double requests = kNoValue;       // per second
  double prompt_tokens = kNoValue;  // per second
  double output_tokens = kNoValue;
  double total_tokens = kNoValue;
};

struct TargetResult {
  std::string name;  // "ttft_p99", prefixed by "class: " when there are several
  double limit = 0;  // s
  double value = kNoValue;
  std::optional<bool> met;  // nothing where there is no value to judge
  bool unstable = false;    // no value because the queue grows without bound
};

struct Goodput {
  bool has_targets = false;    // if not, the numbers are absent
  bool own_limits = false;     // some limit is of single requests, not lent by a percentile
  double share = kNoValue;     // of the requests that arrived in the window, however they ended
  double requests = kNoValue;  // good ones completed per second in the measurement window
  std::vector<TargetResult> targets;
};

// The whole run, one pool or one class.
struct GroupSummary {
  std::string name;
  std::int64_t requests = 0;                        // ended in the whole run
  std::array<std::int64_t, kEndStates> states{};    // by EndState, whole run
  std::array<std::int64_t, kEndReasons> reasons{};  // by EndReason, whole run
  std::int64_t preemptions = 0;                     // whole run
  double cached_share = kNoValue;                   // of the prompt tokens, found in the prompt cache; whole run
  std::vector<double> tier_shares;                  // those among them that came from tiers, by their numbers
  Distribution ttft, tpot, e2e;
  Distribution itl;  // of pools and the whole run; gaps, not requests
  TtftSplit split;
  Throughput throughput;
  Goodput goodput;
};

// Means over the measurement window, all replicas of the pool together.
struct PoolUse {
  std::string name;
  std::string chip;
  Badge badge;
  std::int32_t replicas = 0;
  std::int32_t chips = 0;                // of its replicas
  std::int32_t unused_chips = 0;         // bought with the nodes, in no replica
  double busy = kNoValue;                // share of replica time in iterations
  double prefill_time_share = kNoValue;  // of the busy time
  double compute = kNoValue;             // FLOPs done / (peak * window); NaN: peak not known
  double memory = kNoValue;              // bytes moved / (peak * window)
  double kv_mean = kNoValue;             // share of KV blocks in use, over time
  double kv_peak = kNoValue;             // highest share on any replica, whole run
  double iterations = kNoValue;          // per second and replica
  Range chip_watts;                      // mean of one chip of a replica
  Range server_watts;                    // the same with its share of the server
  Range watts;                           // mean of all servers of the pool, unused chips included
  double busy_seconds = 0;               // replica seconds in the window
  double prefill_seconds = 0;
};

struct Energy {
  bool known = false;                // every pool's TDP is
  Grade weakest = Grade::kMeasured;  // among TDP, power shares and server factor
  Range watts;                       // of all servers, mean over the window
  Range joules_per_output_token;
  Range joules_per_token;  // prompt and output
  Range whole_run_joules;
};

// Time-average number in the system against arrival rate times mean time in system, whole run; the first
// comes from the moments of arrivals and ends, the second from the records.
struct LittlesLaw {
  double time_average = kNoValue;
  double rate_times_stay = kNoValue;
};

struct Summary {
  std::string name;
  // Set by whoever ran it: which silicast, with which seed, and the hash of all request records in hexadecimal.
  std::string version, fingerprint;
  std::uint64_t seed = 0;
  Grade latency_weakest = Grade::kMeasured;  // among the figures that durations follow from; set likewise
  double run_seconds = 0;                    // to the last event
  double window_from = 0, window_to = 0;     // s; latencies: arrivals from window_from to window_to
  double throughput_to = 0;                  // s; completions from window_from to here
  bool unstable = false;
  std::string unstable_reason;     // why, in words and figures
  std::vector<std::string> notes;  // what was done about warm-up, drain and thin data, in words
  GroupSummary total;
  std::vector<GroupSummary> pools;    // empty when there is one
  std::vector<GroupSummary> classes;  // empty when there is one
  std::vector<GroupSummary> models;   // same
  std::vector<PoolUse> use;           // one per pool
  Energy energy;
  LittlesLaw little;
  std::optional<Cost> cost;  // set by whoever has prices
};

}  // namespace silicast
