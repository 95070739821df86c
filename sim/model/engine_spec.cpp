// Reads engine files, and scenarios' overrides on top of them with the same code: an override is the schema
// with every key optional.
#include "sim/model/engine_spec.hpp"

#include <fmt/format.h>

#include <cmath>

#include "sim/io/config_catalogue.hpp"

namespace silicast {
namespace {

constexpr Bounds kSequenceBounds{1, 65536};
constexpr Bounds kTokenBounds{1, 1048576};
constexpr Bounds kBlockBounds{1, 4096};
constexpr Bounds kQueueBounds{1, 1e9};
constexpr Bounds kReserveBounds{0, 1e12};
constexpr Bounds kBufferBounds{0, 64};
constexpr Bounds kHostBounds{0, 10};
constexpr Bounds kSkewBounds{0, 10};
constexpr Bounds kPaddingBounds{0, 4096};

// A key of the schema: required in a file, optional in an override.
class EngineKeys {
 public:
  EngineKeys(ConfigMap& map, bool is_override) : map_(map), is_override_(is_override) {}

  std::optional<ConfigValue> find(std::string_view key) {
    if (is_override_) return map_.optional(key);
    return map_.required(key);
  }
  void number(std::string_view key, Dimension dimension, const Bounds& bounds, Evidence& out) {
    if (const auto value = find(key)) out = read(*value, dimension, bounds);
  }
  void count(std::string_view key, const Bounds& bounds, Evidence& out) {
    if (const auto value = find(key)) out = whole(*value, bounds);
  }
  void optional_count(std::string_view key, const Bounds& bounds, std::optional<Evidence>& out) {
    if (const auto value = map_.optional(key)) out = whole(*value, bounds);
  }
  void flag(std::string_view key, bool& out) {
    if (const auto value = map_.optional(key)) out = value->boolean();
  }

 private:
  static Evidence read(const ConfigValue& value, Dimension dimension, const Bounds& bounds) {
    Evidence evidence = value.evidence(dimension, bounds);
    if (value.is_map()) return evidence;
    evidence.grade = Grade::kMeasured;  // a setting is what its file says it is
    evidence.source = fmt::format("set in {}", value.mark().file);
    return evidence;
  }
  static Evidence whole(const ConfigValue& value, const Bounds& bounds) {
    const Evidence evidence = read(value, Dimension::kNumber, bounds);
    if (evidence.value != std::floor(evidence.value))
      value.fail(fmt::format("{:g} is not a whole number", evidence.value));
    return evidence;
  }

  ConfigMap& map_;
  bool is_override_;
};

void read_memory(const ConfigValue& value, bool is_override, EngineMemory& memory) {
  ConfigMap map = value.map();
  EngineKeys keys(map, is_override);
  if (const auto budget = keys.find("budget"))
    memory.budget =
        static_cast<KvBudget>(budget->choice({"total_less_peak", "static_share", "share_of_free"}, "memory budget"));
  keys.number("utilisation", Dimension::kNumber, kPositiveFraction, memory.utilisation);
  keys.number("runtime", Dimension::kBytes, kReserveBounds, memory.runtime);
  keys.number("runtime_tensor", Dimension::kBytes, kReserveBounds, memory.runtime_tensor);
  keys.number("runtime_pipeline", Dimension::kBytes, kReserveBounds, memory.runtime_pipeline);
  keys.number("graphs", Dimension::kBytes, kReserveBounds, memory.graphs);
  keys.number("workspace", Dimension::kBytes, kReserveBounds, memory.workspace);
  keys.number("hidden_buffers", Dimension::kNumber, kBufferBounds, memory.hidden_buffers);
  keys.number("logit_bytes", Dimension::kBytes, kBufferBounds, memory.logit_bytes);
  map.done();
}

void read_host(const ConfigValue& value, bool is_override, EngineHost& host) {
  ConfigMap map = value.map();
  EngineKeys keys(map, is_override);
  keys.number("per_request", Dimension::kTime, kHostBounds, host.per_request);
  keys.number("per_iteration", Dimension::kTime, kHostBounds, host.per_iteration);
  keys.number("per_sequence", Dimension::kTime, kHostBounds, host.per_sequence);
  keys.count("graph_tokens", kReserveBounds, host.graph_tokens);
  keys.number("eager_launch", Dimension::kTime, kHostBounds, host.eager_launch);
  keys.flag("overlapped", host.overlapped);
  keys.flag("plans_ahead", host.plans_ahead);
  map.done();
}

void read_parallel(const ConfigValue& value, bool is_override, EngineParallel& parallel) {
  ConfigMap map = value.map();
  EngineKeys keys(map, is_override);
  if (const auto exchange = keys.find("exchange"))
    parallel.exchange = static_cast<ExpertExchange>(exchange->choice({"all_gather", "all_to_all"}, "exchange"));
  keys.number("overlap", Dimension::kNumber, kFraction, parallel.overlap);
  keys.number("expert_skew", Dimension::kNumber, kSkewBounds, parallel.expert_skew);
  keys.flag("two_batches", parallel.two_batches);
  keys.count("padded_rows", kPaddingBounds, parallel.padded_rows);
  map.done();
}

void read_transfer(const ConfigValue& value, bool is_override, EngineTransfer& transfer) {
  ConfigMap map = value.map();
  EngineKeys keys(map, is_override);
  keys.number("start", Dimension::kTime, kHostBounds, transfer.start);
  keys.number("efficiency", Dimension::kNumber, kPositiveFraction, transfer.efficiency);
  map.done();
}

void read_keys(ConfigMap& map, bool is_override, EngineSpec& spec) {
  EngineKeys keys(map, is_override);
  if (const auto scheduler = keys.find("scheduler")) {
    spec.scheduler = scheduler->text();
    spec.scheduler_mark = scheduler->mark();
  }
  keys.count("max_sequences", kSequenceBounds, spec.max_sequences);
  keys.count("max_batched_tokens", kTokenBounds, spec.max_batched_tokens);
  keys.count("block_size", kBlockBounds, spec.block_size);
  keys.optional_count("max_chunk", kTokenBounds, spec.max_chunk);
  keys.optional_count("max_waiting", kQueueBounds, spec.max_waiting);
  keys.flag("reserve_prompt", spec.reserve_prompt);
  keys.flag("prefix_cache", spec.prefix_cache);
  keys.flag("fused", spec.fused);
  keys.flag("native_kv", spec.native_kv);
  keys.flag("tuned_experts", spec.tuned_experts);
  if (const auto memory = keys.find("memory")) read_memory(*memory, is_override, spec.memory);
  if (const auto host = keys.find("host")) read_host(*host, is_override, spec.host);
  if (const auto parallel = keys.find("parallel")) read_parallel(*parallel, is_override, spec.parallel);
  if (const auto transfer = keys.find("transfer")) read_transfer(*transfer, is_override, spec.transfer);
  map.done();
  if (spec.scheduler == "chunked" && spec.max_batched_tokens.value < spec.max_sequences.value)
    map.fail(
        fmt::format("max_batched_tokens {:g} is under max_sequences {:g}: a full decode batch of a chunked engine "
                    "would not fit into an iteration",
                    spec.max_batched_tokens.value, spec.max_sequences.value));
}

std::int32_t count_of(const std::optional<Evidence>& limit) {
  return limit ? static_cast<std::int32_t>(limit->value) : 0;
}

}  // namespace

const std::vector<std::string>& engine_families() {
  static const std::vector<std::string> names = {"vllm", "sglang", "mindie"};
  return names;
}

std::string_view name_of(KvBudget budget) {
  switch (budget) {
    case KvBudget::kTotalLessPeak:
      return "total_less_peak";
    case KvBudget::kStaticShare:
      return "static_share";
    case KvBudget::kShareOfFree:
      return "share_of_free";
  }
  return "";
}

std::string_view name_of(ExpertExchange exchange) {
  return exchange == ExpertExchange::kAllGather ? "all_gather" : "all_to_all";
}

EngineLimits EngineSpec::limits() const {
  return {count_of(max_sequences), count_of(max_batched_tokens), count_of(block_size),
          count_of(max_chunk),     count_of(max_waiting),        reserve_prompt};
}

EngineSpec read_engine_spec(const ConfigValue& engine, const std::string& configs_dir) {
  ConfigMap map = engine.map();
  EngineSpec spec;
  const auto base = map.optional("base");
  if (base) {
    const ConfigValue whole = load_named(configs_dir, "engines", *base);
    if (whole.map().has("base")) base->fail("has a base itself; name the file that stands on its own");
    spec = read_engine_spec(whole, configs_dir);
  }
  spec.name = map.required("name").text();
  spec.description = map.required("description").text();
  // Of what stands on vllm's numbers only some is started as vLLM is.
  spec.family.clear();
  if (const auto family = map.optional("family")) {
    family->choice(engine_families(), "family of engines");
    spec.family = family->text();
  }
  read_keys(map, base.has_value(), spec);
  return spec;
}

EngineSpec read_engine(const ConfigValue& engine, const std::string& configs_dir) {
  if (!engine.is_map()) return read_engine_spec(load_named(configs_dir, "engines", engine), configs_dir);
  ConfigMap map = engine.map();
  EngineSpec spec = read_engine_spec(load_named(configs_dir, "engines", map.required("base")), configs_dir);
  read_keys(map, true, spec);
  return spec;
}

}  // namespace silicast
