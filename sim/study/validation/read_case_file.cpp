// A case file: a scenario with what was measured of it.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/io/config_reader.hpp"
#include "sim/study/validation/metric.hpp"
#include "sim/study/validation/readers.hpp"

namespace silicast {
namespace {

constexpr std::string_view kOwnKeys[] = {"measured", "source", "group", "calibrates", "bounds", "iteration"};

// Keys in the file's order.
std::vector<std::pair<const MetricInfo*, ConfigValue>> metrics_of(const ConfigValue& value) {
  std::vector<std::pair<const MetricInfo*, ConfigValue>> metrics;
  ConfigMap map = value.map();
  for (const std::string& key : map.keys()) {
    const ConfigValue at = map.required(key);
    const MetricInfo* metric = find_metric(key);
    if (metric == nullptr) at.fail(fmt::format("is no metric{}", suggestion(key, metric_names())));
    metrics.emplace_back(metric, at);
  }
  map.done();
  return metrics;
}

// {sequences: 64, context: 4096} decodes; {prompt: 4096, prompts: 1, context: 0} is a prefill.
IterationQuestion read_iteration(const ConfigValue& value) {
  IterationQuestion question;
  ConfigMap map = value.map();
  const auto whole = [&](const ConfigValue& at) { return at.integer(1, 1 << 24); };
  const auto prompt = map.optional("prompt");
  const auto context = map.optional("context");
  if (prompt) {
    question.batch.prefill_tokens = static_cast<std::int32_t>(whole(*prompt));
    if (const auto prompts = map.optional("prompts")) question.prompts = static_cast<std::int32_t>(whole(*prompts));
    if (context) question.batch.prefill_context = context->integer(0, 1 << 24);
  } else {
    question.batch.decode_sequences = static_cast<std::int32_t>(whole(map.required("sequences")));
    question.batch.kv_length = whole(map.required("context"));
  }
  map.done();
  return question;
}

std::string text_at(const ConfigNode& root, std::initializer_list<std::string_view> path) {
  const ConfigNode* node = root.at(path);
  return node != nullptr ? node->scalar : "";
}

}  // namespace

std::vector<ValidationCase> read_case_file(const std::string& path, const ReadContext&) {
  ConfigNode tree = load_config(path);
  ValidationCase one;
  one.part = "case_file";
  one.id = std::filesystem::path(path).filename().string();
  one.scenario_path = path;
  one.scenario = tree;
  std::erase_if(one.scenario.entries, [](const ConfigEntry& entry) {
    return std::find(std::begin(kOwnKeys), std::end(kOwnKeys), entry.key) != std::end(kOwnKeys);
  });
  one.labels = {text_at(tree, {"model"}), text_at(tree, {"cluster", "pools", "0", "node"}),
                text_at(tree, {"cluster", "pools", "0", "engine"}), ""};
  ConfigMap map = ConfigValue::of(std::move(tree)).map();
  one.source = map.required("source").text();
  const auto group = map.optional("group");
  one.group = group ? group->text() : one.id;
  const auto calibrates = map.optional("calibrates");
  one.calibrates = calibrates && calibrates->boolean();
  for (const auto& [metric, at] : metrics_of(map.required("measured")))
    one.measured.push_back({std::string(metric->name), at.quantity(metric->dimension, kPositive)});
  if (one.measured.empty()) map.required("measured").fail("nothing is measured");
  if (const auto bounds = map.optional("bounds"))
    for (const auto& [metric, at] : metrics_of(*bounds)) {
      const auto is_same = [&](const Measurement& measured) { return measured.metric == metric->name; };
      if (std::none_of(one.measured.begin(), one.measured.end(), is_same)) at.fail("is bounded but not measured");
      one.bounds.push_back({std::string(metric->name), at.number({0, 100, true})});
    }
  const auto iteration = map.optional("iteration");
  if (iteration)
    one.question = read_iteration(*iteration);
  else
    one.question = ServeQuestion{};
  for (const Measurement& measured : one.measured) {
    const MetricClass metric_class = find_metric(measured.metric)->metric_class;
    const bool of_iteration = metric_class == MetricClass::kIteration;
    if (of_iteration != iteration.has_value() || metric_class == MetricClass::kMemory ||
        metric_class == MetricClass::kQueue)
      map.required("measured")
          .fail(fmt::format("{} is not measured {}", measured.metric,
                            iteration ? "of one iteration" : "of a run of requests"));
  }
  return {one};
}

}  // namespace silicast
