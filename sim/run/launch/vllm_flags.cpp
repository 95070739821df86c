// vLLM 0.9 to 0.19: vllm/engine/arg_utils.py (EngineArgs.add_cli_args, AsyncEngineArgs.add_cli_args),
// vllm/entrypoints/openai/cli_args.py (make_arg_parser) and vllm/entrypoints/cli/serve.py (ServeSubcommand), also shown
// on the page "vllm serve" of its documentation. Flags that came or went within these versions say so.
#include "sim/run/launch/vllm_flags.hpp"

namespace silicast {
namespace {

constexpr std::string_view kAddress = "where it listens", kApi = "what its API offers", kLog = "what it logs",
                           kFiles = "which files it loads and how", kText = "what is written, not how fast",
                           kAdapters = "adapters are not modelled",
                           kCompile =
                               "how kernels are compiled and launched; see "
                               "the engine's graph_tokens",
                           kPlace = "which process runs where", kImages = "images and audio are not modelled",
                           kPrefix = "a trace has its own ids of blocks",
                           kHost =
                               "how the host works; see the engine's "
                               "host times",
                           kElsewhere = "a KV cache outside the chips is not modelled";

constexpr FlagSpec kFlags[] = {
    // config/parallel.py
    {"--tensor-parallel-size -tp"},
    {"--pipeline-parallel-size -pp"},
    {"--data-parallel-size -dp"},
    {"--prefill-context-parallel-size -pcp"},  // 0.12 on
    {"--enable-expert-parallel -ep", Takes::kNothing},
    {"--enable-eplb", Takes::kNothing, "when experts are moved; how many copies they have is read"},
    {"--eplb-config"},            // 0.11 on
    {"--num-redundant-experts"},  // 0.9 and 0.10
    {"--all2all-backend"},        // 0.11 on; before: VLLM_ALL2ALL_BACKEND
    {"--enable-dbo", Takes::kNothing},
    {"--dbo-decode-token-threshold", Takes::kValue, "two batches, where on, are computed for any size"},
    {"--dbo-prefill-token-threshold", Takes::kValue, "two batches, where on, are computed for any size"},
    {"--decode-context-parallel-size -dcp", Takes::kValue,
     "the KV cache of latent attention shared out among tensor ranks is not modelled"},
    {"--data-parallel-size-local -dpl", Takes::kValue, kPlace},
    {"--data-parallel-rank -dpn", Takes::kValue, kPlace},
    {"--data-parallel-start-rank -dpr", Takes::kValue, kPlace},
    {"--data-parallel-address -dpa", Takes::kValue, kPlace},
    {"--data-parallel-rpc-port -dpp", Takes::kValue, kPlace},
    {"--data-parallel-backend -dpb", Takes::kValue, kPlace},
    {"--data-parallel-hybrid-lb", Takes::kNothing, kPlace},
    {"--data-parallel-external-lb", Takes::kNothing, kPlace},
    {"--distributed-executor-backend", Takes::kValue, kPlace},
    {"--nnodes", Takes::kValue, kPlace},
    {"--node-rank", Takes::kValue, kPlace},
    {"--master-addr", Takes::kValue, kPlace},
    {"--master-port", Takes::kValue, kPlace},
    {"--headless", Takes::kNothing, kPlace},
    {"--api-server-count -asc", Takes::kValue, kHost},
    {"--max-parallel-loading-workers", Takes::kValue, kFiles},
    {"--disable-custom-all-reduce", Takes::kNothing, "collectives are priced by the chip's calibration"},
    // config/model.py, config/load.py
    {"--model"},
    {"--max-model-len"},
    {"--quantization -q"},
    {"--dtype"},
    {"--tokenizer", Takes::kValue, kFiles},
    {"--tokenizer-mode", Takes::kValue, kFiles},
    {"--tokenizer-revision", Takes::kValue, kFiles},
    {"--trust-remote-code", Takes::kNothing, kFiles},
    {"--revision", Takes::kValue, kFiles},
    {"--code-revision", Takes::kValue, kFiles},
    {"--download-dir", Takes::kValue, kFiles},
    {"--load-format", Takes::kValue, kFiles},
    {"--config-format", Takes::kValue, kFiles},
    {"--hf-config-path", Takes::kValue, kFiles},
    {"--hf-token", Takes::kValue, kFiles},
    {"--model-loader-extra-config", Takes::kValue, kFiles},
    {"--ignore-patterns", Takes::kValues, kFiles},
    {"--hf-overrides", Takes::kValue, "a changed model needs a file of its own in configs/models"},
    {"--rope-scaling", Takes::kValue, "positions do not change the work; see --max-model-len"},
    {"--model-impl", Takes::kValue, "kernels are priced by the chip's calibration"},
    {"--seed", Takes::kValue, kText},
    {"--generation-config", Takes::kValue, kText},
    {"--override-generation-config", Takes::kValue, kText},
    {"--max-logprobs", Takes::kValue, kText},
    {"--logits-processors", Takes::kValues, kText},
    {"--enforce-eager", Takes::kNothing, kCompile},
    {"--disable-sliding-window", Takes::kNothing, "windows are those of the model"},
    {"--enable-sleep-mode", Takes::kNothing, kApi},
    {"--task", Takes::kValue, "text generation is what is modelled"},
    {"--runner", Takes::kValue, "text generation is what is modelled"},
    {"--convert", Takes::kValue, "text generation is what is modelled"},
    {"--served-model-name", Takes::kValues, kApi},
    {"--limit-mm-per-prompt", Takes::kValue, kImages},
    {"--mm-processor-kwargs", Takes::kValue, kImages},
    {"--mm-encoder-tp-mode", Takes::kValue, kImages},
    {"--allowed-local-media-path", Takes::kValue, kImages},
    // config/cache.py
    {"--block-size"},
    {"--gpu-memory-utilization"},
    {"--kv-cache-dtype"},
    {"--num-gpu-blocks-override"},
    {"--kv-cache-memory-bytes"},  // 0.11 on
    {"--enable-prefix-caching", Takes::kNothing},
    {"--prefix-caching-hash-algo", Takes::kValue, kPrefix},
    {"--calculate-kv-scales", Takes::kNothing, "scales of an FP8 KV cache cost nothing"},
    {"--swap-space", Takes::kValue, kElsewhere},
    {"--cpu-offload-gb", Takes::kValue, "weights outside the chips are not modelled"},
    {"--kv-transfer-config", Takes::kValue, kElsewhere},
    {"--kv-events-config", Takes::kValue, kLog},
    // config/scheduler.py
    {"--max-num-seqs"},
    {"--max-num-batched-tokens"},
    {"--long-prefill-token-threshold"},
    {"--enable-chunked-prefill", Takes::kNothing},
    {"--max-num-partial-prefills", Takes::kValue, "any number of prompts is in part computed"},
    {"--max-long-partial-prefills", Takes::kValue, "any number of prompts is in part computed"},
    {"--scheduling-policy", Takes::kValue, "first come, first served"},
    {"--async-scheduling", Takes::kNothing, kHost},
    {"--stream-interval", Takes::kValue, kHost},
    {"--disable-hybrid-kv-cache-manager", Takes::kNothing, "layers with a window keep what their window needs"},
    {"--num-scheduler-steps", Takes::kValue, kHost},
    // the others
    {"--speculative-config"},
    {"--compilation-config -cc -O", Takes::kValue, kCompile},
    {"-O0 -O1 -O2 -O3", Takes::kNothing, kCompile},
    {"--cuda-graph-sizes", Takes::kValues, kCompile},           // up to 0.11
    {"--cudagraph-capture-sizes", Takes::kValues, kCompile},    // 0.12 on
    {"--max-cudagraph-capture-size", Takes::kValue, kCompile},  // 0.12 on
    {"--attention-backend", Takes::kValue, "kernels are priced by the chip's calibration"},
    {"--additional-config", Takes::kValue, "settings of a platform's plugin are not read"},
    {"--enable-lora", Takes::kNothing, kAdapters},
    {"--lora-modules", Takes::kValues, kAdapters},
    {"--max-loras", Takes::kValue, kAdapters},
    {"--max-lora-rank", Takes::kValue, kAdapters},
    {"--max-cpu-loras", Takes::kValue, kAdapters},
    {"--reasoning-parser", Takes::kValue, kApi},
    {"--tool-call-parser", Takes::kValue, kApi},
    {"--enable-auto-tool-choice", Takes::kNothing, kApi},
    {"--tool-parser-plugin", Takes::kValue, kApi},
    {"--chat-template", Takes::kValue, kApi},
    {"--chat-template-content-format", Takes::kValue, kApi},
    {"--response-role", Takes::kValue, kApi},
    {"--enable-prompt-tokens-details", Takes::kNothing, kApi},
    {"--enable-server-load-tracking", Takes::kNothing, kApi},
    {"--enable-force-include-usage", Takes::kNothing, kApi},
    {"--return-tokens-as-token-ids", Takes::kNothing, kApi},
    {"--disable-frontend-multiprocessing", Takes::kNothing, kHost},
    {"--host", Takes::kValue, kAddress},
    {"--port", Takes::kValue, kAddress},
    {"--uds", Takes::kValue, kAddress},
    {"--root-path", Takes::kValue, kAddress},
    {"--api-key", Takes::kValues, kAddress},
    {"--allow-credentials", Takes::kNothing, kAddress},
    {"--allowed-origins", Takes::kValue, kAddress},
    {"--allowed-methods", Takes::kValue, kAddress},
    {"--allowed-headers", Takes::kValue, kAddress},
    {"--ssl-keyfile", Takes::kValue, kAddress},
    {"--ssl-certfile", Takes::kValue, kAddress},
    {"--ssl-ca-certs", Takes::kValue, kAddress},
    {"--middleware", Takes::kValue, kAddress},
    {"--uvicorn-log-level", Takes::kValue, kLog},
    {"--disable-uvicorn-access-log", Takes::kNothing, kLog},
    {"--disable-log-stats", Takes::kNothing, kLog},
    {"--disable-log-requests", Takes::kNothing, kLog},  // up to 0.10
    {"--enable-log-requests", Takes::kNothing, kLog},   // 0.10 on
    {"--max-log-len", Takes::kValue, kLog},
    {"--otlp-traces-endpoint", Takes::kValue, kLog},
    {"--show-hidden-metrics-for-version", Takes::kValue, kLog},
    {"--device", Takes::kValue, "the pool's node says it"},
    {"--config"},
};

}  // namespace

std::span<const FlagSpec> vllm_flags() {
  return kFlags;
}

}  // namespace silicast
