#include "workloads/users_workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace silicast {
namespace {

constexpr std::int64_t kMostUsers = 100'000'000'000;
// Intervals are honest from 20,000 requests on (sim/report/METRICS.md); ten minutes let answers of minutes come and go.
constexpr double kLeastRequests = 20'000, kMostRequests = 2'000'000, kLeastSeconds = 600;
constexpr double kEven = 0.01;  // a burstiness under it is none: the least cv of a gamma process

// Trees whose nodes stand where the user wrote `users`.
class TreeAt {
 public:
  explicit TreeAt(const Mark& mark) : mark_(mark) {}
  ConfigNode scalar(std::string text) const {
    ConfigNode node;
    node.kind = ConfigNode::Kind::kScalar;
    node.scalar = std::move(text);
    node.mark = mark_;
    return node;
  }
  ConfigNode map(std::vector<std::pair<std::string, ConfigNode>> entries) const {
    ConfigNode node;
    node.kind = ConfigNode::Kind::kMap;
    node.mark = mark_;
    for (auto& [key, value] : entries) node.entries.push_back({std::move(key), mark_, std::move(value)});
    return node;
  }

 private:
  Mark mark_;
};

std::string exact(double value) {
  return fmt::format("{}", value);  // the shortest text that reads back to the same number
}

ConfigNode lengths(const TreeAt& tree, const UseCaseLengths& of) {
  return tree.map({{"distribution", tree.scalar("lognormal")},
                   {"mean", tree.scalar(exact(of.mean.value))},
                   {"cv", tree.scalar(exact(of.cv.value))},
                   {"max", tree.scalar(fmt::format("{:.0f}", of.max.value))}});
}

ConfigNode arrivals(const TreeAt& tree, const UseCaseLoad& load, ConfigMap& map) {
  const double cv = load.use_case.burstiness.value, rate = load.rate.value;
  const char* process = cv < kEven ? "fixed" : cv == 1 ? "poisson" : "gamma";
  ConfigNode node =
      tree.map({{"process", tree.scalar(process)}, {"rate", tree.scalar(fmt::format("{} /s", exact(rate)))}});
  const auto add = [&](std::string key, ConfigNode value) {
    const Mark mark = value.mark;
    node.entries.push_back({std::move(key), mark, std::move(value)});
  };
  if (process == std::string_view("gamma")) add("cv", tree.scalar(exact(cv)));
  const auto requests = map.optional("requests"), duration = map.optional("duration");
  if (requests) add("requests", requests->node());
  if (duration) add("duration", duration->node());
  if (!requests && !duration) {
    const double count = std::clamp(std::ceil(rate * kLeastSeconds), kLeastRequests, kMostRequests);
    add("requests", tree.scalar(fmt::format("{:.0f}", count)));
  }
  return node;
}

}  // namespace

UsersWorkload resolve_users(ConfigMap& map, const std::string& configs_dir) {
  const ConfigValue users = map.required("users");
  UseCaseLoad load;
  load.users = static_cast<double>(users.integer(1, kMostUsers));
  load.use_case = find_use_case(map.required("use_case"), configs_dir);
  for (const char* key : {"prompt", "output"})
    if (const auto given = map.optional(key))
      given->fail(fmt::format("stands in the use case; change it there: use_case: {{base: {}, {}: {{mean: ...}}}}",
                              load.use_case.name, key));
  load.rate = scaled(load.use_case.peak_rate_per_user(), load.users);
  if (!(load.rate.value >= 1e-6 && load.rate.value <= 1e9))
    users.fail(fmt::format("{:g} users of {} ask {:.3g} requests/s; must be from 1e-6 to 1e9", load.users,
                           load.use_case.name, load.rate.value));
  const TreeAt tree(users.mark());
  const ConfigValue root = ConfigValue::of(tree.map({{"arrivals", arrivals(tree, load, map)},
                                                     {"prompt", lengths(tree, load.use_case.prompt)},
                                                     {"output", lengths(tree, load.use_case.output)}}));
  return {std::move(load), ConfigValue(root, &root.node(), map.value().path())};
}

}  // namespace silicast
