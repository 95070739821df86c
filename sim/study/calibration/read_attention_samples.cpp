// Attention tables of aiconfigurator and InferSim.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "sim/base/errors.hpp"
#include "sim/io/table_file.hpp"
#include "sim/perf/cost_pieces.hpp"
#include "sim/perf/roofline.hpp"
#include "sim/study/calibration/kernel_samples.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 24;
// A cache of this many bytes is read from somewhere nearer than memory when a benchmark reads it again and again: the
// caches of today's chips hold 50 to 130 MB. What is tiny shows the start all the same.
constexpr double kTinyKv = 4e6, kColdKv = 100e6;
constexpr std::int64_t kShortestChunk = 128;
constexpr std::int64_t kFewestHeads = 4;

struct AttentionShape {
  std::int64_t heads = 0, kv_heads = 0, head_size = 0;
  bool narrow_kv = false;
  std::string name() const { return fmt::format("{}/{} x {}", heads, kv_heads, head_size); }
};

AttentionPart part_of(const AttentionShape& shape) {
  ModelSpec model;
  model.layers.resize(1);
  AttentionSpec& attention = model.attentions.emplace_back();
  attention.heads = static_cast<std::int32_t>(shape.heads);
  attention.kv_heads = static_cast<std::int32_t>(shape.kv_heads);
  attention.head_size = attention.value_size = static_cast<std::int32_t>(shape.head_size);
  model.feed_forwards.emplace_back();
  model.hidden = static_cast<std::int32_t>(shape.heads * shape.head_size);
  Precision precision;
  if (shape.narrow_kv) precision.kv = NumberFormat::kFp8;
  return attention_parts(model, single_chip(model), precision, 0, 1).at(0);
}

KernelSample decode_sample(const AttentionShape& shape, std::int64_t sequences, std::int64_t length, double seconds) {
  const AttentionPart part = part_of(shape);
  const double n = static_cast<double>(sequences), tokens = n * static_cast<double>(length);
  KernelSample sample;
  sample.kernel_class = shape.narrow_kv ? "decode attention, 8-bit KV" : "decode attention, 16-bit KV";
  sample.band = band_of("KV MB", part.decode_bytes * tokens / 1e6, {4, 100, 1000});
  sample.shape = fmt::format("{} {} {}", sample.kernel_class, shape.name(), sample.band);
  sample.measured = seconds;
  sample.predicted = [part, narrow = shape.narrow_kv, n, tokens](const ChipRates& chip) {
    const AttentionRates rates = attention_rates(chip, part, narrow, 1);
    return rates.start + rates.decode_sequence * n + rates.decode_kv(tokens);
  };
  return sample;
}

KernelSample prefill_sample(const AttentionShape& shape, std::int64_t sequences, std::int64_t tokens,
                            std::int64_t context, double seconds) {
  const AttentionPart part = part_of(shape);
  KernelSample sample;
  sample.kernel_class = "prefill attention";
  sample.band = band_of("tokens", static_cast<double>(tokens), {512, 4096});
  sample.shape = fmt::format("prefill {} {}", shape.name(), tokens);
  sample.measured = seconds;
  sample.predicted = [=](const ChipRates& chip) {
    const AttentionRates rates = attention_rates(chip, part, false, 1);
    const PrefillPart chunk{0, rates.prefill_pair, rates.prefill_row, rates.prefill_walk, rates.prefill_kv};
    return rates.start + static_cast<double>(sequences) * chunk.seconds(tokens, context);
  };
  return sample;
}

void add_decode(const AttentionShape& shape, std::int64_t sequences, std::int64_t length, double seconds,
                const std::string& file, KernelSamples& into) {
  const double bytes = part_of(shape).decode_bytes * static_cast<double>(sequences * length);
  if (bytes > kTinyKv && bytes < kColdKv)
    return into.left_out.add(file, "KV that a chip's cache may hold (4 to 100 MB)");
  into.attention.push_back(decode_sample(shape, sequences, length, seconds));
}

void add_prefill(const AttentionShape& shape, std::int64_t sequences, std::int64_t tokens, std::int64_t context,
                 double seconds, const std::string& file, KernelSamples& into) {
  if (shape.narrow_kv) return into.left_out.add(file, "prompts over an 8-bit KV cache");
  if (tokens < kShortestChunk) return into.left_out.add(file, "chunks of under 128 tokens");
  into.attention.push_back(prefill_sample(shape, sequences, tokens, context, seconds));
}

AttentionShape read_shape(const TableFile& table) {
  return {table.integer("num_heads", 1, kMost), table.integer("num_kv_heads", 1, kMost),
          table.integer("head_dim", 1, kMost), table.required_text("kv_cache_dtype").starts_with("fp8")};
}

// Both kinds have the same columns but for the length.
void read_aiconfigurator(const TableOption& option, const std::string& name, bool prefill, KernelSamples& into) {
  std::vector<std::string> columns = {"kv_cache_dtype", "kernel",   "batch_size",  "num_heads",
                                      "num_kv_heads",   "head_dim", "window_size", "latency_ms"};
  if (prefill)
    columns.insert(columns.end(), {"seq_len", "past_kv_len"});
  else
    columns.emplace_back("kv_len");
  TableFile table(option.path, columns);
  while (table.next()) {
    if (!option.takes(table.text("kernel"), into.left_out)) continue;
    const AttentionShape shape = read_shape(table);
    const std::int64_t sequences = table.integer("batch_size", 1, kMost);
    const double seconds = 1e-3 * table.number("latency_ms");
    if (table.integer("window_size", 0, kMost) > 0)
      into.left_out.add(name, "windows");
    else if (shape.heads % shape.kv_heads != 0)
      into.left_out.add(name, "heads that KV heads do not divide");
    else if (shape.heads < kFewestHeads)
      into.left_out.add(name, "fewer heads than a rank has");
    else if (prefill)
      add_prefill(shape, sequences, table.integer("seq_len", 1, kMost), table.integer("past_kv_len", 0, kMost), seconds,
                  name, into);
    else
      add_decode(shape, sequences, table.integer("kv_len", 1, kMost), seconds, name, into);
  }
}

// Heads are in the name: mha_decode_32-8-128.csv.
AttentionShape shape_of_name(const std::string& path, const std::string& name) {
  AttentionShape shape;
  const std::size_t end = name.find('.'), begin = name.rfind('_', end) + 1;
  long long heads = 0, kv_heads = 0, size = 0;
  int read = 0;
  const std::string stem = name.substr(begin, end - begin);
  if (std::sscanf(stem.c_str(), "%lld-%lld-%lld%n", &heads, &kv_heads, &size, &read) != 3 ||
      static_cast<std::size_t>(read) != stem.size() || heads < 1 || kv_heads < 1 || size < 1 || heads > 4096 ||
      size > 4096 || heads % kv_heads != 0)
    throw InputError({path, 0, 0}, "",
                     "must end in its heads, KV heads and head size, as mha_decode_32-8-128.csv does");
  shape.heads = heads;
  shape.kv_heads = kv_heads;
  shape.head_size = size;
  return shape;
}

void read_infersim(const TableOption& option, const std::string& name, bool prefill, KernelSamples& into) {
  AttentionShape shape = shape_of_name(option.path, name);
  TableFile table(option.path, prefill ? std::vector<std::string>{"seq_len", "latency_us"}
                                       : std::vector<std::string>{"kv_dtype", "batch_size", "kv_len", "latency_us"});
  while (table.next()) {
    const double seconds = 1e-6 * table.number("latency_us");
    if (prefill) {
      add_prefill(shape, 1, table.integer("seq_len", 1, kMost), 0, seconds, name, into);
      continue;
    }
    shape.narrow_kv = table.required_text("kv_dtype").starts_with("fp8");
    add_decode(shape, table.integer("batch_size", 1, kMost), table.integer("kv_len", 1, kMost), seconds, name, into);
  }
}

}  // namespace

void read_attention_samples(const TableOption& option, KernelSamples& into) {
  const std::string name = option.name();
  const std::vector<std::string> header = table_header(option.path);
  const auto has = [&](const char* column) { return std::find(header.begin(), header.end(), column) != header.end(); };
  const bool prefill = has("seq_len");
  if (has("num_heads") && (prefill || has("kv_len"))) return read_aiconfigurator(option, name, prefill, into);
  if (has("latency_us") && (prefill || (has("kv_len") && has("kv_dtype"))))
    return read_infersim(option, name, prefill, into);
  throw InputError({option.path, 0, 0}, "",
                   "is no table of attention: it has neither the columns (kv_cache_dtype, kernel, batch_size, seq_len "
                   "and past_kv_len or kv_len, num_heads, num_kv_heads, head_dim, window_size, latency_ms) nor "
                   "(seq_len, latency_us) nor (kv_dtype, batch_size, kv_len, latency_us)");
}

}  // namespace silicast
