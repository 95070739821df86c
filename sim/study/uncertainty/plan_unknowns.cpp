#include "sim/study/uncertainty/plan_unknowns.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "sim/io/config_catalogue.hpp"
#include "sim/run/read_pool.hpp"

namespace silicast {
namespace {

namespace fs = std::filesystem;
using Path = std::vector<std::string>;

// First words of the paths of numbers that are the plan's own.
constexpr const char *kTraffic = "traffic", *kGrowth = "growth per month", *kMaturity = "maturity", *kPrices = "prices",
                     *kWorkload = "workload";

// Of a scalar, or below `key`.
std::string name_in(const ConfigNode& node, const char* key) {
  const ConfigEntry* entry = node.find(key);
  return entry != nullptr ? entry->value.scalar : node.scalar;
}

// Whether a change gives the number at `path` anew, itself or with all around it.
bool replaces(const ConfigNode& change, const Path& path, std::size_t first = 0) {
  if (first == path.size() || change.kind != ConfigNode::Kind::kMap) return true;
  const ConfigEntry* entry = change.find(path[first]);
  return entry != nullptr && replaces(entry->value, path, first + 1);
}

class Collector {
 public:
  Collector(const PlanSpec& plan, const std::string& configs_dir) : plan_(plan), configs_dir_(configs_dir) {}

  PlanUnknowns collect(const std::vector<const MixPart*>& parts) {
    std::set<std::string> chips, stacks, nodes;
    std::set<std::size_t> services;
    for (const MixPart* part : parts) {
      const PlanCandidate& candidate = plan_.candidates[part->candidate];
      const NodeSpec node = read_node(load_entry(configs_dir_, "nodes", candidate.node));
      nodes.insert(candidate.node), chips.insert(node.chip), stacks.insert(part->stack);
      services.insert(part->service);
      add_engine(candidate.engine);
    }
    for (const std::string& node : nodes) add_file("nodes/" + node + ".yaml");
    for (const std::string& chip : chips) add_file("chips/" + chip + ".yaml");
    // What kernels lack on a stack is its maturity's.
    for (const std::string& stack : stacks)
      add_file("stacks/" + fs::path(stack_file(stack, configs_dir_)).filename().string(), {{"fallback", {}}});
    add_prices(chips, stacks, nodes);
    for (const std::size_t s : services)
      add_use_cases(s, plan_.services[s].workload, {kWorkload, fmt::format("{}", s)});
    add_own(kTraffic, plan_.traffic);
    if (plan_.growth.months > 0) add_own(kGrowth, plan_.growth.per_month);
    for (const std::string& stack : stacks)
      found_.numbers.push_back({"maturity of " + stack, "", {kMaturity, stack}, 0, 0.5, 1, "", false});
    return std::move(found_);
  }

 private:
  void add_file(const std::string& file, const std::vector<KeptBelow>& only = {}) {
    if (!files_.insert(file).second) return;
    for (Unknown& one : unknowns_of(load_config(configs_dir_ + "/" + file), file, only))
      found_.numbers.push_back(std::move(one));
  }

  void add_engine(std::string engine) {
    while (!engine.empty()) {
      add_file("engines/" + engine + ".yaml");
      const ConfigNode tree = load_config(fmt::format("{}/engines/{}.yaml", configs_dir_, engine));
      const ConfigEntry* base = tree.find("base");
      engine = base != nullptr ? base->value.scalar : "";
    }
  }

  // Numbers of a node of the plan.
  void add_node(const ConfigNode& node, const std::string& name, const Path& path) {
    for (Unknown& one : unknowns_of(node, name, {{"targets", {}}})) {
      one.file.clear();
      one.path.insert(one.path.begin(), path.begin(), path.end());
      found_.numbers.push_back(std::move(one));
    }
  }

  void erase_replaced(const std::string& file, const ConfigNode& change) {
    std::erase_if(found_.numbers, [&](const Unknown& one) { return one.file == file && replaces(change, one.path); });
  }

  bool in_catalogue(const std::string& file, const std::string& name) {
    std::error_code ignored;
    if (fs::exists(configs_dir_ + "/" + file, ignored)) return true;
    found_.certain.push_back(name);
    return false;
  }

  void add_prices(const std::set<std::string>& chips, const std::set<std::string>& stacks,
                  const std::set<std::string>& nodes) {
    const auto list = [](const std::set<std::string>& names) { return Path(names.begin(), names.end()); };
    const std::vector<KeptBelow> only = {
        {"chips", list(chips)}, {"stacks", list(stacks)}, {"node_server_power", list(nodes)}};
    const std::string name = name_in(plan_.prices, "sheet"), file = "prices/" + name + ".yaml";
    if (in_catalogue(file, name)) add_file(file, only);
    const ConfigEntry* change = plan_.prices.find("change");
    if (change == nullptr) return;
    erase_replaced(file, change->value);
    add_node(change->value, "prices.change.", {kPrices, "change"});
  }

  // Of a workload and of those that it merges. Targets are asked for, not unknown.
  void add_use_cases(std::size_t service, const ConfigNode& node, const Path& path) {
    const auto inner = [&](const std::string& key) {
      Path longer = path;
      longer.push_back(key);
      return longer;
    };
    for (const ConfigEntry& entry : node.entries) {
      if (entry.key != "use_case") {
        add_use_cases(service, entry.value, inner(entry.key));
        continue;
      }
      const std::string name = name_in(entry.value, "base"), file = "use_cases/" + name + ".yaml";
      if (in_catalogue(file, name)) add_file(file, {{"targets", {}}});
      if (entry.value.kind != ConfigNode::Kind::kMap) continue;
      // One that others use as it stands is drawn with them; here it has no effect then.
      if (plan_.services.size() == 1) erase_replaced(file, entry.value);
      add_node(entry.value, fmt::format("{} use_case.", plan_.services[service].name), inner("use_case"));
    }
    for (std::size_t i = 0; i < node.items.size(); ++i)
      add_use_cases(service, node.items[i], inner(fmt::format("{}", i)));
  }

  void add_own(const std::string& name, const Evidence& evidence) {
    if (evidence.high > evidence.low)
      found_.numbers.push_back({name, "", {name}, evidence.low, evidence.value, evidence.high, "", false});
  }

  const PlanSpec& plan_;
  const std::string& configs_dir_;
  std::set<std::string> files_;
  PlanUnknowns found_;
};

}  // namespace

PlanUnknowns plan_unknowns(const PlanSpec& plan, const std::vector<const MixPart*>& parts,
                           const std::string& configs_dir) {
  return Collector(plan, configs_dir).collect(parts);
}

PlanSpec drawn_plan(const PlanSpec& plan, const MixPart& part, const DrawnValues& values) {
  PlanSpec drawn = plan;
  for (const auto& [unknown, value] : values) {
    if (!unknown->file.empty()) continue;
    const std::string& kind = unknown->path[0];
    if (kind == kTraffic) drawn.traffic.value = value;
    if (kind == kGrowth) drawn.growth.per_month.value = value;
    if (kind == kPrices) set_evidence(drawn.prices, *unknown, 1, value);
    if (kind == kWorkload) set_evidence(drawn.services[std::stoul(unknown->path[1])].workload, *unknown, 2, value);
    if (kind == kMaturity && unknown->path[1] == part.stack)
      drawn.candidates[part.candidate].maturity = parse_config(fmt::format("{:.9g}", value), unknown->name);
  }
  return drawn;
}

}  // namespace silicast
