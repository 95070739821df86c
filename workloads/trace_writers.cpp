// The text formats that traces are written in, and the registry of all.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "sim/io/text_output.hpp"
#include "workloads/block_ids.hpp"
#include "workloads/trace_writer.hpp"

namespace silicast {
namespace {

struct Row {
  const RequestSpec& request;
  const TraceFurther& further;
  std::int64_t number;
};

// A column of csv, a key of jsonl. Of what part of a TraceShape it is, and its text where it is one more number; empty:
// none.
enum class Part { kAll, kClasses, kClients, kSessions, kBlocks };
struct Column {
  const char* key;  // of a trace's `columns`
  const char* name;
  Part part;
  bool time;
  std::string (*text)(const Row&);
};

std::string patience_of(const Row& row) {
  const RequestSpec& request = row.request;
  return request.deadline == SimTime::never() ? "" : fmt::to_string(request.deadline.ns - request.arrival.ns);
}
std::string parent_of(const Row& row) {
  return row.further.turn.parent < 0 ? "" : fmt::to_string(row.further.turn.parent);
}

constexpr Column kColumns[] = {
    {"arrival", "arrival_ns", Part::kAll, true, nullptr},
    {"prompt", "prompt_tokens", Part::kAll, false, nullptr},
    {"output", "output_tokens", Part::kAll, false, nullptr},
    {"class", "class", Part::kClasses, false, nullptr},
    {"max_output", "max_output_tokens", Part::kClients, false,
     [](const Row& row) { return fmt::to_string(row.request.max_output_tokens); }},
    {"patience", "patience_ns", Part::kClients, true, patience_of},
    {"leaves", "leaves", Part::kClients, false,
     [](const Row& row) { return std::string(row.request.deadline_is_abort ? "1" : "0"); }},
    {"after_ends", "after_ends", Part::kClients, false,
     [](const Row& row) { return fmt::to_string(row.further.after_ends); }},
    {"id", "id", Part::kSessions, false, [](const Row& row) { return fmt::to_string(row.number); }},
    {"session", "session", Part::kSessions, false,
     [](const Row& row) { return fmt::to_string(row.further.turn.session); }},
    {"parent", "parent", Part::kSessions, false, parent_of},
    {"think", "think_ns", Part::kSessions, true,
     [](const Row& row) { return fmt::to_string(row.further.turn.think_ns); }},
    {"blocks", "blocks", Part::kBlocks, false, nullptr},
};

std::vector<Column> columns_of(const TraceShape& shape) {
  const bool has[] = {true, !shape.class_names.empty(), shape.clients, shape.sessions, shape.block_tokens > 0};
  std::vector<Column> columns;
  for (const Column& column : kColumns)
    if (has[static_cast<int>(column.part)]) columns.push_back(column);
  return columns;
}

// Text lines: a buffer is filled by each request and handed on.
class TextWriter : public TraceWriter {
 public:
  TextWriter(const std::string& path, TraceShape shape)
      : shape_(std::move(shape)), columns_(columns_of(shape_)), file_(path) {}
  void finish() override { file_.finish(); }

 protected:
  template <class... Values>
  void put(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(line_), format, std::forward<Values>(values)...);
  }
  void end_line() {
    line_.push_back('\n');
    file_.write({line_.data(), line_.size()});
    line_.clear();
  }
  const std::string& class_of(const RequestSpec& request) const {
    return shape_.class_names.at(static_cast<std::size_t>(request.request_class.value));
  }
  std::string columns_mapping(std::string_view format) const {
    std::vector<std::string> columns, units;
    for (const Column& column : columns_) {
      columns.push_back(fmt::format("{}: {}", column.key, column.name));
      if (column.time) units.push_back(fmt::format("{}: ns", column.key));
    }
    return fmt::format("{{format: {}, file: {}, columns: {{{}}}, units: {{{}}}{}}}", format,
                       quoted_scalar(file_.path()), fmt::join(columns, ", "), fmt::join(units, ", "),
                       shape_.block_tokens == 0 ? "" : fmt::format(", block_tokens: {}", shape_.block_tokens));
  }

  // Of each column that has a text of its own its name and that.
  template <class Put>
  void further(const RequestSpec& request, const TraceFurther& more, Put put_one) {
    const Row row{request, more, requests_++};
    for (const Column& column : columns_)
      if (column.text != nullptr) put_one(column.name, column.text(row));
  }

  TraceShape shape_;
  std::vector<Column> columns_;
  TextOutput file_;

 private:
  std::int64_t requests_ = 0;
  fmt::memory_buffer line_;
};

class CsvWriter final : public TextWriter {
 public:
  CsvWriter(const std::string& path, const TraceShape& shape) : TextWriter(path, shape) {
    for (std::size_t i = 0; i < columns_.size(); ++i) put("{}{}", i == 0 ? "" : ",", columns_[i].name);
    end_line();
  }
  void add(const RequestSpec& request, std::span<const std::uint64_t> blocks, const TraceFurther& more) override {
    put("{},{},{}", request.arrival.ns, request.prompt_tokens, request.output_tokens);
    if (!shape_.class_names.empty()) put(",{}", csv_text(class_of(request)));
    further(request, more, [&](const char*, const std::string& value) { put(",{}", value); });
    if (shape_.block_tokens > 0) put(",{}", fmt::join(blocks, " "));
    end_line();
  }
  std::string mapping() const override { return columns_mapping("csv"); }

 private:
  static std::string csv_text(const std::string& text) {
    if (text.find_first_of(",\" ") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + '"';
  }
};

class JsonlWriter final : public TextWriter {
 public:
  using TextWriter::TextWriter;
  void add(const RequestSpec& request, std::span<const std::uint64_t> blocks, const TraceFurther& more) override {
    put("{{\"arrival_ns\": {}, \"prompt_tokens\": {}, \"output_tokens\": {}", request.arrival.ns, request.prompt_tokens,
        request.output_tokens);
    if (!shape_.class_names.empty()) put(", \"class\": {}", quoted_scalar(class_of(request)));
    further(request, more, [&](const char* name, const std::string& value) {
      if (!value.empty()) put(", \"{}\": {}", name, value);
    });
    if (shape_.block_tokens > 0) put(", \"blocks\": [{}]", fmt::join(blocks, ", "));
    put("}}");
    end_line();
  }
  std::string mapping() const override { return columns_mapping("jsonl"); }
};

// Mooncake names every block. One that the source has no id for is the prompt's own, so it gets an id that nothing else
// has, which says the same. Milliseconds are written with as many digits as nanoseconds need; classes have no place.
class MooncakeWriter final : public TextWriter {
 public:
  MooncakeWriter(const std::string& path, const TraceShape& shape)
      : TextWriter(path, shape), block_tokens_(shape.block_tokens > 0 ? shape.block_tokens : kDefaultBlock) {}

  void add(const RequestSpec& request, std::span<const std::uint64_t> blocks, const TraceFurther&) override {
    const std::int64_t ns = request.arrival.ns;
    put("{{\"timestamp\": {}", ns / 1'000'000);
    if (ns % 1'000'000 != 0) put(".{:06}", ns % 1'000'000);
    const std::int64_t due = blocks_in(request.prompt_tokens, block_tokens_);
    blocks = blocks_of_prompt(blocks, request.prompt_tokens, block_tokens_);  // its answer's have no place
    put(", \"input_length\": {}, \"output_length\": {}, \"hash_ids\": [{}", request.prompt_tokens,
        request.output_tokens, fmt::join(blocks, ", "));
    for (auto i = static_cast<std::int64_t>(blocks.size()); i < due; ++i)
      put("{}{}", i == 0 ? "" : ", ", block_of_part(own_++, kOwnPart));
    put("]}}");
    end_line();
  }
  std::string mapping() const override {
    return fmt::format("{{format: mooncake, file: {}, spread: none{}}}", quoted_scalar(file_.path()),
                       block_tokens_ == kDefaultBlock ? "" : fmt::format(", block_tokens: {}", block_tokens_));
  }

 private:
  static constexpr std::int32_t kDefaultBlock = 512;
  static constexpr std::size_t kOwnPart = std::size_t{1} << 40;  // no part of a merge has this number

  std::int32_t block_tokens_;
  std::uint64_t own_ = 0;
};

template <class Writer>
std::unique_ptr<TraceWriter> make(const std::string& path, const TraceShape& shape) {
  return std::make_unique<Writer>(path, shape);
}

constexpr RegistryEntry<TraceWriterFactory> kWriters[] = {
    {"csv", "arrival_ns,prompt_tokens,output_tokens and, where they are known, class and blocks", make<CsvWriter>},
    {"hdf5", "columns, packed; the one to keep", make_hdf5_writer},
    {"jsonl", "the same as csv, one object a line", make<JsonlWriter>},
    {"mooncake", "Mooncake's JSON Lines; blocks without an id get one of their own", make<MooncakeWriter>},
};
constexpr Registry<TraceWriterFactory> kRegistry("format of traces", kWriters);

}  // namespace

std::string quoted_scalar(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 ? fmt::format("\\u{:04x}", byte) : std::string(1, c);
  }
  return out + '"';
}

const Registry<TraceWriterFactory>& trace_writers() {
  return kRegistry;
}

const RegistryEntry<TraceWriterFactory>* trace_writer_by_ending(const std::string& file) {
  if (file.ends_with(".h5") || file.ends_with(".hdf5")) return kRegistry.find("hdf5");
  if (file.ends_with(".csv")) return kRegistry.find("csv");
  return file.ends_with(".jsonl") ? kRegistry.find("jsonl") : nullptr;
}

}  // namespace silicast
