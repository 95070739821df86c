// Reads the compiled tables: a handful of loads for one stage, an upper envelope of lines for pipelines,
// for host work that overlaps, and where a piece of the decode line ends.
#include "sim/perf/iteration_cost.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
constexpr double kShortest = 2e-9;  // s; an iteration must advance the nanosecond clock

struct Line {
  double value = 0;
  double slope = 0;
  double at(std::int64_t i) const { return value + slope * static_cast<double>(i); }
};

// The integer i >= 1 with passed(i) and, but for i = 1, not passed(i - 1); `passed` stays true once true. The
// guess (a rounded root) only says where to look first: steps double away from it, then a bisection closes
// in.
template <class Passed>
std::int64_t first_integer(double guess, Passed passed) {
  constexpr double kFar = 1e15;  // no run lasts as long, and doubles still count exactly
  if (!(guess < kFar)) return kForever;
  std::int64_t high = guess < 1 ? 1 : static_cast<std::int64_t>(guess);
  std::int64_t low = high - 1;  // ends as a place not passed, or 0
  for (std::int64_t step = 1; low > 0 && passed(low); step *= 2) {
    high = low;
    low = std::max<std::int64_t>(0, low - step);
  }
  for (std::int64_t step = 1; !passed(high); step *= 2) {
    if (static_cast<double>(high) > kFar) return kForever;
    low = high;
    high += step;
  }
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (passed(middle) ? high : low) = middle;
  }
  return high;
}

// What one micro-batch of a pipeline computes: an even share of the decodes, sequences rounded up; the largest prompt
// chunk stays whole in one, the others are shared out over as many as there are chunks.
struct Share {
  std::int32_t tokens = 0;
  std::int32_t decode_sequences = 0;
  std::int32_t sampled_sequences = 0;
  double prefill_attention = 0;
  double kv_tokens = 0;  // of iteration 0
  double kv_growth = 0;  // per iteration
};

struct MicroBatches {
  std::int32_t others = 0;       // with prompts beside the large one
  std::int32_t decode_only = 0;  // beside the large one
  Share large;                   // with the largest chunk, or any when there are none
  Share other;
  Share small;  // of decodes only
};

MicroBatches micro_batches_of(const BatchShape& shape, std::int32_t stages) {
  const std::int32_t count = std::min(stages, shape.decode_sequences + shape.prefill_sequences);
  const auto up = [](std::int32_t whole, std::int32_t parts) { return (whole + parts - 1) / parts; };
  const double share = 1.0 / count;
  MicroBatches result;
  Share& small = result.small;
  small.decode_sequences = up(shape.decode_sequences, count);
  small.tokens = small.decode_sequences;
  small.sampled_sequences = small.decode_sequences;
  small.kv_tokens = static_cast<double>(shape.decode_kv_tokens) * share;
  small.kv_growth = static_cast<double>(shape.decode_sequences) * share;
  const std::int32_t with_prompts = std::min(count, shape.prefill_sequences);
  result.others = std::max(0, with_prompts - 1);
  result.decode_only = count - 1 - result.others;
  result.large = result.other = small;
  if (with_prompts == 0) return result;
  const std::int32_t chunk = with_prompts == 1 ? shape.prefill_tokens : shape.largest_chunk;
  const double attention = with_prompts == 1 ? shape.prefill_attention : shape.largest_attention;
  const std::int32_t sampled = up(shape.sampled_sequences - shape.decode_sequences, with_prompts);
  Share& large = result.large;
  large.tokens += chunk;
  large.prefill_attention = attention;
  large.sampled_sequences += sampled;
  if (result.others == 0) return result;
  Share& other = result.other;
  other.tokens += up(shape.prefill_tokens - chunk, result.others);
  other.prefill_attention = std::max(0.0, shape.prefill_attention - attention) / result.others;
  other.sampled_sequences += sampled;
  return result;
}

Line stage_line(const StageCost& stage, const Share& share) {
  Line line{
      stage.tokens[share.tokens] + stage.sequences[share.sampled_sequences] + stage.layers * share.prefill_attention,
      0};
  if (share.decode_sequences == 0) return line;
  const auto& piece = stage.decode_kv.at(share.kv_tokens);
  line.value += stage.decode_base[share.decode_sequences] + piece.value + piece.slope * (share.kv_tokens - piece.start);
  line.slope = piece.slope * share.kv_growth;
  return line;
}

// Number of iterations until the KV length leaves its piece of the decode line.
std::int64_t piece_iterations(const PiecewiseLine& line, const Share& share) {
  if (share.decode_sequences == 0) return kForever;
  const auto* next = &line.at(share.kv_tokens) + 1;
  if (next == line.pieces.data() + line.pieces.size()) return kForever;
  const double gap = next->start - share.kv_tokens;
  return first_integer(gap / share.kv_growth, [&](std::int64_t i) {
    return share.kv_tokens + share.kv_growth * static_cast<double>(i) >= next->start;
  });
}

// The largest of several lines from iteration 0 on, and where another of them overtakes it.
class Envelope {
 public:
  void offer(const Line& line) {
    if (line.value > top_.value || (line.value == top_.value && line.slope > top_.slope)) top_ = line;
  }
  // After every line was offered, each once more: iteration from which `line` is above the top.
  std::int64_t overtaken_at(const Line& line) const {
    // Slopes that differ by rounding alone stay together within 1e-12, however long the run.
    if (line.slope <= top_.slope * (1 + 1e-13)) return kForever;
    const double guess = (top_.value - line.value) / (line.slope - top_.slope);
    return first_integer(guess, [&](std::int64_t i) { return line.at(i) > top_.at(i); });
  }
  const Line& top() const { return top_; }

 private:
  Line top_{-1, 0};
};

void check_table(const std::vector<double>& table, std::string_view name) {
  SILICAST_CHECK(!table.empty(), "{} is empty", name);
  for (double value : table) SILICAST_CHECK(std::isfinite(value) && value >= 0, "{} holds {}", name, value);
}

void check_decode_line(const PiecewiseLine& line) {
  SILICAST_CHECK(!line.pieces.empty() && line.pieces[0].start == 0, "the decode line does not begin at 0");
  for (std::size_t i = 0; i < line.pieces.size(); ++i) {
    const auto& piece = line.pieces[i];
    SILICAST_CHECK(std::isfinite(piece.value) && piece.value >= 0 && std::isfinite(piece.slope) && piece.slope >= 0,
                   "piece {} of the decode line: value {}, slope {}", i, piece.value, piece.slope);
    if (i == 0) continue;
    const auto& before = line.pieces[i - 1];
    const double end = before.value + before.slope * (piece.start - before.start);
    SILICAST_CHECK(piece.start > before.start, "piece {} of the decode line begins at {}", i, piece.start);
    SILICAST_CHECK(std::abs(piece.value - end) <= 1e-12 * end, "the decode line jumps from {} to {} at {}", end,
                   piece.value, piece.start);
  }
}

}  // namespace

IterationCost::IterationCost(std::vector<StageCost> stages, HostOverhead host, std::vector<double> prefill_quadratic,
                             double prefill_kv)
    : stages_(std::move(stages)),
      host_(host),
      prefill_quadratic_(std::move(prefill_quadratic)),
      prefill_kv_(prefill_kv) {
  SILICAST_CHECK(!stages_.empty(), "no stages");
  SILICAST_CHECK(std::isfinite(host_.per_iteration) && host_.per_iteration >= 0, "host {}", host_.per_iteration);
  SILICAST_CHECK(std::isfinite(host_.per_sequence) && host_.per_sequence >= 0, "host {}", host_.per_sequence);
  SILICAST_CHECK(std::isfinite(prefill_kv_) && prefill_kv_ >= 0, "prefill_kv {}", prefill_kv_);
  check_table(prefill_quadratic_, "prefill_quadratic");
  for (const StageCost& stage : stages_) {
    SILICAST_CHECK(std::isfinite(stage.layers) && stage.layers >= 0, "{} layers", stage.layers);
    check_table(stage.tokens, "tokens");
    check_table(stage.sequences, "sequences");
    check_table(stage.decode_base, "decode_base");
    check_decode_line(stage.decode_kv);
    SILICAST_CHECK(stage.tokens.size() == stages_[0].tokens.size());
    SILICAST_CHECK(stage.sequences.size() == stages_[0].sequences.size());
    SILICAST_CHECK(stage.decode_base.size() == stage.sequences.size());
  }
  SILICAST_CHECK(prefill_quadratic_.size() == stages_[0].tokens.size());
  // Any iteration takes at least its tokens' time in each stage and the host's time.
  for (std::size_t m = 1; m < stages_[0].tokens.size(); ++m)
    SILICAST_CHECK(host_.per_iteration + host_.per_sequence + stages_[0].tokens[m] >= kShortest,
                   "an iteration of {} tokens takes {} s", m, stages_[0].tokens[m]);
  simple_ = stages_.size() == 1 && stages_[0].decode_kv.pieces.size() == 1;
}

double IterationCost::prefill_attention(std::int32_t tokens, std::int64_t context) const {
  SILICAST_CHECK(tokens >= 0 && tokens <= max_tokens() && context >= 0, "{} tokens after {}", tokens, context);
  const double c = tokens;
  const double p = static_cast<double>(context);
  if (tokens == 0) return 0;
  return std::max(prefill_quadratic_[tokens] * (c * p + 0.5 * c * (c + 1)), prefill_kv_ * (p + c));
}

IterationLine IterationCost::line(const BatchShape& shape) const {
  const std::int32_t tokens = shape.decode_sequences + shape.prefill_tokens;
  const std::int32_t sequences = shape.decode_sequences + shape.prefill_sequences;
  const auto limit = static_cast<std::int32_t>(stages_[0].sequences.size());
  SILICAST_CHECK(tokens > 0 && tokens < static_cast<std::int32_t>(stages_[0].tokens.size()), "{} tokens", tokens);
  SILICAST_CHECK(shape.decode_sequences >= 0 && shape.decode_sequences < limit && sequences > 0 &&
                     shape.sampled_sequences >= 0 && shape.sampled_sequences < limit,
                 "{} decode, {} prefill and {} sampled sequences", shape.decode_sequences, shape.prefill_sequences,
                 shape.sampled_sequences);
  if (!simple_) return envelope_line(shape, sequences);
  const StageCost& stage = stages_[0];
  const double host = host_.per_iteration + host_.per_sequence * sequences;
  IterationLine line;
  line.first = stage.tokens[tokens] + stage.sequences[shape.sampled_sequences] + stage.layers * shape.prefill_attention;
  if (shape.decode_sequences > 0) {
    const auto& piece = stage.decode_kv.pieces[0];
    line.first += stage.decode_base[shape.decode_sequences] + piece.value +
                  piece.slope * static_cast<double>(shape.decode_kv_tokens);
    line.slope = piece.slope * shape.decode_sequences;
  }
  if (!host_.overlapped) {
    line.first += host;
  } else if (line.first < host) {
    return envelope_line(shape, sequences);  // the chips, slower with every token, may overtake the host
  }
  if (shape.prefill_tokens > 0) line.iterations = 1;
  return line;
}

// The micro-batch with the largest chunk passes the stages one after another (latency), and each stage must serve all
// (throughput): the longest of these, a maximum of lines, is the chips' time of the joint iteration.
IterationLine IterationCost::envelope_line(const BatchShape& shape, std::int32_t sequences) const {
  const MicroBatches batches = micro_batches_of(shape, static_cast<std::int32_t>(stages_.size()));
  const double host = host_.per_iteration + host_.per_sequence * sequences;
  const double added = host_.overlapped ? 0 : host;
  const auto serve_all = [&](const StageCost& stage) {
    Line all = stage_line(stage, batches.large);
    all.value += added;
    const auto add = [&](std::int32_t count, const Share& share) {
      if (count == 0) return;
      const Line one = stage_line(stage, share);
      all.value += count * one.value;
      all.slope += count * one.slope;
    };
    add(batches.others, batches.other);
    add(batches.decode_only, batches.small);
    return all;
  };
  Envelope envelope;
  Line pass{added, 0};
  IterationLine line;
  for (const StageCost& stage : stages_) {
    const Line one = stage_line(stage, batches.large);
    pass.value += one.value;
    pass.slope += one.slope;
    envelope.offer(serve_all(stage));
    line.iterations = std::min(line.iterations, piece_iterations(stage.decode_kv, batches.large));
  }
  envelope.offer(pass);
  if (host_.overlapped) envelope.offer({host, 0});
  line.first = envelope.top().value;
  line.slope = envelope.top().slope;
  if (shape.prefill_tokens > 0) {
    line.iterations = 1;
    return line;
  }
  line.iterations = std::min(line.iterations, envelope.overtaken_at(pass));
  for (const StageCost& stage : stages_)
    line.iterations = std::min(line.iterations, envelope.overtaken_at(serve_all(stage)));
  return line;
}

}  // namespace silicast
