// A sweep file: which scenario, which axes, how points are chosen from them.
//
//   name: decode-limits
//   scenario: azure-chat-70b            # a file beside this one, or one of configs/scenarios
//   axes:
//     - {key: workload.speed, log: [0.5, 4], points: 8}
//     - {key: cluster.pools.0.layout.tensor, name: tensor, values: [2, 4, 8]}
//     - {name: chip, cases: {h20: {cluster.pools.0.node: hgx-h20-96}, h200: {cluster.pools.0.node: hgx-h200}}}
//   drop: [{chip: h20, tensor: {below: 4}}, {product: {of: [tensor, data], above: 8}}]
//   sample: {method: latin_hypercube, points: 200, seed: 1}   # left out: the grid
//   replications: 3                     # seeds that all points share
//   rows: true                          # the requests of every run as well
//   output: results/decode-limits.h5
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "sim/study/sweep/axis.hpp"

namespace silicast {

// Of one axis, or of the product of several. Holds where any of `labels` is, or the number lies outside.
struct DropCondition {
  std::vector<std::size_t> axes;
  std::vector<std::string> labels;
  double above = std::numeric_limits<double>::infinity();
  double below = -std::numeric_limits<double>::infinity();

  bool holds(const std::vector<AxisValue>& values) const;
};

struct SweepSample {
  enum class Method { kGrid, kRandom, kLatinHypercube };
  Method method = Method::kGrid;
  std::int64_t points = 0;  // not of the grid
  std::uint64_t seed = 1;
};

struct SweepSpec {
  std::string name;
  std::string path;           // of its own file
  std::string scenario_path;  // what the scenario's files are relative to
  ConfigNode scenario;
  std::vector<Axis> axes;
  std::vector<std::vector<DropCondition>> drop;  // a point is dropped where all conditions of one entry hold
  SweepSample sample;
  std::int32_t replications = 1;
  bool rows = false;
  std::string output;    // may be empty
  std::string resolved;  // YAML
};

// Errors (InputError): as of the reader; axes of one name; a drop that names no axis; a grid of a range without
// `points`.
SweepSpec read_sweep(const std::string& path, const std::string& configs_dir,
                     const std::vector<std::string>& settings = {});

}  // namespace silicast
