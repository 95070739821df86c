// The trace formats that ship, and those of them that are CSV files with a column mapping.
#include "workloads/trace_formats.hpp"

#include "sim/io/csv_reader.hpp"
#include "workloads/trace_columns.hpp"
#include "workloads/trace_reader.hpp"
#include "workloads/workload.hpp"

namespace silicast {
namespace {

class CsvTrace final : public TraceReader {
 public:
  CsvTrace(TraceColumns columns, std::unique_ptr<std::istream> input, const std::string& name)
      : columns_(std::move(columns)),
        csv_(std::move(input), name),
        arrival_(csv_.column(columns_.arrival)),
        prompt_(csv_.column(columns_.prompt)),
        output_(csv_.column(columns_.output)),
        class_(columns_.request_class ? csv_.column(*columns_.request_class) : 0),
        blocks_(columns_.blocks ? csv_.column(*columns_.blocks) : 0) {
    for (const Further column : there_)
      further_[static_cast<std::size_t>(column)] = csv_.column(*columns_.further[column]);
  }

  bool next(TraceRow& row) override {
    if (!csv_.next()) return false;
    row.stamp = csv_.field(arrival_);
    row.stamp_ns = arrival_of(columns_, row.stamp, csv_.mark(arrival_));
    row.prompt_tokens = tokens_of(columns_.prompt, csv_.field(prompt_), csv_.mark(prompt_));
    row.output_tokens = tokens_of(columns_.output, csv_.field(output_), csv_.mark(output_));
    if (columns_.request_class) row.request_class = class_of(columns_, csv_.field(class_), csv_.mark(class_));
    if (columns_.blocks) blocks_of(columns_, csv_.field(blocks_), csv_.mark(blocks_), row);
    for (const Further column : there_) {
      const std::size_t at = further_[static_cast<std::size_t>(column)];
      columns_.further.take(column, csv_.field(at), csv_.mark(at), row);
    }
    return true;
  }
  std::int32_t block_tokens() const override { return columns_.block_tokens; }
  Mark mark() const override { return csv_.mark(arrival_); }
  std::string_view arrival_name() const override { return columns_.arrival; }
  Mark mark_of(Further column) const override { return csv_.mark(further_[static_cast<std::size_t>(column)]); }
  std::string_view name_of(Further column) const override { return columns_.further.name_of(column); }
  bool sessions() const override { return columns_.further.sessions(); }

 private:
  TraceColumns columns_;
  CsvReader csv_;
  std::size_t arrival_, prompt_, output_, class_, blocks_;
  const std::vector<Further> there_ = columns_.further.there();
  std::array<std::size_t, kFurtherColumns> further_{};
};

// Azure's public traces of 2023 and 2024 (github.com/Azure/AzurePublicDataset, CC-BY-4.0) have the same
// header; their stamps carry 100 ns and 1 us digits, and some of 2024 a zone.
std::unique_ptr<TraceReader> make_azure(ConfigMap&, std::unique_ptr<std::istream> input, const std::string& name,
                                        const WorkloadContext&) {
  TraceColumns columns;
  columns.arrival = "TIMESTAMP";
  columns.prompt = "ContextTokens";
  columns.output = "GeneratedTokens";
  columns.unit = ArrivalUnit::kDatetime;
  return std::make_unique<CsvTrace>(std::move(columns), std::move(input), name);
}

std::unique_ptr<TraceReader> make_csv(ConfigMap& trace, std::unique_ptr<std::istream> input, const std::string& name,
                                      const WorkloadContext& context) {
  return std::make_unique<CsvTrace>(TraceColumns::read(trace, context.class_names), std::move(input), name);
}

constexpr RegistryEntry<TraceFormatFactory> kFormats[] = {
    {"azure", "Azure's public LLM inference traces of 2023 and 2024 (TIMESTAMP,ContextTokens,GeneratedTokens)",
     make_azure},
    {"burstgpt", "BurstGPT's CSV (Timestamp,Model,Request tokens,...); model: and log_type: keep some of its rows",
     make_burstgpt_trace},
    {"csv", "any CSV file with a header; say which columns hold what (columns:) and the unit of time (units:)",
     make_csv},
    {"hdf5", "what 'silicast trace' writes: columns of arrivals, tokens, classes and KV blocks", make_hdf5_trace},
    {"jsonl", "any file of one JSON object a line; say which keys hold what (columns:) and the unit of time (units:)",
     make_jsonl_trace},
    {"llmservingsim", "LLMServingSim's JSON Lines (input_toks, output_toks, arrival_time_ns)",
     make_llmservingsim_trace},
    {"mooncake", "Mooncake's JSON Lines (timestamp, input_length, output_length, hash_ids); spread: uniform | none",
     make_mooncake_trace},
    {"servegen", "requests drawn from ServeGen's statistics of clients; lengths: FILE, window, scale, from, to",
     make_servegen_trace},
    {"sglang_bench", "a result of SGLang's bench_serving with its details, if it has start_times",
     make_sglang_bench_trace},
    {"vllm_bench", "a result of 'vllm bench serve --save-result --save-detailed', if it has start_times",
     make_vllm_bench_trace},
};
constexpr Registry<TraceFormatFactory> kRegistry("trace format", kFormats);

}  // namespace

const Registry<TraceFormatFactory>& trace_formats() {
  return kRegistry;
}

}  // namespace silicast
