#include "sim/study/calibration/calibrate_kernels.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sim/base/check.hpp"
#include "sim/io/config_catalogue.hpp"
#include "sim/report/quantiles.hpp"
#include "sim/study/calibration/fit.hpp"
#include "sim/study/calibration/kernel_samples.hpp"

namespace silicast {
namespace {

// Where a fit looks for a number; narrower than what a file may say.
struct SearchRange {
  std::string_view key;
  double low, high;
};
constexpr SearchRange kRanges[] = {
    {"per_k", 1e-12, 1e-8}, {"padding", 1, 512}, {"half_tokens", 10, 10000}, {"walk", 1e-10, 1e-6},
    {"item", 1e-10, 1e-6},  {"mixed", 1, 10},    {"per_rank", 1e-8, 1e-4},
};
constexpr double kLeastFraction = 0.02, kLeastStart = 1e-7, kMostStart = 1e-3;

SearchRange range_of(const CalibrationField& field) {
  for (const SearchRange& range : kRanges)
    if (range.key == field.key) return range;
  if (field.dimension == Dimension::kTime) return {field.key, kLeastStart, kMostStart};
  return {field.key, kLeastFraction, 1};
}

// Parameters that are fitted together, and the rows that tell them.
struct FitStep {
  std::string_view group;
  std::vector<std::string_view> keys;  // empty: all of the group
  const std::vector<KernelSample>* samples;
};

FitData data_of(const std::vector<KernelSample>& samples, const std::vector<CalibrationField>& fields,
                ChipRates& chip) {
  FitData data;
  std::map<std::string, std::int32_t> shapes;
  std::map<std::string, double> rows;
  for (const KernelSample& sample : samples) {
    data.shape.push_back(shapes.emplace(sample.shape, static_cast<std::int32_t>(shapes.size())).first->second);
    ++rows[sample.kernel_class];
  }
  // Classes count alike, however many rows they have.
  for (const KernelSample& sample : samples) data.weight.push_back(1 / rows[sample.kernel_class]);
  data.errors = [&](const std::vector<double>& values, std::vector<double>& errors) {
    for (std::size_t i = 0; i < fields.size(); ++i) fields[i].evidence->value = values[i];
    for (std::size_t i = 0; i < samples.size(); ++i)
      errors[i] = std::log(samples[i].predicted(chip) / samples[i].measured);
  };
  return data;
}

void fit_step(const FitStep& step, ChipRates& chip, const std::string& source, KernelCalibration& result) {
  std::vector<CalibrationField> fields;
  for (const CalibrationField& field : fields_of(chip.reached))
    if (field.group == step.group &&
        (step.keys.empty() || std::find(step.keys.begin(), step.keys.end(), field.key) != step.keys.end()))
      fields.push_back(field);
  std::vector<FitParameter> parameters;
  std::vector<double> present;
  for (const CalibrationField& field : fields) {
    const SearchRange range = range_of(field);
    present.push_back(field.evidence->value);
    parameters.push_back({std::string(field.key), field.evidence->value, range.low, range.high});
  }
  std::vector<FittedParameter> fitted(fields.size());
  if (step.samples->empty())
    for (FittedParameter& one : fitted) one.undetermined = "no table tells it";
  else
    fitted = fit_parameters(parameters, data_of(*step.samples, fields, chip));
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const CalibrationField& field = fields[i];
    const FittedParameter& one = fitted[i];
    const bool done = one.undetermined.empty();
    field.evidence->value = present[i];
    if (done) *field.evidence = {one.value, one.low, one.high, Grade::kMeasured, source};
    result.fields.push_back({std::string(field.group), std::string(field.key), field.dimension, present[i],
                             field.evidence->value, field.evidence->low, field.evidence->high, one.undetermined});
  }
}

std::vector<ResidualRow> residuals_of(const std::vector<const std::vector<KernelSample>*>& all, const ChipRates& chip) {
  std::map<std::pair<std::string, std::string>, std::vector<double>> errors;
  for (const auto* samples : all)
    for (const KernelSample& sample : *samples) {
      const double error = sample.predicted(chip) / sample.measured - 1;
      errors[{"all kernels", ""}].push_back(error);
      errors[{sample.kernel_class, ""}].push_back(error);
      errors[{sample.kernel_class, sample.band}].push_back(error);
    }
  std::vector<ResidualRow> rows;
  for (auto& [of, values] : errors) {
    std::vector<double> absolute;
    for (const double error : values) absolute.push_back(std::abs(error));
    std::sort(values.begin(), values.end());
    std::sort(absolute.begin(), absolute.end());
    rows.push_back({of.first, of.second, values.size(), quantile_of_sorted(values, 0.5),
                    quantile_of_sorted(absolute, 0.5), quantile_of_sorted(absolute, 0.9)});
  }
  return rows;
}

NodeSpec node_of(const KernelTablesOptions& options) {
  for (const std::string& name : config_names(options.configs_dir + "/nodes")) {
    if (!options.node.empty() && name != options.node) continue;
    NodeSpec node = read_node(ConfigValue::from_file(fmt::format("{}/nodes/{}.yaml", options.configs_dir, name)));
    if (node.chip == options.chip) return node;
    if (!options.node.empty())
      throw InputError(fmt::format("--node '{}': its chips are {}, not {}", name, node.chip, options.chip));
  }
  if (options.node.empty()) throw InputError(fmt::format("no node of the catalogue has chip '{}'", options.chip));
  throw InputError(fmt::format("--node '{}': unknown{}", options.node,
                               suggestion(options.node, config_names(options.configs_dir + "/nodes"))));
}

KernelSamples read_samples(const KernelTablesOptions& options) {
  KernelSamples samples;
  for (const std::string& table : options.gemm) read_gemm_samples(TableOption::parse(table), samples);
  for (const std::string& table : options.moe) read_expert_samples(TableOption::parse(table), samples);
  for (const std::string& table : options.attention) read_attention_samples(TableOption::parse(table), samples);
  if (options.collectives.empty()) return samples;
  const NodeSpec node = node_of(options);
  const Fabric fabric = Fabric::build({&node}, {});
  const GroupOf group = [&](std::int32_t chips) {
    if (chips > node.chips)
      throw InputError(fmt::format("a collective of {} chips: node '{}' has {}; name a larger one by --node", chips,
                                   node.name, node.chips));
    std::vector<std::int32_t> ranks;
    for (std::int32_t rank = 0; rank < chips; ++rank) ranks.push_back(rank);
    return fabric.group(ranks);
  };
  for (const std::string& table : options.collectives)
    read_collective_samples(TableOption::parse(table), group, samples);
  return samples;
}

}  // namespace

KernelCalibration calibrate_kernels(const KernelTablesOptions& options) {
  const std::vector<std::string> chips = config_names(options.configs_dir + "/chips");
  if (std::find(chips.begin(), chips.end(), options.chip) == chips.end())
    throw InputError(fmt::format("--chip '{}': unknown{}", options.chip, suggestion(options.chip, chips)));
  if (options.gemm.empty() && options.attention.empty() && options.moe.empty() && options.collectives.empty())
    throw InputError("give tables by --gemm, --attention, --moe or --collectives");
  const auto file = [&](const char* kind) {
    return ConfigValue::from_file(fmt::format("{}/{}/{}.yaml", options.configs_dir, kind, options.chip));
  };
  const ChipSpec spec = read_chip(file("chips"));
  KernelCalibration result;
  ChipRates chip = chip_rates(spec, read_calibration(file("calibration")));
  const KernelSamples samples = read_samples(options);
  const std::vector<const std::vector<KernelSample>*> all = {&samples.gemm,       &samples.experts,  &samples.attention,
                                                             &samples.by_library, &samples.by_peers, &samples.exchange};
  if (std::all_of(all.begin(), all.end(), [](const auto* some) { return some->empty(); })) {
    const std::vector<std::string> lines = samples.left_out.lines();
    throw InputError(
        fmt::format("no row of the tables tells anything{}{}", lines.empty() ? "" : ": ", fmt::join(lines, "; ")));
  }
  result.present = residuals_of(all, chip);
  for (const FitStep& step :
       {FitStep{"gemm", {"compute", "narrow_compute", "memory", "start", "per_k"}, &samples.gemm},
        FitStep{"experts", {"compute", "narrow_compute", "memory", "start", "padding"}, &samples.experts},
        FitStep{"attention", {}, &samples.attention},
        FitStep{"collective", {"small_start", "per_rank", "bulk_start", "bulk_efficiency"}, &samples.by_library},
        FitStep{"collective", {"start", "step", "efficiency"}, &samples.by_peers},
        FitStep{"collective", {"exchange_start", "exchange_efficiency"}, &samples.exchange}})
    fit_step(step, chip, options.source, result);
  result.residuals = residuals_of(all, chip);
  result.calibration = chip.reached;
  result.left_out = samples.left_out.lines();
  return result;
}

}  // namespace silicast
