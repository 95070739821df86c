// Reads the compiled tables: a handful of loads for one stage, an upper envelope of lines for pipelines,
// for host work that overlaps, and where a piece of the decode line ends.
#include "sim/perf/iteration_cost.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/check.hpp"
#include "sim/base/first_integer.hpp"

namespace silicast {
namespace {

constexpr double kShortest = 2e-9;  // s; an iteration must advance the nanosecond clock

struct Line {
  double value = 0;
  double slope = 0;
  double at(std::int64_t i) const { return value + slope * static_cast<double>(i); }
};

// What one micro-batch of a pipeline computes: an even share of the decodes, sequences rounded up; the largest prompt
// chunk stays whole in one, the others are shared out over as many as there are chunks.
struct Share {
  std::int32_t tokens = 0;
  std::int32_t decode_sequences = 0;
  std::int32_t sampled_sequences = 0;
  double prefill_attention = 0;
  std::array<LengthSum, 1 + kMaxReaches> lengths{};  // whole contexts, then by reach
};

struct MicroBatches {
  std::int32_t others = 0;       // with prompts beside the large one
  std::int32_t decode_only = 0;  // beside the large one
  Share large;                   // with the largest chunk, or any when there are none
  Share other;
  Share small;  // of decodes only
};

LengthSum whole_lengths(const BatchShape& shape) {
  return {static_cast<double>(shape.decode_kv_tokens), shape.decode_sequences + shape.accepted_drafts};
}

MicroBatches micro_batches_of(const BatchShape& shape, std::int32_t stages, std::int32_t query_tokens,
                              std::int32_t split) {
  const std::int32_t count = std::min(stages, shape.decode_sequences + shape.prefill_sequences);
  const auto up = [](std::int32_t whole, std::int32_t parts) { return (whole + parts - 1) / parts; };
  const double share = 1.0 / count;
  MicroBatches result;
  Share& small = result.small;
  small.decode_sequences = up(shape.decode_sequences, count);
  small.tokens = small.decode_sequences * query_tokens;
  small.sampled_sequences = small.tokens;
  const LengthSum whole = whole_lengths(shape);
  small.lengths[0] = {whole.tokens * share, whole.growth * share};
  for (std::size_t i = 0; i < kMaxReaches; ++i)
    small.lengths[i + 1] = {shape.limited[i].tokens * share, shape.limited[i].growth * share};
  const std::int32_t with_prompts = std::min(count, shape.prefill_sequences);
  result.others = std::max(0, with_prompts - 1);
  result.decode_only = count - 1 - result.others;
  result.large = result.other = small;
  if (with_prompts == 0) return result;
  const std::int32_t chunk = with_prompts == 1 ? shape.prefill_tokens : shape.largest_chunk;
  const double attention = with_prompts == 1 ? shape.prefill_attention : shape.largest_attention;
  const std::int32_t sampled = up(shape.sampled_sequences - shape.decode_sequences, with_prompts);
  Share& large = result.large;
  large.tokens += up(chunk, split);
  large.prefill_attention = attention;
  large.sampled_sequences += sampled;
  if (result.others == 0) return result;
  Share& other = result.other;
  other.tokens += up(up(shape.prefill_tokens - chunk, result.others), split);
  other.prefill_attention = std::max(0.0, shape.prefill_attention - attention) / result.others;
  other.sampled_sequences += sampled;
  return result;
}

// What decode attention adds; `mixed` by prompts in the same iteration.
Line decode_line(const StageCost& stage, std::int32_t sequences, const LengthSum* lengths, double mixed) {
  Line line{stage.decode_base[static_cast<std::size_t>(sequences)], 0};
  for (std::size_t i = 0; i < stage.decode_kv.size(); ++i) {
    const auto& piece = stage.decode_kv[i].at(lengths[i].tokens);
    line.value += piece.value + piece.slope * (lengths[i].tokens - piece.start);
    line.slope += piece.slope * lengths[i].growth;
  }
  line.value *= mixed;
  line.slope *= mixed;
  return line;
}

Line stage_line(const StageCost& stage, const Share& share, double mixed) {
  Line line{stage.tokens[static_cast<std::size_t>(share.tokens)] +
                stage.sequences[static_cast<std::size_t>(share.sampled_sequences)] +
                stage.prefill_share * share.prefill_attention,
            0};
  if (share.decode_sequences == 0) return line;
  const Line decode =
      decode_line(stage, share.decode_sequences, share.lengths.data(), share.prefill_attention > 0 ? mixed : 1);
  return {line.value + decode.value, decode.slope};
}

// Number of iterations until a length leaves its piece of the line.
std::int64_t piece_iterations(const PiecewiseLine& line, const LengthSum& length) {
  const auto* next = &line.at(length.tokens) + 1;
  if (next == line.pieces.data() + line.pieces.size() || length.growth == 0) return kForever;
  return first_integer((next->start - length.tokens) / length.growth, [&](std::int64_t j) {
    return length.tokens + length.growth * static_cast<double>(j) >= next->start;
  });
}

std::int64_t piece_iterations(const StageCost& stage, const Share& share) {
  std::int64_t iterations = kForever;
  if (share.decode_sequences == 0) return iterations;
  for (std::size_t i = 0; i < stage.decode_kv.size(); ++i)
    iterations = std::min(iterations, piece_iterations(stage.decode_kv[i], share.lengths[i]));
  return iterations;
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

IterationCost::IterationCost(std::vector<StageCost> stages, HostOverhead host, Common common)
    : stages_(std::move(stages)), host_(host), common_(std::move(common)) {
  SILICAST_CHECK(!stages_.empty(), "no stages");
  max_tokens_ = static_cast<std::int32_t>(stages_[0].tokens.size()) - 1;
  max_sequences_ = static_cast<std::int32_t>(stages_[0].decode_base.size()) - 1;
  max_sampled_ = static_cast<std::int32_t>(stages_[0].sequences.size()) - 1;
  SILICAST_CHECK(std::isfinite(host_.per_iteration) && host_.per_iteration >= 0, "host {}", host_.per_iteration);
  SILICAST_CHECK(std::isfinite(host_.per_sequence) && host_.per_sequence >= 0, "host {}", host_.per_sequence);
  SILICAST_CHECK(common_.reaches.size() <= kMaxReaches, "{} limits of attention", common_.reaches.size());
  SILICAST_CHECK(!common_.attention || (stages_.size() == 1 && common_.reaches.empty() && common_.query_tokens == 1),
                 "measured attention of {} stages, {} limits, {} query tokens", stages_.size(), common_.reaches.size(),
                 common_.query_tokens);
  SILICAST_CHECK(common_.query_tokens >= 1 && std::isfinite(common_.mixed) && common_.mixed >= 1,
                 "{} query tokens, mixed {}", common_.query_tokens, common_.mixed);
  SILICAST_CHECK(common_.prefill_split >= 1, "prompts over {} groups", common_.prefill_split);
  for (const PrefillPart& part : common_.prefill)
    for (const double rate : {part.pair, part.row, part.walk, part.kv})
      SILICAST_CHECK(std::isfinite(rate) && rate >= 0, "a rate of prefill attention is {}", rate);
  for (const StageCost& stage : stages_) {
    SILICAST_CHECK(stage.prefill_share >= 0 && stage.prefill_share <= 1, "share {}", stage.prefill_share);
    check_table(stage.tokens, "tokens");
    check_table(stage.sequences, "sequences");
    check_table(stage.decode_base, "decode_base");
    SILICAST_CHECK(stage.decode_kv.size() == 1 + common_.reaches.size(), "{} decode lines", stage.decode_kv.size());
    for (const PiecewiseLine& line : stage.decode_kv) check_decode_line(line);
    SILICAST_CHECK(stage.tokens.size() == stages_[0].tokens.size());
    SILICAST_CHECK(stage.sequences.size() == stages_[0].sequences.size());
    SILICAST_CHECK(stage.decode_base.size() == stages_[0].decode_base.size());
  }
  // Any iteration takes at least its tokens' time in each stage and the host's time.
  for (std::size_t m = 1; m < stages_[0].tokens.size(); ++m)
    SILICAST_CHECK(host_.per_iteration + host_.per_sequence + stages_[0].tokens[m] >= kShortest,
                   "an iteration of {} tokens takes {} s", m, stages_[0].tokens[m]);
  simple_ = stages_.size() == 1 && !common_.attention &&
            std::all_of(stages_[0].decode_kv.begin(), stages_[0].decode_kv.end(),
                        [](const PiecewiseLine& line) { return line.pieces.size() == 1; });
}

double IterationCost::shared(std::int64_t tokens, std::int32_t largest) const {
  SILICAST_CHECK(tokens >= 0 && tokens < static_cast<std::int64_t>(common_.group_tokens.size()) && largest >= 0 &&
                     largest < static_cast<std::int32_t>(common_.exchange.size()),
                 "{} tokens of a group, {} of a rank", tokens, largest);
  return common_.group_tokens[static_cast<std::size_t>(tokens)] + common_.exchange[static_cast<std::size_t>(largest)];
}

double IterationCost::prefill_attention(std::int32_t tokens, std::int64_t context) const {
  SILICAST_CHECK(tokens >= 0 && tokens <= max_tokens() && context >= 0, "{} tokens after {}", tokens, context);
  double seconds = 0;
  if (tokens == 0) return seconds;
  if (common_.attention) return common_.attention->prefill(tokens, context);
  for (const PrefillPart& part : common_.prefill) seconds += part.seconds(tokens, context);
  return seconds;
}

// Every change of a batch passes here, so the common case needs a handful of loads; the others are left to price().
IterationLine IterationCost::line(const BatchShape& shape) const {
  const std::int32_t tokens = tokens_of(shape);
  const std::int32_t sampled = sampled_of(shape);
  const std::int32_t sequences = shape.decode_sequences + shape.prefill_sequences;
  const bool within = tokens > 0 && tokens <= max_tokens_ && shape.decode_sequences >= 0 &&
                      shape.decode_sequences <= max_sequences_ && sequences > 0 && sampled >= 0 &&
                      sampled <= max_sampled_;
  if (!within || !simple_) return price(shape);
  const StageCost& stage = stages_[0];
  IterationLine line;
  line.first = stage.tokens[static_cast<std::size_t>(tokens)] + stage.sequences[static_cast<std::size_t>(sampled)] +
               shape.prefill_attention;
  if (shape.decode_sequences > 0) {
    const double mixed = shape.prefill_tokens > 0 ? common_.mixed : 1;
    const LengthSum whole = whole_lengths(shape);
    const PiecewiseLine::Piece& piece = stage.decode_kv[0].pieces[0];
    const double slope = mixed * piece.slope;
    line.first += mixed * (stage.decode_base[static_cast<std::size_t>(shape.decode_sequences)] + piece.value) +
                  slope * whole.tokens;
    line.slope = slope * whole.growth;
    for (std::size_t i = 0; i < common_.reaches.size(); ++i) {
      const PiecewiseLine::Piece& limited = stage.decode_kv[i + 1].pieces[0];
      line.first += mixed * (limited.value + limited.slope * shape.limited[i].tokens);
      line.slope += mixed * limited.slope * shape.limited[i].growth;
    }
  }
  const double host = host_.per_iteration + host_.per_sequence * sequences;
  if (!host_.overlapped)
    line.first += host;
  else if (line.first < host)
    return envelope_line(shape);  // the chips, slower with every token, may overtake the host
  if (shape.prefill_tokens > 0) line.iterations = 1;
  return line;
}

IterationLine IterationCost::price(const BatchShape& shape) const {
  const std::int32_t tokens = tokens_of(shape);
  const std::int32_t sampled = sampled_of(shape);
  SILICAST_CHECK(tokens > 0 && tokens <= max_tokens_, "{} tokens", tokens);
  SILICAST_CHECK(shape.decode_sequences >= 0 && shape.decode_sequences <= max_sequences_ &&
                     shape.decode_sequences + shape.prefill_sequences > 0 && sampled >= 0 && sampled <= max_sampled_,
                 "{} decode, {} prefill and {} sampled sequences", shape.decode_sequences, shape.prefill_sequences,
                 shape.sampled_sequences);
  if (!common_.attention) return envelope_line(shape);
  return measured_line(shape, stages_[0].tokens[static_cast<std::size_t>(tokens)] +
                                  stages_[0].sequences[static_cast<std::size_t>(sampled)]);
}

// `others`: what is not attention.
IterationLine IterationCost::measured_line(const BatchShape& shape, double others) const {
  const AttentionTable& attention = *common_.attention;
  const double host = host_.per_iteration + host_.per_sequence * (shape.decode_sequences + shape.prefill_sequences);
  IterationLine line;
  if (shape.prefill_tokens > 0) {
    line.first = others + shape.prefill_attention +
                 attention.beside(shape.largest_chunk, shape.largest_context, shape.decode_sequences,
                                  static_cast<double>(shape.decode_kv_tokens));
    line.first = host_.overlapped ? std::max(line.first, host) : line.first + host;
    line.iterations = 1;
    return line;
  }
  const LengthSum length = whole_lengths(shape);
  const PiecewiseLine& decodes = attention.decodes(shape.decode_sequences);
  const PiecewiseLine::Piece& piece = decodes.at(length.tokens);
  line.first = others + piece.value + piece.slope * (length.tokens - piece.start);
  line.slope = piece.slope * length.growth;
  line.iterations = piece_iterations(decodes, length);
  if (!host_.overlapped) {
    line.first += host;
  } else if (line.first < host) {
    Envelope envelope;
    const Line chips{line.first, line.slope};
    envelope.offer({host, 0});
    line.iterations = std::min(line.iterations, envelope.overtaken_at(chips));
    line.first = host;
    line.slope = 0;
  }
  return line;
}

// The micro-batch with the largest chunk passes the stages one after another (latency), and each stage must serve all
// (throughput): the longest of these, a maximum of lines, is the chips' time of the joint iteration.
IterationLine IterationCost::envelope_line(const BatchShape& shape) const {
  const MicroBatches batches =
      micro_batches_of(shape, static_cast<std::int32_t>(stages_.size()), common_.query_tokens, common_.prefill_split);
  const double host = host_.per_iteration + host_.per_sequence * (shape.decode_sequences + shape.prefill_sequences);
  const double added = host_.overlapped ? 0 : host;
  const auto serve_all = [&](const StageCost& stage) {
    Line all = stage_line(stage, batches.large, common_.mixed);
    all.value += added;
    const auto add = [&](std::int32_t count, const Share& share) {
      if (count == 0) return;
      const Line one = stage_line(stage, share, common_.mixed);
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
    const Line one = stage_line(stage, batches.large, common_.mixed);
    pass.value += one.value;
    pass.slope += one.slope;
    envelope.offer(serve_all(stage));
    line.iterations = std::min(line.iterations, piece_iterations(stage, batches.large));
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
