#include "sim/run/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/errors.hpp"
#include "sim/io/config_catalogue.hpp"
#include "sim/model/attention_work.hpp"
#include "sim/model/engine_spec.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/model/rank_matrices.hpp"
#include "sim/serving/router/router.hpp"
#include "sim/serving/scheduler/scheduler.hpp"
#include "topology/calibration.hpp"
#include "topology/chip_spec.hpp"
#include "topology/cluster_spec.hpp"
#include "topology/node_spec.hpp"
#include "topology/price_sheet.hpp"
#include "workloads/arrival_process.hpp"
#include "workloads/length_distribution.hpp"
#include "workloads/trace_reader.hpp"
#include "workloads/use_case.hpp"

namespace silicast {
namespace {

using Row = std::vector<std::string>;
using Lister = CatalogueTable(const std::string& configs_dir, bool sources);

// One row per number, with its grade and source.
struct SourceRows {
  CatalogueTable table{{"entry", "figure", "value (range)", "grade", "source"}, {}};
  void add(const std::string& name, const std::string& figure, const Evidence& evidence, Dimension dimension) {
    table.rows.push_back(
        {name, figure, format_evidence(evidence, dimension), std::string(name_of(evidence.grade)), evidence.source});
  }
};

std::string plain(const Evidence* evidence, Dimension dimension) {
  return evidence == nullptr ? "-" : format_quantity(evidence->value, dimension);
}

CatalogueTable list_chips(const std::string& configs_dir, bool sources) {
  SourceRows evidence;
  CatalogueTable table{{"chip", "vendor", "dies", "BF16", "FP8", "INT8", "MXFP4", "memory", "bandwidth", "TDP", "stack",
                        "weakest grade"},
                       {}};
  for (const std::string& name : config_names(configs_dir + "/chips")) {
    const ChipSpec chip = read_chip(load_entry(configs_dir, "chips", name));
    Grade weakest = std::max({chip.memory_capacity.grade, chip.memory_bandwidth.grade, chip.tdp.grade});
    for (std::size_t i = 0; i < kNumberFormats; ++i)
      if (const auto& peak = chip.peak[i]) {
        weakest = std::max(weakest, peak->grade);
        evidence.add(name, fmt::format("peak {}", name_of(static_cast<NumberFormat>(i))), *peak, Dimension::kFlopRate);
      }
    evidence.add(name, "memory capacity", chip.memory_capacity, Dimension::kBytes);
    evidence.add(name, "memory bandwidth", chip.memory_bandwidth, Dimension::kByteRate);
    evidence.add(name, "TDP", chip.tdp, Dimension::kPower);
    if (chip.host_link) evidence.add(name, "host link", *chip.host_link, Dimension::kByteRate);
    table.rows.push_back({name, chip.vendor, fmt::format("{}", chip.dies),
                          plain(chip.peak_of(NumberFormat::kBf16), Dimension::kFlopRate),
                          plain(chip.peak_of(NumberFormat::kFp8), Dimension::kFlopRate),
                          plain(chip.peak_of(NumberFormat::kInt8), Dimension::kFlopRate),
                          plain(chip.peak_of(NumberFormat::kMxFp4), Dimension::kFlopRate),
                          plain(&chip.memory_capacity, Dimension::kBytes),
                          plain(&chip.memory_bandwidth, Dimension::kByteRate), plain(&chip.tdp, Dimension::kPower),
                          chip.software, std::string(name_of(weakest))});
  }
  return sources ? evidence.table : table;
}

CatalogueTable list_nodes(const std::string& configs_dir, bool sources) {
  SourceRows evidence;
  CatalogueTable table{
      {"node", "chips", "wiring", "link per chip, one way", "pod nodes", "NIC per chip", "description"}, {}};
  for (const std::string& name : config_names(configs_dir + "/nodes")) {
    const NodeSpec node = read_node(load_entry(configs_dir, "nodes", name));
    evidence.add(name, "scale-up bandwidth", node.scale_up.link.bandwidth, Dimension::kByteRate);
    evidence.add(name, "scale-up latency", node.scale_up.link.latency, Dimension::kTime);
    if (node.nic) evidence.add(name, "NIC bandwidth", node.nic->bandwidth, Dimension::kByteRate);
    if (node.nic) evidence.add(name, "NIC latency", node.nic->latency, Dimension::kTime);
    if (node.host_link) evidence.add(name, "host link", *node.host_link, Dimension::kByteRate);
    if (node.pod) {
      evidence.add(name, "pod bandwidth", node.pod->link.bandwidth, Dimension::kByteRate);
      evidence.add(name, "pod latency", node.pod->link.latency, Dimension::kTime);
      for (std::size_t l = 0; l + 1 < node.pod->levels.size(); ++l) {
        const PodLevel& level = node.pod->levels[l];
        evidence.add(name, level.name + " oversubscription", level.oversubscription, Dimension::kNumber);
        if (level.nodes > 1) evidence.add(name, level.name + " latency", level.latency, Dimension::kTime);
      }
    }
    table.rows.push_back({name, fmt::format("{} x {}", node.chips, node.chip),
                          std::string(name_of(node.scale_up.wiring)),
                          plain(&node.scale_up.link.bandwidth, Dimension::kByteRate),
                          node.pod ? fmt::format("{}", node.pod->nodes) : "-",
                          node.nic ? plain(&node.nic->bandwidth, Dimension::kByteRate) : "-", node.description});
  }
  return sources ? evidence.table : table;
}

CatalogueTable list_models(const std::string& configs_dir, bool) {
  CatalogueTable table{{"model", "parameters", "active", "layers", "hidden", "attention", "experts", "max context",
                        "KV bytes/token (BF16)", "weights", "experts' weights", "source"},
                       {}};
  for (const std::string& name : config_names(configs_dir + "/models")) {
    const ModelSpec model = read_model_spec(load_entry(configs_dir, "models", name));
    std::string kinds, experts = "-";
    for (const AttentionSpec& attention : model.attentions)
      kinds += fmt::format("{}{} {}/{}", kinds.empty() ? "" : ", ", name_of(attention.kind), attention.heads,
                           attention.kv_heads);
    for (const FeedForwardSpec& block : model.feed_forwards)
      if (block.mixture()) experts = fmt::format("{} of {}", block.active, block.experts);
    const KvDemand demand = kv_demand(model, single_chip(model), Precision{}, 0, model.layer_count());
    table.rows.push_back({name, fmt::format("{:.2f} B", parameters(model) / 1e9),
                          fmt::format("{:.2f} B", active_parameters(model) / 1e9),
                          fmt::format("{}", model.layer_count()), fmt::format("{}", model.hidden), kinds, experts,
                          fmt::format("{}", model.max_context), fmt::format("{:.0f}", demand.per_token.value()),
                          std::string(name_of(model.weight_format)),
                          model.mixture() ? std::string(name_of(model.expert_format)) : "-", model.source});
  }
  return table;
}

CatalogueTable list_calibration(const std::string& configs_dir, bool sources) {
  SourceRows evidence;
  CatalogueTable table{
      {"chip", "GEMM compute", "GEMM memory", "experts compute", "attention compute", "attention memory", "GEMM start",
       "attention start", "experts start", "collective start", "weakest grade"},
      {}};
  for (const std::string& name : config_names(configs_dir + "/calibration")) {
    Calibration own =
        read_calibration(ConfigValue::from_file(fmt::format("{}/calibration/{}.yaml", configs_dir, name)));
    Grade weakest = Grade::kMeasured;
    for (const CalibrationField& field : fields_of(own)) {
      evidence.add(name, fmt::format("{} {}", field.group, field.key), *field.evidence, field.dimension);
      weakest = std::max(weakest, field.evidence->grade);
    }
    const auto fraction = [](const Evidence& number) { return fmt::format("{:g}", number.value); };
    const auto time = [](const Evidence& number) { return plain(&number, Dimension::kTime); };
    table.rows.push_back({name, fraction(own.gemm.compute), fraction(own.gemm.memory), fraction(own.experts.compute),
                          fraction(own.attention.compute), fraction(own.attention.memory), time(own.gemm.start),
                          time(own.attention.start), time(own.experts.start), time(own.collective.start),
                          std::string(name_of(weakest))});
  }
  return sources ? evidence.table : table;
}

CatalogueTable list_engines(const std::string& configs_dir, bool sources) {
  SourceRows evidence;
  CatalogueTable table{{"engine", "scheduler", "max sequences", "max batched tokens", "block", "memory share",
                        "host per iteration", "host per sequence", "description"},
                       {}};
  for (const std::string& name : config_names(configs_dir + "/engines")) {
    const EngineSpec engine = read_engine_spec(load_entry(configs_dir, "engines", name), configs_dir);
    evidence.add(name, "max sequences", engine.max_sequences, Dimension::kNumber);
    evidence.add(name, "max batched tokens", engine.max_batched_tokens, Dimension::kNumber);
    evidence.add(name, "block size (tokens)", engine.block_size, Dimension::kNumber);
    evidence.add(name, "memory utilisation", engine.memory.utilisation, Dimension::kNumber);
    evidence.add(name, "runtime reserve", engine.memory.runtime, Dimension::kBytes);
    evidence.add(name, "runtime reserve, tensor parallel", engine.memory.runtime_tensor, Dimension::kBytes);
    evidence.add(name, "graphs", engine.memory.graphs, Dimension::kBytes);
    evidence.add(name, "host per iteration", engine.host.per_iteration, Dimension::kTime);
    evidence.add(name, "host per sequence", engine.host.per_sequence, Dimension::kTime);
    const EngineLimits limits = engine.limits();
    table.rows.push_back({name, engine.scheduler, fmt::format("{}", limits.max_sequences),
                          fmt::format("{}", limits.max_batched_tokens), fmt::format("{}", limits.block_size),
                          fmt::format("{:g}", engine.memory.utilisation.value),
                          format_quantity(engine.host.per_iteration.value, Dimension::kTime),
                          format_quantity(engine.host.per_sequence.value, Dimension::kTime), engine.description});
  }
  return sources ? evidence.table : table;
}

CatalogueTable list_clusters(const std::string& configs_dir, bool sources) {
  SourceRows evidence;
  CatalogueTable table{{"fabric", "kind", "leaf ports", "hop latency", "description"}, {}};
  for (const std::string& name : config_names(configs_dir + "/clusters")) {
    const ClusterFabric fabric = read_cluster_fabric(load_entry(configs_dir, "clusters", name));
    evidence.add(name, "hop latency", fabric.hop_latency, Dimension::kTime);
    if (fabric.is_clos()) evidence.add(name, "oversubscription", fabric.oversubscription, Dimension::kNumber);
    table.rows.push_back({name, std::string(name_of(fabric.kind)),
                          fabric.ports > 0 ? fmt::format("{}", fabric.ports) : "-",
                          format_quantity(fabric.hop_latency.value, Dimension::kTime), fabric.description});
  }
  return sources ? evidence.table : table;
}

CatalogueTable list_prices(const std::string& configs_dir, bool sources) {
  SourceRows evidence;
  CatalogueTable table{{"price sheet", "chip", "purchase, RMB", "quoted as", "rent, RMB/h", "grade"}, {}};
  for (const std::string& name : config_names(configs_dir + "/prices")) {
    const PriceSheet sheet = read_price_sheet(load_entry(configs_dir, "prices", name));
    for (const auto& [region, tariff] : sheet.tariffs)
      evidence.add(name, "tariff " + region, tariff, Dimension::kMoneyPerEnergy);
    evidence.add(name, "PUE", sheet.pue, Dimension::kNumber);
    if (sheet.load_factor) evidence.add(name, "load factor", *sheet.load_factor, Dimension::kNumber);
    for (const auto& [stack, cost] : sheet.stacks)
      if (cost.licence) evidence.add(name, "licence " + stack, *cost.licence, Dimension::kMoneyPerHour);
    for (const auto& [chip, price] : sheet.chips) {
      evidence.add(name, "purchase " + chip, price.purchase, Dimension::kMoney);
      if (price.rent) evidence.add(name, "rent " + chip, *price.rent, Dimension::kMoneyPerHour);
      table.rows.push_back(
          {name, chip,
           fmt::format("{:.0f} ({:.0f} to {:.0f})", price.purchase.value, price.purchase.low, price.purchase.high),
           std::string(name_of(price.basis)),
           price.rent ? fmt::format("{:g} ({:g} to {:g})", price.rent->value, price.rent->low, price.rent->high) : "-",
           std::string(name_of(price.purchase.grade))});
    }
  }
  return sources ? evidence.table : table;
}

CatalogueTable list_use_cases(const std::string& configs_dir, bool sources) {
  SourceRows evidence;
  CatalogueTable table{{"use case", "requests/s of 1,000 users at their peak", "prompt tokens, mean",
                        "output tokens, mean", "targets", "weakest grade", "user", "description"},
                       {}};
  for (const std::string& name : config_names(configs_dir + "/use_cases")) {
    const UseCase use_case = read_use_case(load_entry(configs_dir, "use_cases", name));
    Grade weakest = Grade::kMeasured;
    for (const UseCaseFigure& figure : figures_of(use_case)) {
      weakest = std::max(weakest, figure.evidence.grade);
      evidence.add(name, figure.label, figure.evidence, figure.dimension);
    }
    std::string targets;
    for (const UseCaseTarget& target : use_case.targets)
      targets +=
          fmt::format("{}{} {}", targets.empty() ? "" : ", ", target.name, plain(&target.limit, Dimension::kTime));
    const auto rate = [&](double of_user) { return fmt::format("{:.2g}", 1000 * of_user); };
    const Evidence of_user = use_case.peak_rate_per_user();
    table.rows.push_back(
        {name, fmt::format("{} ({} to {})", rate(of_user.value), rate(of_user.low), rate(of_user.high)),
         fmt::format("{:g}", use_case.prompt.mean.value), fmt::format("{:g}", use_case.output.mean.value), targets,
         std::string(name_of(weakest)), use_case.user, use_case.description});
  }
  return sources ? evidence.table : table;
}

// Files that are only named here, with their first comment line.
CatalogueTable list_files(const std::string& configs_dir, const std::string& kind) {
  CatalogueTable table{{kind, "file"}, {}};
  for (const std::string& name : config_names(configs_dir + "/" + kind))
    table.rows.push_back({name, fmt::format("configs/{}/{}.yaml", kind, name)});
  return table;
}

CatalogueTable list_workloads(const std::string& configs_dir, bool) {
  return list_files(configs_dir, "workloads");
}
CatalogueTable list_scenarios(const std::string& configs_dir, bool) {
  return list_files(configs_dir, "scenarios");
}

template <class Factory>
CatalogueTable list_registry(const Registry<Factory>& registry) {
  CatalogueTable table{{std::string(registry.kind()), "what it does"}, {}};
  for (const auto& one : registry.entries()) table.rows.push_back({std::string(one.name), std::string(one.summary)});
  return table;
}

CatalogueTable list_routers(const std::string&, bool) {
  return list_registry(routers);
}
CatalogueTable list_schedulers(const std::string&, bool) {
  return list_registry(schedulers);
}
CatalogueTable list_formats(const std::string&, bool) {
  return list_registry(trace_formats());
}
CatalogueTable list_arrivals(const std::string&, bool) {
  return list_registry(arrival_processes());
}
CatalogueTable list_lengths(const std::string&, bool) {
  return list_registry(length_distributions());
}

constexpr RegistryEntry<Lister> kKinds[] = {
    {"chips", "", list_chips},         {"nodes", "", list_nodes},
    {"models", "", list_models},       {"calibration", "", list_calibration},
    {"engines", "", list_engines},     {"clusters", "", list_clusters},
    {"prices", "", list_prices},       {"workloads", "", list_workloads},
    {"use_cases", "", list_use_cases}, {"scenarios", "", list_scenarios},
    {"routers", "", list_routers},     {"schedulers", "", list_schedulers},
    {"formats", "", list_formats},     {"arrivals", "", list_arrivals},
    {"lengths", "", list_lengths},
};
constexpr Registry<Lister> kinds{"kind of entry", kKinds};

}  // namespace

const std::vector<std::string>& catalogue_kinds() {
  static const std::vector<std::string> names = kinds.names();
  return names;
}

CatalogueTable list_catalogue(const std::string& kind, const std::string& configs_dir, bool sources) {
  const auto* found = kinds.find(kind);
  if (found == nullptr)
    throw InputError(fmt::format("unknown {} '{}'{}", kinds.kind(), kind, suggestion(kind, kinds.names())));
  return found->make(configs_dir, sources);
}

}  // namespace silicast
