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

constexpr const char* kMetrics[] = {"ttft", "tpot", "e2e"};

void add_statistics(const std::string& metric, std::vector<double> values, std::vector<Measurement>& measured) {
  double sum = 0;
  for (const double value : values) sum += value;
  measured.push_back({metric + "_mean", sum / static_cast<double>(values.size())});
  std::sort(values.begin(), values.end());
  const std::pair<const char*, double> kQuantiles[] = {{"_median", 0.5}, {"_p90", 0.9}, {"_p99", 0.99}};
  for (const auto& [suffix, quantile] : kQuantiles)
    measured.push_back({metric + suffix, quantile_of_sorted(values, quantile)});
}

// An engine takes new requests in between iterations, so what it says of itself leaves out a wait that a client sees.
// Both clocks begin with the first request.
std::vector<Measurement> read_requests(const std::string& path) {
  TableFile table(path, {"queued_s", "last_token_s", "ttft_ms", "tpot_ms", "e2e_ms"}, {"client_arrival_s"});
  std::vector<double> values[std::size(kMetrics)];
  double first = std::numeric_limits<double>::infinity(), last = 0;
  while (table.next()) {
    const auto second = [&](const char* column) {
      double value = 0;
      if (!parse_number(table.required_text(column), value)) table.fail(column, "is not a number");
      return value;
    };
    const double queued = second("queued_s");
    const double waited = table.has("client_arrival_s") ? std::max(0.0, queued - second("client_arrival_s")) : 0;
    if (const auto ttft = table.maybe_number("ttft_ms")) values[0].push_back(*ttft / 1e3 + waited);
    if (const auto tpot = table.maybe_number("tpot_ms")) values[1].push_back(*tpot / 1e3);
    if (const auto e2e = table.maybe_number("e2e_ms")) values[2].push_back(*e2e / 1e3 + waited);
    first = std::min(first, queued);
    last = std::max(last, table.number("last_token_s"));
  }
  std::vector<Measurement> measured;
  for (std::size_t i = 0; i < std::size(kMetrics); ++i) {
    const std::string metric = kMetrics[i];
    if (values[i].empty()) throw InputError({path, 1, 0}, metric + "_ms", "no request has a value");
    add_statistics(metric, std::move(values[i]), measured);
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
  const std::string version = meta.required("vllm_version").text();
  one.source = fmt::format("vLLM {}, per request", version);
  ScenarioDraft draft;
  Lookup lookup(context.names, one, draft);
  lookup.model(meta.required("model").text());
  lookup.engine("vllm", version);
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
  draft.engine_keys = fmt::format("max_sequences: {}, max_batched_tokens: {}, host: {{per_request: 0 s}}",
                                  engine.required("max_num_seqs").integer(1, 1 << 20),
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
