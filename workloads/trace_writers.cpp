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

// Text lines: a buffer is filled by each request and handed on.
class TextWriter : public TraceWriter {
 public:
  TextWriter(const std::string& path, TraceShape shape) : shape_(std::move(shape)), file_(path) {}
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
    return fmt::format(
        "{{format: {}, file: {}, columns: {{arrival: arrival_ns, prompt: prompt_tokens, output: "
        "output_tokens{}{}{}{}}}, "
        "units: {{arrival: ns{}{}}}{}}}",
        format, quoted_scalar(file_.path()), shape_.class_names.empty() ? "" : ", class: class",
        shape_.clients
            ? ", max_output: max_output_tokens, patience: patience_ns, leaves: leaves, after_ends: after_ends"
            : "",
        shape_.sessions ? ", id: id, session: session, parent: parent, think: think_ns" : "",
        shape_.block_tokens == 0 ? "" : ", blocks: blocks", shape_.clients ? ", patience: ns" : "",
        shape_.sessions ? ", think: ns" : "",
        shape_.block_tokens == 0 ? "" : fmt::format(", block_tokens: {}", shape_.block_tokens));
  }

  // Of each further column its name and value; an empty value is none.
  template <class Put>
  void further(const RequestSpec& request, const TraceFurther& more, Put put_one) {
    if (shape_.clients) {
      const bool leaves = request.deadline != SimTime::never();
      put_one("max_output_tokens", fmt::to_string(request.max_output_tokens));
      put_one("patience_ns", leaves ? fmt::to_string(request.deadline.ns - request.arrival.ns) : "");
      put_one("leaves", request.deadline_is_abort ? "1" : "0");
      put_one("after_ends", fmt::to_string(more.after_ends));
    }
    if (!shape_.sessions) return;
    put_one("id", fmt::to_string(requests_++));
    put_one("session", fmt::to_string(more.turn.session));
    put_one("parent", more.turn.parent < 0 ? "" : fmt::to_string(more.turn.parent));
    put_one("think_ns", fmt::to_string(more.turn.think_ns));
  }

  TraceShape shape_;
  TextOutput file_;

 private:
  std::int64_t requests_ = 0;
  fmt::memory_buffer line_;
};

class CsvWriter final : public TextWriter {
 public:
  CsvWriter(const std::string& path, const TraceShape& shape) : TextWriter(path, shape) {
    put("arrival_ns,prompt_tokens,output_tokens{}{}{}{}", shape_.class_names.empty() ? "" : ",class",
        shape_.clients ? ",max_output_tokens,patience_ns,leaves,after_ends" : "",
        shape_.sessions ? ",id,session,parent,think_ns" : "", shape_.block_tokens == 0 ? "" : ",blocks");
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
    blocks = blocks.first(std::min(blocks.size(), static_cast<std::size_t>(due)));  // its answer's have no place
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
