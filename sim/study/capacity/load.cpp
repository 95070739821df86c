#include "sim/study/capacity/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "workloads/limits.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kRounds = 8;

std::int64_t whole(const ConfigNode& node) {
  return ConfigValue::of(node).integer(1, std::int64_t{1} << 40);
}

}  // namespace

Load::Load(const ConfigNode& tree, Scenario scenario) : scenario_(std::move(scenario)), tree_(tree) {
  std::erase_if(tree_.entries, [](const ConfigEntry& entry) { return entry.key != "workload"; });
  scenario_.output = {};
  const ConfigNode* workload = tree_.at({"workload"});
  if (open()) {
    if (!scenario_.workload_info.mean_rate)
      scenario_.workload->fail("its rate is not known, so no multiple of it can be named");
    given_ = *scenario_.workload_info.mean_rate;
    if (const ConfigEntry* speed = workload->find("speed")) speed_ = ConfigValue::of(speed->value).number(kPositive);
    return;
  }
  if (workload->find("sessions") != nullptr)
    scenario_.workload->map().required("sessions").fail(
        "have no one load to vary; sweep workload.sessions.rate instead");
  const ConfigNode* concurrency = tree_.at({"workload", "closed_loop", "concurrency"});
  if (concurrency == nullptr)
    scenario_.workload->fail("the closed loop must be in the scenario itself to vary its clients");
  given_ = static_cast<double>(whole(*concurrency));
  if (const ConfigNode* requests = tree_.at({"workload", "closed_loop", "requests"})) requests_ = whole(*requests);
}

double Load::most() const {
  constexpr double kMostRatio = 1 << 20;  // to the scenario's own
  constexpr double kMostSpeed = 1e6;      // that a workload may have
  if (!open()) return std::min(kMostRatio * given_, static_cast<double>(kMaxConcurrency));
  return given_ * std::min(kMostRatio, kMostSpeed / speed_);
}

Scenario Load::at(double load, std::uint64_t seed) const {
  Scenario scenario = scenario_;
  ConfigNode tree = tree_;
  scenario.seed = scenario.workload_context.seed = seed;
  if (open()) {
    set_config(tree, "workload.speed", fmt::format("{:.17g}", speed_ * load / given_), "capacity");
    scenario.workload_info.mean_rate = load;
  } else {
    const auto clients = std::max<std::int64_t>(1, std::llround(load));
    set_config(tree, "workload.closed_loop.concurrency", fmt::format("{}", clients), "capacity");
    if (requests_ > 0) {
      const std::int64_t requests = std::max(requests_, kRounds * clients);
      set_config(tree, "workload.closed_loop.requests", fmt::format("{}", requests), "capacity");
      if (scenario.workload_info.requests) scenario.workload_info.requests = requests;
    }
  }
  scenario.workload = ConfigValue::of(std::move(tree)).map().required("workload");
  return scenario;
}

}  // namespace silicast
