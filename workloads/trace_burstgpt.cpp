// BurstGPT's traces of a university's use of OpenAI's models (github.com/HPMLL/BurstGPT, CC-BY-4.0; Wang et al.,
// "BurstGPT: A Real-World Workload Dataset to Optimize LLM Serving Systems", KDD 2025).
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "sim/io/csv_reader.hpp"
#include "workloads/trace_columns.hpp"
#include "workloads/trace_formats.hpp"
#include "workloads/workload.hpp"

namespace silicast {
namespace {

constexpr std::size_t kNamesKept = 20;

// Rows whose text in one column is the given one; remembers what else there was, for the message where none is.
class Filter {
 public:
  Filter(const CsvReader& csv, std::string column, std::optional<ConfigValue> wanted)
      : column_(std::move(column)), wanted_(std::move(wanted)) {
    if (!wanted_) return;
    text_ = wanted_->text();
    index_ = csv.column(column_);
  }

  bool keeps(const CsvReader& csv) {
    if (!wanted_) return true;
    const std::string_view text = csv.field(index_);
    if (text == text_) return found_ = true;
    if (names_.size() < kNamesKept && std::find(names_.begin(), names_.end(), text) == names_.end())
      names_.emplace_back(text);
    return false;
  }

  // InputError at the key: no row had it.
  void check_found() const {
    if (wanted_ && !found_ && !names_.empty())
      wanted_->fail(fmt::format("no row has the {} '{}'{}", column_, text_, suggestion(text_, names_)));
  }

 private:
  std::string column_;
  std::optional<ConfigValue> wanted_;
  std::string text_;
  std::size_t index_ = 0;
  bool found_ = false;
  std::vector<std::string> names_;
};

// A row of 0 response tokens is a request that failed (its README). Kept, it counts as one of one token: its prompt was
// sent all the same.
class BurstGptTrace final : public TraceReader {
 public:
  BurstGptTrace(ConfigMap& trace, std::unique_ptr<std::istream> input, const std::string& name)
      : csv_(std::move(input), name),
        arrival_(csv_.column(kArrival)),
        prompt_(csv_.column(kPrompt)),
        output_(csv_.column(kOutput)),
        model_(csv_, "Model", trace.optional("model")),
        log_type_(csv_, "Log Type", trace.optional("log_type")) {
    columns_.unit = ArrivalUnit::kSeconds;
    columns_.arrival = kArrival;
    if (const auto failures = trace.optional("failures"))
      keep_failures_ = failures->choice({"skip", "keep"}, "use of failures") == 1;
  }

  bool next(TraceRow& row) override {
    while (csv_.next()) {
      const bool of_model = model_.keeps(csv_), of_type = log_type_.keeps(csv_);
      if (!of_model || !of_type) continue;
      row.stamp = csv_.field(arrival_);
      row.stamp_ns = arrival_of(columns_, row.stamp, csv_.mark(arrival_));
      row.prompt_tokens = tokens_of(kPrompt, csv_.field(prompt_), csv_.mark(prompt_));
      const bool failed = csv_.field(output_) == "0";
      if (failed && !keep_failures_) {
        ++failures_;
        continue;
      }
      row.output_tokens = failed ? 1 : tokens_of(kOutput, csv_.field(output_), csv_.mark(output_));
      return true;
    }
    model_.check_found();
    log_type_.check_found();
    return false;
  }
  Mark mark() const override { return csv_.mark(arrival_); }
  std::string_view arrival_name() const override { return columns_.arrival; }
  std::int64_t failures() const override { return failures_; }

 private:
  static constexpr const char* kArrival = "Timestamp";
  static constexpr const char* kPrompt = "Request tokens";
  static constexpr const char* kOutput = "Response tokens";

  TraceColumns columns_;
  CsvReader csv_;
  std::size_t arrival_, prompt_, output_;
  Filter model_, log_type_;
  bool keep_failures_ = false;
  std::int64_t failures_ = 0;
};

}  // namespace

std::unique_ptr<TraceReader> make_burstgpt_trace(ConfigMap& trace, std::unique_ptr<std::istream> input,
                                                 const std::string& name, const WorkloadContext&) {
  return std::make_unique<BurstGptTrace>(trace, std::move(input), name);
}

}  // namespace silicast
