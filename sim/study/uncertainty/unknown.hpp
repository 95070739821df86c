// A number that is known to a range only, and what it may be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/io/config_node.hpp"

namespace silicast {

struct Unknown {
  std::string name;                     // "chips/h20-96 tdp", "maturity of CANN", "traffic"
  std::string file;                     // "chips/h20-96.yaml" of the catalogue; empty: of the plan itself
  std::vector<std::string> path;        // of the evidence in it, {"memory", "bandwidth"}; positions in lists
  double low = 0, value = 0, high = 0;  // base units
  std::string unit;                     // base unit, may be empty

  bool whole = false;  // an engine's count, drawn as whole numbers

  // The value below which that share of the probability lies: triangular between the ends of the range with its peak at
  // the value, as the catalogue says no more than these three (Law, "Simulation Modeling and Analysis", section 6.11).
  double at(double share) const;
};

// Makes an evidence certain: its value and both ends of its range, from `first` of the path on below `root`.
void set_evidence(ConfigNode& root, const Unknown& unknown, std::size_t first, double value);

// Every evidence below a node whose range is wider than a point. `only`: what is read below a key of the root, by that
// key ("chips": {"h20-96"}); keys that are not listed are read whole.
struct KeptBelow {
  std::string key;
  std::vector<std::string> names;
};
std::vector<Unknown> unknowns_of(const ConfigNode& root, const std::string& file,
                                 const std::vector<KeptBelow>& only = {});

}  // namespace silicast
