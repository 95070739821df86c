// Utilisation and power of a pool from what its iterations did.
#include "sim/report/pool_work.hpp"

#include <algorithm>

namespace silicast {
namespace {

double flops_of(const WorkRates& rates, const PoolWork& work) {
  double flops = rates.flops_per_token * work.tokens + rates.flops_per_decode_kv_token * work.decode_kv +
                 rates.flops_per_prefill_pair * work.prefill_pairs + rates.flops_per_sampled * work.sampled;
  for (std::size_t i = 0; i < kMaxReaches; ++i)
    flops += rates.limited[i].flops_per_decode_kv_token * work.limited_kv[i] +
             rates.limited[i].flops_per_prefill_pair * work.limited_pairs[i];
  return flops;
}

double bytes_of(const WorkRates& rates, const PoolWork& work) {
  double bytes = rates.bytes_per_pass * work.passes + rates.bytes_per_token * work.tokens +
                 rates.bytes_per_decode_kv_token * work.decode_kv + rates.bytes_per_prefill_kv_token * work.prefill_kv +
                 rates.bytes_per_sampled * work.sampled;
  for (std::size_t i = 0; i < kMaxReaches; ++i)
    bytes += rates.limited[i].bytes_per_decode_kv_token * work.limited_kv[i];
  if (work.passes > 0) bytes += work.passes * rates.expert_bytes(work.tokens / work.passes);
  return bytes;
}

}  // namespace

Range chip_watts(const PoolFacts& facts, const PoolWork& work, double seconds) {
  const double replica_seconds = facts.replicas * seconds;
  if (!(replica_seconds > 0) || !(facts.tdp.value > 0)) return Range::none();
  const double busy = std::clamp(work.busy / replica_seconds, 0.0, 1.0);
  const double prefill = std::clamp(work.prefill / replica_seconds, 0.0, busy);
  const Range share = Range::of(facts.shares.idle) * (1 - busy) + Range::of(facts.shares.decode) * (busy - prefill) +
                      Range::of(facts.shares.prefill) * prefill;
  return share * Range::of(facts.tdp);
}

Grade power_grade(const PoolFacts& facts) {
  const PowerShares& shares = facts.shares;
  return std::max({facts.tdp.grade, facts.server_factor.grade, shares.off.grade, shares.idle.grade, shares.decode.grade,
                   shares.prefill.grade});
}

Range pool_watts(const PoolFacts& facts, const PoolWork& work, double seconds) {
  const double used = static_cast<double>(facts.replicas) * facts.chips_per_replica;
  const Range unused = Range::of(facts.shares.off) * Range::of(facts.tdp) * facts.unused_chips;
  return (chip_watts(facts, work, seconds) * used + unused) * Range::of(facts.server_factor);
}

PoolUse use_of(const PoolFacts& facts, const PoolWork& work, double seconds, std::int64_t peak_blocks) {
  PoolUse use;
  use.name = facts.name;
  use.chip = facts.chip;
  use.badge = facts.badge;
  use.replicas = facts.replicas;
  use.chips = facts.replicas * facts.chips_per_replica;
  use.unused_chips = facts.unused_chips;
  use.busy_seconds = work.busy;
  use.prefill_seconds = work.prefill;
  use.chip_watts = chip_watts(facts, work, seconds);
  use.server_watts = use.chip_watts * Range::of(facts.server_factor);
  use.watts = pool_watts(facts, work, seconds);
  if (work.busy > 0) use.prefill_time_share = work.prefill / work.busy;
  if (facts.kv_blocks > 0) use.kv_peak = static_cast<double>(peak_blocks) / static_cast<double>(facts.kv_blocks);
  const double replica_seconds = facts.replicas * seconds;
  if (!(replica_seconds > 0)) return use;
  use.busy = work.busy / replica_seconds;
  use.iterations = work.iterations / replica_seconds;
  if (facts.work.peak_flops > 0) use.compute = flops_of(facts.work, work) / (facts.work.peak_flops * replica_seconds);
  if (facts.work.peak_bandwidth > 0)
    use.memory = bytes_of(facts.work, work) / (facts.work.peak_bandwidth * replica_seconds);
  if (facts.kv_blocks > 0) use.kv_mean = work.block_seconds / (static_cast<double>(facts.kv_blocks) * replica_seconds);
  return use;
}

}  // namespace silicast
