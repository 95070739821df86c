// Hand-written launch commands and what they say.
#include "scenario_for_tests.hpp"
#include "sim/run/launch/launch.hpp"

namespace silicast::testing {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

std::string yaml_of(const std::string& launch, const LaunchReading& reading) {
  return read_launch(launch, "l.sh", reading);
}

PoolScenario pool_of(const std::string& launch, const std::string& node = "hgx-h200",
                     const std::vector<std::string>& settings = {}) {
  const std::string yaml = yaml_of(launch, {kConfigs, node, "", settings});
  return read_scenario(parse_config(yaml, "s.yaml"), "s.yaml", {kConfigs, {}}, Fit::kReported).pools[0];
}

std::string message(const std::string& launch, const LaunchReading& reading = {kConfigs, "hgx-h200"}) {
  try {
    yaml_of(launch, reading);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("a vLLM command says layout, limits, memory and formats") {
  const PoolScenario pool = pool_of(R"(#!/bin/bash
# serves the chat
export VLLM_LOGGING_LEVEL=INFO
MODEL=Qwen/Qwen3-32B
VLLM_PP_LAYER_PARTITION=20,44 vllm serve "$MODEL" \
  -tp 4 --pipeline_parallel_size=2 \
  --max-num-seqs 64 --max-num-batched-tokens=4k --long-prefill-token-threshold 1024 \
  --max-model-len 16K --block-size 32 --gpu-memory-utilization .85 \
  --quantization fp8 --kv-cache-dtype fp8_e4m3 --num-gpu-blocks-override 5000 \
  --port 8000 > log 2>&1
)");
  CHECK(pool.plan.tensor == 4);
  CHECK(pool.plan.stage_layers == std::vector<std::int32_t>{20, 44});
  const EngineLimits limits = pool.engine.limits();
  CHECK(limits.max_sequences == 64);
  CHECK(limits.max_batched_tokens == 4000);
  CHECK(limits.max_chunk == 1024);
  CHECK(limits.block_size == 32);
  CHECK(pool.engine.name == "vllm");
  CHECK(pool.engine.memory.utilisation.value == 0.85);
  CHECK(pool.precision.weights == NumberFormat::kFp8);
  CHECK(pool.precision.activations == NumberFormat::kFp8);
  CHECK(pool.precision.kv == NumberFormat::kFp8);
  CHECK(pool.kv_blocks == 5000);
  CHECK(pool.nodes == 1);
  CHECK(pool.replicas == 1);
}

TEST_CASE("vLLM's experts lie whole on all ranks with expert parallelism and are cut over them without") {
  const std::string command = "vllm serve deepseek-ai/DeepSeek-R1 -tp 2 -dp 8";
  const PoolScenario cut = pool_of(command);
  CHECK((cut.plan.tensor == 2 && cut.plan.data == 8 && cut.plan.expert == 1));
  CHECK(cut.nodes == 2);
  CHECK(cut.engine.parallel.exchange == ExpertExchange::kAllGather);
  const PoolScenario whole =
      pool_of(command +
              " --enable-expert-parallel --all2all-backend deepep_low_latency --enable-dbo "
              "--enable-eplb --eplb-config '{\"num_redundant_experts\": 32, \"window_size\": 100}'");
  CHECK(whole.plan.expert == 16);
  CHECK(whole.plan.redundant_experts == 32);
  CHECK(whole.engine.parallel.exchange == ExpertExchange::kAllToAll);
  CHECK(whole.engine.parallel.two_batches);
  CHECK(pool_of("VLLM_ALL2ALL_BACKEND=naive " + command).engine.parallel.exchange == ExpertExchange::kAllGather);
}

TEST_CASE("data-parallel ranks of a dense model are copies of it") {
  const PoolScenario pool = pool_of("vllm serve Qwen/Qwen3-8B -tp 2 --data-parallel-size 6");
  CHECK(pool.plan.data == 1);
  CHECK(pool.replicas == 6);
  CHECK(pool.nodes == 2);
  CHECK(pool_of("python3 -m sglang.launch_server --model Qwen/Qwen3-8B --tp 2 --dp 4").replicas == 4);
}

TEST_CASE("an engine's defaults are those on the chip: smaller batches on small ones, its plugin on Ascend") {
  CHECK(pool_of("vllm serve Qwen/Qwen3-8B").engine.limits().max_sequences == 1024);
  CHECK(pool_of("vllm serve Qwen/Qwen3-8B", "hgx-a100").engine.name == "vllm-small");
  CHECK(pool_of("vllm serve Qwen/Qwen3-8B", "atlas-800-a2").engine.name == "vllm-ascend");
  // vLLM lowers its own default to what an iteration has room for.
  CHECK(pool_of("vllm serve Qwen/Qwen3-8B --max-num-batched-tokens 512").engine.limits().max_sequences == 512);
}

TEST_CASE("speculation needs to be told how much is accepted where no table knows it") {
  const std::string mtp =
      "vllm serve deepseek-ai/DeepSeek-R1 -tp 8 --speculative-config "
      "'{\"method\": \"deepseek_mtp\", \"num_speculative_tokens\": 1}'";
  CHECK(message(mtp) ==
        "l.sh:1:63: --speculative-config: no launch says how many drafted tokens are accepted; give it by --set "
        "cluster.pools.0.speculation.accepted=1.2");
  const PoolScenario pool = pool_of(mtp, "hgx-h200", {"cluster.pools.0.speculation.accepted=0.8"});
  CHECK((pool.speculation.draft == "mtp" && pool.speculation.tokens == 1 && pool.speculation.accepted.value == 0.8));
  const PoolScenario eagle = pool_of(
      "python3 -m sglang.launch_server --model-path meta-llama/Llama-3.1-8B-Instruct --speculative-algorithm EAGLE3 "
      "--speculative-draft-model-path yuhuili/EAGLE3-LLaMA3.1-Instruct-8B --speculative-num-steps 3 "
      "--speculative-eagle-topk 1 --speculative-num-draft-tokens 4");
  CHECK(eagle.engine.name == "sglang-drafting");
  CHECK((eagle.speculation.draft == "eagle3-llama-3.1-8b" && eagle.speculation.tokens == 3));
}

TEST_CASE("SGLang's sizes and limits of all data-parallel groups become those of one") {
  const PoolScenario pool = pool_of(
      "python3 -m sglang.launch_server --model-path deepseek-ai/DeepSeek-V3 --tp-size 16 --dp-size 8 "
      "--enable-dp-attention "
      "--moe-a2a-backend deepep --ep-num-redundant-experts 32 --max-running-requests 1024 --chunked-prefill-size 65536 "
      "--mem-fraction-static 0.8 --page-size 64 --kv-cache-dtype fp8_e4m3 --max-queued-requests 100 "
      "--max-total-tokens 64000 --enable-two-batch-overlap");
  CHECK((pool.plan.tensor == 2 && pool.plan.data == 8 && pool.plan.expert == 16 && pool.plan.redundant_experts == 32));
  CHECK(pool.engine.name == "sglang-ep");
  const EngineLimits limits = pool.engine.limits();
  CHECK((limits.max_sequences == 128 && limits.max_batched_tokens == 8192 && limits.max_waiting == 100));
  CHECK(limits.block_size == 64);
  CHECK(pool.kv_blocks == 1000);
  CHECK(pool.engine.memory.utilisation.value == 0.8);
  CHECK(pool.scheduler->name == "prefill_first");
  CHECK(pool_of("sglang serve --model-path Qwen/Qwen3-8B --enable-mixed-chunk").scheduler->name == "chunked");
}

const std::string kMindie = R"({
  "ServerConfig": {"ipAddress": "127.0.0.1", "port": 1025},
  "BackendConfig": {
    "backendName": "mindieservice_llm_engine", "modelInstanceNumber": 1, "npuDeviceIds": [[0, 1, 2, 3]],
    "ModelDeployConfig": {
      "maxSeqLen": 8192, "maxInputTokenLen": 4096, "truncation": false,
      "ModelConfig": [{"modelName": "qwen", "modelWeightPath": "/data/Qwen3-32B/", "worldSize": 4, "npuMemSize": -1,
        "plugin_params": ""}]},
    "ScheduleConfig": {"cacheBlockSize": 128, "maxPrefillBatchSize": 50, "maxPrefillTokens": 4096, "maxBatchSize": 96,
      "maxIterTimes": 512, "supportSelectBatch": true}}
})";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("a config.json of MindIE says layout and limits, lines before it the share of memory") {
  const PoolScenario pool = pool_of("# export NPU_MEMORY_FRACTION=0.92\n" + kMindie, "atlas-800-a2");
  CHECK(pool.engine.name == "mindie");
  CHECK(pool.plan.tensor == 4);
  const EngineLimits limits = pool.engine.limits();
  CHECK((limits.max_sequences == 96 && limits.max_batched_tokens == 4096 && limits.block_size == 128));
  CHECK(pool.engine.memory.utilisation.value == 0.92);
  CHECK(pool.scheduler->name == "prefill_first");
  const std::string yaml = yaml_of(kMindie, {kConfigs, "atlas-800-a2"});
  CHECK_THAT(yaml, Contains("max_context: 8192") && Contains("ScheduleConfig.supportSelectBatch (l.sh:10)") &&
                       Contains("ScheduleConfig.maxPrefillBatchSize 50 (l.sh:9)") && Contains("maxIterTimes 512") &&
                       Contains("ModelDeployConfig.maxInputTokenLen") && Contains("config.json.ServerConfig (l.sh:2)"));
}

TEST_CASE("MindIE's sizes are those of the world, its memory is in GiB") {
  std::string text =
      with(kMindie, "\"worldSize\": 4", "\"worldSize\": 16, \"dp\": 4, \"tp\": 4, \"moe_tp\": 2, \"moe_ep\": 8");
  text = with(text, "/data/Qwen3-32B/", "/data/Qwen3-30B-A3B");
  text = with(text, "\"npuMemSize\": -1", "\"npuMemSize\": 2");
  const PoolScenario pool = pool_of(text, "atlas-800-a3-die");
  CHECK((pool.plan.tensor == 4 && pool.plan.data == 4 && pool.plan.expert == 8 && pool.plan.expert_tensor() == 2));
  CHECK(pool.kv_blocks == (std::int64_t{2} << 30) /
                              (128 * 48 * 2 * 128 * 2));  // tokens, layers, K and V, head size, bytes: a head a rank
  CHECK(message(with(text, "\"tp\": 4", "\"tp\": 2"), {kConfigs, "atlas-800-a3-die"}) ==
        "l.sh:7:119: tp: tp x dp x cp is 8 where worldSize says 16");
  CHECK(message(with(text, "\"moe_tp\": 2", "\"moe_tp\": 4"), {kConfigs, "atlas-800-a3-die"}) ==
        "l.sh:7:132: moe_tp: moe_tp x moe_ep is 32 where tp x dp x cp is 16");
  CHECK(message(with(text, "\"moe_tp\": 2, \"moe_ep\": 8", "\"moe_tp\": 3"), {kConfigs, "atlas-800-a3-die"}) ==
        "l.sh:7:132: moe_tp: 3 does not divide the 16 chips of tp x dp x cp");
  CHECK(message(with(text, "maxBatchSize", "maxBatchSiz"), {kConfigs, "atlas-800-a3-die"}) ==
        "l.sh:9:100: ScheduleConfig.maxBatchSiz: unknown key; did you mean 'maxBatchSize'?");
}

TEST_CASE("caches of prompts are switched off as they were launched") {
  CHECK_THAT(yaml_of("vllm serve Qwen/Qwen3-8B --no-enable-prefix-caching\n", {kConfigs, "hgx-h200"}),
             Contains("prefix_cache: false"));
  CHECK_THAT(yaml_of("python3 -m sglang.launch_server --model-path Qwen/Qwen3-8B --disable-radix-cache\n",
                     {kConfigs, "hgx-h200"}),
             Contains("prefix_cache: false"));
  CHECK_THAT(yaml_of("vllm serve Qwen/Qwen3-8B --enable-prefix-caching\n", {kConfigs, "hgx-h200"}),
             !Contains("prefix_cache"));
}

TEST_CASE("what silicast does not model is listed, and what else the text holds") {
  const std::string yaml = yaml_of(
      "set -e\nFOO=1 vllm serve Qwen/Qwen3-8B --prefix-caching-hash-algo sha256 --frobnicate 3 \\\n --host 0.0.0.0\n",
      {kConfigs, "hgx-h200"});
  CHECK_THAT(yaml,
             StartsWith("# Read from l.sh: 1 copy on 1 x hgx-h200.\n") &&
                 Contains("#   --prefix-caching-hash-algo sha256 (l.sh:2): a trace has its own ids of blocks\n") &&
                 Contains("#   --frobnicate 3 (l.sh:2): silicast does not know this flag\n") &&
                 Contains("#   --host 0.0.0.0 (l.sh:3): where it listens\n") &&
                 Contains("#   FOO=1 (l.sh:2): variables of the environment are not read\n") &&
                 Contains("#   set (l.sh:1): a command that is not read\n"));
}

TEST_CASE("a flag's value cannot end the comment that lists it") {
  const std::string yaml = yaml_of("vllm serve Qwen/Qwen3-8B --host 'a\nname: x\rname: y'", {kConfigs, "hgx-h200"});
  CHECK_THAT(yaml, Contains("#   --host 'a name: x name: y' (l.sh:1): where it listens\n"));
}

TEST_CASE("models are found by repository, folder, cache and name") {
  for (const char* model : {"Qwen/Qwen3-32B", "qwen/qwen3-32b", "/data/models/Qwen3-32B/", "./qwen3-32b",
                            "/root/.cache/huggingface/hub/models--Qwen--Qwen3-32B/snapshots/0a1b"})
    CHECK_THAT(yaml_of(std::string("vllm serve ") + model, {kConfigs, "hgx-h200"}), Contains("model: qwen3-32b\n"));
  CHECK_THAT(
      message("vllm serve Qwen/Qwen3-33B"),
      StartsWith("l.sh:1:12: the model: no model of the catalogue is published as 'Qwen/Qwen3-33B'; did you mean "
                 "'Qwen/Qwen3-32B'?"));
  CHECK_THAT(message("vllm serve somebody/Qwen3-32B-AWQ"),
             Contains("name the one of its shape by --model, or add it to"));
  const std::string yaml = yaml_of("vllm serve somebody/Qwen3-32B-AWQ -q awq", {kConfigs, "hgx-h200", "qwen3-32b"});
  CHECK_THAT(yaml, Contains("weights: int4"));
}

TEST_CASE("a value that a flag cannot have is refused at its place, with the flag") {
  const std::string start = "vllm serve Qwen/Qwen3-32B ";
  const auto of = [&](const std::string& flags) { return message(start + flags); };
  CHECK(of("-tp four") == "l.sh:1:31: --tensor-parallel-size: 'four' is not a whole number");
  CHECK(of("-tp=0") == "l.sh:1:31: --tensor-parallel-size: '0' must be a whole number from 1 to 4096");
  CHECK(of("-tp") == "l.sh:1:27: --tensor-parallel-size: needs a value");
  CHECK(of("-tp 3") ==
        "l.sh:1:31: --tensor-parallel-size: tensor 3 does not divide the 64 query heads of qwen3-32b "
        "(possible: 1, 2, 4, 8, 16, 32, 64)");
  CHECK(of("-pp 12") ==
        "l.sh:1:31: --pipeline-parallel-size: "
        "a replica of 12 chips neither fits on a node of hgx-h200 (8 chips) nor fills whole nodes");
  CHECK(of("--tensor-paralel-size 4") ==
        "l.sh:1:27: --tensor-paralel-size: unknown flag; did you mean '--tensor-parallel-size'?");
  CHECK(of("--gpu-memory-utilization 90") == "l.sh:1:52: --gpu-memory-utilization: '90' must be over 0 and at most 1");
  CHECK(of("--max-model-len 1M") == "l.sh:1:43: --max-model-len: '1048576' must be a whole number from 2 to 40960");
  CHECK(of("--max-model-len 1.5") ==
        "l.sh:1:43: --max-model-len: '1.5' is not a whole number (with k, m, g or K, M, G behind it, at most)");
  CHECK(of("--block-size 24") ==
        "l.sh:1:40: --block-size: vLLM has no blocks of 24 tokens (it has 1, 8, 16, 32, 64, 128, 256)");
  CHECK(of("-tp 4 --tensor-parallel-size 8") ==
        "l.sh:1:56: --tensor-parallel-size: is '8' here and '4' at line 1; leave one out");
  CHECK(of("--enable-chunked-prefill --no-enable-chunked-prefill") ==
        "l.sh:1:52: --enable-chunked-prefill: is off here and on at line 1; leave one out");
  CHECK(of("--model Qwen/Qwen3-8B") ==
        "l.sh:1:12: 'Qwen/Qwen3-32B' is served here and 'Qwen/Qwen3-8B' by --model; leave one out");
  CHECK(of("--enable-expert-parallel") ==
        "l.sh:1:27: --enable-expert-parallel: qwen3-32b has no experts; leave it out");
  CHECK(of("--enable-dbo=true") == "l.sh:1:27: --enable-dbo: takes no value, 'true' is given");
  CHECK(of("--max-num-seqs 512 --max-num-batched-tokens 256") ==
        "l.sh:1:42: --max-num-seqs: 512 sequences are more than the 256 tokens of an iteration, which vLLM refuses; "
        "raise "
        "--max-num-batched-tokens");
  CHECK(
      of("--speculative-config '{\"method\": }'").starts_with("l.sh:1:48: --speculative-config:1:12: not valid JSON"));
  CHECK(of("--speculative-config.method mtp") ==
        "l.sh:1:27: --speculative-config.method: give all of --speculative-config as one JSON text");
  CHECK(of("--config f.yaml") ==
        "l.sh:1:36: --config: flags within a file are not read here; put them on the command line");
  CHECK(of("stray") == "l.sh:1:27: 'stray' belongs to no flag");
  CHECK(of("--quantization compressed-tensors") ==
        "l.sh:1:42: --quantization: the checkpoint says its formats, and qwen3-32b is published in bf16; give them by "
        "--set "
        "'cluster.pools.0.precision={weights: int8, activations: int8}' or name a quantised model by --model");
  CHECK(message("vllm serve openai/gpt-oss-120b -q fp8") ==
        "l.sh:1:35: --quantization: gpt-oss-120b is published with weights in bf16 and experts in mxfp4; leave it out, "
        "or name "
        "another model by --model");
}

TEST_CASE("what is no launch says what is due") {
  const std::string due = "'vllm serve ...', 'python3 -m sglang.launch_server ...' or a config.json of MindIE is due";
  CHECK(message("") == "l.sh: nothing is in it; " + due);
  CHECK(message("# only\n\n") == "l.sh: nothing is in it; " + due);
  CHECK(message("echo hello") == "l.sh: no launch is in it; " + due);
  CHECK(message("A=1") == "l.sh: no command is in it; " + due);
  CHECK(message(std::string("vllm\0serve", 10)) == "l.sh: not a text file (it holds NUL bytes)");
  CHECK_THAT(message("vllm serve \xff"), Contains("not UTF-8 text"));
  CHECK(message("vllm serve a; vllm serve b") ==
        "l.sh:1:15: a second launch command begins here; give one (launch --pool NAME prints one)");
  CHECK_THAT(message("vllm serve Qwen/Qwen3-8B", {kConfigs}),
             StartsWith("l.sh:1:1: a launch does not say what it runs on; give --node NODE (known: "));
  CHECK(message("vllm serve -tp 2") == "l.sh:1:1: no model is named; give --model NAME");
  CHECK(message("vllm serve Qwen/Qwen3-8B", {kConfigs, "atlas-800-a3"}) ==
        "--node atlas-800-a3: node: 'atlas-800-a3' counts packages and engines place ranks on dies; use "
        "'atlas-800-a3-die', whose "
        "sizes are those of flags");
  CHECK_THAT(message("{\"BackendConfig\": "), StartsWith("l.sh:1:") && Contains("not valid JSON"));
  CHECK(message("{}") == "l.sh:1:1: missing key 'BackendConfig'");
}

TEST_CASE("the comment of a printed launch is read strictly") {
  const std::string start = "vllm serve Qwen/Qwen3-8B\n";
  CHECK(message(start + "# silicast: {node: hgx-h200, nod: 2}")
            .starts_with("l.sh:2:30: nod: unknown key; did you mean 'node'?"));
  CHECK_THAT(message(start + "# silicast: {node: hgx-h20}", {kConfigs}),
             StartsWith("l.sh:2:20: node: unknown node 'hgx-h20'"));
  CHECK(message(start + "# silicast: {node: hgx-h200, engine: sglang}") ==
        "l.sh:2:38: engine: engine 'sglang' is not of the family vllm");
  // Another node takes the numbers of nodes and the engine with it.
  const std::string yaml = yaml_of(
      start + "# silicast: {node: atlas-800-a2, nodes: 3, replicas: 16, engine: vllm-ascend}", {kConfigs, "hgx-h200"});
  CHECK_THAT(yaml, Contains("node: hgx-h200") && Contains("nodes: 2") && Contains("replicas: 16") &&
                       Contains("engine: vllm\n"));
}

}  // namespace
}  // namespace silicast::testing
