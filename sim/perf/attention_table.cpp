#include "sim/perf/attention_table.hpp"

#include <algorithm>

#include "sim/base/check.hpp"

namespace silicast {

AttentionTable::AttentionTable(const AttentionGrids& grids, const AttentionRates& rates, double mixed, double layers,
                               std::int32_t max_sequences)
    : grids_(grids), rates_(rates), mixed_(mixed), layers_(layers) {
  SILICAST_CHECK(!grids.empty(), "no measured attention");
  start_ = prefill_time(1, 0);
  decodes_.resize(1);
  for (std::int32_t n = 1; n <= max_sequences; ++n) decodes_.push_back(decodes_of(n));
}

// By rooflines, one layer.
double AttentionTable::estimate(double chunk, double context, double sequences, double kv_length, double mixed) const {
  const PrefillPart part{0, rates_.prefill_pair, rates_.prefill_row, rates_.prefill_walk, rates_.prefill_kv};
  double seconds =
      rates_.start + mixed * (rates_.decode_sequence * sequences + rates_.decode_kv(sequences * kv_length));
  if (chunk > 0) seconds += part.seconds(static_cast<std::int64_t>(chunk), static_cast<std::int64_t>(context));
  return seconds;
}

double AttentionTable::prefill_time(double chunk, double context) const {
  return grids_.prefill.at({chunk, context},
                           [&](const MeasuredGrid::Point& p) { return estimate(p[0], p[1], 0, 0, 1); });
}

PiecewiseLine AttentionTable::decodes_of(double sequences) const {
  const auto roofline = [&](const MeasuredGrid::Point& p) { return estimate(0, 0, p[0], p[1], 1); };
  const std::vector<double> lengths = grids_.decode.values(1);
  PiecewiseLine line{{{0, layers_ * grids_.decode.at({sequences, lengths[0]}, roofline), 0}}};
  for (std::size_t i = 0; i + 1 < lengths.size(); ++i) {
    const double begin = sequences * lengths[i], end = sequences * lengths[i + 1];
    const PiecewiseLine::Piece& before = line.pieces.back();
    const double value = before.value + before.slope * (begin - before.start);
    const double next = layers_ * grids_.decode.at({sequences, lengths[i + 1]}, roofline);
    line.pieces.push_back({begin, value, std::max(0.0, (next - value) / (end - begin))});
  }
  const double end = sequences * lengths.back();
  const PiecewiseLine::Piece& before = line.pieces.back();
  const double value = before.value + before.slope * (end - before.start);
  line.pieces.push_back({end, value, value * rates_.decode_kv(1) / roofline({sequences, lengths.back()})});
  return line;
}

double AttentionTable::prefill(std::int32_t tokens, std::int64_t context) const {
  return layers_ * std::max(0.0, prefill_time(tokens, static_cast<double>(context)) - start_);
}

double AttentionTable::beside(std::int32_t largest, std::int64_t context, std::int32_t sequences,
                              double kv_tokens) const {
  if (sequences == 0) return layers_ * start_;
  const double chunk = largest, past = static_cast<double>(context), n = sequences;
  const double both = grids_.mixed.at({kv_tokens / n, n, chunk, past}, [&](const MeasuredGrid::Point& p) {
    return estimate(p[2], p[3], p[1], p[0], mixed_);
  });
  return layers_ * std::max(0.0, both - prefill_time(chunk, past)) + layers_ * start_;
}

}  // namespace silicast
