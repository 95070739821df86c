#include "sim/run/read_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "sim/base/check.hpp"
#include "sim/io/config_catalogue.hpp"
#include "sim/io/line_reader.hpp"
#include "sim/run/read_perf.hpp"
#include "sim/run/read_tiers.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMaxNodes = 16384;

// The chip's native 8-bit format for weights, activations and KV: FP8, or INT8 where it has no FP8.
Precision eight_bit(const ChipSpec& chip, const ConfigValue& at) {
  for (const NumberFormat format : {NumberFormat::kFp8, NumberFormat::kInt8})
    if (chip.peak_of(format) != nullptr) return {format, format, format, format, format};
  at.fail(fmt::format("chip '{}' has neither FP8 nor INT8; name the formats instead", chip.name));
}

// Matrix units without the format of the activations named cannot run such GEMMs at all. (Weights alone are unpacked.)
void check_native(NumberFormat activations, const ChipSpec& chip, const ConfigValue& at) {
  if (activations == NumberFormat::kFp32 || chip.peak_of(activations) != nullptr) return;
  std::string native;
  for (std::size_t i = 0; i < kNumberFormats; ++i) {
    const auto format = static_cast<NumberFormat>(i);
    if (format != NumberFormat::kFp16 && chip.peak_of(format) != nullptr)
      native += fmt::format("{}{}", native.empty() ? "" : ", ", name_of(format));
  }
  at.fail(
      fmt::format("chip '{}' cannot compute with {} activations; it has {}", chip.name, name_of(activations), native));
}

Precision read_pool_precision(ConfigMap& pool, const ModelSpec& model, const ChipSpec& chip) {
  const auto value = pool.optional("precision");
  if (!value) {
    const Precision precision = default_precision(model);
    check_native(precision.activations, chip, pool.value());
    check_native(precision.expert_activations, chip, pool.value());
    if (precision.kv == NumberFormat::kFp32)
      pool.fail(
          fmt::format("'{}' is stored in fp32, which no engine keeps its KV cache in; name a precision, e.g. "
                      "{{weights: bf16, activations: bf16, kv: bf16}}",
                      model.name));
    return precision;
  }
  if (value->is_scalar()) {
    value->choice({"8bit"}, "precision");
    return eight_bit(chip, *value);
  }
  const Precision precision = read_precision(*value, model);
  check_native(precision.activations, chip, *value);
  if (model.mixture()) check_native(precision.expert_activations, chip, *value);
  return precision;
}

double read_maturity(const ConfigValue& value) {
  const std::string text = value.is_scalar() ? value.text() : "";
  if (!text.empty() && std::isalpha(static_cast<unsigned char>(text[0])))
    return 0.5 * static_cast<double>(value.choice({"untuned", "typical", "tuned"}, "maturity"));
  return value.number(kFraction);
}

MemoryOverrides read_overrides(const ConfigValue& value) {
  MemoryOverrides overrides;
  ConfigMap map = value.map();
  constexpr Bounds kBytes{0, 1e18};
  const auto bytes = [&](std::string_view key) -> std::optional<Bytes> {
    if (const auto given = map.optional(key)) return Bytes(given->quantity(Dimension::kBytes, kBytes));
    return std::nullopt;
  };
  overrides.weights = bytes("weights");
  overrides.activation = bytes("activation");
  overrides.runtime = bytes("runtime");
  map.done();
  return overrides;
}

// Replicas that fit on the nodes: several per node, or one over several whole nodes.
std::int32_t replicas_that_fit(const PoolScenario& pool, const ConfigValue& at) {
  const std::int32_t chips = pool.plan.chips();
  if (chips <= pool.node.chips) return pool.node.chips / chips * pool.nodes;
  if (chips % pool.node.chips != 0)
    at.fail(fmt::format("a replica of {} chips neither fits on a node of {} ({} chips) nor fills whole nodes", chips,
                        pool.node.name, pool.node.chips));
  if (chips > pool.node.chips * pool.nodes)
    at.fail(fmt::format("a replica needs {} chips, the pool has {} ({} nodes of {})", chips,
                        pool.node.chips * pool.nodes, pool.nodes, pool.node.chips));
  return pool.nodes / (chips / pool.node.chips);
}

Calibration own_calibration(const ChipSpec& chip, const ConfigValue& pool, const std::string& configs_dir) {
  const std::vector<std::string> names = config_names(configs_dir + "/calibration");
  if (std::find(names.begin(), names.end(), chip.name) == names.end())
    pool.fail(fmt::format("chip '{}' has no calibration of its own; give the pool one by 'calibration'{}", chip.name,
                          suggestion(chip.name, names)));
  const ConfigValue own = ConfigValue::from_file(fmt::format("{}/calibration/{}.yaml", configs_dir, chip.name));
  Calibration calibration = read_calibration(own);
  if (calibration.chip != chip.name)
    own.map().required("chip").fail(
        fmt::format("is '{}' in the calibration of {}; a pool may name another chip's by 'calibration'",
                    calibration.chip, chip.name));
  return calibration;
}

// A name, or numbers of one's own on top of a base: the chip's where none is named. nullptr: the chip's.
Calibration read_pool_calibration(const ConfigValue* given, const ChipSpec& chip, const ConfigValue& pool,
                                  const std::string& configs_dir) {
  if (given == nullptr) return own_calibration(chip, pool, configs_dir);
  if (!given->is_map()) return read_calibration(load_named(configs_dir, "calibration", *given));
  ConfigMap map = given->map();
  const auto base = map.optional("base");
  Calibration calibration =
      base ? read_calibration(load_named(configs_dir, "calibration", *base)) : own_calibration(chip, pool, configs_dir);
  override_calibration(map, calibration);
  return calibration;
}

void check_memory(const PoolScenario& pool, const ConfigValue& at) {
  if (pool.memory.fits()) return;
  at.fail(
      fmt::format("the model does not fit: {} short on a {} ({} of memory); use more chips per replica or a narrower "
                  "precision, see 'silicast explain'",
                  format_quantity(pool.memory.shortfall.value(), Dimension::kBytes), pool.chip.name,
                  format_quantity(pool.memory.capacity.value(), Dimension::kBytes)));
}

}  // namespace

std::string stack_file(std::string software, const std::string& configs_dir) {
  for (char& c : software) c = c == ' ' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return fmt::format("{}/stacks/{}.yaml", configs_dir, software);
}

void check_group_name(const std::string& name, const ConfigValue& at) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(name.begin(), name.end(), is_control))
    at.fail(fmt::format("{} cannot name a group of the result file; leave out control characters", quoted_text(name)));
  // The result file lists the names, with commas between.
  if (name.find_first_of("/,") != std::string::npos || name == "." || name == "..")
    at.fail(fmt::format("'{}' cannot name a group of the result file; leave out '/', ',' and lone dots", name));
}

PoolScenario read_pool(const ConfigValue& value, const ModelSpec& default_model, const PoolFiles& files, Fit fit) {
  const std::string& configs_dir = files.configs_dir;
  PoolScenario pool;
  ConfigMap map = value.map();
  const auto own_model = map.optional("model");
  const ModelSpec model = own_model ? read_model(*own_model, configs_dir) : default_model;
  pool.mark = value.mark();
  const ConfigValue name = map.required("name");
  pool.name = name.text();
  check_group_name(pool.name, name);
  const ConfigValue node_name = map.required("node");
  const ConfigValue node = load_named(configs_dir, "nodes", node_name);
  pool.node = read_node(node);
  const ConfigValue chip_name = node.map().required("chip");
  pool.chip = read_chip(load_named(configs_dir, "chips", chip_name));
  const auto calibration = map.optional("calibration");
  pool.calibration = read_pool_calibration(calibration ? &*calibration : nullptr, pool.chip, value, configs_dir);
  pool.stack = read_stack(ConfigValue::from_file(stack_file(pool.chip.software, configs_dir)));
  if (const auto maturity = map.optional("maturity")) pool.maturity = read_maturity(*maturity);
  const Calibration given = pool.calibration;
  pool.calibration = at_maturity(given, pool.maturity);
  pool.stack = at_maturity(pool.stack, pool.maturity);
  pool.nodes = 1;
  if (const auto nodes = map.optional("nodes")) pool.nodes = static_cast<std::int32_t>(nodes->integer(1, kMaxNodes));
  const auto layout = map.optional("layout");
  pool.plan = layout ? read_parallel_plan(*layout, model) : single_chip(model);
  if (const auto placement = map.optional("placement")) pool.placement = read_placement(*placement, pool);
  const bool listed = pool.placement.kind == PlacementKind::kGiven;
  pool.replicas = listed ? static_cast<std::int32_t>(pool.placement.given.size())
                         : replicas_that_fit(pool, layout ? *layout : value);
  if (const auto replicas = map.optional("replicas")) {
    const auto asked = static_cast<std::int32_t>(replicas->integer(1, listed ? kMaxNodes : pool.replicas));
    if (listed && asked != pool.replicas)
      replicas->fail(fmt::format("the placement lists {}; leave this out or let them agree", pool.replicas));
    pool.replicas = asked;
  }
  pool.precision = read_pool_precision(map, model, pool.chip);
  pool.engine = read_engine(map.required("engine"), configs_dir);
  if (pool.engine.tuned_experts) pool.calibration.experts = at_maturity(given, 1).experts;
  const auto speculation = map.optional("speculation");
  if (speculation) pool.speculation = read_speculation(*speculation, model, configs_dir);
  if (const auto after = map.optional("overflow_after")) pool.overflow_after = after->number({1e-3, 1e6});
  if (const auto role = map.optional("role"))
    pool.role = static_cast<PoolRole>(role->choice({"whole", "prefill", "decode"}, "role of a pool"));
  if (const auto scheduler = map.optional("scheduler")) {
    pool.scheduler = &scheduler->entry_of(schedulers);
  } else {
    pool.scheduler = schedulers.find(pool.engine.scheduler);
    if (pool.scheduler == nullptr)
      throw InputError(pool.engine.scheduler_mark, "scheduler",
                       fmt::format("unknown scheduler '{}'{}", pool.engine.scheduler,
                                   suggestion(pool.engine.scheduler, schedulers.names())));
  }
  const EngineLimits limits = pool.engine.limits();
  if (limits.max_batched_tokens < limits.max_sequences)
    map.fail(
        fmt::format("max_batched_tokens ({}) must be at least max_sequences ({}): every running sequence computes a "
                    "token per iteration",
                    limits.max_batched_tokens, limits.max_sequences));
  const std::int32_t most_decodes = limits.max_sequences * (1 + pool.speculation.tokens);
  if (limits.max_batched_tokens < most_decodes)
    (speculation ? *speculation : value)
        .fail(fmt::format("{} running sequences of {} drafted tokens each compute {} tokens per iteration, over "
                          "max_batched_tokens ({})",
                          limits.max_sequences, pool.speculation.tokens, most_decodes, limits.max_batched_tokens));
  MemoryOverrides overrides;
  if (const auto memory = map.optional("memory")) overrides = read_overrides(*memory);
  pool.memory =
      plan_memory(model, pool.plan, pool.precision, pool.engine, Bytes(pool.chip.memory_capacity.value), overrides);
  if (fit == Fit::kRequired) check_memory(pool, value);
  pool.kv_blocks = pool.memory.blocks;
  if (const auto blocks = map.optional("kv_blocks")) {
    pool.kv_blocks = blocks->integer(1, std::int64_t{1} << 40);
    pool.kv_blocks_given = true;
    if (fit == Fit::kRequired && pool.kv_blocks > pool.memory.blocks)
      blocks->fail(fmt::format("{} blocks do not fit: there is memory for {}, see 'silicast explain'", pool.kv_blocks,
                               pool.memory.blocks));
  }
  if (const auto tiers = map.optional("kv_tiers")) pool.tiers = read_tiers(*tiers, pool);
  const auto perf = map.optional("perf");
  map.done();
  const EngineHost& host = pool.engine.host;
  pool.replica.model = model;
  pool.replica.plan = pool.plan;
  pool.replica.precision = pool.precision;
  pool.replica.chip = chip_rates(pool.chip, pool.calibration);
  for (std::size_t i = 0; i < kStackOperators; ++i) pool.replica.fallback[i] = pool.stack.fallback[i].value;
  pool.replica.host = {host.per_iteration.value, host.per_sequence.value, host.overlapped};
  pool.replica.graph_tokens = host.graph_tokens.value;
  pool.replica.eager_launch = host.eager_launch.value;
  pool.replica.draft = pool.speculation.network;
  pool.replica.drafts = pool.speculation.tokens;
  const EngineParallel& parallel = pool.engine.parallel;
  pool.replica.policy = {parallel.exchange, parallel.expert_skew.value, parallel.padded_rows.value, pool.engine.fused};
  pool.replica.overlap = parallel.overlap.value;
  pool.replica.two_batches = parallel.two_batches;
  pool.replica.native_kv = pool.engine.native_kv;
  if (perf) read_perf(*perf, files.folder, pool);
  return pool;
}

}  // namespace silicast
