#include "sim/study/validation/support.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "sim/io/config_catalogue.hpp"
#include "sim/run/scenario.hpp"
#include "sim/study/parallel_for.hpp"
#include "sim/study/validation/scenario_draft.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMostNodes = 4;

// The first node of the catalogue that holds each chip.
std::map<std::string, NodeSpec> nodes_by_chip(const std::string& configs_dir) {
  std::map<std::string, NodeSpec> nodes;
  for (const std::string& name : config_names(configs_dir + "/nodes")) {
    NodeSpec node = read_node(load_entry(configs_dir, "nodes", name));
    nodes.emplace(node.chip, std::move(node));
  }
  return nodes;
}

// On as few chips as hold it: tensor groups of powers of two.
SupportRow try_formats(const std::string& model, const NodeSpec& node, const std::string& precision,
                       const std::string& configs_dir) {
  ScenarioDraft draft;
  draft.model = model, draft.node = node.name, draft.engine = "vllm", draft.precision = precision;
  draft.workload = lone_request();
  SupportRow row{model, node.chip, precision, Support::kUnsupported, ""};
  for (; draft.layout.tensor <= kMostNodes * node.chips; draft.layout.tensor *= 2) {
    draft.nodes = (draft.layout.tensor + node.chips - 1) / node.chips;
    try {
      const Scenario scenario = read_scenario(draft.tree(model), model, {configs_dir, {}}, Fit::kReported);
      const Precision& formats = scenario.pools[0].precision;
      row.precision =
          fmt::format("{}/{}/{}", name_of(formats.weights), name_of(formats.activations), name_of(formats.kv));
      row.reason = "does not fit";
      if (!scenario.pools[0].memory.fits()) continue;
      row.support = Support::kEstimated;
      row.reason.clear();
      return row;
    } catch (const InputError& error) {
      row.reason = error.what();
    }
  }
  return row;
}

}  // namespace

std::string_view name_of(Support support) {
  constexpr std::string_view kNames[] = {"measured", "calibrated", "estimated", "unsupported"};
  return kNames[static_cast<std::size_t>(support)];
}

std::vector<SupportRow> support_matrix(const ValidationReport& report, const ValidationOptions& options) {
  std::set<std::tuple<std::string, std::string, std::string>> measured;
  std::set<std::string> chips;
  for (const CaseResult& result : report.results) {
    // That its memory is planned right says nothing of its speed.
    if (result.comparisons.empty() || std::holds_alternative<MemoryQuestion>(result.about->question)) continue;
    measured.emplace(result.labels.model, result.labels.chip, result.labels.precision);
    chips.insert(result.labels.chip);
  }
  struct Question {
    std::string model;
    const NodeSpec* node;
    std::string precision;  // YAML; empty: as stored
  };
  const std::map<std::string, NodeSpec> nodes = nodes_by_chip(options.configs_dir);
  std::vector<Question> questions;
  for (const std::string& model : config_names(options.configs_dir + "/models"))
    for (const auto& [chip, node] : nodes)
      for (const char* precision : {"", "8bit"}) questions.push_back({model, &node, precision});
  std::vector<SupportRow> tried(questions.size());
  parallel_for(questions.size(), options.threads, [&](std::size_t i) {
    tried[i] = try_formats(questions[i].model, *questions[i].node, questions[i].precision, options.configs_dir);
  });
  std::map<std::tuple<std::string, std::string, std::string>, SupportRow> rows;
  for (const auto& [model, chip, precision] : measured)
    rows[{model, precision, chip}] = {model, chip, precision, Support::kMeasured, ""};
  for (SupportRow& row : tried) {
    if (row.support == Support::kEstimated && chips.count(row.chip) > 0) row.support = Support::kCalibrated;
    if (row.precision.empty()) row.precision = "as stored";
    rows.emplace(std::tuple(row.model, row.precision, row.chip), row);
  }
  std::vector<SupportRow> all;
  for (auto& [key, row] : rows) all.push_back(std::move(row));
  return all;
}

}  // namespace silicast
