// How a pool's iterations are priced: by rooflines, or by tables of measured kernels.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/io/config_reader.hpp"
#include "sim/run/scenario.hpp"

namespace silicast {

// perf: roofline | {measured: FOLDER | [FILE, ...]}, looked for in `folder`. The pool is read but for this. InputError:
// bad tables; a pool that they cannot price (pipelines, speculation, attention other than over whole contexts).
void read_perf(const ConfigValue& perf, const std::string& folder, PoolScenario& pool);

// What the pool's tables do not cover of what its limits allow, and how far they fall short; nothing without tables.
std::vector<std::string> notes_on_tables(const PoolScenario& pool, std::int32_t max_context);

// Whether tables stand for this group of the calibration.
bool measures(const PoolScenario& pool, std::string_view group);

}  // namespace silicast
