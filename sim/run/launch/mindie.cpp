// MindIE 2.x, conf/config.json of mindie-service. Keys after its documentation, "MindIE Service developer guide,
// configuration parameters (service)": sections ServerConfig, BackendConfig, ModelDeployConfig, ModelConfig,
// ScheduleConfig; NPU_MEMORY_FRACTION after "environment variables"; plugin_params after "MTP" and "SplitFuse" of the
// MindIE LLM guide. Written from memory of those pages, not held against them. Limits are taken as those of one
// data-parallel rank.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/io/line_reader.hpp"
#include "sim/report/json_text.hpp"
#include "sim/run/fleet.hpp"
#include "sim/run/launch/family.hpp"
#include "sim/run/launch/formats.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMostRanks = 4096;
constexpr std::int64_t kMostTokens = std::int64_t{1} << 24;
constexpr double kGib = 1 << 30;
constexpr std::string_view kShareOfMemory = "NPU_MEMORY_FRACTION";

bool splits(const PoolScenario& pool) {
  return pool.scheduler->name == "chunked";
}

std::string plugins(const PoolScenario& pool) {
  if (pool.speculation.tokens > 0)
    return fmt::format("{{\"plugin_type\":\"mtp\",\"num_speculative_tokens\": {}}}", pool.speculation.tokens);
  return splits(pool) ? "{\"plugin_type\":\"splitfuse\"}" : "";
}

// Of a whole GiB, so rounded up.
std::int64_t kv_gib(const PoolScenario& pool) {
  if (!pool.kv_blocks_given) return -1;
  Bytes block(0);
  for (const StageMemory& stage : pool.memory.stages) block = std::max(block, stage.kv_block);
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(pool.kv_blocks) * block.value() / kGib));
}

void write_server(JsonText& json) {
  json.item("ServerConfig").open('{');
  json.item("ipAddress").string("127.0.0.1");
  json.item("port").integer(1025);
  json.item("managementIpAddress").string("127.0.0.2");
  json.item("managementPort").integer(1026);
  json.item("metricsPort").integer(1027);
  json.item("httpsEnabled").boolean(false);
  json.item("inferMode").string("standard");
  json.item("openAiSupport").string("vllm");
  json.close('}');
}

void write_model(JsonText& json, const PoolScenario& pool, const std::string& weights) {
  const ParallelPlan& plan = pool.plan;
  json.item("ModelConfig").open('[');
  json.item().open('{');
  json.item("modelInstanceType").string("Standard");
  json.item("modelName").string(pool.replica.model.name);
  json.item("modelWeightPath").string(fmt::format("/models/{}", weights));
  json.item("worldSize").integer(std::min(plan.ranks(), pool.node.chips));
  json.item("cpuMemSize").integer(0);
  json.item("npuMemSize").integer(kv_gib(pool));
  json.item("backendType").string("atb");
  json.item("trustRemoteCode").boolean(false);
  json.item("tp").integer(plan.tensor);
  json.item("dp").integer(plan.data);
  json.item("cp").integer(plan.context);
  if (pool.replica.model.mixture()) {
    json.item("moe_tp").integer(plan.expert_tensor());
    json.item("moe_ep").integer(plan.expert);
  }
  if (const std::string plugin = plugins(pool); !plugin.empty()) json.item("plugin_params").string(plugin);
  json.close('}');
  json.close(']');
}

void write_deploy(JsonText& json, const Scenario& scenario, const PoolScenario& pool, const std::string& weights) {
  const std::int64_t context = max_context_of(scenario, pool.replica.model),
                     budget = pool.engine.limits().max_batched_tokens;
  json.item("ModelDeployConfig").open('{');
  json.item("maxSeqLen").integer(context);
  json.item("maxInputTokenLen")
      .integer(std::max<std::int64_t>(1, splits(pool) ? context - 1 : std::min(context - 1, budget)));
  json.item("truncation").boolean(false);
  write_model(json, pool, weights);
  json.close('}');
}

void write_schedule(JsonText& json, const Scenario& scenario, const PoolScenario& pool) {
  const EngineLimits limits = pool.engine.limits();
  json.item("ScheduleConfig").open('{');
  json.item("templateType").string(splits(pool) ? "Mix" : "Standard");
  json.item("templateName").string("Standard_LLM");
  json.item("cacheBlockSize").integer(limits.block_size);
  json.item("maxPrefillBatchSize").integer(limits.max_sequences);
  json.item("maxPrefillTokens").integer(limits.max_batched_tokens);
  json.item("prefillPolicyType").integer(0);
  json.item("decodePolicyType").integer(0);
  json.item("maxBatchSize").integer(limits.max_sequences);
  json.item("maxIterTimes").integer(max_context_of(scenario, pool.replica.model));
  json.item("maxPreemptCount").integer(0);
  json.item("supportSelectBatch").boolean(false);
  if (splits(pool)) {
    json.item("enableSplit").boolean(true);
    json.item("splitType").boolean(false);
    json.item("splitStartType").boolean(false);
    json.item("splitChunkTokens").integer(limits.max_batched_tokens);
  }
  json.close('}');
}

void check(const PoolScenario& pool) {
  if (pool.scheduler->name == "static")
    fail_at(pool, "MindIE has no key for the scheduler 'static'; it has 'prefill_first' and 'chunked'");
  if (pool.plan.stages() > 1)
    fail_at(pool, fmt::format("layout.pipeline {}: no key of MindIE's config.json is known that does it; make it 1",
                              pool.plan.stages()));
  if (pool.plan.redundant_experts > 0)
    fail_at(pool, "layout.redundant_experts: no key of MindIE's config.json is known that does it; leave it out");
  if (pool.speculation.tokens > 0 && pool.speculation.draft != "mtp")
    fail_at(pool, fmt::format("MindIE drafts by a model's own layers, not by '{}'; make speculation.draft mtp",
                              pool.speculation.draft));
  if (pool.speculation.tokens > 0 && splits(pool))
    fail_at(pool, "MindIE takes one plugin: speculation or the scheduler 'chunked', not both");
}

void write_notes(const Scenario& scenario, const PoolScenario& pool, const std::string& weights, LaunchParts& parts) {
  const EngineLimits limits = pool.engine.limits();
  parts.notes.push_back(fmt::format("modelWeightPath: where the files of {} lie on your machines", weights));
  if (!splits(pool) && limits.max_batched_tokens < max_context_of(scenario, pool.replica.model))
    parts.notes.push_back(
        fmt::format("maxInputTokenLen {}: MindIE refuses longer prompts, a simulation computes them in "
                    "several iterations",
                    limits.max_batched_tokens));
  if (const SaidFormats said = say_formats(pool.precision, pool.replica.model);
      !said.whole || precision_node(said.formats, pool.replica.model)) {
    put(parts.unsaid, "precision", precision_node(pool.precision, pool.replica.model));
    parts.notes.push_back(fmt::format("no key: {}; they are those of the weights' folder (ModelSlim makes it)",
                                      describe(pool.precision, pool.replica.model)));
  }
  if (pool.kv_blocks_given) {
    put(parts.unsaid, "kv_blocks", fmt::format("{}", pool.kv_blocks));
    parts.notes.push_back(
        fmt::format("npuMemSize {}: {} KV blocks in whole GiB, rounded up", kv_gib(pool), pool.kv_blocks));
  } else {
    parts.notes.push_back(fmt::format("npuMemSize -1: what {} leaves", kShareOfMemory));
  }
  if (limits.max_chunk > 0)
    parts.notes.push_back(
        fmt::format("no key: max_chunk {}, the most tokens of one prompt in an iteration", limits.max_chunk));
  if (limits.max_waiting > 0)
    parts.notes.push_back(fmt::format("no key: max_waiting {}, the length of the queue", limits.max_waiting));
  parts.notes.push_back("maxPrefillBatchSize, maxIterTimes: no limits of their own, as in the scenario");
  if (pool.plan.chips() > pool.node.chips)
    parts.notes.push_back(
        fmt::format("a copy spans {} nodes: this on each, with the rank table of RANK_TABLE_FILE; worldSize "
                    "is of one node",
                    pool.plan.chips() / pool.node.chips));
}

// Keys that are known and change nothing here, by section.
struct Section {
  std::string_view name;
  std::vector<std::string> read;
  std::vector<std::string> known;
  std::string_view why;
};

// Notes what is not modelled; a key that is one of `read` but for a letter or two is an error.
void note_rest(const ConfigValue& value, const Section& section, LaunchedPool& pool) {
  for (const ConfigEntry& entry : value.node().entries) {
    if (std::find(section.read.begin(), section.read.end(), entry.key) != section.read.end()) continue;
    const bool known = std::find(section.known.begin(), section.known.end(), entry.key) != section.known.end();
    const std::string near = known ? "" : misspelt(entry.key, section.read);
    if (!near.empty())
      throw InputError(entry.mark, fmt::format("{}.{}", section.name, entry.key),
                       fmt::format("unknown key; did you mean '{}'?", near));
    pool.notes.push_back(fmt::format("{}.{} ({}): {}", section.name, entry.key, place_of(entry.mark),
                                     known ? section.why : std::string_view("silicast does not know this key")));
  }
}

std::optional<Said<std::int64_t>> whole(ConfigMap& map, const char* key, std::int64_t low, std::int64_t high) {
  const auto value = map.optional(key);
  if (!value) return std::nullopt;
  return Said<std::int64_t>{value->integer(low, high), value->mark(), key};
}

// As above; -1 is the default.
std::optional<Said<std::int64_t>> size(ConfigMap& map, const char* key) {
  auto value = whole(map, key, -1, kMostRanks);
  if (value && value->value == 0) value->fail("'0' must be -1 (the default) or positive");
  if (value && value->value == -1) value.reset();
  return value;
}

void read_sizes(ConfigMap& map, bool many_nodes, LaunchedPool& pool) {
  const auto world = whole(map, "worldSize", 1, kMostRanks);
  pool.tensor = size(map, "tp");
  pool.data = size(map, "dp");
  pool.context = size(map, "cp");
  const std::int64_t groups = (pool.data ? pool.data->value : 1) * (pool.context ? pool.context->value : 1);
  if (!world && !pool.tensor) map.fail("missing key 'worldSize'");
  if (!pool.tensor) {
    if (many_nodes) world->fail("is of one node; say 'tp' too, where one copy spans several");
    if (world->value % groups != 0)
      world->fail(fmt::format("{} chips are not divided by the {} groups of dp x cp", world->value, groups));
    pool.tensor = Said<std::int64_t>{world->value / groups, world->mark, world->by};
  }
  const std::int64_t ranks = pool.tensor->value * groups;
  if (world && !many_nodes && world->value != ranks)
    pool.tensor->fail(fmt::format("tp x dp x cp is {} where worldSize says {}", ranks, world->value));
  pool.expert = size(map, "moe_ep");
  const auto cut = size(map, "moe_tp");
  if (cut && !pool.expert && ranks % cut->value == 0)
    pool.expert = Said<std::int64_t>{ranks / cut->value, cut->mark, cut->by};
  if (cut && !pool.expert) cut->fail(fmt::format("{} does not divide the {} chips of tp x dp x cp", cut->value, ranks));
  if (cut && pool.expert->value * cut->value != ranks)
    cut->fail(fmt::format("moe_tp x moe_ep is {} where tp x dp x cp is {}", pool.expert->value * cut->value, ranks));
}

void read_plugin(ConfigMap& map, LaunchedPool& pool) {
  const auto plugin = map.optional("plugin_params");
  if (!plugin || plugin->node().scalar.empty()) return;  // "": none
  ConfigMap parameters = read_json({plugin->text(), plugin->mark(), "plugin_params"}).map();
  const ConfigValue type = parameters.required("plugin_type");
  if (type.text() == "mtp") {
    pool.drafts = Said<std::int64_t>{parameters.required("num_speculative_tokens").integer(1, 32), plugin->mark(),
                                     "plugin_params"};
    pool.draft = Said<std::string>{"mtp", plugin->mark(), "plugin_params"};
  } else if (type.text() != "splitfuse") {
    pool.notes.push_back(fmt::format("plugin_params ({}): plugin {} is not modelled", place_of(plugin->mark()),
                                     quoted_text(type.text())));
  }
}

void read_model_config(const ConfigValue& value, bool many_nodes, LaunchedPool& pool) {
  ConfigMap map = value.map();
  if (const auto path = map.optional("modelWeightPath"))
    pool.model = Said<std::string>{path->text(), path->mark(), "modelWeightPath"};
  if (const auto name = map.optional("modelName"); name && !pool.model)
    pool.model = Said<std::string>{name->text(), name->mark(), "modelName"};
  read_sizes(map, many_nodes, pool);
  if (const auto stages = size(map, "pp"); stages && stages->value > 1)
    stages->fail("pipelines of MindIE are not read; make it 1");
  if (const auto memory = map.optional("npuMemSize"); memory && memory->integer(-1, 1 << 20) != -1) {
    const std::int64_t gib = memory->integer(1, 1 << 20);
    pool.kv_bytes = Said<double>{static_cast<double>(gib) * kGib, memory->mark(), "npuMemSize"};
  }
  read_plugin(map, pool);
  note_rest(value,
            {"ModelConfig",
             {"modelWeightPath", "modelName", "worldSize", "tp", "dp", "cp", "pp", "moe_tp", "moe_ep", "npuMemSize",
              "plugin_params"},
             {"modelInstanceType", "cpuMemSize", "backendType", "trustRemoteCode", "sp", "async_scheduler_wait_time",
              "kv_trans_timeout", "kv_link_timeout", "models", "loraModules"},
             "how files are loaded and processes talk"},
            pool);
}

void read_schedule(const ConfigValue& value, LaunchedPool& pool) {
  ConfigMap map = value.map();
  pool.block_size = whole(map, "cacheBlockSize", 1, 4096);
  pool.max_sequences = whole(map, "maxBatchSize", 1, 65536);
  pool.max_batched_tokens = whole(map, "maxPrefillTokens", 1, 1048576);
  const auto split = map.optional("enableSplit");
  const auto chunk = whole(map, "splitChunkTokens", 1, 1048576);
  pool.scheduler = "prefill_first";
  if (split && split->boolean()) {
    pool.scheduler = "chunked";
    if (chunk) pool.max_batched_tokens = chunk;
  }
  if (const auto select = map.optional("supportSelectBatch"); select && select->boolean())
    pool.notes.push_back(fmt::format("ScheduleConfig.supportSelectBatch ({}): prompts go first, whatever they delay",
                                     place_of(select->mark())));
  if (const auto most = whole(map, "maxPrefillBatchSize", 1, 65536);
      most && pool.max_sequences && most->value < pool.max_sequences->value)
    pool.notes.push_back(
        fmt::format("ScheduleConfig.maxPrefillBatchSize {} ({}): maxPrefillTokens alone bounds the prompts "
                    "of an iteration",
                    most->value, place_of(most->mark)));
  if (const auto output = whole(map, "maxIterTimes", 1, kMostTokens))
    pool.notes.push_back(
        fmt::format("ScheduleConfig.maxIterTimes {} ({}): the workload's outputs are as long as it says", output->value,
                    place_of(output->mark)));
  note_rest(value,
            {"ScheduleConfig",
             {"cacheBlockSize", "maxBatchSize", "maxPrefillTokens", "enableSplit", "splitChunkTokens",
              "supportSelectBatch", "maxPrefillBatchSize", "maxIterTimes"},
             {"templateType", "templateName", "prefillTimeMsPerReq", "prefillPolicyType", "decodeTimeMsPerReq",
              "decodePolicyType", "maxPreemptCount", "maxQueueDelayMicroseconds", "splitType", "splitStartType",
              "splitStartBatchSize", "enablePrefixCache", "bufferResponseEnabled", "maxFirstTokenWaitTime"},
             "how it chooses among requests"},
            pool);
}

}  // namespace

LaunchParts write_mindie(const Scenario& scenario, const PoolScenario& pool) {
  check(pool);
  LaunchParts parts;
  const std::string weights = weights_of(pool.replica.model);
  parts.environment.push_back(
      fmt::format("{}={}", kShareOfMemory, utilisation_by(KvBudget::kShareOfFree, pool, parts.notes)));
  JsonText json;
  json.open('{');
  json.item("Version").string("1.0.0");
  write_server(json);
  json.item("BackendConfig").open('{');
  json.item("backendName").string("mindieservice_llm_engine");
  json.item("modelInstanceNumber").integer(1);
  json.item("npuDeviceIds").open('[');
  json.item().open('[');
  for (std::int32_t i = 0; i < std::min(pool.plan.ranks(), pool.node.chips); ++i) json.item().integer(i);
  json.close(']');
  json.close(']');
  json.item("tokenizerProcessNumber").integer(8);
  json.item("multiNodesInferEnabled").boolean(pool.plan.chips() > pool.node.chips);
  write_deploy(json, scenario, pool, weights);
  write_schedule(json, scenario, pool);
  json.close('}');
  json.close('}');
  parts.json = json.take();
  write_notes(scenario, pool, weights, parts);
  return parts;
}

LaunchedPool read_mindie(const ConfigValue& config, const std::vector<ShellWord>& environment) {
  ConfigMap map = config.map();
  LaunchedPool pool;
  pool.family = "mindie";
  pool.mark = config.mark();
  for (const ShellWord& word : environment)
    if (word.text.starts_with(fmt::format("{}=", kShareOfMemory))) {
      const std::string value = word.text.substr(kShareOfMemory.size() + 1);
      double share = 0;
      if (!parse_number(value, share) || !(share > 0 && share <= 1))
        throw InputError(word.mark, kShareOfMemory, fmt::format("{} must be over 0 and at most 1", quoted_text(value)));
      pool.utilisation = Said<double>{share, word.mark, std::string(kShareOfMemory)};
    }
  const ConfigValue backend = map.required("BackendConfig");
  ConfigMap backend_map = backend.map();
  const auto many = backend_map.optional("multiNodesInferEnabled");
  if (const auto instances = whole(backend_map, "modelInstanceNumber", 1, kMostRanks)) pool.copies = instances->value;
  const ConfigValue deploy = backend_map.required("ModelDeployConfig");
  ConfigMap deploy_map = deploy.map();
  pool.max_context = whole(deploy_map, "maxSeqLen", 1, kMostTokens);
  const ConfigValue models = deploy_map.required("ModelConfig");
  if (models.list().size() != 1)
    models.fail(fmt::format("{} models; a pool serves one: make a config.json for each", models.list().size()));
  read_model_config(models.list()[0], many && many->boolean(), pool);
  if (const auto schedule = backend_map.optional("ScheduleConfig")) read_schedule(*schedule, pool);
  note_rest(deploy,
            {"ModelDeployConfig",
             {"maxSeqLen", "ModelConfig"},
             {"maxInputTokenLen", "truncation"},
             "prompts are bounded by maxSeqLen alone"},
            pool);
  note_rest(backend,
            {"BackendConfig",
             {"multiNodesInferEnabled", "modelInstanceNumber", "ModelDeployConfig", "ScheduleConfig"},
             {"backendName", "npuDeviceIds", "tokenizerProcessNumber", "multiNodesInferPort", "interNodeTLSEnabled",
              "interNodeTlsCaPath", "interNodeTlsCaFiles", "interNodeTlsCert", "interNodeTlsPk", "interNodeTlsPkPwd",
              "interNodeTlsCrlPath", "interNodeTlsCrlFiles", "kmcKsfMaster", "kmcKsfStandby"},
             "which process runs where"},
            pool);
  note_rest(config,
            {"config.json",
             {"BackendConfig"},
             {"Version", "ServerConfig", "LogConfig"},
             "addresses, limits of connections, logs"},
            pool);
  return pool;
}

}  // namespace silicast
