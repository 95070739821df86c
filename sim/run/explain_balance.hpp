// Where pools prefill for others: what each of them, and the links between, can carry of the workload's mean request.
#pragma once

#include <string>

#include "sim/run/scenario.hpp"

namespace silicast {

// Text for people; empty where no pool prefills for others, or lengths are not known beforehand. Of several models it
// says that it cannot tell.
std::string balance_section(const Scenario& scenario);

}  // namespace silicast
