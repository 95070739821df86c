// What is printed for a pool: each flag by its engine's name for it, and what no flag says.
#include "scenario_for_tests.hpp"
#include "sim/run/launch/launch.hpp"

namespace silicast::testing {
namespace {

using Catch::Matchers::Contains;

std::string launch_of(const std::vector<std::string>& settings, const std::string& text = kBare) {
  return launch_text(read(text, settings, Fit::kReported), "", kConfigs);
}

std::string message(const std::vector<std::string>& settings) {
  try {
    launch_of(settings);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

const std::string kRefused = "s.yaml:10:7: pool main: ";

TEST_CASE("a vLLM pool is one command with a flag for each limit") {
  CHECK_THAT(launch_of({"max_context=4096"}),
             Contains("# Pool main of bare: 4 copies of this, each on 2 x h100; 1 x hgx-h100 in all.\n"
                      "# silicast: {name: main, node: hgx-h100, nodes: 1, replicas: 4, engine: vllm}\n"
                      "vllm serve meta-llama/Meta-Llama-3.1-8B \\\n"
                      "  --tensor-parallel-size 2 \\\n"
                      "  --max-model-len 4096 \\\n"
                      "  --max-num-seqs 1024 \\\n"
                      "  --max-num-batched-tokens 8192 \\\n"
                      "  --block-size 16 \\\n"
                      "  --gpu-memory-utilization 0.9\n"
                      "#   vLLM's own default: --enable-chunked-prefill, prompts and decodes in one batch\n") &&
                 Contains("prefixes are reused; simulated where a trace knows") &&
                 Contains("before the 4 copies stands a router; the scenario's is 'least_loaded'"));
}

TEST_CASE("vLLM's wide expert parallelism over nodes") {
  const std::string text = launch_of({"model=deepseek-r1", "cluster.pools.0.nodes=2", "cluster.pools.0.engine=vllm-ep",
                                      "cluster.pools.0.layout={tensor: 2, data: 8, expert: 16, redundant_experts: 32}",
                                      "cluster.pools.0.speculation={draft: mtp, tokens: 1, accepted: 0.7}"});
  CHECK_THAT(text, Contains("--data-parallel-size 8 \\\n  --enable-expert-parallel \\\n  --enable-eplb \\\n"
                            "  --eplb-config '{\"num_redundant_experts\": 32}' \\\n"
                            "  --all2all-backend deepep_low_latency \\\n  --enable-dbo \\\n"
                            "  --data-parallel-size-local 4 \\\n  --data-parallel-backend ray \\\n") &&
                       Contains("--speculative-config '{\"method\": \"mtp\", \"num_speculative_tokens\": 1}'") &&
                       Contains("speculation: {accepted: 0.7, spread: 0}") && Contains("a copy spans 2 nodes"));
}

TEST_CASE("formats are flags where flags say them, otherwise the checkpoint's") {
  const auto with = [](const std::string& precision, const std::string& node = "hgx-h100") {
    return launch_of({"cluster.pools.0.precision=" + precision, "cluster.pools.0.node=" + node});
  };
  CHECK_THAT(with("8bit"), Contains("--quantization fp8 \\\n  --kv-cache-dtype fp8\n") && !Contains("precision:"));
  CHECK_THAT(with("{kv: fp8}"), !Contains("--quantization") && Contains("--kv-cache-dtype fp8\n"));
  CHECK_THAT(with("{weights: fp16, activations: fp16, kv: fp16}"), Contains("--dtype float16\n"));
  CHECK_THAT(with("{weights: int4}"),
             !Contains("--quantization") && Contains("precision: {weights: int4, kv: bf16, activations: bf16}") &&
                 Contains("no flag: weights int4, activations bf16, KV bf16; serve a checkpoint in these"));
  // vLLM-Ascend quantises nothing while it loads.
  CHECK_THAT(launch_of({"cluster.pools.0.precision=8bit", "cluster.pools.0.node=atlas-800-a2",
                        "cluster.pools.0.engine=vllm-ascend"}),
             Contains("--quantization ascend") && Contains("precision: {weights: int8, kv: int8, activations: int8}"));
}

TEST_CASE("SGLang counts all ranks and all groups' limits") {
  const std::string text = launch_of(
      {"model=deepseek-r1", "cluster.pools.0.nodes=2", "cluster.pools.0.layout={tensor: 2, data: 8, expert: 16}",
       "cluster.pools.0.engine={base: sglang-ep, max_sequences: 128, max_waiting: 50, block_size: 64}",
       "cluster.pools.0.kv_blocks=100", "max_context=8192"});
  CHECK_THAT(
      text, Contains("python3 -m sglang.launch_server --model-path deepseek-ai/DeepSeek-R1 \\\n"
                     "  --tp 16 \\\n  --dp-size 8 \\\n  --enable-dp-attention \\\n  --ep-size 16 \\\n"
                     "  --moe-a2a-backend deepep \\\n  --enable-two-batch-overlap \\\n  --nnodes 2 \\\n"
                     "  --node-rank \"${NODE_RANK:-0}\" \\\n  --dist-init-addr \"${HEAD:-127.0.0.1}:5000\" \\\n"
                     "  --context-length 8192 \\\n  --max-running-requests 1024 \\\n  --chunked-prefill-size 65536 \\\n"
                     "  --max-queued-requests 50 \\\n  --page-size 64 \\\n  --mem-fraction-static 0.86 \\\n"
                     "  --max-total-tokens 6400\n") &&
                Contains("vLLM's --gpu-memory-utilization for the same KV cache would be "));
  CHECK_THAT(launch_of({"cluster.pools.0.engine=sglang", "cluster.pools.0.scheduler=chunked"}),
             Contains("--enable-mixed-chunk"));
}

TEST_CASE("an even spread of layers is no variable, any other is") {
  CHECK_THAT(launch_of({"cluster.pools.0.layout={pipeline: 2}"}), !Contains("PARTITION"));
  CHECK_THAT(launch_of({"cluster.pools.0.layout={pipeline: 3}"}),
             Contains("VLLM_PP_LAYER_PARTITION=11,11,10 \\\nvllm serve"));
  CHECK_THAT(launch_of({"cluster.pools.0.layout={stage_layers: [12, 20]}", "cluster.pools.0.engine=sglang"}),
             Contains("SGLANG_PP_LAYER_PARTITION=12,20 \\\npython3"));
}

TEST_CASE("a MindIE pool is a config.json behind comments") {
  const std::string text =
      launch_of({"model=qwen3-30b-a3b", "max_context=16384", "cluster.pools.0.node=atlas-800-a2",
                 "cluster.pools.0.layout={tensor: 2, data: 2, expert: 4}", "cluster.pools.0.engine=mindie"});
  CHECK_THAT(text, Contains("# export NPU_MEMORY_FRACTION=0.8\n") && Contains("\"worldSize\": 4") &&
                       Contains("\"tp\": 2") && Contains("\"dp\": 2") && Contains("\"moe_tp\": 1") &&
                       Contains("\"moe_ep\": 4") && Contains("\"maxSeqLen\": 16384") &&
                       Contains("\"maxInputTokenLen\": 8192") && Contains("\"npuMemSize\": -1") &&
                       Contains("\"maxBatchSize\": 200") && Contains("\"maxPrefillTokens\": 8192") &&
                       Contains("\"cacheBlockSize\": 128") && Contains("MindIE refuses longer prompts"));
  const ConfigNode json = parse_json(text.substr(text.find("\n{") + 1), "config.json");
  CHECK(json.at({"BackendConfig", "npuDeviceIds", "0"})->items.size() == 4);
  CHECK(json.at({"BackendConfig", "ModelDeployConfig", "ModelConfig", "0", "modelWeightPath"})->scalar ==
        "/models/Qwen/Qwen3-30B-A3B");
}

TEST_CASE("what an engine cannot be told is refused at the pool") {
  CHECK(message({"cluster.pools.0.engine=trtllm"}) ==
        kRefused + "engine 'trtllm' has no launch that is known: its file names no family (vllm, sglang, mindie)");
  CHECK_THAT(message({"cluster.pools.0.engine=pytorch-loop"}),
             Contains("engine 'pytorch-loop' has no launch that is known"));
  CHECK(message({"cluster.pools.0.scheduler=prefill_first"}) ==
        kRefused + "vLLM has no flag for the scheduler 'prefill_first'; its own is 'chunked'");
  CHECK(message({"cluster.pools.0.engine.base=vllm", "cluster.pools.0.engine.block_size=24"}) != "");
  CHECK(message({"cluster.pools.0.engine={base: vllm, block_size: 24}"}) ==
        kRefused + "vLLM has no KV blocks of 24 tokens; make block_size 1, 8, 16, 32, 64, 128 or 256");
  CHECK(message({"model=qwen3-30b-a3b", "cluster.pools.0.layout={tensor: 4, expert: 2}"}) ==
        kRefused +
            "vLLM puts experts whole on all 4 ranks or cuts each over all, not in 2 shares; make layout.expert 1 or 4");
  CHECK(message({"cluster.pools.0.engine=sglang", "cluster.pools.0.layout={context: 2}"}) ==
        kRefused + "layout.context 2: no flag of SGLang is known that does it; make it 1");
  CHECK(message({"cluster.pools.0.engine=mindie", "cluster.pools.0.layout={pipeline: 2}"}) ==
        kRefused + "layout.pipeline 2: no key of MindIE's config.json is known that does it; make it 1");
  CHECK(message({"cluster.pools.0.node=atlas-800-a3", "cluster.pools.0.engine=vllm-ascend"}) ==
        "s.yaml:10:7: node: 'atlas-800-a3' counts packages and engines place ranks on dies; use 'atlas-800-a3-die', "
        "whose sizes "
        "are those of flags");
}

TEST_CASE("one pool of several is printed alone") {
  const Scenario scenario = read(kBare, {"cluster.pools=[{name: a, node: hgx-h100, engine: vllm}, "
                                         "{name: b, node: hgx-h20-96, engine: trtllm}]"});
  CHECK_THAT(launch_text(scenario, "a", kConfigs), Contains("Pool a of"));
  CHECK_THROWS_WITH(launch_text(scenario, "c", kConfigs), "--pool c: no such pool (known: a, b)");
  CHECK_THROWS_WITH(launch_text(scenario, "", kConfigs), Contains("engine 'trtllm'"));
}

}  // namespace
}  // namespace silicast::testing
