// Sweeps of benchmark_serving with the columns of InferenceX's results: closed loop, medians and p99 of each metric.
#include <fmt/format.h>

#include <filesystem>

#include "sim/io/table_file.hpp"
#include "sim/study/validation/readers.hpp"
#include "sim/study/validation/scenario_draft.hpp"

namespace silicast {
namespace {

constexpr double kShortest = 0.8;  // as in closed-loop rows, unless the measured token rates say otherwise
constexpr std::int64_t kMaxTokens = 10'000'000, kMaxClients = 1'000'000, kMaxRequests = 1'000'000'000;

// The share of the nominal length that prompts had at least, from the mean that the throughput gives away: lengths are
// uniform between it and the nominal one.
double shortest_of(const TableFile& row, std::int64_t prompt) {
  const std::optional<double> tokens = row.maybe_number("input_throughput_tps");
  if (!tokens) return kShortest;
  const double mean = *tokens / row.number("request_throughput_rps") / static_cast<double>(prompt);
  return mean > 0.975 ? 1 : kShortest;
}

ValidationCase read_row(const TableFile& row, const ReadContext& context, const std::string& path) {
  ValidationCase one;
  one.part = "sweep";
  one.id = fmt::format("{}:{}", std::filesystem::path(path).filename().string(), row.line());
  one.source = fmt::format("InferenceX, {} ({})", row.required_text("engine"), row.text("date"));
  one.scenario_path = path;
  ScenarioDraft draft;
  Lookup lookup(context.names, one, draft);
  lookup.model(row.required_text("model"));
  lookup.engine(row.required_text("engine"));
  // The checkpoint's own formats.
  one.labels.precision = "as stored";
  const auto layout = parse_layout(row.required_text("parallelism"), context.names);
  if (const std::string* reason = std::get_if<std::string>(&layout)) one.unsupported = *reason;
  const Layout* degrees = std::get_if<Layout>(&layout);
  lookup.machine(row.required_text("hardware"), degrees != nullptr ? *degrees : Layout{});
  if (!row.text("spec_decode").empty()) one.unsupported = "speculation whose acceptance is not stated";
  one.group = fmt::format("{} {} {}", one.labels.chip, one.labels.model, one.labels.engine);
  const std::int64_t prompt = row.integer("isl", 1, kMaxTokens), output = row.integer("osl", 1, kMaxTokens);
  const std::int64_t clients = row.integer("concurrency", 1, kMaxClients);
  const std::int64_t requests = row.integer("num_prompts", 1, kMaxRequests);
  if (row.integer("completed", 0, kMaxRequests) < requests) one.unsupported = "not all requests completed";
  const std::pair<const char*, const char*> kTimes[] = {{"ttft_median", "ttft_median_ms"}, {"ttft_p99", "ttft_p99_ms"},
                                                        {"tpot_median", "tpot_median_ms"}, {"tpot_p99", "tpot_p99_ms"},
                                                        {"e2e_median", "e2e_median_ms"},   {"e2e_p99", "e2e_p99_ms"}};
  for (const auto& [metric, column] : kTimes) one.measured.push_back({metric, row.number(column) / 1e3});
  one.measured.push_back({"output_throughput", row.number("output_throughput_tps")});
  one.measured.push_back({"request_throughput", row.number("request_throughput_rps")});
  one.question = ServeQuestion{};
  const double shortest = shortest_of(row, prompt);
  draft.workload = fmt::format("{{closed_loop: {{concurrency: {}, requests: {}}}, prompt: {}, output: {}}}", clients,
                               requests, uniform_lengths(prompt, shortest), uniform_lengths(output, shortest));
  draft.keys = "warmup: none\n";
  if (one.unsupported.empty()) one.scenario = draft.tree(one.id);
  return one;
}

}  // namespace

std::vector<ValidationCase> read_sweep(const std::string& path, const ReadContext& context) {
  TableFile table(path, {"model",
                         "hardware",
                         "engine",
                         "parallelism",
                         "spec_decode",
                         "isl",
                         "osl",
                         "concurrency",
                         "num_prompts",
                         "completed",
                         "request_throughput_rps",
                         "input_throughput_tps",
                         "output_throughput_tps",
                         "ttft_median_ms",
                         "ttft_p99_ms",
                         "tpot_median_ms",
                         "tpot_p99_ms",
                         "e2e_median_ms",
                         "e2e_p99_ms",
                         "date"});
  std::vector<ValidationCase> cases;
  while (table.next()) cases.push_back(read_row(table, context, path));
  return cases;
}

}  // namespace silicast
