#include "sim/study/claims/claim.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/io/config_catalogue.hpp"
#include "sim/model/engine_spec.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/model/parallel_plan.hpp"
#include "topology/chip_spec.hpp"
#include "topology/node_spec.hpp"

namespace silicast {
namespace {

constexpr const char* kWorkloadFile = "workloads";
constexpr std::int64_t kMostTokens = 1 << 24;
const std::vector<std::string> kMetrics = {"tokens_per_second", "joules_per_token", "share_of_peak"};
const std::vector<std::string> kFigures = {"bf16", "8bit", "memory_bandwidth", "memory_capacity"};

std::string folder_of(const std::string& configs_dir) {
  return configs_dir + "/validation/claims";
}

std::vector<std::int64_t> numbers(const ConfigValue& value) {
  std::vector<std::int64_t> all;
  if (!value.is_list()) return {value.integer(1, kMostTokens)};
  for (const ConfigValue& item : value.list()) all.push_back(item.integer(1, kMostTokens));
  if (all.empty()) value.fail("is empty");
  return all;
}

// One point for each number of sequences and each context.
std::vector<ClaimPoint> decode_points(ConfigMap& map) {
  const ConfigValue sequences = map.required("sequences");
  const bool full = sequences.is_scalar() && sequences.text() == "capacity";
  const std::vector<std::int64_t> batches = full ? std::vector<std::int64_t>{0} : numbers(sequences);
  const std::vector<std::int64_t> contexts = numbers(map.required("context"));
  std::vector<ClaimPoint> points;
  for (const std::int64_t batch : batches)
    for (const std::int64_t context : contexts) {
      std::string label = batches.size() > 1 ? fmt::format("b {}", batch) : "";
      if (contexts.size() > 1) label += fmt::format("{}context {}", label.empty() ? "" : ", ", context);
      points.push_back({label, batch, context});
    }
  return points;
}

void read_loads(ConfigMap& map, ClaimWorkload& workload) {
  if (const auto decode = map.optional("decode")) {
    ConfigMap keys = decode->map();
    workload.points = decode_points(keys);
    keys.done();
  } else if (const auto prefill = map.optional("prefill")) {
    workload.kind = ClaimWorkload::Kind::kPrefill;
    ConfigMap keys = prefill->map();
    const std::vector<std::int64_t> prompts = numbers(keys.required("prompt"));
    for (const std::int64_t prompt : prompts)
      workload.points.push_back({prompts.size() > 1 ? fmt::format("{} tokens", prompt) : "", 1, prompt});
    keys.done();
  } else {
    const auto serve = map.optional("serve");
    if (!serve) map.fail("needs one of decode, prefill, serve and datasheet");
    workload.kind = ClaimWorkload::Kind::kServe;
    ConfigMap keys = serve->map();
    workload.prompt = keys.required("prompt").integer(1, kMostTokens);
    workload.output = keys.required("output").integer(1, kMostTokens);
    const std::vector<std::int64_t> clients = numbers(keys.required("clients"));
    for (const std::int64_t count : clients)
      workload.points.push_back({clients.size() > 1 ? fmt::format("{} clients", count) : "", count, 0});
    keys.done();
  }
}

ClaimWorkload read_workload(const std::string& name, const ConfigValue& value, const std::string& configs_dir) {
  ConfigMap map = value.map();
  ClaimWorkload workload;
  workload.name = name;
  if (const auto figure = map.optional("datasheet")) {
    workload.kind = ClaimWorkload::Kind::kDatasheet;
    workload.figure = kFigures[figure->choice(kFigures, "figure of a datasheet")];
    if (const auto vector = map.optional("vector")) workload.vector = vector->boolean();
    workload.points.emplace_back();
    map.done();
    return workload;
  }
  const ConfigValue model = map.required("model");
  const ModelSpec spec = read_model(model, configs_dir);
  workload.model = model.text();
  if (const auto layout = map.optional("layout")) {
    workload.layout = to_yaml(layout->node());
    workload.chips = read_parallel_plan(*layout, spec).chips();
  }
  const std::vector<std::string> exchanges = {std::string(name_of(ExpertExchange::kAllGather)),
                                              std::string(name_of(ExpertExchange::kAllToAll))};
  if (const auto exchange = map.optional("exchange"))
    workload.exchange = exchanges[exchange->choice(exchanges, "exchange")];
  read_loads(map, workload);
  map.done();
  return workload;
}

double read_maturity(const ConfigValue& value) {
  double number = 0;
  if (value.is_scalar() && parse_number(value.text(), number)) return value.number(kFraction);
  return 0.5 * static_cast<double>(value.choice({"untuned", "typical", "tuned"}, "maturity"));
}

std::vector<ClaimSystem> read_systems(const ConfigValue& value, const std::string& configs_dir) {
  std::vector<ClaimSystem> systems;
  for (const ConfigValue& item : value.list()) {
    ConfigMap map = item.map();
    ClaimSystem system;
    system.label = map.required("label").text();
    const ConfigValue node = map.required("node"), engine = map.required("engine");
    load_named(configs_dir, "nodes", node);
    read_engine(engine, configs_dir);
    system.node = node.text(), system.engine = engine.text();
    if (const auto maturity = map.optional("maturity")) system.maturity = read_maturity(*maturity);
    if (const auto vector = map.optional("vector")) system.vector = vector->quantity(Dimension::kFlopRate, kPositive);
    map.done();
    systems.push_back(std::move(system));
  }
  if (systems.empty()) value.fail("names no system");
  return systems;
}

// As a pool's `precision`: names are checked here, whether model and chip can do it when it is asked of them.
std::string read_precision_text(const ConfigValue& value) {
  if (value.is_scalar()) {
    value.choice({"8bit"}, "precision");
  } else {
    ConfigMap map = value.map();
    for (const char* key : {"weights", "experts", "activations", "kv"})
      if (const auto format = map.optional(key)) format->choice(number_format_names(), "number format");
    map.done();
  }
  return to_yaml(value.node());
}

std::vector<ClaimPrecision> read_precisions(const ConfigValue& value, bool compares) {
  std::vector<ClaimPrecision> precisions;
  for (const ConfigValue& item : value.list()) {
    ConfigMap map = item.map();
    ClaimPrecision precision;
    precision.label = map.required("label").text();
    precision.system = read_precision_text(map.required("system"));
    if (compares) precision.against = read_precision_text(map.required("against"));
    map.done();
    precisions.push_back(std::move(precision));
  }
  if (precisions.empty()) value.fail("names no number formats");
  return precisions;
}

}  // namespace

std::string_view name_of(ClaimMetric metric) {
  return kMetrics[static_cast<std::size_t>(metric)];
}

ClaimWorkloads read_claim_workloads(const ConfigValue& root, const std::string& configs_dir) {
  ConfigMap map = root.map();
  ConfigMap by_name = map.required(kWorkloadFile).map();
  ClaimWorkloads workloads;
  for (const std::string& name : by_name.keys())
    workloads.emplace(name, read_workload(name, by_name.required(name), configs_dir));
  map.done();
  return workloads;
}

Claim read_claim(const ConfigValue& root, const ClaimWorkloads& workloads, const std::string& configs_dir) {
  ConfigMap map = root.map();
  Claim claim;
  claim.name = map.required("name").text();
  claim.statement = map.required("claim").text();
  claim.by = map.required("by").text();
  if (const auto unstated = map.optional("unstated")) claim.unstated = unstated->text();
  const ConfigValue claimed = map.required("claimed");
  const std::vector<ConfigValue> band = claimed.list();
  if (band.size() != 2) claimed.fail("must be the lowest and the highest ratio that the sentence may mean, [1.5, 2.5]");
  claim.low = band[0].number(kNonNegative), claim.high = band[1].number(kPositive);
  if (claim.high < claim.low) claimed.fail("must be [low, high]");
  claim.metric = static_cast<ClaimMetric>(map.required("metric").choice(kMetrics, "metric"));
  claim.systems = read_systems(map.required("systems"), configs_dir);
  const auto against = map.optional("against");
  if (against) claim.against = read_systems(*against, configs_dir);
  claim.precisions = read_precisions(map.required("precisions"), against.has_value());
  const ConfigValue names = map.required("workloads");
  for (const ConfigValue& name : names.list()) {
    const auto found = workloads.find(name.text());
    std::vector<std::string> known;
    for (const auto& [one, workload] : workloads) known.push_back(one);
    if (found == workloads.end())
      name.fail(fmt::format("unknown workload '{}'{}", name.text(), suggestion(name.text(), known)));
    claim.workloads.push_back(found->second);
  }
  if (claim.workloads.empty()) names.fail("names no workload");
  map.done();
  return claim;
}

std::vector<Claim> read_claims(const std::string& configs_dir) {
  const std::string folder = folder_of(configs_dir);
  const auto file = [&](const std::string& name) {
    return ConfigValue::from_file(fmt::format("{}/{}.yaml", folder, name));
  };
  const ClaimWorkloads workloads = read_claim_workloads(file(kWorkloadFile), configs_dir);
  std::vector<Claim> claims;
  for (const std::string& name : config_names(folder)) {
    if (name == kWorkloadFile) continue;
    const ConfigValue root = file(name);
    claims.push_back(read_claim(root, workloads, configs_dir));
    if (claims.back().name != name) root.map().required("name").fail(fmt::format("must be '{}', as its file", name));
  }
  return claims;
}

std::optional<std::string> check_claim_file(const std::string& path, const std::string& configs_dir) {
  const ConfigNode tree = load_config(path);
  if (tree.find(kWorkloadFile) != nullptr && tree.find("claim") == nullptr) {
    const ClaimWorkloads workloads = read_claim_workloads(ConfigValue::of(tree), configs_dir);
    return fmt::format("{}: a valid list of {} workloads of claims\n", path, workloads.size());
  }
  if (tree.find("claimed") == nullptr) return std::nullopt;
  const ConfigValue names = ConfigValue::from_file(fmt::format("{}/{}.yaml", folder_of(configs_dir), kWorkloadFile));
  const Claim claim = read_claim(ConfigValue::of(tree), read_claim_workloads(names, configs_dir), configs_dir);
  return fmt::format("{}: a valid claim\n  {}: {}\n", path, claim.by, claim.statement);
}

}  // namespace silicast
