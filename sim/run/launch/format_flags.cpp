#include "sim/run/launch/format_flags.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/run/launch/formats.hpp"

namespace silicast {
namespace {

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void write_formats(const PoolScenario& pool, const FormatFlags& names, LaunchParts& parts) {
  SaidFormats said = say_formats(pool.precision, pool.replica.model);
  // On Ascend nothing is quantised while it loads: "ascend" of vLLM-Ascend is for checkpoints that ModelSlim made.
  const bool ascend = pool.chip.software == "CANN" && (!said.formats.quantisation.empty() || !said.whole);
  if (ascend) {
    said.whole = false;
    const bool told = pool.engine.family != "vllm" || pool.precision.weights == pool.replica.model.weight_format;
    said.formats.quantisation = told ? "" : "ascend";
  }
  if (!said.formats.dtype.empty())
    parts.command.push_back(fmt::format("--dtype {}", said.formats.dtype == "fp16" ? "float16" : "bfloat16"));
  if (!said.formats.quantisation.empty()) {
    parts.command.push_back(fmt::format("--quantization {}", said.formats.quantisation));
    if (!ascend)
      parts.notes.push_back(
          "--quantization fp8: weights are quantised while they load; a checkpoint in FP8 needs no flag");
  }
  if (!said.formats.kv.empty()) parts.command.push_back(fmt::format("--kv-cache-dtype {}", names.kv_fp8));
  if (said.whole) return;
  put(parts.unsaid, "precision", precision_node(pool.precision, pool.replica.model));
  parts.notes.push_back(fmt::format("no flag: {}; serve a checkpoint in these formats in place of {}",
                                    describe(pool.precision, pool.replica.model), weights_of(pool.replica.model)));
}

void read_formats(const Flags& flags, const FormatFlags& names, LaunchedPool& pool) {
  if (const auto dtype = flags.choice("--dtype", {"auto", "half", "float16", "bfloat16", "float", "float32"})) {
    if (dtype->value == "float" || dtype->value == "float32")
      dtype->fail("no engine serves in FP32 worth simulating; use bfloat16 or float16");
    if (dtype->value != "auto")
      pool.dtype = Said<std::string>{dtype->value == "bfloat16" ? "bf16" : "fp16", dtype->mark, dtype->by};
  }
  if (const auto kv = flags.choice("--kv-cache-dtype", names.kv_types); kv && kv->value.starts_with("fp8"))
    pool.kv = Said<std::string>{"fp8", kv->mark, kv->by};
  const auto how = flags.text("--quantization");
  if (!how) return;
  // What a checkpoint was quantised by, or how to do it now; most names do not say to which formats.
  std::string formats = "checkpoint";
  if (among(names.fp8, how->value)) formats = "fp8";
  if (among(names.int8, how->value)) formats = "int8";
  if (how->value.starts_with("awq") || how->value.starts_with("gptq")) {
    formats = "int4";
    pool.notes.push_back(fmt::format("--quantization {} ({}): weights in 4 bits, as most such checkpoints are",
                                     shell_word(how->value), place_of(how->mark)));
  }
  pool.quantisation = Said<std::string>{formats, how->mark, how->by};
}

}  // namespace silicast
