// Conversations with shared system prompts, with the columns of inference-sim's runs.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/io/table_file.hpp"
#include "sim/study/validation/readers.hpp"
#include "sim/study/validation/scenario_draft.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMaxTokens = 10'000'000, kBlock = 16;

ValidationCase read_row(const TableFile& row, const ReadContext& context, const std::string& path) {
  ValidationCase one;
  one.part = "multi_turn";
  one.id = fmt::format("{}:{}", std::filesystem::path(path).filename().string(), row.line());
  one.source = fmt::format("vLLM 0.15.1, {}", row.required_text("folder"));
  one.scenario_path = path;
  ScenarioDraft draft;
  Lookup lookup(context.names, one, draft);
  const std::string model = row.required_text("model");
  lookup.model(model);
  lookup.engine("vLLM 0.15.1");
  lookup.precision({model, "bf16"});
  Layout layout;
  layout.tensor = row.integer("tp", 1, 4096);
  lookup.machine(row.required_text("hardware"), layout);
  one.group = fmt::format("BLIS-{}", row.text("folder"));  // as reference points call it
  const std::pair<const char*, const char*> kTimes[] = {
      {"ttft_mean", "real_ttft_mean_ms"}, {"ttft_p90", "real_ttft_p90_ms"}, {"ttft_p99", "real_ttft_p99_ms"},
      {"e2e_mean", "real_e2e_mean_ms"},   {"e2e_p90", "real_e2e_p90_ms"},   {"e2e_p99", "real_e2e_p99_ms"},
      {"itl_mean", "real_itl_mean_ms"}};
  for (const auto& [metric, column] : kTimes) one.measured.push_back({metric, row.number(column) / 1e3});
  one.question = ServeQuestion{};
  // Whole blocks of the system prompt are in the prefix cache from the first turns on. Prompts here are what is left
  // to compute: their prefill is right within 1%; decodes miss the prefix's KV reads (README.md says how much).
  const std::int64_t cached = row.integer("system_prompt_len", 0, kMaxTokens) / kBlock * kBlock;
  const std::int64_t prompt =
      row.integer("system_prompt_len", 0, kMaxTokens) - cached + row.integer("question_len", 1, kMaxTokens);
  const std::string pieces = rate_stages(row.required_text("stages"));
  if (pieces.empty()) row.fail("stages", "must be like 5.0x600s;10.0x600s");
  draft.workload = fmt::format("{{arrivals: {{process: piecewise, pieces: [{}]}}, prompt: {}, output: {}}}", pieces,
                               fixed_lengths(prompt), fixed_lengths(row.integer("output_len", 1, kMaxTokens)));
  draft.engine_keys = fmt::format("max_sequences: {}, max_batched_tokens: {}", row.integer("max_num_seqs", 1, 1 << 20),
                                  row.integer("max_num_batched_tokens", 1, 1 << 24));
  draft.pool_keys = fmt::format("      kv_blocks: {}\n", row.integer("total_kv_blocks", 1, std::int64_t{1} << 40));
  draft.keys = "warmup: none\n";
  if (one.unsupported.empty()) one.scenario = draft.tree(one.id);
  return one;
}

}  // namespace

std::vector<ValidationCase> read_multi_turn(const std::string& path, const ReadContext& context) {
  TableFile table(path, {"folder", "model", "hardware", "tp", "max_num_seqs", "max_num_batched_tokens",
                         "total_kv_blocks", "system_prompt_len", "question_len", "output_len", "stages",
                         "num_users_per_system_prompt", "real_ttft_mean_ms", "real_ttft_p90_ms", "real_ttft_p99_ms",
                         "real_e2e_mean_ms", "real_e2e_p90_ms", "real_e2e_p99_ms", "real_itl_mean_ms"});
  std::vector<ValidationCase> cases;
  while (table.next()) cases.push_back(read_row(table, context, path));
  return cases;
}

}  // namespace silicast
