// Closed-loop rows with the columns of aiconfigurator's silicon samples.
#include <fmt/format.h>

#include <filesystem>

#include "sim/io/table_file.hpp"
#include "sim/study/validation/readers.hpp"
#include "sim/study/validation/scenario_draft.hpp"

namespace silicast {
namespace {

// InferenceX practice: lengths uniform in 80-100% of nominal, ten requests per client. Its warm-up requests are a run
// of their own that ends before the clock starts, so all clients ask at once at time 0 of an idle engine.
constexpr double kShortest = 0.8;
constexpr std::int64_t kRequestsPerClient = 10;
// NVIDIA's own runs ("gap-analysis run") name fixed lengths; around the nominal ones fit better than all alike, which
// would keep the clients in step for ever.
constexpr double kAround = 0.1;

constexpr std::int64_t kMaxTokens = 10'000'000, kMaxClients = 1'000'000, kMaxDegree = 4096;

// Of the replicas that one name of columns begins with.
Layout read_layout(const TableFile& row, const std::string& prefix, ValidationCase& one) {
  const auto degree = [&](const char* column) { return row.maybe_integer(prefix + column, 1, kMaxDegree).value_or(1); };
  Layout layout;
  layout.tensor = prefix.empty() ? row.integer("tp_size", 1, kMaxDegree) : degree("tp_size");
  layout.data = degree("attention_dp_size");
  layout.expert = degree("moe_ep_size");
  const std::int64_t expert_ranks = degree("moe_tp_size") * layout.expert;
  if (expert_ranks > 1 && expert_ranks != layout.tensor * layout.data)
    one.unsupported = fmt::format("experts on {} ranks, attention on {}", expert_ranks, layout.tensor * layout.data);
  return layout;
}

ValidationCase read_row(const TableFile& row, const ReadContext& context, const std::string& path) {
  ValidationCase one;
  one.part = "closed_loop";
  one.id = fmt::format("{}:{}", std::filesystem::path(path).filename().string(), row.line());
  one.source = fmt::format("{} ({} {})", row.required_text("id"), row.required_text("backend"),
                           row.text("backend_version").empty() ? "of unknown version" : row.text("backend_version"));
  one.scenario_path = path;
  ScenarioDraft draft;
  Lookup lookup(context.names, one, draft);
  lookup.model(row.required_text("model_path"));
  const std::string version = row.text("backend_version").empty() ? "of unknown version" : row.text("backend_version");
  const std::string machine = fmt::format("on {}", row.required_text("system"));
  const bool own = context.names.engine(fmt::format("{} {}", row.text("backend"), machine)) != nullptr;
  lookup.engine(row.required_text("backend"), own ? machine : version);
  // The row says the format of GEMMs; what the model's checkpoint and the engine make of the rest may have an entry.
  const std::string gemm = row.text("gemm_quant_mode").empty() ? "not stated" : row.text("gemm_quant_mode");
  const std::string of_engine = fmt::format("{} {}", row.text("backend"), gemm);
  lookup.precision({fmt::format("{} {}", row.text("model_path"), of_engine), of_engine, gemm});
  const std::string mode = row.required_text("mode");
  const std::int64_t prompt = row.integer("isl", 1, kMaxTokens), output = row.integer("osl", 1, kMaxTokens);
  const std::int64_t clients = row.integer("concurrency", 1, kMaxClients);
  const std::string system = row.required_text("system");
  if (mode == "agg") {
    lookup.machine(system, read_layout(row, "", one));
  } else if (mode == "disagg") {
    const auto prefills = row.maybe_integer("prefill_num_workers", 1, kMaxDegree);
    const auto decodes = row.maybe_integer("decode_num_workers", 1, kMaxDegree);
    if (prefills && decodes) {
      lookup.machine(system, read_layout(row, "decode_", one), *decodes);
      lookup.prefill(system, read_layout(row, "prefill_", one), *prefills);
    } else {
      lookup.machine(system, Layout{});
      one.unsupported = "how many replicas prefill and decode is not stated";
    }
  } else {
    row.fail("mode", fmt::format("'{}' is neither agg nor disagg", mode));
  }
  one.group = fmt::format("{} {} {} {}{}", one.labels.chip, one.labels.model, one.labels.engine, one.labels.precision,
                          mode == "disagg" ? " disaggregated" : "");
  one.measured = {{"ttft_mean", row.number("silicon_ttft_ms") / 1e3},
                  {"tpot_mean", row.number("silicon_tpot_ms") / 1e3}};
  one.question = ServeQuestion{};
  const bool own_run = row.text("origin_kind").find("gap-analysis") != std::string::npos;
  const auto lengths = [&](std::int64_t tokens) {
    return own_run ? lengths_around(tokens, kAround) : uniform_lengths(tokens, kShortest);
  };
  draft.workload = fmt::format("{{closed_loop: {{concurrency: {}, requests: {}}}, prompt: {}, output: {}}}", clients,
                               kRequestsPerClient * clients, lengths(prompt), lengths(output));
  // TensorRT-LLM's own runs had a batch limit of the clients' number and one slot less in use (TTFT holds osl / (c - 1)
  // iterations more).
  if (own_run && row.text("backend") == "trtllm" && clients > 1)
    draft.engine_keys = fmt::format("max_sequences: {}", clients - 1);
  draft.keys = "warmup: none\n";
  if (one.unsupported.empty()) one.scenario = draft.tree(one.id);
  return one;
}

}  // namespace

std::vector<ValidationCase> read_closed_loop(const std::string& path, const ReadContext& context) {
  TableFile table(path,
                  {"id", "model_path", "system", "backend", "backend_version", "gemm_quant_mode", "mode", "isl", "osl",
                   "concurrency", "tp_size", "attention_dp_size", "moe_ep_size", "silicon_ttft_ms", "silicon_tpot_ms"},
                  {"moe_tp_size", "origin_kind", "prefill_num_workers", "prefill_tp_size", "prefill_attention_dp_size",
                   "prefill_moe_tp_size", "prefill_moe_ep_size", "decode_num_workers", "decode_tp_size",
                   "decode_attention_dp_size", "decode_moe_tp_size", "decode_moe_ep_size"});
  std::vector<ValidationCase> cases;
  while (table.next()) cases.push_back(read_row(table, context, path));
  return cases;
}

}  // namespace silicast
