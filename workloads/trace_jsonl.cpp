// The trace formats of one JSON object a line: any with a mapping of its keys, Mooncake's and LLMServingSim's.
#include <fmt/format.h>

#include <utility>

#include "sim/io/jsonl_reader.hpp"
#include "workloads/block_ids.hpp"
#include "workloads/limits.hpp"
#include "workloads/trace_columns.hpp"
#include "workloads/trace_formats.hpp"
#include "workloads/trace_spread.hpp"
#include "workloads/workload.hpp"

namespace silicast {
namespace {

std::string_view text_of(const JsonlReader& json, std::size_t index, const std::string& key, bool text_is_due) {
  const JsonField& field = json.field(index);
  switch (field.kind) {
    case JsonField::Kind::kNumber:
      if (!text_is_due) return field.text;
      throw InputError(json.mark(), key, fmt::format("the number {} where text is due", field.text.substr(0, 40)));
    case JsonField::Kind::kText:
      if (text_is_due) return field.text;
      throw InputError(json.mark(), key, fmt::format("the text {} where a number is due", quoted_text(field.text)));
    case JsonField::Kind::kNull:
      throw InputError(json.mark(), key, "is null");
    default:
      throw InputError(json.mark(), key,
                       fmt::format("{} where {} is due",
                                   field.kind == JsonField::Kind::kBoolean ? "true or false" : "a list or an object",
                                   text_is_due ? "text" : "a number"));
  }
}

// Arrival, prompt and output are the reader's first three keys.
void read_request(const JsonlReader& json, const TraceColumns& columns, TraceRow& row) {
  row.stamp = text_of(json, 0, columns.arrival, columns.unit == ArrivalUnit::kDatetime);
  row.stamp_ns = arrival_of(columns, row.stamp, json.mark());
  row.prompt_tokens = tokens_of(columns.prompt, text_of(json, 1, columns.prompt, false), json.mark());
  row.output_tokens = tokens_of(columns.output, text_of(json, 2, columns.output, false), json.mark());
}

class JsonlTrace final : public TraceReader {
 public:
  // With `all_blocks`, every block of a prompt must have its id.
  JsonlTrace(TraceColumns columns, bool all_blocks, std::unique_ptr<std::istream> input, const std::string& name)
      : columns_(std::move(columns)),
        all_blocks_(all_blocks),
        json_(std::move(input), name, keys_of(columns_), lists_of(columns_)) {}

  bool next(TraceRow& row) override {
    if (!json_.next()) return false;
    read_request(json_, columns_, row);
    if (columns_.request_class)
      row.request_class = class_of(columns_, text_of(json_, 3, *columns_.request_class, true), json_.mark());
    std::size_t at = columns_.request_class ? 4 : 3;
    for (const Further column : there_)
      columns_.further.take(column, further_text(at++, *columns_.further[column]), json_.mark(), row);
    if (columns_.blocks) {
      row.blocks = json_.list(at);
      check_blocks(*columns_.blocks, row, columns_.block_tokens, all_blocks_, json_.mark());
    }
    return true;
  }
  Mark mark() const override { return json_.mark(); }
  std::string_view arrival_name() const override { return columns_.arrival; }
  std::int32_t block_tokens() const override { return columns_.block_tokens; }
  std::string_view name_of(Further column) const override { return columns_.further.name_of(column); }
  bool sessions() const override { return columns_.further.sessions(); }

 private:
  static std::vector<std::string> keys_of(const TraceColumns& columns) {
    std::vector<std::string> keys = {columns.arrival, columns.prompt, columns.output};
    if (columns.request_class) keys.push_back(*columns.request_class);
    for (const Further column : columns.further.there()) keys.push_back(*columns.further[column]);
    return keys;
  }
  // A number or a text; none where the key is absent or null.
  std::string_view further_text(std::size_t index, const std::string& key) const {
    if (!json_.has(index) || json_.field(index).kind == JsonField::Kind::kNull) return {};
    const JsonField& field = json_.field(index);
    if (field.kind == JsonField::Kind::kText) return field.text;
    return text_of(json_, index, key, false);
  }
  static std::vector<std::string> lists_of(const TraceColumns& columns) {
    if (columns.blocks) return {*columns.blocks};
    return {};
  }

  TraceColumns columns_;
  const std::vector<Further> there_ = columns_.further.there();
  bool all_blocks_;
  JsonlReader json_;
};

// Ids come as hash_ids, of whole blocks or of all, or are made of the tokens themselves (input_tok_ids), of whole
// blocks alone; all lines or none have them. LLMServingSim's own files have tokens (its docs, jsonl-format).
class LlmServingSimTrace final : public TraceReader {
 public:
  LlmServingSimTrace(std::int32_t block_tokens, std::unique_ptr<std::istream> input, const std::string& name)
      : block_tokens_(block_tokens),
        json_(std::move(input), name, {columns_.arrival, columns_.prompt, columns_.output},
              {"hash_ids", "input_tok_ids"}) {}

  bool next(TraceRow& row) override {
    if (!json_.next()) return false;
    read_request(json_, columns_, row);
    const bool ids = json_.has(kIds), tokens = json_.has(kTokens);
    if (first_) has_blocks_ = ids || tokens;
    first_ = false;
    if (has_blocks_ != (ids || tokens))
      throw InputError(json_.mark(), "",
                       has_blocks_ ? "has neither hash_ids nor input_tok_ids, which the lines before have"
                                   : "has hash_ids or input_tok_ids, which the lines before have not");
    row.blocks.clear();
    if (ids) {
      row.blocks = json_.list(kIds);
      check_blocks("hash_ids", row, block_tokens_, false, json_.mark());
    } else if (tokens) {
      chain(json_.list(kTokens), row);
    }
    return true;
  }
  Mark mark() const override { return json_.mark(); }
  std::string_view arrival_name() const override { return columns_.arrival; }
  std::int32_t block_tokens() const override { return has_blocks_ ? block_tokens_ : 0; }

 private:
  static constexpr std::size_t kIds = 3, kTokens = 4;  // in the reader's keys

  static TraceColumns columns() {
    TraceColumns columns;
    columns.arrival = "arrival_time_ns";
    columns.prompt = "input_toks";
    columns.output = "output_toks";
    columns.unit = ArrivalUnit::kNanoseconds;
    return columns;
  }

  void chain(const std::vector<std::uint64_t>& tokens, TraceRow& row) const {
    if (tokens.size() != static_cast<std::size_t>(row.prompt_tokens))
      throw InputError(json_.mark(), "input_tok_ids",
                       fmt::format("{} tokens where input_toks says {}", tokens.size(), row.prompt_tokens));
    std::uint64_t state = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      state = chained_id(state, tokens[i]);
      if ((i + 1) % static_cast<std::size_t>(block_tokens_) == 0) row.blocks.push_back(state);
    }
  }

  const TraceColumns columns_ = columns();
  std::int32_t block_tokens_;
  JsonlReader json_;
  bool first_ = true;
  bool has_blocks_ = false;
};

std::int32_t read_block_tokens(ConfigMap& trace, std::int32_t otherwise) {
  const auto tokens = trace.optional("block_tokens");
  return tokens ? static_cast<std::int32_t>(tokens->integer(1, kMaxTokens)) : otherwise;
}

}  // namespace

std::unique_ptr<TraceReader> make_jsonl_trace(ConfigMap& trace, std::unique_ptr<std::istream> input,
                                              const std::string& name, const WorkloadContext& context) {
  return std::make_unique<JsonlTrace>(TraceColumns::read(trace, context.class_names), false, std::move(input), name);
}

// github.com/kvcache-ai/Mooncake, FAST25-release/traces: stamps in ms, one id for each block of 512 tokens.
std::unique_ptr<TraceReader> make_mooncake_trace(ConfigMap& trace, std::unique_ptr<std::istream> input,
                                                 const std::string& name, const WorkloadContext&) {
  TraceColumns columns;
  columns.arrival = "timestamp";
  columns.prompt = "input_length";
  columns.output = "output_length";
  columns.blocks = "hash_ids";
  columns.unit = ArrivalUnit::kMilliseconds;
  columns.block_tokens = read_block_tokens(trace, 512);
  const auto spread = trace.optional("spread");
  const bool uniform = !spread || spread->choice({"uniform", "none"}, "spread") == 0;
  auto rows = std::make_unique<JsonlTrace>(std::move(columns), true, std::move(input), name);
  if (!uniform) return rows;
  return std::make_unique<SpreadTrace>(std::move(rows), name);
}

std::unique_ptr<TraceReader> make_llmservingsim_trace(ConfigMap& trace, std::unique_ptr<std::istream> input,
                                                      const std::string& name, const WorkloadContext&) {
  return std::make_unique<LlmServingSimTrace>(read_block_tokens(trace, 16), std::move(input), name);
}

}  // namespace silicast
