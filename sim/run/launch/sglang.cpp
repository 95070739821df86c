// SGLang 0.4 to 0.5. What each flag does: python/sglang/srt/server_args.py and managers/scheduler.py; sglang_flags.cpp
// has where flags come from. With data-parallel attention its tensor size counts all ranks, and two of its limits all
// of them together (server_args.py divides chunked_prefill_size, model_runner.py max_running_requests, by dp_size).
#include <fmt/format.h>

#include <algorithm>

#include "sim/io/line_reader.hpp"
#include "sim/run/fleet.hpp"
#include "sim/run/launch/family.hpp"
#include "sim/run/launch/format_flags.hpp"
#include "sim/run/launch/sglang_flags.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMostRanks = 4096;
constexpr std::int64_t kMostTokens = std::int64_t{1} << 24;
constexpr std::int64_t kMaxPrefill = 16384;                        // server_args.py max_prefill_tokens
constexpr std::string_view kLayers = "SGLANG_PP_LAYER_PARTITION";  // srt/distributed/utils.py get_pp_indices

// server_args.py kv_cache_dtype and quantization.
const FormatFlags& format_flags() {
  static const FormatFlags flags{
      {"auto", "bf16", "bfloat16", "fp8_e4m3", "fp8_e5m2"}, "fp8_e4m3", {"fp8", "w8a8_fp8"}, {"w8a8_int8"}};
  return flags;
}

void write_layout(const PoolScenario& pool, LaunchParts& parts) {
  const ParallelPlan& plan = pool.plan;
  const auto flag = [&](std::string_view name, std::int64_t value) {
    parts.command.push_back(fmt::format("{} {}", name, value));
  };
  if (plan.context > 1)
    fail_at(pool, fmt::format("layout.context {}: no flag of SGLang is known that does it; make it 1", plan.context));
  flag("--tp", plan.ranks());
  if (plan.stages() > 1) flag("--pp-size", plan.stages());
  if (const std::string layers = uneven_stages(plan); !layers.empty())
    parts.environment.push_back(fmt::format("{}={}", kLayers, layers));
  if (plan.data > 1) {
    flag("--dp-size", plan.data);
    parts.command.push_back("--enable-dp-attention");
    parts.notes.push_back(fmt::format("--tp counts all ranks: {} of attention in each of {} data-parallel groups",
                                      plan.tensor, plan.data));
  }
  if (plan.expert > 1) flag("--ep-size", plan.expert);
  if (plan.redundant_experts > 0) flag("--ep-num-redundant-experts", plan.redundant_experts);
  if (plan.data > 1 && pool.engine.parallel.exchange == ExpertExchange::kAllToAll) {
    // It makes ep-size tp-size (server_args.py).
    if (plan.expert == plan.ranks())
      parts.command.push_back("--moe-a2a-backend deepep");
    else
      parts.notes.push_back(
          fmt::format("no flag: tokens go to the ranks of their experts in the scenario, in SGLang only "
                      "with layout.expert {} (--moe-a2a-backend deepep)",
                      plan.ranks()));
  }
  if (pool.engine.parallel.two_batches) parts.command.push_back("--enable-two-batch-overlap");
  if (plan.chips() > pool.node.chips) {
    const std::int32_t nodes = plan.chips() / pool.node.chips;
    flag("--nnodes", nodes);
    parts.command.push_back("--node-rank \"${NODE_RANK:-0}\"");
    parts.command.push_back("--dist-init-addr \"${HEAD:-127.0.0.1}:5000\"");
    parts.notes.push_back(
        fmt::format("a copy spans {} nodes: start this on each, NODE_RANK 0 to {}, HEAD the address of the first",
                    nodes, nodes - 1));
  }
}

void write_limits(const Scenario& scenario, const PoolScenario& pool, LaunchParts& parts) {
  const EngineLimits limits = pool.engine.limits();
  const std::int64_t data = pool.plan.data;
  const auto flag = [&](std::string_view name, std::int64_t value) {
    parts.command.push_back(fmt::format("{} {}", name, value));
  };
  flag("--context-length", max_context_of(scenario, pool.replica.model));
  flag("--max-running-requests", limits.max_sequences * data);
  flag("--chunked-prefill-size", limits.max_batched_tokens * data);
  if (data > 1)
    parts.notes.push_back(
        fmt::format("--max-running-requests and --chunked-prefill-size are of all {} groups: {} and {} "
                    "each in the scenario",
                    data, limits.max_sequences, limits.max_batched_tokens));
  if (limits.max_batched_tokens > kMaxPrefill) flag("--max-prefill-tokens", limits.max_batched_tokens);
  if (limits.max_chunk > 0 && limits.max_chunk < limits.max_batched_tokens)
    parts.notes.push_back(
        fmt::format("no flag: max_chunk {}, the most tokens of one prompt in an iteration", limits.max_chunk));
  if (limits.max_waiting > 0) flag("--max-queued-requests", limits.max_waiting);
  flag("--page-size", limits.block_size);
  if (pool.scheduler->name == "chunked") parts.command.push_back("--enable-mixed-chunk");
  const double share = utilisation_by(KvBudget::kStaticShare, pool, parts.notes);
  parts.command.push_back(fmt::format("--mem-fraction-static {}", share));
  const double as_vllm = equal_utilisation(KvBudget::kTotalLessPeak, pool);
  parts.notes.push_back(
      fmt::format("--mem-fraction-static is of weights and KV cache together; the rest is for activations "
                  "and graphs. vLLM's --gpu-memory-utilization for the same KV cache would be {:.3f}",
                  as_vllm));
  if (pool.kv_blocks_given) flag("--max-total-tokens", pool.kv_blocks * limits.block_size);
}

void write_speculation(const PoolScenario& pool, LaunchParts& parts) {
  const Speculation& draft = pool.speculation;
  if (draft.tokens == 0) return;
  const bool own = draft.draft == "mtp";
  const std::string& kind = draft.network.architecture;
  parts.command.push_back(fmt::format("--speculative-algorithm {}", own                        ? "NEXTN"
                                                                    : kind.ends_with("Eagle3") ? "EAGLE3"
                                                                    : kind.ends_with("Eagle")  ? "EAGLE"
                                                                                               : "STANDALONE"));
  if (!own) parts.command.push_back(fmt::format("--speculative-draft-model-path {}", shell_word(draft.weights)));
  // A chain: each of the steps drafts one token, and the token before them is verified with them.
  parts.command.push_back(fmt::format("--speculative-num-steps {}", draft.tokens));
  parts.command.push_back("--speculative-eagle-topk 1");
  parts.command.push_back(fmt::format("--speculative-num-draft-tokens {}", draft.tokens + 1));
}

void read_layout(const Flags& flags, const ShellCommand& command, LaunchedPool& pool) {
  auto tensor = flags.integer("--tensor-parallel-size", 1, kMostRanks);
  const auto data = flags.integer("--data-parallel-size", 1, kMostRanks);
  const auto shared = flags.on("--enable-dp-attention");
  const std::int64_t ranks = tensor ? tensor->value : 1;
  if (data && data->value > 1 && shared) {
    if (ranks % data->value != 0)
      data->fail(
          fmt::format("{} groups do not divide the {} ranks of --tensor-parallel-size, which with "
                      "--enable-dp-attention counts all",
                      data->value, ranks));
    pool.data = data;
    tensor->value = ranks / data->value;
  } else if (data) {
    pool.copies = data->value;
    if (data->value > 1)
      pool.notes.push_back(fmt::format("--data-parallel-size {} ({}): without --enable-dp-attention, that many copies",
                                       data->value, place_of(data->mark)));
  }
  pool.tensor = tensor;
  pool.pipeline = flags.integer("--pipeline-parallel-size", 1, kMostRanks);
  pool.expert = flags.integer("--expert-parallel-size", 1, kMostRanks);
  std::optional<Said<bool>> deep = flags.on("--enable-deepep-moe");
  if (const auto backend = flags.text("--moe-a2a-backend")) {
    if (backend->value == "none") {
      pool.exchange = Said<std::string>{"all_gather", backend->mark, backend->by};
    } else {
      deep = Said<bool>{true, backend->mark, backend->by};
    }
  }
  const auto whole = deep ? deep : flags.on("--enable-ep-moe");
  if (deep) pool.exchange = Said<std::string>{"all_to_all", deep->mark, deep->by};
  if (whole) {
    if (deep && pool.expert && pool.expert->value != ranks)
      pool.expert->fail(fmt::format("is {} where {} makes it {}, the size of --tensor-parallel-size; leave it out",
                                    pool.expert->value, deep->by, ranks));
    if (!pool.expert) pool.expert = Said<std::int64_t>{ranks, whole->mark, whole->by};
  }
  if (pool.expert && ranks % pool.expert->value != 0)
    pool.expert->fail(fmt::format("{} shares of experts do not divide the {} ranks of --tensor-parallel-size",
                                  pool.expert->value, ranks));
  pool.redundant_experts = flags.integer("--ep-num-redundant-experts", 0, kMostRanks);
  pool.two_batches = flags.on("--enable-two-batch-overlap");
  if ((pool.prefix_cache = flags.on("--disable-radix-cache"))) pool.prefix_cache->value = !pool.prefix_cache->value;
  if (const auto found = command.environment.find(std::string(kLayers)); found != command.environment.end())
    pool.stage_layers = Said<std::string>{found->second.text, found->second.mark, std::string(kLayers)};
}

// A limit of all data-parallel groups together, as that of one.
std::optional<Said<std::int64_t>> of_one(std::optional<Said<std::int64_t>> all, const LaunchedPool& pool) {
  const std::int64_t data = pool.data ? pool.data->value : 1;
  if (!all) return all;
  if (all->value < data)
    all->fail(fmt::format("{} is less than one for each of the {} data-parallel groups", all->value, data));
  all->value /= data;
  return all;
}

void read_limits(const Flags& flags, LaunchedPool& pool) {
  pool.max_context = flags.integer("--context-length", 1, kMostTokens);
  pool.max_sequences = of_one(flags.integer("--max-running-requests", 1, 65536 * kMostRanks), pool);
  const auto chunk = flags.integer("--chunked-prefill-size", -1, 1048576 * kMostRanks);
  const auto prefill = flags.integer("--max-prefill-tokens", 1, 1048576);
  if (chunk && chunk->value == 0) chunk->fail("'0' must be -1 (whole prompts) or positive");
  if (chunk && chunk->value > 0) {
    pool.max_batched_tokens = of_one(chunk, pool);
  } else if (chunk) {
    pool.max_batched_tokens = prefill ? prefill : Said<std::int64_t>{kMaxPrefill, chunk->mark, chunk->by};
    pool.notes.push_back(
        fmt::format("--chunked-prefill-size -1 ({}): prompts over the {} tokens of --max-prefill-tokens "
                    "are cut to them",
                    place_of(chunk->mark), pool.max_batched_tokens->value));
  }
  if (prefill && pool.max_batched_tokens && prefill->value < pool.max_batched_tokens->value)
    pool.max_batched_tokens = prefill;
  pool.max_waiting = flags.integer("--max-queued-requests", 1, 1000000000);
  pool.block_size = flags.integer("--page-size", 1, 4096);
  pool.utilisation = flags.number("--mem-fraction-static", 0, 1);
  pool.kv_tokens = flags.integer("--max-total-tokens", 1, std::int64_t{1} << 40);
  pool.scheduler = flags.on("--enable-mixed-chunk") ? "chunked" : "prefill_first";
}

void read_speculation(const Flags& flags, LaunchedPool& pool) {
  const auto algorithm = flags.choice("--speculative-algorithm", {"EAGLE", "EAGLE3", "NEXTN", "STANDALONE", "NGRAM"});
  if (!algorithm) return;
  if (algorithm->value == "NGRAM")
    algorithm->fail("drafts by the method NGRAM are not modelled; leave it out to simulate without");
  const auto model = flags.text("--speculative-draft-model-path");
  pool.drafts = flags.integer("--speculative-num-steps", 1, 32);
  if (!pool.drafts) algorithm->fail("needs --speculative-num-steps: SGLang chooses it by model otherwise");
  const bool own = algorithm->value == "NEXTN" || (algorithm->value == "EAGLE" && !model);
  if (!own && !model) algorithm->fail("needs --speculative-draft-model-path");
  pool.draft = own ? Said<std::string>{"mtp", algorithm->mark, algorithm->by} : *model;
  const auto top = flags.integer("--speculative-eagle-topk", 1, 64);
  if (top && top->value > 1)
    pool.notes.push_back(fmt::format("--speculative-eagle-topk {} ({}): a tree of drafts is taken for a chain of {}",
                                     top->value, place_of(top->mark), pool.drafts->value));
  flags.integer("--speculative-num-draft-tokens", 1, 1024);
}

}  // namespace

LaunchParts write_sglang(const Scenario& scenario, const PoolScenario& pool) {
  if (pool.scheduler->name == "static")
    fail_at(pool, "SGLang has no flag for the scheduler 'static'; it has 'prefill_first' and 'chunked'");
  LaunchParts parts;
  parts.command.push_back(
      fmt::format("python3 -m sglang.launch_server --model-path {}", shell_word(weights_of(pool.replica.model))));
  write_layout(pool, parts);
  write_limits(scenario, pool, parts);
  write_formats(pool, format_flags(), parts);
  write_speculation(pool, parts);
  if (pool.engine.prefix_cache)
    parts.notes.push_back("SGLang's own default: prefixes are reused; simulated where a trace knows them");
  else
    parts.command.push_back("--disable-radix-cache");
  return parts;
}

LaunchedPool read_sglang(const ShellCommand& command, std::span<const ShellWord> arguments) {
  const Flags flags(sglang_flags(), arguments);
  LaunchedPool pool;
  pool.family = "sglang";
  pool.notes = flags.unmodelled();
  pool.model = flags.text("--model-path");
  if (!flags.positional().empty())
    throw InputError(flags.positional()[0].mark, "",
                     fmt::format("{} belongs to no flag", quoted_text(flags.positional()[0].text)));
  read_layout(flags, command, pool);
  read_limits(flags, pool);
  read_formats(flags, format_flags(), pool);
  read_speculation(flags, pool);
  return pool;
}

}  // namespace silicast
