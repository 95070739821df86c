// A serving engine (vLLM, SGLang, TensorRT-LLM, MindIE) as data: its limits, how it budgets chip memory, and
// what its host code costs per iteration. Policies live in sim/serving; this only names one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/evidence.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

// How an engine turns its memory fraction into KV cache, per rank (capacity C, fraction f, weights W,
// activation peak A, runtime R outside the framework's allocator, captured graphs G):
enum class KvBudget {
  kTotalLessPeak,  // f C - W - A - R; graphs come out of the rest (vLLM gpu_memory_utilization)
  kStaticShare,    // f (C - R) - W; activations and graphs come out of the rest (SGLang mem_fraction_static)
  kShareOfFree,    // f (C - W - A - R - G) (TensorRT-LLM free_gpu_memory_fraction, MindIE NPU_MEMORY_FRACTION)
};
std::string_view name_of(KvBudget budget);  // "total_less_peak", "static_share", "share_of_free"

// The limits as plain numbers; 0 where a limit is off.
struct EngineLimits {
  std::int32_t max_sequences = 0;       // running at once
  std::int32_t max_batched_tokens = 0;  // of one iteration
  std::int32_t block_size = 0;          // tokens of a KV block
  std::int32_t max_chunk = 0;           // prompt tokens of one request in one iteration
  std::int32_t max_waiting = 0;         // requests in the queue; more are rejected
  bool reserve_prompt = false;          // admit only if blocks for the whole prompt are free
};

struct EngineMemory {
  KvBudget budget = KvBudget::kTotalLessPeak;
  Evidence utilisation;       // f above, 0 to 1
  Evidence runtime;           // B on a rank of a one-chip replica: context, driver, library workspaces
  Evidence runtime_tensor;    // B with tensor > 1: the above and the collectives' buffers
  Evidence runtime_pipeline;  // B with pipeline stages and tensor = 1
  Evidence graphs;            // B of captured graphs
  // Activation peak (memory_plan.hpp): what lives beside the MLP's own buffers and the logits.
  Evidence workspace;       // B, whatever the shape
  Evidence hidden_buffers;  // number of tokens x hidden buffers that live while the MLP runs
  Evidence logit_bytes;     // B per logit of a full batch while it is sampled
};

struct EngineHost {
  Evidence per_request;    // s from client to queue and back, all charged on the way in: HTTP, tokeniser, streaming
  Evidence per_iteration;  // s: scheduling, input preparation, output handling
  Evidence per_sequence;   // s for each sequence of the batch
  // Iterations of at most so many tokens are replayed from captured graphs; kernels of larger ones are launched one by
  // one, each after `eager_launch` s of host time at the least.
  Evidence graph_tokens;
  Evidence eager_launch;
  bool overlapped = false;   // runs beside the chips' work instead of before it
  bool plans_ahead = false;  // an iteration is planned while the one before it runs; who comes later waits for the next
};

// How KV caches go from a replica that prefills to one that decodes; of the engine of the latter.
struct EngineTransfer {
  Evidence start;       // s from when a cache may move to its first byte, besides the links' latency
  Evidence efficiency;  // 0 to 1: share of the links' bandwidth that transfers reach
};

// How data-parallel ranks bring tokens to experts and back.
enum class ExpertExchange {
  kAllGather,  // every rank gets every token, then the sums are scattered (vLLM's default)
  kAllToAll,   // tokens go to the ranks of their experts (DeepEP, HCCL's MoE dispatch and combine)
};
std::string_view name_of(ExpertExchange exchange);  // "all_gather", "all_to_all"

struct EngineParallel {
  ExpertExchange exchange = ExpertExchange::kAllGather;
  Evidence overlap;          // 0 to 1: of the shorter of messages and computing, what hides behind the other
  bool two_batches = false;  // an iteration is computed in two halves, the messages of one beside the other's computing
  // Rows that each expert on a rank is padded to, chosen by tokens or not, so that all are read and computed
  // (DeepGEMM\'s contiguous layout); 0: only those with tokens.
  Evidence padded_rows;
  Evidence
      expert_skew;  // coefficient of variation of the experts' popularity, without redundant experts to even it out
};

// "vllm", "sglang", "mindie": sim/run/launch knows how each is started.
const std::vector<std::string>& engine_families();

struct EngineSpec {
  std::string name;
  std::string description;  // with the version that the numbers describe
  std::string family;       // whose flags start it ("vllm", "sglang", "mindie"); empty: none, or none we know
  std::string scheduler;    // resolved by sim/serving: "chunked", "prefill_first", ...
  Mark scheduler_mark;      // where it was read, for messages
  Evidence max_sequences, max_batched_tokens, block_size;
  std::optional<Evidence> max_chunk, max_waiting;
  bool reserve_prompt = false;
  bool prefix_cache = false;   // KV blocks of prompts are kept for prompts that begin alike
  bool fused = false;          // norms, quantisation and KV writes run within the kernels beside them
  bool native_kv = false;      // attention multiplies with an 8-bit KV cache as it is, instead of unpacking it
  bool tuned_experts = false;  // grouped GEMMs at the better end of the chip's range (CUTLASS, DeepGEMM; not Triton)
  EngineMemory memory;
  EngineHost host;
  EngineParallel parallel;
  EngineTransfer transfer;

  EngineLimits limits() const;
};

// A catalogue file (configs/engines/NAME.yaml). Schema (EVIDENCE as in read_chip; a bare number is a setting,
// exact); with `base: NAME` of another file, only what differs from that one:
//   name, description, scheduler: text
//   family: vllm | sglang | mindie                          # optional, none; never the base's
//   max_sequences, max_batched_tokens, block_size: EVIDENCE, whole numbers
//   max_chunk, max_waiting: EVIDENCE                        # optional, no limit
//   reserve_prompt, prefix_cache, fused, native_kv, tuned_experts: false   # optional
//   memory: {budget: total_less_peak | static_share | share_of_free, utilisation, runtime, runtime_tensor,
//            runtime_pipeline, graphs, workspace, hidden_buffers, logit_bytes: EVIDENCE}
//   host: {per_request, per_iteration, per_sequence, graph_tokens, eager_launch: EVIDENCE,
//          overlapped: true, plans_ahead: true}
//   transfer: {start, efficiency: EVIDENCE}
//   parallel: {exchange: all_gather | all_to_all, overlap, expert_skew, padded_rows: EVIDENCE, two_batches: false}
// Errors: InputError at the key; a chunked engine whose max_batched_tokens is under its max_sequences, as in
// vLLM.
EngineSpec read_engine_spec(const ConfigValue& engine, const std::string& configs_dir);

// What `engine` of a scenario stands for: a name or path (configs_dir/engines), or {base: NAME, ...} with any
// keys of the schema but name and description to override, `memory`, `host`, `parallel` and `transfer` key by key.
EngineSpec read_engine(const ConfigValue& engine, const std::string& configs_dir);

}  // namespace silicast
