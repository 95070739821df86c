// Published end-to-end measurements of many sources, one figure each: as many as state model, machine, layout, formats,
// lengths and load in a form that is known.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <regex>

#include "sim/io/table_file.hpp"
#include "sim/study/validation/readers.hpp"
#include "sim/study/validation/reference_load.hpp"
#include "sim/study/validation/scenario_draft.hpp"

namespace silicast {
namespace {

// The system prompt that conversations share, in whole blocks: it is in the prefix cache.
constexpr std::int64_t kCachedPrefix = 96;

struct ReferenceMetric {
  std::string_view name, metric;
  double factor;
  bool per_chip = false;
};
constexpr ReferenceMetric kServed[] = {{"output_throughput_total", "output_throughput", 1},
                                       {"output_throughput_per_gpu", "output_throughput", 1, true},
                                       {"ttft_mean_ms", "ttft_mean", 1e-3},
                                       {"ttft_ms", "ttft_mean", 1e-3},
                                       {"kv_transfer_ms", "transfer_mean", 1e-3},
                                       {"ttft_p99_ms", "ttft_p99", 1e-3},
                                       {"tpot_mean_ms", "tpot_mean", 1e-3},
                                       {"itl_mean_ms", "itl_mean", 1e-3},
                                       {"e2e_mean_ms", "e2e_mean", 1e-3},
                                       {"e2e_p99_ms", "e2e_p99", 1e-3}};

// What steps that check drafts give beside their own token, in the words of their sources.
struct Acceptance {
  std::string_view words;
  std::int64_t drafts;
  double accepted;
};
constexpr Acceptance kAcceptances[] = {{"MTP 1 token, 70% accept", 1, 0.7},
                                       {"1.44 of 3", 3, 1.44},
                                       {"0.7 of 1", 1, 0.7},
                                       {"0.7 accepted of 1", 1, 0.7},
                                       // Ant's H20 blog: 1.8 to 1.9 tokens a step, one of them drafted.
                                       {"steps 1, draft 2", 1, 0.85}};

// "467 (avg)" is 467; nullopt for "-".
std::optional<std::int64_t> length_of(const std::string& text) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  const std::string number = text.substr(0, digits);
  if (number.empty() || number.size() > 8 || number == "0") return std::nullopt;
  return std::stoll(number);
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

class Point {
 public:
  Point(const TableFile& row, const ReadContext& context, const std::string& path) : row_(row), context_(context) {
    one_.part = "reference_point";
    one_.id = fmt::format("{}:{}", std::filesystem::path(path).filename().string(), row.line());
    one_.source = fmt::format("{}: {}", row.required_text("id"), row.text("source"));
    one_.group = row.required_text("group");
    one_.scenario_path = path;
  }

  ValidationCase read() {
    refuse(reason_against());
    Lookup lookup(context_.names, one_, draft_);
    lookup.model(row_.required_text("model"));
    lookup.engine(row_.required_text("engine_version"), fmt::format("on {}", row_.text("hardware")));
    lookup.precision({row_.text("precision")});
    place(lookup);
    // Sources that count packages of several ranks of ours.
    if (holds(row_.text("hardware"), "910C") && holds(one_.labels.chip, "-die")) packaged_ = 2;
    if (const auto stated = length_of(row_.text("chips")); stated && static_cast<double>(*stated) * packaged_ != chips_)
      refuse(fmt::format("layout '{}' has {} chips, the row {}", row_.text("parallelism"), chips_, *stated));
    if (one_.unsupported.empty()) ask(parse_reference_load(row_.text("load")));
    if (one_.unsupported.empty()) one_.scenario = draft_.tree(one_.id);
    return std::move(one_);
  }

 private:
  void refuse(const std::string& reason) {
    if (one_.unsupported.empty()) one_.unsupported = reason;
  }

  // "1P TP8 + 2D TP4" are replicas that prefill and others that decode.
  void place(Lookup& lookup) {
    static const std::regex kRoles(R"((\d{1,4})P (.{1,99}) \+ (\d{1,4})D (.{1,99}))");
    const std::string text = row_.text("parallelism"), hardware = row_.required_text("hardware");
    std::smatch found;
    if (text.size() > 250 || !std::regex_match(text, found, kRoles)) {
      lookup.machine(hardware, layout_of(text));
      chips_ = static_cast<double>(draft_.chips());
      return;
    }
    lookup.machine(hardware, layout_of(found[4]), std::stoll(found[3]));
    lookup.prefill(hardware, layout_of(found[2]), std::stoll(found[1]));
    prefill_chips_ = static_cast<double>(draft_.prefill.value_or(DraftPool{}).chips());
    chips_ = static_cast<double>(draft_.chips()) + prefill_chips_;
  }

  Layout layout_of(const std::string& text) {
    const auto layout = parse_layout(text, context_.names);
    if (const std::string* reason = std::get_if<std::string>(&layout)) {
      refuse(*reason);
      return {};
    }
    return std::get<Layout>(layout);
  }

  std::string reason_against() const {
    const std::string id = row_.text("id"), mode = row_.text("serving_mode"), notes = row_.text("notes");
    if (mode == "micro-benchmark") return "a kernel, no serving figure";
    if (id.starts_with("vadoc") || id.starts_with("vaci")) return "a row of the Ascend table";
    if (holds(notes, "EAGLE") || holds(notes, "MTP steps")) return "speculation, whose acceptance is not stated";
    return "";
  }

  void ask(const ReferenceLoad& load) {
    if (draft_.prefill && (std::holds_alternative<PrefillPass>(load) || std::holds_alternative<DecodePass>(load)))
      return refuse("one pass of two pools");
    if (const auto* pass = std::get_if<PrefillPass>(&load)) return ask_prefill(*pass);
    if (const auto* pass = std::get_if<DecodePass>(&load)) return ask_decode(*pass);
    const auto metric = std::find_if(std::begin(kServed), std::end(kServed),
                                     [&](const ReferenceMetric& known) { return known.name == row_.text("metric"); });
    const auto prompt = length_of(row_.text("input_len"));
    auto output = length_of(row_.text("output_len"));
    if (std::holds_alternative<std::monostate>(load)) return refuse(fmt::format("load '{}'", row_.text("load")));
    const auto prefilled = per_chip("prefill_throughput");
    if (metric == std::end(kServed) && !prefilled) return refuse(fmt::format("metric '{}'", row_.text("metric")));
    // What comes before the first token does not depend on those after it; one makes no transfer.
    if (!output && prompt && metric != std::end(kServed) &&
        (metric->metric == "ttft_mean" || metric->metric == "transfer_mean"))
      output = 2;
    if (!prompt || !output) return refuse("the lengths are not stated");
    one_.measured = {{"input_throughput", prefilled.value_or(0) * (draft_.prefill ? prefill_chips_ : chips_)}};
    if (metric != std::end(kServed))
      one_.measured = {
          {std::string(metric->metric), row_.number("value") * metric->factor * (metric->per_chip ? chips_ : 1)}};
    ServeQuestion question;
    const bool conversation = holds(row_.text("input_len"), "shared system");
    const std::string lengths =
        fmt::format("prompt: {}, output: {}", fixed_lengths(conversation ? *prompt - kCachedPrefix : *prompt),
                    fixed_lengths(*output));
    if (const auto* staged = std::get_if<StagedLoad>(&load))
      draft_.workload = staged_workload(*staged, lengths, question);
    else
      draft_.workload = counted_workload(load, *prompt, *output, lengths);
    one_.question = question;
    draft_.keys = "warmup: none\n";
    if (holds(row_.text("engine_version"), "KV frac 0.95")) draft_.engine_keys = "memory: {utilisation: 0.95}";
    constexpr std::string_view kTokens = "max_num_batched_tokens ";
    if (const std::size_t at = row_.text("notes").find(kTokens); at != std::string::npos)
      if (const auto tokens = length_of(row_.text("notes").substr(at + kTokens.size())))
        draft_.engine_keys = fmt::format("max_batched_tokens: {}", *tokens);
  }

  // Requests counted by number; empty, and refused, where that is not stated.
  std::string counted_workload(const ReferenceLoad& load, std::int64_t prompt, std::int64_t output,
                               const std::string& lengths) {
    const auto at_once = [&](std::int64_t requests) {
      return fmt::format("{{closed_loop: {{concurrency: {}, requests: {}}}, {}}}", requests, requests, lengths);
    };
    if (const auto* batch = std::get_if<StaticBatch>(&load)) return at_once(batch->requests);
    if (const auto* poisson = std::get_if<PoissonLoad>(&load)) {
      if (std::isinf(poisson->rate)) return at_once(poisson->requests);
      return fmt::format("{{arrivals: {{process: poisson, rate: {} /s, requests: {}}}, {}}}", poisson->rate,
                         poisson->requests, lengths);
    }
    if (const auto requests = offline_requests(row_.text("notes"), prompt, output)) return at_once(*requests);
    refuse("the number of requests is not stated");
    return "";
  }

  static std::string staged_workload(const StagedLoad& load, const std::string& lengths, ServeQuestion& question) {
    std::string stages;
    for (const double rate : load.rates)
      stages += fmt::format("{}{}x{}s", stages.empty() ? "" : ";", rate, load.seconds);
    if (load.counted) {
      question.from = static_cast<double>(*load.counted) * load.seconds;
      question.until = question.from + load.seconds;
    }
    return fmt::format("{{arrivals: {{process: piecewise, pieces: [{}]}}, {}}}", rate_stages(stages), lengths);
  }

  // Figures of one chip; a node's are shared out.
  std::optional<double> per_chip(const std::string& metric) const {
    const std::string name = row_.text("metric");
    if (name == metric + "_per_node")
      return row_.number("value") / context_.names.hardware(row_.text("hardware"))->node_chips;
    for (const char* unit : {"_per_gpu", "_per_npu", "_per_chip", "_per_rank"})
      if (name == metric + unit) return row_.number("value") / packaged_;
    return std::nullopt;
  }

  void ask_prefill(const PrefillPass& pass) {
    const auto prompt = length_of(row_.text("input_len"));
    const auto rate = per_chip("prefill_throughput");
    if (!prompt) return refuse("the lengths are not stated");
    if (!rate && row_.text("metric") != "prefill_latency_ms")
      return refuse(fmt::format("metric '{}'", row_.text("metric")));
    IterationQuestion question;
    const double tokens = static_cast<double>(pass.tokens) / (pass.global ? chips_ : packaged_);
    if (tokens < 1) return refuse("fewer tokens than chips");
    question.batch.prefill_tokens = static_cast<std::int32_t>(std::min(static_cast<double>(*prompt), tokens));
    question.prompts = static_cast<std::int32_t>(std::max(1.0, tokens / static_cast<double>(*prompt)));
    ask_pass(question, rate ? tokens / *rate : row_.number("value") / 1e3);
  }

  // A step of d drafts computes 1 + d tokens of each sequence and gives 1 + accepted of them out.
  void ask_decode(DecodePass pass) {
    const auto prompt = length_of(row_.text("input_len"));
    if (!prompt) return refuse("the lengths are not stated");
    // A load says how many drafts, or a layout or notes say that there are any.
    const std::string notes = row_.text("notes");
    const bool speculates = pass.drafts > 0 || holds(row_.text("parallelism"), "MTP");
    const auto known = std::find_if(std::begin(kAcceptances), std::end(kAcceptances), [&](const Acceptance& one) {
      return holds(notes, one.words) && (speculates || one.words.starts_with("MTP")) &&
             (pass.drafts == 0 || pass.drafts == one.drafts);
    });
    if (known == std::end(kAcceptances) && speculates) return refuse("speculation, whose acceptance is not stated");
    double accepted = 0;
    if (known != std::end(kAcceptances)) pass.drafts = known->drafts, accepted = known->accepted;
    const double sequences = static_cast<double>(pass.sequences) / (pass.global ? chips_ : packaged_);
    const auto rate = per_chip("decode_throughput");
    const std::string metric = row_.text("metric");
    const bool gap = metric == "tpot_ms", step = metric == "decode_step_ms";
    if (!rate && !gap && !step) return refuse(fmt::format("metric '{}'", metric));
    const double seconds =
        rate ? sequences * (1 + accepted) / *rate : row_.number("value") / 1e3 * (gap ? 1 + accepted : 1);
    // Halfway through the output, where there is one.
    const std::int64_t context = *prompt + length_of(row_.text("output_len")).value_or(0) / 2;
    IterationQuestion question;
    question.batch.decode_sequences = static_cast<std::int32_t>(std::max(1.0, std::round(sequences)));
    question.batch.kv_length = context;
    question.drafts = static_cast<std::int32_t>(pass.drafts);
    question.drafting = pass.drafts > 0;
    ask_pass(question, seconds);
  }

  void ask_pass(const IterationQuestion& question, double seconds) {
    if (holds(row_.text("notes"), "balanced routing")) draft_.engine_keys = "parallel: {expert_skew: 0}";
    one_.question = question;
    one_.measured = {{"iteration_time", seconds}};
    draft_.workload = lone_request();
  }

  const TableFile& row_;
  const ReadContext& context_;
  ValidationCase one_;
  ScenarioDraft draft_;
  double chips_ = 1, prefill_chips_ = 0, packaged_ = 1;
};

}  // namespace

std::vector<ValidationCase> read_reference_points(const std::string& path, const ReadContext& context) {
  TableFile table(
      path, {"id", "source", "hardware", "chips", "model", "precision", "parallelism", "serving_mode", "engine_version",
             "input_len", "output_len", "load", "metric", "value", "quote_or_location", "group", "notes"});
  std::vector<ValidationCase> cases;
  while (table.next()) cases.push_back(Point(table, context, path).read());
  return cases;
}

}  // namespace silicast
