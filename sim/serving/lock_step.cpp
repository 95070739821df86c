#include "sim/serving/lock_step.hpp"

#include "sim/base/first_integer.hpp"

namespace silicast {

LockStep::LockStep(std::int32_t ranks, const IterationCost& cost)
    : cost_(cost), parts_(static_cast<std::size_t>(ranks)), longest_(ranks), changes_(ranks) {
  for (std::int32_t rank = 0; rank < ranks; ++rank) changes_.set(rank, kForever);
}

// Lengths have grown since the work was set.
void LockStep::add(const IterationWork& work, std::int64_t iterations, double sign) {
  const auto whole = static_cast<std::int64_t>(sign);
  const auto part = static_cast<std::int32_t>(sign);
  BatchShape& sum = total_.shape;
  const BatchShape& shape = work.shape;
  const double n = static_cast<double>(iterations);
  sum.decode_sequences += part * shape.decode_sequences;
  const double growth = shape.decode_sequences + shape.accepted_drafts;
  whole_.tokens += sign * (static_cast<double>(shape.decode_kv_tokens) + growth * n);
  whole_.growth += sign * growth;
  sum.accepted_drafts += sign * shape.accepted_drafts;
  sum.prefill_sequences += part * shape.prefill_sequences;
  sum.prefill_tokens += part * shape.prefill_tokens;
  sum.sampled_sequences += part * shape.sampled_sequences;
  for (std::size_t i = 0; i < kMaxReaches; ++i) {
    sum.limited[i].tokens += sign * (shape.limited[i].tokens + shape.limited[i].growth * n);
    sum.limited[i].growth += sign * shape.limited[i].growth;
    total_.limited_pairs[i] += sign * work.limited_pairs[i];
  }
  total_.prefill_pairs += sign * work.prefill_pairs;
  total_.prefill_kv_tokens += whole * work.prefill_kv_tokens;
  tokens_ += whole * work.tokens(cost_.query_tokens());
}

void LockStep::set(std::int32_t rank, const IterationWork& work, std::int64_t now) {
  Part& part = parts_[static_cast<std::size_t>(rank)];
  total(now);
  add(part.work, now - part.since, -1);
  part = {work, now};
  add(part.work, 0, 1);
  longest_.set(rank, work.line, work.tokens(cost_.query_tokens()), now);
}

IterationWork LockStep::total(std::int64_t now) {
  BatchShape& sum = total_.shape;
  whole_.tokens += whole_.growth * static_cast<double>(now - now_);
  sum.decode_kv_tokens = static_cast<std::int64_t>(whole_.tokens);
  for (LengthSum& limited : sum.limited) limited.tokens += limited.growth * static_cast<double>(now - now_);
  now_ = now;
  IterationWork result = total_;
  if (tokens_ == 0) return result;
  result.line = longest_.line(now);
  result.line.first += shared(cost_);
  result.prefill_time = parts_[static_cast<std::size_t>(longest_.rank())].work.prefill_time;
  return result;
}

}  // namespace silicast
