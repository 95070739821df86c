// Where pools prefill for others: what each of them, and the links between, can carry of the workload's mean request.
#pragma once

#include <string>

#include "sim/run/scenario.hpp"

namespace silicast {

// Text for people, one section per model that is served so; empty where none is, or lengths are not known beforehand.
std::string balance_section(const Scenario& scenario);

}  // namespace silicast
