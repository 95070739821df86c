// One forward pass each, with the columns of msmodeling's baselines.
#include <fmt/format.h>

#include <filesystem>

#include "sim/io/table_file.hpp"
#include "sim/study/validation/readers.hpp"
#include "sim/study/validation/scenario_draft.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMaxTokens = 10'000'000, kMaxQueries = 1'000'000, kMaxDegree = 4096;

// Queries of a few tokens over a context are decodes that verify drafts, which were drafted before this pass.
IterationQuestion question_of(std::int64_t queries, std::int64_t tokens, std::int64_t context) {
  constexpr std::int64_t kMostDrafts = 16;
  IterationQuestion question;
  if (tokens <= 1 + kMostDrafts && context > 0) {
    question.batch.decode_sequences = static_cast<std::int32_t>(queries);
    question.batch.kv_length = context + tokens;
    question.drafts = static_cast<std::int32_t>(tokens - 1);
  } else {
    question.batch.prefill_tokens = static_cast<std::int32_t>(tokens);
    question.batch.prefill_context = context;
    question.prompts = static_cast<std::int32_t>(queries);
  }
  return question;
}

ValidationCase read_row(const TableFile& row, const ReadContext& context, const std::string& path) {
  ValidationCase one;
  one.part = "forward_pass";
  one.id = fmt::format("{}:{}", std::filesystem::path(path).filename().string(), row.line());
  one.source = row.required_text("case");
  one.scenario_path = path;
  ScenarioDraft draft;
  Lookup lookup(context.names, one, draft);
  lookup.model(row.required_text("model"));
  lookup.engine("forward pass");
  const std::string attention = row.required_text("quant_attention"), linear = row.required_text("quant_linear");
  lookup.precision({attention == "DISABLED" ? linear : fmt::format("{}, KV {}", linear, attention)});
  Layout layout;
  layout.tensor = row.integer("tp", 1, kMaxDegree);
  layout.data = row.maybe_integer("dp", 1, kMaxDegree).value_or(1);
  layout.expert = row.maybe_integer("ep", 1, kMaxDegree).value_or(1);
  lookup.machine(row.required_text("device"), layout);
  if (!row.text("image").empty()) one.unsupported = "images are not modelled";
  one.group = fmt::format("forward pass {} {}", one.labels.chip, one.labels.model);
  one.measured = {{"iteration_time", row.number("baseline_time_ms") / 1e3}};
  // Queries of the whole instance; each attention rank has its share.
  const std::int64_t queries = row.integer("num_queries", 1, kMaxQueries);
  one.question = question_of((queries + draft.layout.data - 1) / draft.layout.data,
                             row.integer("query_len", 1, kMaxTokens), row.integer("context_len", 0, kMaxTokens));
  auto& pass = std::get<IterationQuestion>(one.question);
  pass.drafting = pass.drafts > 0 && row.maybe_integer("num_mtp_tokens", 0, 16).value_or(0) > 0;
  draft.workload = lone_request();
  if (one.unsupported.empty()) one.scenario = draft.tree(one.id);
  return one;
}

}  // namespace

std::vector<ValidationCase> read_forward_passes(const std::string& path, const ReadContext& context) {
  TableFile table(path,
                  {"case", "model", "device", "tp", "dp", "ep", "quant_linear", "quant_attention", "num_queries",
                   "query_len", "context_len", "image", "baseline_time_ms"},
                  {"num_mtp_tokens"});
  std::vector<ValidationCase> cases;
  while (table.next()) cases.push_back(read_row(table, context, path));
  return cases;
}

}  // namespace silicast
