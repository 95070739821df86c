#include "sim/study/capacity/ratios.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/base/errors.hpp"
#include "sim/base/text_table.hpp"
#include "sim/report/json_text.hpp"
#include "sim/study/capacity/capacity_report.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kAllOf = 16;  // nodes, up to which every ratio is tried
constexpr std::int64_t kTried = 15;  // of more

struct RolePool {
  std::string key;  // "cluster.pools.0"
  std::int64_t nodes = 0;
};

// The one pool of that role.
RolePool pool_of(const CapacityQuestion& question, const Scenario& scenario, PoolRole role) {
  std::vector<std::size_t> found;
  for (std::size_t p = 0; p < scenario.pools.size(); ++p)
    if (scenario.pools[p].role == role) found.push_back(p);
  if (found.size() != 1)
    throw InputError(
        fmt::format("{}: --ratios needs one pool with 'role: {}', not {}", question.path, name_of(role), found.size()));
  const std::string place = fmt::to_string(found[0]), key = "cluster.pools." + place;
  const ConfigNode* replicas = question.scenario.at({"cluster", "pools", place, "replicas"});
  const ConfigNode* chips = question.scenario.at({"cluster", "pools", place, "placement"});
  if (chips != nullptr && chips->kind == ConfigNode::Kind::kScalar) chips = nullptr;
  for (const ConfigNode* given : {replicas, chips})
    if (given != nullptr)
      throw InputError(given->mark, fmt::format("{}.{}", key, given == replicas ? "replicas" : "placement"),
                       "does not follow the nodes of --ratios; leave it out");
  return {key, scenario.pools[found[0]].nodes};
}

std::set<std::int64_t> splits_of(std::int64_t nodes) {
  std::set<std::int64_t> splits;
  const std::int64_t tried = nodes <= kAllOf ? nodes - 1 : kTried;
  for (std::int64_t i = 1; i <= tried; ++i) splits.insert(nodes <= kAllOf ? i : i * nodes / (kTried + 1));
  return splits;
}

std::string load_text(const CapacityAnswer& answer) {
  if (answer.kind == CapacityAnswer::Kind::kNone) return "none";
  if (answer.kind == CapacityAnswer::Kind::kUnlimited) return fmt::format("over {:.4g}", answer.load);
  return fmt::format("{:.4g} ({:.4g} to {:.4g})", answer.load, answer.low, answer.high);
}

// How busy the pool is that binds; the rest is told of the best ratio.
std::string binding_text(const Binding& binding) {
  return fmt::format("{}: {}", binding.what, binding.why.substr(0, binding.why.find(';')));
}

double load_of(const RatioAnswer& answer) {
  return answer.capacity && answer.capacity->kind != CapacityAnswer::Kind::kNone ? answer.capacity->load : 0;
}

}  // namespace

std::vector<RatioAnswer> capacity_by_ratio(const CapacityQuestion& question) {
  const Scenario scenario = read_scenario(question.scenario, question.path, {question.configs_dir, {}}, Fit::kReported);
  const RolePool prefill = pool_of(question, scenario, PoolRole::kPrefill),
                 decode = pool_of(question, scenario, PoolRole::kDecode);
  const std::int64_t nodes = prefill.nodes + decode.nodes;
  std::vector<RatioAnswer> answers;
  std::string refused;
  for (const std::int64_t split : splits_of(nodes)) {
    RatioAnswer answer{split, nodes - split, {}, {}};
    CapacityQuestion one = question;
    for (const auto& [key, count] : {std::pair(prefill.key, answer.prefill_nodes), {decode.key, answer.decode_nodes}})
      apply_setting(one.scenario, fmt::format("{}.nodes={}", key, count), "--ratios");
    try {
      answer.capacity = find_capacity(one);
    } catch (const InputError& error) {
      refused = answer.refused = error.what();
    }
    answers.push_back(std::move(answer));
  }
  if (std::none_of(answers.begin(), answers.end(), [](const RatioAnswer& one) { return one.capacity.has_value(); }))
    throw InputError(refused);
  return answers;
}

std::string ratios_text(const std::vector<RatioAnswer>& answers) {
  const RatioAnswer& best = *std::max_element(answers.begin(), answers.end(),
                                              [](const auto& a, const auto& b) { return load_of(a) < load_of(b); });
  TextTable table({"prefill", "decode", "capacity", "bound by"});
  for (const RatioAnswer& one : answers)
    table.add({fmt::to_string(one.prefill_nodes), fmt::to_string(one.decode_nodes),
               one.capacity ? load_text(*one.capacity) : "refused",
               one.capacity ? binding_text(one.capacity->binding) : one.refused});
  std::string text = table.text();
  if (load_of(best) > 0)
    text += fmt::format("\nmost with {} nodes that prefill and {} that decode:\n{}", best.prefill_nodes,
                        best.decode_nodes, capacity_text(*best.capacity));
  return text;
}

std::string ratios_json(const std::vector<RatioAnswer>& answers) {
  JsonText json;
  json.open('{');
  json.item("ratios").open('[');
  for (const RatioAnswer& one : answers) {
    json.item().open('{');
    json.item("prefill_nodes").integer(one.prefill_nodes);
    json.item("decode_nodes").integer(one.decode_nodes);
    json.item("refused").string(one.refused);
    json.item("capacity");
    if (one.capacity)
      put_capacity(json, *one.capacity);
    else
      json.null();
    json.close('}');
  }
  json.close(']');
  json.close('}');
  return json.take();
}

}  // namespace silicast
