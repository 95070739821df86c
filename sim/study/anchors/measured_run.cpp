#include "sim/study/anchors/measured_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <limits>

#include "sim/base/fingerprint.hpp"
#include "sim/io/input_file.hpp"
#include "sim/io/line_reader.hpp"
#include "sim/io/quantity_text.hpp"

namespace silicast {
namespace {

// One number of a file: where it stands, what it is of.
struct Key {
  std::string_view path;    // "metrics.time_to_first_token_ms.successful.mean"
  std::string_view metric;  // of metric.hpp
  double unit = 1;          // base units in one of the file's
};

constexpr double kMs = 1e-3;

constexpr Key kVllm[] = {{"mean_ttft_ms", "ttft_mean", kMs},
                         {"median_ttft_ms", "ttft_median", kMs},
                         {"p99_ttft_ms", "ttft_p99", kMs},
                         {"mean_tpot_ms", "tpot_mean", kMs},
                         {"median_tpot_ms", "tpot_median", kMs},
                         {"p99_tpot_ms", "tpot_p99", kMs},
                         {"mean_itl_ms", "itl_mean", kMs},
                         {"mean_e2el_ms", "e2e_mean", kMs},
                         {"median_e2el_ms", "e2e_median", kMs},
                         {"mean_e2e_latency_ms", "e2e_mean", kMs},  // SGLang's names
                         {"median_e2e_latency_ms", "e2e_median", kMs},
                         {"request_throughput", "request_throughput"},
                         {"output_throughput", "output_throughput"}};

// Its inter-token latency is a mean over requests, as TPOT is elsewhere; its time per output token counts the first.
constexpr Key kGuideLlm[] = {{"metrics.time_to_first_token_ms.successful.mean", "ttft_mean", kMs},
                             {"metrics.time_to_first_token_ms.successful.median", "ttft_median", kMs},
                             {"metrics.time_to_first_token_ms.successful.percentiles.p99", "ttft_p99", kMs},
                             {"metrics.inter_token_latency_ms.successful.mean", "tpot_mean", kMs},
                             {"metrics.inter_token_latency_ms.successful.median", "tpot_median", kMs},
                             {"metrics.inter_token_latency_ms.successful.percentiles.p99", "tpot_p99", kMs},
                             {"metrics.request_latency.successful.mean", "e2e_mean"},
                             {"metrics.requests_per_second.successful.mean", "request_throughput"},
                             {"metrics.output_tokens_per_second.successful.mean", "output_throughput"}};

constexpr Key kAiperf[] = {{"time_to_first_token.avg", "ttft_mean", kMs},
                           {"time_to_first_token.p50", "ttft_median", kMs},
                           {"time_to_first_token.p99", "ttft_p99", kMs},
                           {"inter_token_latency.avg", "tpot_mean", kMs},
                           {"inter_token_latency.p50", "tpot_median", kMs},
                           {"inter_token_latency.p99", "tpot_p99", kMs},
                           {"request_latency.avg", "e2e_mean", kMs},
                           {"request_throughput.avg", "request_throughput"},
                           {"output_token_throughput.avg", "output_throughput"}};

const ConfigNode* node_at(const ConfigNode& root, std::string_view path) {
  const ConfigNode* node = &root;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const ConfigEntry* entry = node->find(path.substr(0, dot));
    if (entry == nullptr) return nullptr;
    node = &entry->value;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return node;
}

std::string text_at(const ConfigNode& root, std::string_view path) {
  const ConfigNode* node = node_at(root, path);
  return node != nullptr ? node->scalar : "";
}

// Positive, or nothing: clients write 0, null, NaN or "inf" where there is nothing to say.
std::optional<double> number_at(const ConfigNode& root, std::initializer_list<std::string_view> paths) {
  for (const std::string_view path : paths) {
    double value = 0;
    if (parse_number(text_at(root, path), value) && value > 0) return value;
  }
  return std::nullopt;
}

// Python writes NaN and Infinity as bare words, which are no JSON.
std::string without_bare_words(const std::string& text) {
  std::string result;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\' && i + 1 < text.size()) {
      result += text.substr(i++, 2);
      continue;
    }
    if (text[i] == '"') quoted = !quoted;
    bool replaced = false;
    if (!quoted)
      for (const std::string_view word : {"-Infinity", "Infinity", "NaN"})
        if (!replaced && text.compare(i, word.size(), word) == 0)
          result += "null", i += word.size() - 1, replaced = true;
    if (!replaced) result += text[i];
  }
  return result;
}

std::string signature_of(const std::string& bytes) {
  Fingerprint hash;
  hash.add_text(bytes);
  return fmt::format("{:016x}", hash.value());
}

std::string date_of(std::chrono::sys_days day) {
  const std::chrono::year_month_day date{day};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

// "20261127-190455", "2026-11-27T19:04:55" or seconds since 1970, as the clients write it.
std::string date_of(const std::string& text, const std::string& path) {
  const auto digits = std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  const std::string day = text.substr(0, 10);
  const auto day_digits = std::count_if(day.begin(), day.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (day.size() == 10 && day[4] == '-' && day[7] == '-' && day_digits == 8) return day;
  if (text.size() == 15 && text[8] == '-' && digits == 14)
    return fmt::format("{}-{}-{}", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2));
  double seconds = 0;
  if (parse_number(text, seconds) && seconds > 1e9 && seconds < 1e10)
    return date_of(std::chrono::floor<std::chrono::days>(
        std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(seconds)))));
  const auto changed = std::chrono::file_clock::to_sys(std::filesystem::last_write_time(path));
  return date_of(std::chrono::floor<std::chrono::days>(changed));
}

template <std::size_t n>
void take(MeasuredRun& run, const ConfigNode& root, const Key (&keys)[n]) {
  for (const Key& key : keys)
    if (const auto value = number_at(root, {key.path}); value && run.figure(key.metric) == nullptr)
      run.figures.push_back({std::string(key.metric), *value * key.unit});
}

void take_vllm(MeasuredRun& run, const ConfigNode& root, const std::string& path) {
  run.format = root.find("mean_e2e_latency_ms") != nullptr ? "sglang" : "vllm";
  take(run, root, kVllm);
  run.requests = number_at(root, {"completed"});
  const auto asked = number_at(root, {"num_prompts"});
  if (asked && run.requests.value_or(0) < *asked)
    throw InputError({path, 0, 0}, "completed",
                     fmt::format("{:g} of {:g} requests failed; an anchor needs a run that served all of them",
                                 *asked - run.requests.value_or(0), *asked));
  const auto prompts = number_at(root, {"total_input_tokens"}), outputs = number_at(root, {"total_output_tokens"});
  if (run.requests && prompts) run.prompt = *prompts / *run.requests;
  if (run.requests && outputs) run.output = *outputs / *run.requests;
  run.concurrency = number_at(root, {"max_concurrency"});
  run.rate = number_at(root, {"request_rate"});
  run.date = date_of(text_at(root, "date"), path);
}

void take_guidellm(MeasuredRun& run, const ConfigNode& root, const std::string& path) {
  run.format = "guidellm";
  take(run, root, kGuideLlm);
  run.requests = number_at(root, {"metrics.request_totals.successful", "request_totals.successful"});
  if (const auto failed = number_at(root, {"metrics.request_totals.errored", "request_totals.errored"}))
    throw InputError({path, 0, 0}, "request_totals",
                     fmt::format("{:g} requests failed; an anchor needs a run that served all of them", *failed));
  run.prompt = number_at(root, {"metrics.prompt_token_count.successful.mean"});
  run.output = number_at(root, {"metrics.output_token_count.successful.mean"});
  run.concurrency = number_at(root, {"args.strategy.streams", "config.strategy.streams"});
  run.rate = number_at(root, {"args.strategy.rate", "config.strategy.rate"});
  run.date = date_of(text_at(root, "start_time"), path);
}

void take_aiperf(MeasuredRun& run, const ConfigNode& root, const std::string& path) {
  run.format = "aiperf";
  const ConfigNode* records = node_at(root, "records");  // of some versions
  const ConfigNode& figures = records != nullptr ? *records : root;
  take(run, figures, kAiperf);
  if (const std::string unit = text_at(figures, "time_to_first_token.unit"); !unit.empty() && unit != "ms")
    throw InputError({path, 0, 0}, "time_to_first_token.unit", fmt::format("is '{}', not ms", unit));
  if (const auto failed = number_at(figures, {"error_request_count.avg"}))
    throw InputError({path, 0, 0}, "error_request_count",
                     fmt::format("{:g} requests failed; an anchor needs a run that served all of them", *failed));
  run.requests = number_at(figures, {"request_count.avg"});
  run.prompt = number_at(figures, {"input_sequence_length.avg"});
  run.output = number_at(figures, {"output_sequence_length.avg"});
  run.concurrency = number_at(root, {"input_config.loadgen.concurrency"});
  run.rate = number_at(root, {"input_config.loadgen.request_rate"});
  run.date = date_of(text_at(root, "start_time"), path);
}

std::string read_text(const std::string& path) {
  if (const std::string problem = input_problem(path); !problem.empty()) throw InputError({path, 0, 0}, "", problem);
  const std::unique_ptr<std::istream> file = open_text_file(path, {path, 0, 0}, "");
  return std::string(std::istreambuf_iterator<char>(*file), {});
}

// The documents of a file: JSON Lines where it is called so, else one. Each stands on its line, for messages.
std::vector<std::string> documents(const std::string& path, const std::string& text) {
  if (!path.ends_with(".jsonl")) return {text};
  std::vector<std::string> documents;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (text.find_first_not_of(" \t\r", begin) < end)
      documents.push_back(std::string(number, '\n') + text.substr(begin, end - begin));
    begin = end + 1;
  }
  return documents;
}

std::size_t chosen(std::size_t runs, std::optional<std::int64_t> which, const std::string& path) {
  if (runs == 0) throw InputError({path, 0, 0}, "", "holds no run");
  if (!which && runs > 1)
    throw InputError({path, 0, 0}, "", fmt::format("holds {} runs; choose one by --run 1 to {}", runs, runs));
  if (which && (*which < 1 || *which > static_cast<std::int64_t>(runs)))
    throw InputError({path, 0, 0}, "", fmt::format("has no run {}: it holds {}", *which, runs));
  return static_cast<std::size_t>(which.value_or(1)) - 1;
}

}  // namespace

const Measurement* MeasuredRun::figure(std::string_view metric) const {
  const auto found =
      std::find_if(figures.begin(), figures.end(), [&](const Measurement& one) { return one.metric == metric; });
  return found == figures.end() ? nullptr : &*found;
}

MeasuredRun read_measured_run(const std::string& path, std::optional<std::int64_t> which) {
  const std::string text = read_text(path);
  const std::vector<std::string> all = documents(path, text);
  const std::size_t line = path.ends_with(".jsonl") ? chosen(all.size(), which, path) : 0;
  const ConfigNode root = parse_json(without_bare_words(all[line]), path);
  MeasuredRun run;
  run.signature = signature_of(text);
  const ConfigNode* benchmarks = node_at(root, "benchmarks");
  if (benchmarks != nullptr && benchmarks->kind == ConfigNode::Kind::kList) {
    take_guidellm(run, benchmarks->items[chosen(benchmarks->items.size(), which, path)], path);
  } else if (node_at(root, "mean_ttft_ms") != nullptr || node_at(root, "output_throughput") != nullptr) {
    take_vllm(run, root, path);
  } else if (node_at(root, "time_to_first_token.avg") != nullptr ||
             node_at(root, "records.time_to_first_token.avg") != nullptr) {
    take_aiperf(run, root, path);
  } else {
    throw InputError({path, 0, 0}, "",
                     "is no result of a benchmark that is known: vLLM's and SGLang's have 'mean_ttft_ms', GuideLLM's "
                     "'benchmarks', AIPerf's 'time_to_first_token'");
  }
  const bool any = std::any_of(run.figures.begin(), run.figures.end(),
                               [](const Measurement& one) { return one.metric != "request_throughput"; });
  if (!any) throw InputError({path, 0, 0}, "", "holds no TTFT, no time per output token and no throughput");
  return run;
}

}  // namespace silicast
