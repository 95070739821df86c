// What keeps a pool from serving more: where the time of its mean iteration goes, and how full its memory is.
#pragma once

#include <string>

#include "sim/report/summary.hpp"
#include "sim/run/scenario.hpp"

namespace silicast {

struct Binding {
  std::string what;  // "compute", "HBM bandwidth", "links", "launches and host", "KV memory", "queueing"
  std::string why;   // in words and figures
};

// Of the pool that is busiest in this run, which missed (or nearly missed) the target of that name; of those that
// prefill for others and those that decode, whichever that target waits for.
Binding binding_of(const Scenario& scenario, const Summary& summary, const std::string& target);

}  // namespace silicast
