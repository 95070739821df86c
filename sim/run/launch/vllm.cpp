// vLLM 0.9 to 0.19, its Ascend plugin too. What each flag does: vllm/config/parallel.py, scheduler.py, cache.py,
// model.py, speculative.py; vllm_flags.cpp has where flags come from. Limits are those of one data-parallel rank, as in
// a scenario.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/io/line_reader.hpp"
#include "sim/run/fleet.hpp"
#include "sim/run/launch/family.hpp"
#include "sim/run/launch/format_flags.hpp"
#include "sim/run/launch/vllm_flags.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMostRanks = 4096;
constexpr std::int64_t kMostTokens = std::int64_t{1} << 24;
constexpr std::string_view kLayers = "VLLM_PP_LAYER_PARTITION";  // vllm/envs.py, distributed/utils.py get_pp_indices
constexpr std::string_view kAllToAll = "VLLM_ALL2ALL_BACKEND";   // vllm/envs.py, up to 0.10

// config/cache.py BlockSize: those with an attention kernel for them.
bool has_block(std::int64_t tokens) {
  return tokens == 1 || (tokens >= 8 && tokens <= 256 && (tokens & (tokens - 1)) == 0);
}

// config/parallel.py All2AllBackend; ranks get all tokens, or only those of their experts.
std::string exchange_of(const Said<std::string>& backend) {
  static const std::vector<std::string> names = {
      "naive", "allgather_reducescatter", "pplx", "deepep_high_throughput", "deepep_low_latency", "flashinfer_all2allv",
      "mori"};
  const auto found = std::find(names.begin(), names.end(), backend.value);
  if (found == names.end())
    backend.fail(
        fmt::format("{} is not one of its values{}", quoted_text(backend.value), suggestion(backend.value, names)));
  return found - names.begin() < 2 ? "all_gather" : "all_to_all";
}

// config/cache.py CacheDType; model_executor/layers/quantization QUANTIZATION_METHODS.
const FormatFlags& format_flags() {
  static const FormatFlags flags{{"auto", "bfloat16", "fp8", "fp8_e4m3", "fp8_e5m2"}, "fp8", {"fp8", "ptpc_fp8"}, {}};
  return flags;
}

void write_layout(const PoolScenario& pool, LaunchParts& parts) {
  const ParallelPlan& plan = pool.plan;
  const auto flag = [&](std::string_view name, std::int64_t value) {
    parts.command.push_back(fmt::format("{} {}", name, value));
  };
  if (plan.expert != 1 && plan.expert != plan.ranks())
    fail_at(pool, fmt::format("vLLM puts experts whole on all {} ranks or cuts each over all, not in {} shares; make "
                              "layout.expert 1 or {}",
                              plan.ranks(), plan.expert, plan.ranks()));
  flag("--tensor-parallel-size", plan.tensor);
  if (plan.stages() > 1) flag("--pipeline-parallel-size", plan.stages());
  if (const std::string layers = uneven_stages(plan); !layers.empty())
    parts.environment.push_back(fmt::format("{}={}", kLayers, layers));
  if (plan.context > 1) {
    flag("--prefill-context-parallel-size", plan.context);
    parts.notes.push_back("--prefill-context-parallel-size: from vLLM 0.12 on, where the attention kernels take it");
  }
  if (plan.data > 1) flag("--data-parallel-size", plan.data);
  if (plan.expert > 1) parts.command.push_back("--enable-expert-parallel");
  if (plan.redundant_experts > 0) {
    parts.command.push_back("--enable-eplb");
    parts.command.push_back(fmt::format(
        "--eplb-config {}", shell_word(fmt::format("{{\"num_redundant_experts\": {}}}", plan.redundant_experts))));
  }
  const bool all_to_all = pool.engine.parallel.exchange == ExpertExchange::kAllToAll;
  if (plan.data > 1 && plan.expert > 1) {
    if (pool.chip.software == "CANN") {
      parts.notes.push_back("no flag: vLLM-Ascend chooses how tokens go to experts by itself");
    } else {
      parts.command.push_back(
          fmt::format("--all2all-backend {}", all_to_all ? "deepep_low_latency" : "allgather_reducescatter"));
      if (all_to_all)
        parts.notes.push_back("deepep_high_throughput in place of deepep_low_latency suits pools that mostly prefill");
    }
  }
  if (pool.engine.parallel.two_batches) parts.command.push_back("--enable-dbo");
}

// docs/serving/parallelism_scaling.md and data_parallel_deployment.md: over several nodes by Ray.
void write_places(const PoolScenario& pool, LaunchParts& parts) {
  const ParallelPlan& plan = pool.plan;
  if (plan.chips() <= pool.node.chips) return;
  const std::int32_t rank = plan.chips() / plan.data;
  if (plan.data > 1) {
    parts.command.push_back(fmt::format("--data-parallel-size-local {}", std::max(1, pool.node.chips / rank)));
    parts.command.push_back("--data-parallel-backend ray");
  } else {
    parts.command.push_back("--distributed-executor-backend ray");
  }
  parts.notes.push_back(
      fmt::format("a copy spans {} nodes: start a Ray cluster over them first, then this on one of them",
                  plan.chips() / pool.node.chips));
}

void write_limits(const Scenario& scenario, const PoolScenario& pool, LaunchParts& parts) {
  const EngineLimits limits = pool.engine.limits();
  const auto flag = [&](std::string_view name, std::int64_t value) {
    parts.command.push_back(fmt::format("{} {}", name, value));
  };
  flag("--max-model-len", max_context_of(scenario, pool.replica.model));
  flag("--max-num-seqs", limits.max_sequences);
  flag("--max-num-batched-tokens", limits.max_batched_tokens);
  if (limits.max_chunk > 0) flag("--long-prefill-token-threshold", limits.max_chunk);
  if (limits.max_waiting > 0)
    parts.notes.push_back(
        fmt::format("no flag: vLLM's queue is never full, the scenario's is at {}", limits.max_waiting));
  if (!has_block(limits.block_size))
    fail_at(pool, fmt::format("vLLM has no KV blocks of {} tokens; make block_size 1, 8, 16, 32, 64, 128 or 256",
                              limits.block_size));
  flag("--block-size", limits.block_size);
  parts.command.push_back(
      fmt::format("--gpu-memory-utilization {}", utilisation_by(KvBudget::kTotalLessPeak, pool, parts.notes)));
  if (pool.kv_blocks_given) flag("--num-gpu-blocks-override", pool.kv_blocks);
}

// config/speculative.py SpeculativeConfig; "mtp" from 0.11 on, before it by model ("deepseek_mtp").
void write_speculation(const PoolScenario& pool, LaunchParts& parts) {
  const Speculation& draft = pool.speculation;
  if (draft.tokens == 0) return;
  const bool eagle = draft.network.architecture.find("Eagle") != std::string::npos;
  const std::string how = draft.draft == "mtp" ? "\"method\": \"mtp\""
                                               : fmt::format("\"method\": \"{}\", \"model\": \"{}\"",
                                                             !eagle ? "draft_model"
                                                             : draft.network.architecture.ends_with("Eagle3") ? "eagle3"
                                                                                                              : "eagle",
                                                             draft.weights);
  parts.command.push_back(fmt::format(
      "--speculative-config {}", shell_word(fmt::format("{{{}, \"num_speculative_tokens\": {}}}", how, draft.tokens))));
}

void read_layout(const Flags& flags, const ShellCommand& command, LaunchedPool& pool) {
  pool.tensor = flags.integer("--tensor-parallel-size", 1, kMostRanks);
  pool.pipeline = flags.integer("--pipeline-parallel-size", 1, kMostRanks);
  pool.context = flags.integer("--prefill-context-parallel-size", 1, kMostRanks);
  pool.data = flags.integer("--data-parallel-size", 1, kMostRanks);
  pool.expert_parallel = flags.on("--enable-expert-parallel");
  pool.redundant_experts = flags.integer("--num-redundant-experts", 0, kMostRanks);
  if (const auto config = flags.text("--eplb-config")) {
    ConfigMap map = read_json(*config).map();
    for (const std::string& key : map.keys()) {
      const ConfigValue value = map.required(key);
      if (key == "num_redundant_experts")
        pool.redundant_experts = Said<std::int64_t>{value.integer(0, kMostRanks), config->mark, config->by};
      else
        pool.notes.push_back(fmt::format("{} of --eplb-config: when experts are moved", quoted_text(key)));
    }
  }
  auto backend = flags.text("--all2all-backend");
  if (const auto found = command.environment.find(std::string(kAllToAll));
      !backend && found != command.environment.end())
    backend = Said<std::string>{found->second.text, found->second.mark, std::string(kAllToAll)};
  if (backend) pool.exchange = Said<std::string>{exchange_of(*backend), backend->mark, backend->by};
  pool.two_batches = flags.on("--enable-dbo");
  pool.prefix_cache = flags.on("--enable-prefix-caching");
  if (const auto found = command.environment.find(std::string(kLayers)); found != command.environment.end())
    pool.stage_layers = Said<std::string>{found->second.text, found->second.mark, std::string(kLayers)};
}

// engine/arg_utils.py human_readable_int: "32k" is 32,000, "32K" 32,768.
std::optional<Said<std::int64_t>> tokens_of(const Flags& flags, std::string_view name, std::int64_t most) {
  const auto said = flags.text(name);
  if (!said) return std::nullopt;
  std::string number = said->value;
  double unit = 1;
  if (const std::size_t at = std::string_view("kmgKMG").find(number.back()); at != std::string_view::npos) {
    unit = at < 3 ? std::pow(1000.0, static_cast<double>(at + 1)) : std::pow(1024.0, static_cast<double>(at - 2));
    number.pop_back();
  }
  double value = 0;
  if (!parse_number(number, value) || unit * value != std::floor(unit * value))
    said->fail(
        fmt::format("{} is not a whole number (with k, m, g or K, M, G behind it, at most)", quoted_text(said->value)));
  if (!(unit * value >= 1 && unit * value <= static_cast<double>(most)))
    said->fail(fmt::format("'{}' must be a whole number from 1 to {}", said->value, most));
  return Said<std::int64_t>{static_cast<std::int64_t>(unit * value), said->mark, said->by};
}

void read_limits(const Flags& flags, LaunchedPool& pool) {
  const auto context = flags.text("--max-model-len");
  if (context && (context->value == "auto" || context->value == "-1"))
    pool.notes.push_back(
        fmt::format("--max-model-len {}: the model's own, however much memory it takes", context->value));
  else
    pool.max_context = tokens_of(flags, "--max-model-len", kMostTokens);
  pool.max_sequences = flags.integer("--max-num-seqs", 1, 65536);
  pool.max_batched_tokens = tokens_of(flags, "--max-num-batched-tokens", 1048576);
  if (const auto chunk = flags.integer("--long-prefill-token-threshold", 0, 1048576); chunk && chunk->value > 0)
    pool.max_chunk = chunk;
  pool.block_size = flags.integer("--block-size", 1, 256);
  if (pool.block_size && !has_block(pool.block_size->value))
    pool.block_size->fail(
        fmt::format("vLLM has no blocks of {} tokens (it has 1, 8, 16, 32, 64, 128, 256)", pool.block_size->value));
  pool.utilisation = flags.number("--gpu-memory-utilization", 0, 1);
  pool.kv_blocks = flags.integer("--num-gpu-blocks-override", 1, std::int64_t{1} << 40);
  if (const auto bytes = tokens_of(flags, "--kv-cache-memory-bytes", std::int64_t{1} << 50))
    pool.kv_bytes = Said<double>{static_cast<double>(bytes->value), bytes->mark, bytes->by};
  const auto chunked = flags.on("--enable-chunked-prefill");
  if (chunked && !chunked->value)
    pool.notes.push_back(
        fmt::format("--no-enable-chunked-prefill ({}): prompts are cut to what an iteration has room for",
                    place_of(chunked->mark)));
}

void read_speculation(const Flags& flags, LaunchedPool& pool) {
  const auto config = flags.text("--speculative-config");
  if (!config) return;
  ConfigMap map = read_json(*config).map();
  std::string method, model;
  for (const std::string& key : map.keys()) {
    const ConfigValue value = map.required(key);
    if (key == "method")
      method = value.text();
    else if (key == "model")
      model = value.text();
    else if (key == "num_speculative_tokens")
      pool.drafts = Said<std::int64_t>{value.integer(1, 32), config->mark, config->by};
    else
      pool.notes.push_back(fmt::format("{} of --speculative-config: not modelled", quoted_text(key)));
  }
  if (!pool.drafts) config->fail("needs num_speculative_tokens");
  const bool own = method.ends_with("mtp");
  if (method == "ngram" || method == "suffix" || method == "medusa")
    config->fail(fmt::format("drafts by the method '{}' are not modelled; leave it out to simulate without", method));
  if (!own && model.empty()) config->fail("needs a model that drafts");
  pool.draft = Said<std::string>{own ? "mtp" : model, config->mark, config->by};
}

}  // namespace

LaunchParts write_vllm(const Scenario& scenario, const PoolScenario& pool) {
  if (pool.scheduler->name != "chunked")
    fail_at(pool, fmt::format("vLLM has no flag for the scheduler '{}'; its own is 'chunked'", pool.scheduler->name));
  LaunchParts parts;
  parts.command.push_back(fmt::format("vllm serve {}", shell_word(weights_of(pool.replica.model))));
  write_layout(pool, parts);
  write_places(pool, parts);
  write_limits(scenario, pool, parts);
  write_formats(pool, format_flags(), parts);
  write_speculation(pool, parts);
  parts.notes.push_back("vLLM's own default: --enable-chunked-prefill, prompts and decodes in one batch");
  if (pool.engine.prefix_cache)
    parts.notes.push_back("vLLM's own default: prefixes are reused; simulated where a trace knows them");
  else
    parts.command.push_back("--no-enable-prefix-caching");
  return parts;
}

LaunchedPool read_vllm(const ShellCommand& command, std::span<const ShellWord> arguments) {
  const Flags flags(vllm_flags(), arguments);
  LaunchedPool pool;
  pool.family = "vllm";
  pool.scheduler = "chunked";
  pool.notes = flags.unmodelled();
  pool.model = flags.text("--model");
  if (const auto file = flags.text("--config"))
    file->fail("flags within a file are not read here; put them on the command line");
  const std::vector<ShellWord>& words = flags.positional();
  if (!words.empty()) {
    if (pool.model && pool.model->value != words[0].text)
      throw InputError(words[0].mark, "",
                       fmt::format("{} is served here and {} by --model; leave one out", quoted_text(words[0].text),
                                   quoted_text(pool.model->value)));
    pool.model = Said<std::string>{words[0].text, words[0].mark, "the model"};
  }
  if (words.size() > 1)
    throw InputError(words[1].mark, "", fmt::format("{} belongs to no flag", quoted_text(words[1].text)));
  read_layout(flags, command, pool);
  read_limits(flags, pool);
  read_formats(flags, format_flags(), pool);
  read_speculation(flags, pool);
  return pool;
}

}  // namespace silicast
