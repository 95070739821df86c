// The trace formats that ship: Azure's, and any CSV or JSON Lines file with a column mapping.
#include <fmt/format.h>

#include <array>

#include "sim/io/csv_reader.hpp"
#include "sim/io/jsonl_reader.hpp"
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
        class_(columns_.request_class ? csv_.column(*columns_.request_class) : 0) {}

  bool next(TraceRow& row) override {
    if (!csv_.next()) return false;
    row.stamp = csv_.field(arrival_);
    row.stamp_ns = arrival_of(columns_, row.stamp, csv_.mark(arrival_));
    row.prompt_tokens = tokens_of(columns_.prompt, csv_.field(prompt_), csv_.mark(prompt_));
    row.output_tokens = tokens_of(columns_.output, csv_.field(output_), csv_.mark(output_));
    if (columns_.request_class) row.request_class = class_of(columns_, csv_.field(class_), csv_.mark(class_));
    return true;
  }
  Mark mark() const override { return csv_.mark(arrival_); }
  std::string_view arrival_name() const override { return columns_.arrival; }

 private:
  TraceColumns columns_;
  CsvReader csv_;
  std::size_t arrival_, prompt_, output_, class_;
};

class JsonlTrace final : public TraceReader {
 public:
  JsonlTrace(TraceColumns columns, std::unique_ptr<std::istream> input, const std::string& name)
      : columns_(std::move(columns)), json_(std::move(input), name, keys_of(columns_)) {}

  bool next(TraceRow& row) override {
    if (!json_.next()) return false;
    row.stamp = text_of(0, columns_.arrival, columns_.unit == ArrivalUnit::kDatetime);
    row.stamp_ns = arrival_of(columns_, row.stamp, json_.mark());
    row.prompt_tokens = tokens_of(columns_.prompt, text_of(1, columns_.prompt, false), json_.mark());
    row.output_tokens = tokens_of(columns_.output, text_of(2, columns_.output, false), json_.mark());
    if (columns_.request_class)
      row.request_class = class_of(columns_, text_of(3, *columns_.request_class, true), json_.mark());
    return true;
  }
  Mark mark() const override { return json_.mark(); }
  std::string_view arrival_name() const override { return columns_.arrival; }

 private:
  static std::vector<std::string> keys_of(const TraceColumns& columns) {
    std::vector<std::string> keys = {columns.arrival, columns.prompt, columns.output};
    if (columns.request_class) keys.push_back(*columns.request_class);
    return keys;
  }

  std::string_view text_of(std::size_t index, const std::string& key, bool text_is_due) const {
    const JsonField& field = json_.field(index);
    switch (field.kind) {
      case JsonField::Kind::kNumber:
        if (!text_is_due) return field.text;
        throw InputError(json_.mark(), key, fmt::format("the number {} where text is due", field.text.substr(0, 40)));
      case JsonField::Kind::kText:
        if (text_is_due) return field.text;
        throw InputError(json_.mark(), key, fmt::format("the text {} where a number is due", quoted_text(field.text)));
      case JsonField::Kind::kNull:
        throw InputError(json_.mark(), key, "is null");
      default:
        throw InputError(json_.mark(), key,
                         fmt::format("{} where {} is due",
                                     field.kind == JsonField::Kind::kBoolean ? "true or false" : "a list or an object",
                                     text_is_due ? "text" : "a number"));
    }
  }

  TraceColumns columns_;
  JsonlReader json_;
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

template <class Trace>
std::unique_ptr<TraceReader> make_mapped(ConfigMap& trace, std::unique_ptr<std::istream> input, const std::string& name,
                                         const WorkloadContext& context) {
  return std::make_unique<Trace>(TraceColumns::read(trace, context.class_names), std::move(input), name);
}

constexpr std::array<RegistryEntry<TraceFormatFactory>, 3> kFormats = {{
    {"azure", "Azure's public LLM inference traces of 2023 and 2024 (TIMESTAMP,ContextTokens,GeneratedTokens)",
     make_azure},
    {"csv", "any CSV file with a header; say which columns hold what (columns:) and the unit of time (units:)",
     make_mapped<CsvTrace>},
    {"jsonl", "any file of one JSON object a line; say which keys hold what (columns:) and the unit of time (units:)",
     make_mapped<JsonlTrace>},
}};
constexpr Registry<TraceFormatFactory> kRegistry("trace format", kFormats);

}  // namespace

const Registry<TraceFormatFactory>& trace_formats() {
  return kRegistry;
}

}  // namespace silicast
