// The folder of one run: every request with its times, the engine's settings, the workload to replay.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/io/config_reader.hpp"
#include "sim/io/table_file.hpp"
#include "sim/report/quantiles.hpp"
#include "sim/study/validation/readers.hpp"
#include "sim/study/validation/scenario_draft.hpp"

namespace silicast {
namespace {

// Column of requests.csv, metric, and the unit of the column in seconds.
struct Latency {
  const char* column;
  const char* metric;
};
constexpr Latency kLatencies[] = {{"ttft_ms", "ttft"}, {"tpot_ms", "tpot"}, {"e2e_ms", "e2e"}};

void add_statistics(const std::string& metric, std::vector<double> values, std::vector<Measurement>& measured) {
  double sum = 0;
  for (const double value : values) sum += value;
  measured.push_back({metric + "_mean", sum / static_cast<double>(values.size())});
  std::sort(values.begin(), values.end());
  const std::pair<const char*, double> kQuantiles[] = {{"_median", 0.5}, {"_p90", 0.9}, {"_p99", 0.99}};
  for (const auto& [suffix, quantile] : kQuantiles)
    measured.push_back({metric + suffix, quantile_of_sorted(values, quantile)});
}

std::vector<Measurement> read_requests(const std::string& path) {
  TableFile table(path, {"queued_s", "last_token_s", "ttft_ms", "tpot_ms", "e2e_ms"});
  std::vector<double> values[std::size(kLatencies)];
  double first = std::numeric_limits<double>::infinity(), last = 0;
  while (table.next()) {
    for (std::size_t i = 0; i < std::size(kLatencies); ++i)
      if (const auto value = table.maybe_number(kLatencies[i].column)) values[i].push_back(*value / 1e3);
    // The first request is queued at 0 of the run's own clock.
    double queued = 0;
    if (!parse_number(table.required_text("queued_s"), queued)) table.fail("queued_s", "is not a number");
    first = std::min(first, queued);
    last = std::max(last, table.number("last_token_s"));
  }
  std::vector<Measurement> measured;
  for (std::size_t i = 0; i < std::size(kLatencies); ++i) {
    if (values[i].empty()) throw InputError({path, 1, 0}, kLatencies[i].column, "no request has a value");
    add_statistics(kLatencies[i].metric, std::move(values[i]), measured);
  }
  measured.push_back({"makespan", last - first});
  return measured;
}

std::vector<CurvePoint> read_curve(const std::string& path) {
  std::vector<CurvePoint> curve;
  TableFile table(path, {"t", "running", "waiting"});
  while (table.next())
    curve.push_back({table.number("t"), static_cast<double>(table.integer("running", 0, 1 << 30)),
                     static_cast<double>(table.integer("waiting", 0, 1 << 30))});
  return curve;
}

std::int64_t degree(ConfigMap& map, const char* key) {
  const auto value = map.optional(key);
  return value ? value->integer(1, 4096) : 1;
}

}  // namespace

// meta.json has more keys than are asked for: it is the engine's, not ours.
std::vector<ValidationCase> read_request_run(const std::string& path, const ReadContext& context) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(path);
  const std::string name = folder.filename().string();
  ValidationCase one;
  one.part = "request_run";
  one.id = name;
  one.scenario_path = (folder / "meta.json").string();
  ConfigMap meta = ConfigValue::from_file(one.scenario_path).map();
  ConfigMap engine = meta.required("engine_kwargs").map();
  one.source = fmt::format("vLLM {}, per request", meta.required("vllm_version").text());
  ScenarioDraft draft;
  Lookup lookup(context.names, one, draft);
  lookup.model(meta.required("model").text());
  lookup.engine("vllm");
  const std::string type = engine.required("dtype").text(), kv = engine.required("kv_cache_dtype").text();
  lookup.precision({kv == "auto" ? type : fmt::format("{}, KV {}", type, kv)});
  Layout layout;
  layout.tensor = degree(engine, "tensor_parallel_size");
  layout.data = degree(engine, "data_parallel_size");
  layout.pipeline = degree(engine, "pipeline_parallel_size");
  const auto experts = engine.optional("enable_expert_parallel");
  if (experts && experts->boolean()) layout.expert = layout.devices();
  // The folder is named after the machine: RTXPRO6000_Llama-3.1-8B.
  lookup.machine(name.substr(0, name.find('_')), layout);
  one.group = name;
  one.measured = read_requests((folder / "requests.csv").string());
  ServeQuestion question;
  const fs::path series = folder / "timeseries.csv";
  if (fs::exists(series)) question.measured_curve = read_curve(series.string());
  one.question = std::move(question);
  draft.engine_keys =
      fmt::format("max_sequences: {}, max_batched_tokens: {}", engine.required("max_num_seqs").integer(1, 1 << 20),
                  engine.required("max_num_batched_tokens").integer(1, 1 << 24));
  draft.workload =
      "{trace: {format: jsonl, file: workload.jsonl, columns: {arrival: arrival_time_ns, prompt: input_toks, output: "
      "output_toks}, units: {arrival: ns}}}";
  if (one.unsupported.empty()) one.scenario = draft.tree(one.id);
  if (!fs::is_directory(folder / "profile")) return {one};
  ValidationCase tables = one;
  tables.id = name + ":tables";
  draft.pool_keys = "      perf: {measured: profile}\n";
  if (tables.unsupported.empty()) tables.scenario = draft.tree(tables.id);
  return {std::move(one), std::move(tables)};
}

}  // namespace silicast
