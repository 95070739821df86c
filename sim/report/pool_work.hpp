// What the iterations of a pool did, as sums that rates of work, energy and KV use follow from.
#pragma once

#include "sim/report/facts.hpp"
#include "sim/report/summary.hpp"
#include "sim/serving/observer.hpp"

namespace silicast {

// Doubles, because a run of iterations that straddles the edge of the window is shared out by time.
struct PoolWork {
  double busy = 0;     // replica seconds
  double prefill = 0;  // of these, what prompt chunks took
  double iterations = 0;
  double passes = 0;     // micro-batches: each reads the weights once
  double tokens = 0;     // prompt and decode tokens computed
  double decode_kv = 0;  // KV tokens that decode attention read
  double prefill_pairs = 0;
  double prefill_kv = 0;
  double sampled = 0;        // sequences that got a token
  double block_seconds = 0;  // KV blocks in use times seconds
  // Where the model has limited reaches; most have none, and then it costs nothing.
  bool limited = false;
  std::array<double, kMaxReaches> limited_kv{};     // KV tokens within a limited reach that decode attention read
  std::array<double, kMaxReaches> limited_pairs{};  // and (query, key) pairs of prompts

  void add(const PoolWork& other, double share) {
    busy += share * other.busy;
    prefill += share * other.prefill;
    iterations += share * other.iterations;
    passes += share * other.passes;
    tokens += share * other.tokens;
    decode_kv += share * other.decode_kv;
    prefill_pairs += share * other.prefill_pairs;
    prefill_kv += share * other.prefill_kv;
    sampled += share * other.sampled;
    block_seconds += share * other.block_seconds;
    if (!other.limited) return;
    limited = true;
    for (std::size_t i = 0; i < kMaxReaches; ++i) {
      limited_kv[i] += share * other.limited_kv[i];
      limited_pairs[i] += share * other.limited_pairs[i];
    }
  }
};

inline PoolWork work_of(const RunRecord& run, const WorkRates& rates) {
  // Prompt chunks make runs of one iteration, so what they take is to be multiplied by n too.
  const double n = static_cast<double>(run.iterations) + run.cut_off;
  const double decodes = run.shape.decode_sequences;
  PoolWork work;
  work.busy = static_cast<double>(run.end.ns - run.start.ns) * 1e-9;
  work.prefill = n * run.prefill_time.value();
  work.iterations = n;
  work.passes = n * rates.micro_batches(run.shape.decode_sequences + run.shape.prefill_sequences);
  work.tokens = n * (decodes + run.shape.prefill_tokens);
  const double grown = 0.5 * n * (n - 1);  // sum of how often a length has grown, over the iterations
  work.decode_kv = n * static_cast<double>(run.shape.decode_kv_tokens) + (decodes + run.shape.accepted_drafts) * grown;
  work.prefill_pairs = n * run.prefill_pairs;
  work.prefill_kv = n * static_cast<double>(run.prefill_kv_tokens);
  work.sampled = n * run.shape.sampled_sequences;
  work.block_seconds = 0.5 * static_cast<double>(run.kv_blocks_start + run.kv_blocks_end) * work.busy;
  work.limited = rates.reaches > 0;
  if (!work.limited) return work;
  for (std::size_t i = 0; i < kMaxReaches; ++i) {
    work.limited_kv[i] = n * run.shape.limited[i].tokens + run.shape.limited[i].growth * grown;
    work.limited_pairs[i] = n * run.limited_pairs[i];
  }
  return work;
}

// Means over `seconds` of the whole pool; NaN when seconds is 0. `peak_blocks` is the most on any replica.
PoolUse use_of(const PoolFacts& facts, const PoolWork& work, double seconds, std::int64_t peak_blocks);

// Mean watts of one chip of a replica over `seconds`: idle, decode and prefill shares of TDP by the time in
// each.
Range chip_watts(const PoolFacts& facts, const PoolWork& work, double seconds);
// The weakest among what the watts rest on.
Grade power_grade(const PoolFacts& facts);
// Mean watts of all servers of the pool: its replicas' chips as above, its unused chips at the share "off",
// the servers' factor on top. Power, energy, electricity and carbon all come from here.
Range pool_watts(const PoolFacts& facts, const PoolWork& work, double seconds);

}  // namespace silicast
