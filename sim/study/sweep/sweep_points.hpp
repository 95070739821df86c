// The points of a sweep, in order: which settings each has, and the key by which its result is known again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/study/sweep/sweep_spec.hpp"

namespace silicast {

// One run: a point and a replication of it.
struct SweepPoint {
  std::int32_t point = 0;
  std::int32_t replication = 0;
  std::vector<AxisValue> values;  // by axis
};

// Of the grid the last axis goes fastest, replications faster still. What is dropped has no number. Error (InputError):
// nothing is left.
std::vector<SweepPoint> sweep_points(const SweepSpec& spec);

// The scenario of a point; replications add to its seed. Error (InputError): a setting below a plain value and the
// like.
ConfigNode scenario_of(const SweepSpec& spec, const SweepPoint& point);

// Hash of silicast's version, of the whole catalogue, and of the files that the scenario names: what a result rests on
// beside its scenario.
std::uint64_t inputs_signature(const SweepSpec& spec, const std::string& configs_dir);

// Hash of the scenario and of the signature: equal keys, equal results.
std::uint64_t point_key(const ConfigNode& scenario, std::uint64_t signature);

}  // namespace silicast
