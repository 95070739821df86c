#include "sim/study/capacity/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace silicast {
namespace {

constexpr std::int64_t kRounds = 8;

std::int64_t whole(const ConfigNode& node) {
  return ConfigValue::of(node).integer(1, std::int64_t{1} << 40);
}

}  // namespace

Load Load::of(const ConfigNode& tree, const Scenario& scenario) {
  Load load;
  load.tree_ = tree;
  std::erase_if(load.tree_.entries, [](const ConfigEntry& entry) { return entry.key == "output"; });
  load.open_ = scenario.workload_info.open_loop;
  const ConfigNode* workload = tree.at({"workload"});
  if (load.open_) {
    if (!scenario.workload_info.mean_rate)
      scenario.workload->fail("its rate is not known, so no multiple of it can be named");
    load.given_ = *scenario.workload_info.mean_rate;
    if (const ConfigEntry* speed = workload->find("speed"))
      load.speed_ = ConfigValue::of(speed->value).number(kPositive);
    return load;
  }
  const ConfigNode* concurrency = tree.at({"workload", "closed_loop", "concurrency"});
  if (concurrency == nullptr)
    scenario.workload->fail("the closed loop must be in the scenario itself to vary its clients");
  load.given_ = static_cast<double>(whole(*concurrency));
  if (const ConfigNode* requests = tree.at({"workload", "closed_loop", "requests"})) load.requests_ = whole(*requests);
  return load;
}

ConfigNode Load::at(double load) const {
  ConfigNode tree = tree_;
  if (open_) {
    set_config(tree, "workload.speed", fmt::format("{:.17g}", speed_ * load / given_), "capacity");
    return tree;
  }
  const auto clients = std::max<std::int64_t>(1, std::llround(load));
  set_config(tree, "workload.closed_loop.concurrency", fmt::format("{}", clients), "capacity");
  if (requests_ > 0)
    set_config(tree, "workload.closed_loop.requests", fmt::format("{}", std::max(requests_, kRounds * clients)),
               "capacity");
  return tree;
}

}  // namespace silicast
