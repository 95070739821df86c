// Lengths as they were measured: values or bins with weights, drawn by inverting the cumulative weight.
#include <fmt/format.h>

#include <algorithm>

#include "sim/io/csv_reader.hpp"
#include "workloads/length_distribution.hpp"
#include "workloads/limits.hpp"
#include "workloads/stamp_text.hpp"
#include "workloads/workload_scope.hpp"

namespace silicast {
namespace {

constexpr std::size_t kMaxBins = 1'000'000;
constexpr double kMaxWeight = 1e15;

// The whole numbers low to high, all alike.
struct Bin {
  std::int32_t low = 1;
  std::int32_t high = 1;
  double weight = 0;
};

class HistogramLengths final : public LengthDistribution {
 public:
  explicit HistogramLengths(const std::vector<Bin>& bins) {
    for (const Bin& bin : bins) {
      if (bin.weight == 0) continue;
      total_ += bin.weight;
      mean_ += bin.weight * (0.5 * bin.low + 0.5 * bin.high);
      bins_.push_back(bin);
      cumulative_.push_back(total_);
    }
    mean_ /= total_;
  }

  // One uniform number picks the bin and, by what is left of it, the value within.
  std::int32_t draw(RandomStream& stream) const override {
    const double target = stream.uniform() * total_;
    auto index = static_cast<std::size_t>(std::upper_bound(cumulative_.begin(), cumulative_.end(), target) -
                                          cumulative_.begin());
    index = std::min(index, bins_.size() - 1);
    const Bin& bin = bins_[index];
    const double share = (target - (index == 0 ? 0 : cumulative_[index - 1])) / bin.weight;
    const auto step = static_cast<std::int32_t>(share * (bin.high - bin.low + 1.0));
    return bin.low + std::clamp(step, 0, bin.high - bin.low);
  }

  double mean() const override { return mean_; }

 private:
  std::vector<Bin> bins_;
  std::vector<double> cumulative_;
  double total_ = 0;
  double mean_ = 0;
};

std::vector<double> read_weights(const ConfigValue& value, std::size_t due, std::string_view of) {
  const std::vector<ConfigValue> items = value.list();
  if (items.size() != due) value.fail(fmt::format("{} weights for {} {}", items.size(), due, of));
  std::vector<double> weights;
  for (const ConfigValue& item : items) weights.push_back(item.number({0, kMaxWeight}));
  return weights;
}

std::vector<std::int32_t> read_tokens(const ConfigValue& value) {
  std::vector<std::int32_t> tokens;
  for (const ConfigValue& item : value.list()) tokens.push_back(static_cast<std::int32_t>(item.integer(1, kMaxTokens)));
  return tokens;
}

std::vector<Bin> read_values(const ConfigValue& values, const ConfigValue& weights) {
  const std::vector<std::int32_t> tokens = read_tokens(values);
  if (tokens.empty()) values.fail("an empty list");
  const std::vector<double> shares = read_weights(weights, tokens.size(), "values");
  std::vector<Bin> bins;
  for (std::size_t i = 0; i < tokens.size(); ++i) bins.push_back({tokens[i], tokens[i], shares[i]});
  return bins;
}

std::vector<Bin> read_edges(const ConfigValue& edges, const ConfigValue& weights) {
  const std::vector<std::int32_t> tokens = read_tokens(edges);
  if (tokens.size() < 2) edges.fail("at least two edges are due");
  const std::vector<double> shares = read_weights(weights, tokens.size() - 1, "bins (one less than the edges)");
  std::vector<Bin> bins;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i + 1] <= tokens[i])
      edges.fail(fmt::format("edges must rise; {} comes behind {}", tokens[i + 1], tokens[i]));
    bins.push_back({tokens[i], tokens[i + 1] - 1, shares[i]});
  }
  return bins;
}

std::int32_t field_tokens(const CsvReader& csv, std::size_t column) {
  const ParsedInteger parsed = parse_tokens(csv.field(column));
  if (!parsed.ok) throw InputError(csv.mark(column), csv.header()[column], parsed.error);
  return static_cast<std::int32_t>(parsed.value);
}

std::vector<Bin> read_file(const ConfigValue& file, const WorkloadScope& scope) {
  const std::string path = scope.resolve(file);
  CsvReader csv(open_text_file(path, file.mark(), file.path()), path);
  const bool ranges = std::find(csv.header().begin(), csv.header().end(), "from") != csv.header().end();
  const std::size_t low = csv.column(ranges ? "from" : "value"), high = ranges ? csv.column("to") : low;
  const std::size_t weight = csv.column("weight");
  std::vector<Bin> bins;
  while (csv.next()) {
    Bin bin;
    bin.low = field_tokens(csv, low);
    bin.high = ranges ? field_tokens(csv, high) - 1 : bin.low;
    if (bin.high < bin.low)
      throw InputError(csv.mark(high), "to", fmt::format("{} is not over from {}", bin.high + 1, bin.low));
    if (!parse_number(csv.field(weight), bin.weight) || !(bin.weight >= 0 && bin.weight <= kMaxWeight))
      throw InputError(csv.mark(weight), "weight",
                       fmt::format("{} is not a number from 0 to {:g}", quoted_text(csv.field(weight)), kMaxWeight));
    if (bins.size() == kMaxBins) throw InputError(csv.mark(low), "", fmt::format("over {} rows", kMaxBins));
    bins.push_back(bin);
  }
  return bins;
}

}  // namespace

std::unique_ptr<LengthDistribution> make_histogram_lengths(ConfigMap& map, const WorkloadScope& scope) {
  const auto values = map.optional("values"), edges = map.optional("edges"), file = map.optional("file");
  const auto weights = map.optional("weights");
  const int given = values.has_value() + edges.has_value() + file.has_value();
  if (given != 1) {
    map.done();  // a misspelt key first
    map.fail("a histogram needs one of values, edges and file");
  }
  if (file && weights) weights->fail("stands in the file already");
  if (!file && !weights) map.required("weights");
  const std::vector<Bin> bins = file     ? read_file(*file, scope)
                                : values ? read_values(*values, *weights)
                                         : read_edges(*edges, *weights);
  const bool some = std::any_of(bins.begin(), bins.end(), [](const Bin& bin) { return bin.weight > 0; });
  if (!some) (file ? *file : *weights).fail("no weight is over zero");
  return std::make_unique<HistogramLengths>(bins);
}

}  // namespace silicast
