// An anchor is a run that somebody measured, as far as it tells what a chip's software and an engine's host really
// take. `silicast anchor add` fits and writes it; a scenario applies it to the pools that are like what was measured.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/report/badge.hpp"
#include "sim/run/scenario.hpp"

namespace silicast {

// What an anchor may move: physical scales alone, within the range of their evidence.
enum class AnchorScale { kMaturity, kPerIteration, kPerRequest };
std::string_view name_of(AnchorScale scale);  // "maturity", "per_iteration", "per_request"

struct AnchorMove {
  AnchorScale scale = AnchorScale::kMaturity;
  double from = 0, to = 0;  // maturity, or s
};

struct AnchorResidual {
  std::string metric;                          // of sim/study/validation/metric.hpp
  double measured = 0, before = 0, after = 0;  // base units
};

struct AnchorRange {
  double low = 0, high = 0;
  bool holds(double value) const { return value >= low && value <= high; }
};

// What a pool and its workload are, as far as it matters to whether a measurement says something about them.
struct AnchorSubject {
  std::string chip, engine, model, family;  // family: "mixture of experts, latent attention"
  std::string precision;                    // "fp8/fp8/bf16": weights, activations, KV
  std::string layout;                       // "tensor 4, data 1, ..."
  std::optional<double> prompt, output;     // mean tokens of a request
  std::optional<double> running;            // requests in a replica at once, on average
  std::optional<double> output_rate;        // tokens/s of a replica
};

struct Anchor {
  std::string name, date, file, signature, format;
  AnchorSubject measured;
  std::vector<AnchorMove> moved;
  std::vector<std::pair<std::string, std::string>> not_moved;  // scale and why
  std::vector<AnchorResidual> residuals;
  AnchorRange prompt, output, running, output_rate;  // beyond which it stops to apply
};

// Schema: what write_anchor() writes. Errors: InputError at the key.
Anchor read_anchor(const ConfigValue& root);
std::string write_anchor(const Anchor& anchor);

// A file, or all *.yaml of a folder, by name. Errors: InputError; two anchors of one name.
std::vector<Anchor> read_anchors(const std::string& path);

// Of a scenario before it runs: the load of a closed loop is its clients, of an open one its tokens.
AnchorSubject subject_of(const Scenario& scenario, const PoolScenario& pool);

// Why the anchor says nothing of this subject; empty: it does.
std::string refusal(const Anchor& anchor, const AnchorSubject& subject);
// It was measured of just this: everything alike, lengths and load within a tenth.
bool is_same(const Anchor& anchor, const AnchorSubject& subject);

// Writes moved values into a pool of a scenario's tree, in place of the catalogue's.
void move_pool(ConfigNode& tree, std::size_t pool, const std::vector<AnchorMove>& moved, const std::string& origin);

// Which of those values the pool's own keys give already: "the pool sets maturity itself"; empty: none.
std::string set_by_hand(const ConfigNode& tree, std::size_t pool, const std::vector<AnchorMove>& moved);

// The badge of each pool; those that an anchor applies to are to be moved by it.
struct AnchorChoice {
  Badge badge;
  const Anchor* anchor = nullptr;
};
std::vector<AnchorChoice> choose_anchors(const Scenario& scenario, const ConfigNode& tree,
                                         const std::vector<Anchor>& anchors);

}  // namespace silicast
