// Ascend serving rows, one figure each, with the columns of vllm-ascend's references: only what states its layout, its
// load and no speculation can be asked.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/io/table_file.hpp"
#include "sim/study/validation/readers.hpp"
#include "sim/study/validation/scenario_draft.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMaxTokens = 10'000'000, kMaxRequests = 1'000'000'000;

struct AscendMetric {
  std::string_view name, unit, metric;
  double factor;
};
constexpr AscendMetric kMetrics[] = {
    {"output_token_throughput", "token/s", "output_throughput", 1},
    {"total_token_throughput", "token/s", "total_throughput", 1},
    {"request_throughput", "req/s", "request_throughput", 1},
    {"ttft_mean", "ms", "ttft_mean", 1e-3},
    {"ttft_median", "ms", "ttft_median", 1e-3},
    {"ttft_p99", "ms", "ttft_p99", 1e-3},
    {"tpot_mean", "ms", "tpot_mean", 1e-3},
    {"tpot_median", "ms", "tpot_median", 1e-3},
    {"tpot_p99", "ms", "tpot_p99", 1e-3},
    {"itl_mean", "ms", "itl_mean", 1e-3},
    {"e2el_mean", "ms", "e2e_mean", 1e-3},
    {"e2el_median", "ms", "e2e_median", 1e-3},
    {"e2el_p99", "ms", "e2e_p99", 1e-3},
    {"benchmark_duration", "s", "makespan", 1},
};

// A length as a plain number of tokens; nullopt for images, mixes and benchmarks by name.
std::optional<std::int64_t> length_of(const TableFile& row, const char* column) {
  double value = 0;
  if (!parse_number(row.text(column), value) || value < 1 || value > kMaxTokens) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::string chat_lengths(std::int64_t mean) {
  constexpr std::int64_t kLongest = 1024;  // the sampler leaves longer prompts out
  return fmt::format("{{distribution: lognormal, mean: {}, cv: 1.1, max: {}}}", mean, std::max(kLongest, 2 * mean));
}

// The workload as YAML; empty where the load is not stated.
std::string workload_of(const TableFile& row, std::int64_t prompt, std::int64_t output) {
  const std::optional<std::int64_t> requests = row.maybe_integer("num_requests", 1, kMaxRequests);
  if (!requests) return "";
  // Chats of ShareGPT as vLLM's benchmark samples them: the mean is stated, and they vary as much as they are long.
  const bool chats = row.text("notes").find("ShareGPT") != std::string::npos;
  const auto length = [&](std::int64_t tokens) { return chats ? chat_lengths(tokens) : fixed_lengths(tokens); };
  const std::string lengths = fmt::format("prompt: {}, output: {}", length(prompt), length(output));
  const auto closed = [&](std::int64_t clients) {
    return fmt::format("{{closed_loop: {{concurrency: {}, requests: {}}}, {}}}", clients, *requests, lengths);
  };
  const std::string rate = row.text("request_rate");
  double per_second = 0;
  const bool is_rate = parse_number(rate, per_second) && per_second > 0;
  if (const auto clients = row.maybe_number("concurrency")) {
    // At most so many at once, and nothing else that holds them back.
    return rate.empty() || rate.starts_with("inf") ? closed(std::max<std::int64_t>(1, std::llround(*clients))) : "";
  }
  if (rate.starts_with("inf")) return closed(*requests);
  if (!is_rate) return "";
  return fmt::format("{{arrivals: {{process: poisson, rate: {} /s, requests: {}}}, {}}}", per_second, *requests,
                     lengths);
}

std::string engine_keys(const TableFile& row) {
  std::string keys;
  const auto sequences = row.maybe_integer("max_num_seqs", 1, 1 << 20);
  const auto tokens = row.maybe_integer("max_batched_tokens", 1, 1 << 24);
  if (sequences) keys = fmt::format("max_sequences: {}", *sequences);
  if (tokens) keys += fmt::format("{}max_batched_tokens: {}", keys.empty() ? "" : ", ", *tokens);
  return keys;
}

// The first thing that keeps a row from being asked, ahead of what names and layouts say.
std::string reason_against(const TableFile& row) {
  if (!row.text("spec_decode").empty()) return "speculation, whose acceptance is not stated";
  const auto share = row.text("prefix_share");
  if (!share.empty() && share != "0.0" && share != "0") return "a shared prefix, which is not modelled";
  if (row.text("parallelism").empty()) return "no layout is stated";
  if (row.text("hardware").starts_with("not stated")) return "the hardware is not stated";
  if (row.text("quantisation").empty()) return "the formats are not stated";
  if (row.text("notes").find("image") != std::string::npos) return "images are not modelled";
  if (!length_of(row, "input_len") || !length_of(row, "output_len")) return "the lengths are not stated as numbers";
  return "";
}

ValidationCase read_row(const TableFile& row, const ReadContext& context, const std::string& path) {
  ValidationCase one;
  one.part = "ascend";
  one.id = fmt::format("{}:{}", std::filesystem::path(path).filename().string(), row.line());
  one.source = fmt::format("{} ({}, {}, {})", row.text("source_path"), row.text("software_version"),
                           row.text("source_kind"), row.text("status"));
  one.scenario_path = path;
  one.unsupported = reason_against(row);
  ScenarioDraft draft;
  Lookup lookup(context.names, one, draft);
  lookup.model(row.required_text("model"));
  // Whole decodes as graphs only where the row, or CI's command, says so.
  lookup.engine("vllm-ascend", row.text("graph_mode").empty() ? row.text("software_version") : "");
  lookup.precision({row.text("quantisation")});
  const auto layout = parse_layout(row.text("parallelism"), context.names);
  const std::string* no_layout = std::get_if<std::string>(&layout);
  if (no_layout != nullptr && one.unsupported.empty()) one.unsupported = *no_layout;
  lookup.machine(row.text("hardware"), no_layout != nullptr ? Layout{} : std::get<Layout>(layout));
  // Superseded figures are of older, often slower software.
  one.group =
      fmt::format("ascend {} {} {} {}", one.labels.chip, one.labels.model, one.labels.precision, row.text("status"));
  one.question = ServeQuestion{};
  const auto metric = std::find_if(std::begin(kMetrics), std::end(kMetrics), [&](const AscendMetric& known) {
    return known.name == row.text("metric") && known.unit == row.text("unit");
  });
  if (metric == std::end(kMetrics)) {
    if (one.unsupported.empty())
      one.unsupported = fmt::format("metric '{}' in {}", row.text("metric"), row.text("unit"));
  } else if (const std::string text = row.text("value"); text == "-1.0") {
    one.unsupported = "no value";
  } else {
    one.measured = {{std::string(metric->metric), row.number("value") * metric->factor}};
  }
  if (!one.unsupported.empty()) return one;
  draft.workload = workload_of(row, *length_of(row, "input_len"), *length_of(row, "output_len"));
  if (draft.workload.empty()) one.unsupported = "the load is not stated (clients or rate, and the number of requests)";
  draft.engine_keys = engine_keys(row);
  draft.keys = "warmup: none\n";
  if (one.unsupported.empty()) one.scenario = draft.tree(one.id);
  return one;
}

}  // namespace

std::vector<ValidationCase> read_ascend_rows(const std::string& path, const ReadContext& context) {
  TableFile table(path, {"model",        "quantisation", "hardware",         "npu_devices",        "parallelism",
                         "input_len",    "output_len",   "prefix_share",     "concurrency",        "request_rate",
                         "num_requests", "spec_decode",  "max_num_seqs",     "max_batched_tokens", "metric",
                         "value",        "unit",         "software_version", "source_kind",        "status",
                         "source_path",  "notes"},
                  {"graph_mode"});
  std::vector<ValidationCase> cases;
  while (table.next()) cases.push_back(read_row(table, context, path));
  return cases;
}

}  // namespace silicast
