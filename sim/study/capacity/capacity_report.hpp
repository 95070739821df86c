// A capacity as text and as JSON.
#pragma once

#include <string>

#include "sim/report/json_text.hpp"
#include "sim/study/capacity/capacity.hpp"

namespace silicast {

std::string capacity_text(const CapacityAnswer& answer);
std::string capacity_json(const CapacityAnswer& answer);
void put_capacity(JsonText& json, const CapacityAnswer& answer);  // an object of its own

// "ttft_p99 of 2.31 s is 1.16 times its 2 s"; "the queue grows without bound".
std::string verdict_text(const Verdict& verdict);

}  // namespace silicast
