// Throughput of speculative decoding by concurrency and draft length.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/io/table_file.hpp"
#include "sim/study/validation/readers.hpp"
#include "sim/study/validation/scenario_draft.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMaxClients = 1'000'000, kMaxDrafts = 32;

// Each client asks once, all at the same time, and answers end where the model ends them: only then do the longest
// answers, which run alone at the end, hold the throughput of many clients as far down as it was measured. How lengths
// were spread is not stated; chat answers vary about as much as they are long.
constexpr double kSpread = 0.6, kLongest = 2.4;  // coefficient of variation; the longest over the mean
constexpr std::int64_t kLoneRequests = 16;

ValidationCase read_row(const TableFile& row, const ReadContext& context, const std::string& path) {
  ValidationCase one;
  one.part = "drafting";
  one.id = fmt::format("{}:{}", std::filesystem::path(path).filename().string(), row.line());
  one.source = row.required_text("source");
  one.scenario_path = path;
  ScenarioDraft draft;
  Lookup lookup(context.names, one, draft);
  const std::int64_t drafts = row.maybe_integer("draft_k", 0, kMaxDrafts).value_or(0);
  lookup.model(row.required_text("model"));
  lookup.engine(row.required_text("engine"), drafts > 0 ? "drafting" : "");
  lookup.precision({row.required_text("dtype"), row.required_text("dtype").substr(0, 4)});
  lookup.machine(row.required_text("hardware"), Layout{});
  one.group = fmt::format("{} {} {} drafts", one.labels.chip, one.labels.model, drafts > 0 ? "with" : "without");
  one.measured = {{"output_throughput", row.number("output_tok_s")}};
  one.question = ServeQuestion{};
  if (drafts > 0)
    draft.pool_keys = fmt::format("      speculation: {{draft: eagle3-{}, tokens: {}, accepted: {}}}\n", draft.model,
                                  drafts, row.number("mean_accept_excl_bonus"));
  const std::int64_t clients = row.integer("concurrency", 1, kMaxClients);
  const double output = row.number("mean_out");
  draft.workload = fmt::format(
      "{{closed_loop: {{concurrency: {}, requests: {}}}, prompt: {{distribution: fixed, tokens: {:.0f}}}, output: "
      "{{distribution: lognormal, mean: {:.0f}, cv: {}, max: {:.0f}}}}}",
      clients, std::max(clients, kLoneRequests), row.number("mean_in"), output, kSpread, kLongest * output);
  draft.keys = "warmup: none\n";
  if (one.unsupported.empty()) one.scenario = draft.tree(one.id);
  return one;
}

}  // namespace

std::vector<ValidationCase> read_drafting(const std::string& path, const ReadContext& context) {
  TableFile table(path, {"hardware", "model", "engine", "dtype", "concurrency", "draft_k", "mean_accept_excl_bonus",
                         "mean_in", "mean_out", "output_tok_s", "source"});
  std::vector<ValidationCase> cases;
  while (table.next()) cases.push_back(read_row(table, context, path));
  return cases;
}

}  // namespace silicast
