// A sentence that somebody says about two kinds of chips, as something that can be run: who is compared, on what, and
// which ratio is claimed. One file of configs/validation/claims each; workloads have names, in its workloads.yaml.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/io/config_reader.hpp"

namespace silicast {

// What the ratio is of.
enum class ClaimMetric {
  kTokensPerSecond,  // of one chip: output of decoding, input of prefill, both of serving
  kJoulesPerToken,   // of the same tokens, at the site's meter: TDP by phase x server factor x PUE
  kShareOfPeak,      // FLOPs of active parameters over the peak of the format
};
std::string_view name_of(ClaimMetric metric);  // "tokens_per_second", ...

struct ClaimSystem {
  std::string label;
  std::string node, engine;        // of the catalogue
  std::optional<double> maturity;  // of its software, where the claim says which; else from untuned to tuned
  std::optional<double> vector;    // FLOP/s beside the matrix unit, for readings that add them
};

// Number formats of both sides as YAML text, as a pool's `precision`.
struct ClaimPrecision {
  std::string label;
  std::string system, against;
};

// One load of a workload.
struct ClaimPoint {
  std::string label;           // "4096", "b 32", "64 clients"; empty where there is one only
  std::int64_t sequences = 0;  // decoding at once on a chip, or clients of one; 0: as many as the KV cache holds
  std::int64_t context = 0;    // of each
};

struct ClaimWorkload {
  enum class Kind { kDecode, kPrefill, kServe, kDatasheet };

  std::string name;
  Kind kind = Kind::kDecode;
  std::string model;          // of the catalogue
  std::string layout = "{}";  // YAML
  std::int32_t chips = 1;     // of it
  std::string exchange;       // how tokens reach experts, in place of the engine's; empty: its own
  std::int64_t prompt = 0, output = 0;
  std::string figure;   // of a datasheet: "bf16", "8bit", "memory_bandwidth", "memory_capacity"
  bool vector = false;  // with the vector unit's FLOPs on top
  std::vector<ClaimPoint> points;
};

struct Claim {
  std::string name;       // the stem of its file
  std::string statement;  // what is said, in one sentence
  std::string by;         // who says it and where
  std::string unstated;   // what the sentence leaves open; may be empty
  double low = 0, high = 0;
  ClaimMetric metric = ClaimMetric::kTokensPerSecond;
  std::vector<ClaimSystem> systems;
  std::vector<ClaimSystem> against;  // none: the figure itself is claimed
  std::vector<ClaimPrecision> precisions;
  std::vector<ClaimWorkload> workloads;
};

using ClaimWorkloads = std::map<std::string, ClaimWorkload, std::less<>>;

// workloads: {D1: {model, layout, exchange, decode: {sequences: [1], context: [1024, 4096]}},  # sequences: capacity
//             P: {model, layout, prefill: {prompt: [2048]}},
//             Mix: {model, layout, serve: {prompt: 3500, output: 1500, clients: [8, 64]}},  # of each chip
//             bf16: {datasheet: bf16, vector: true}}
// Errors (InputError): as of the reader; a model that does not load.
ClaimWorkloads read_claim_workloads(const ConfigValue& root, const std::string& configs_dir);

// name, claim, by, unstated: text; claimed: [1.5, 2.5]; metric
// systems, against: [{label, node, engine, maturity, vector}]
// precisions: [{label, system: 8bit, against: 8bit}]; workloads: [D1, P]
Claim read_claim(const ConfigValue& root, const ClaimWorkloads& workloads, const std::string& configs_dir);

// All of configs/validation/claims, by name. Errors as above; two claims of one name.
std::vector<Claim> read_claims(const std::string& configs_dir);

// What `silicast check` says of such a file; nullopt for another kind.
std::optional<std::string> check_claim_file(const std::string& path, const std::string& configs_dir);

}  // namespace silicast
