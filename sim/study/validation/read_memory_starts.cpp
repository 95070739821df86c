// What vLLM logged of its memory when it started, one row a start, on H100-80GB with gpu_memory_utilization 0.95.
#include <fmt/format.h>

#include <filesystem>

#include "sim/io/table_file.hpp"
#include "sim/study/validation/readers.hpp"
#include "sim/study/validation/scenario_draft.hpp"

namespace silicast {
namespace {

constexpr double kGib = 1024.0 * 1024.0 * 1024.0;

// With the activation peak and the memory outside of the allocator that the start printed: weights, KV sizes and the
// engine's rule are what is compared.
ValidationCase read_row(const TableFile& row, const ReadContext& context, const std::string& path) {
  ValidationCase one;
  one.part = "memory_start";
  one.id = fmt::format("{}:{}", std::filesystem::path(path).filename().string(), row.line());
  one.source = "vLLM 0.19, log of a start";
  one.group = "KV memory of vLLM starts";
  one.scenario_path = path;
  ScenarioDraft draft;
  Lookup lookup(context.names, one, draft);
  const std::string model = row.required_text("model"), kv = row.required_text("kv_cache_dtype");
  lookup.model(model);
  lookup.engine("vllm");
  const std::string quantised = row.required_text("quantization");
  if (kv != "auto")
    lookup.precision({fmt::format("{}, KV {}", model, kv)});
  else if (quantised != "None")
    lookup.precision({model});
  else
    lookup.precision({row.required_text("dtype")});
  Layout layout;
  layout.tensor = row.integer("tp", 1, 4096);
  layout.pipeline = row.integer("pp", 1, 4096);
  lookup.machine("H100", layout);
  one.measured = {{"kv_memory", row.number("kv_cache_gib") * kGib},
                  {"kv_tokens", static_cast<double>(row.integer("kv_cache_tokens", 1, std::int64_t{1} << 40))}};
  one.question = MemoryQuestion{};
  draft.keys = fmt::format("max_context: {}\n", row.integer("max_model_len", 2, 100'000'000));
  draft.engine_keys = "memory: {utilisation: 0.95}";
  draft.pool_keys = fmt::format("      memory: {{activation: {} GiB, runtime: {} GiB}}\n", row.number("activation_gib"),
                                row.number("non_torch_forward_gib"));
  draft.workload = lone_request();
  if (one.unsupported.empty()) one.scenario = draft.tree(one.id);
  return one;
}

}  // namespace

std::vector<ValidationCase> read_memory_starts(const std::string& path, const ReadContext& context) {
  TableFile table(path, {"model", "tp", "pp", "max_model_len", "dtype", "quantization", "kv_cache_dtype",
                         "activation_gib", "non_torch_forward_gib", "kv_cache_gib", "kv_cache_tokens"});
  std::vector<ValidationCase> cases;
  while (table.next()) cases.push_back(read_row(table, context, path));
  return cases;
}

}  // namespace silicast
