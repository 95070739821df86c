// Prices of collectives by algorithm.
#include "sim/perf/collectives.hpp"

#include <algorithm>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

void check_group(const GroupLinks& group, Bytes size) {
  SILICAST_CHECK(group.size >= 1, "a group of {}", group.size);
  SILICAST_CHECK(size.value() >= 0, "a message of {} B", size.value());
  if (group.size > 1)
    SILICAST_CHECK(group.all_to_all.value() > 0 && group.ring.value() > 0 && group.latency.value() >= 0,
                   "a group of {} without links", group.size);
}

// `bytes` that each rank sends at `rate`, after `latencies` of the group.
CollectivePrice priced(const ChipRates& chip, const GroupLinks& group, CollectiveAlgorithm algorithm, double bytes,
                       BytesPerSecond rate, int latencies) {
  const Seconds start = Seconds(chip.collective_start) + group.latency * latencies;
  return {start + Bytes(bytes) / (rate * chip.collective_efficiency), start, algorithm};
}

const CollectivePrice& faster(const CollectivePrice& a, const CollectivePrice& b) {
  return b.time < a.time ? b : a;
}

CollectivePrice half_reduce(const ChipRates& chip, const GroupLinks& group, Bytes size) {
  check_group(group, size);
  const int n = group.size;
  if (n == 1) return {};
  const double sent = (n - 1) * size.value() / n;
  return faster(priced(chip, group, CollectiveAlgorithm::kDirect, sent, group.all_to_all, 1),
                priced(chip, group, CollectiveAlgorithm::kRing, sent, group.ring, n - 1));
}

}  // namespace

std::string_view name_of(CollectiveAlgorithm algorithm) {
  switch (algorithm) {
    case CollectiveAlgorithm::kNone:
      return "none";
    case CollectiveAlgorithm::kOneShot:
      return "one_shot";
    case CollectiveAlgorithm::kTwoShot:
      return "two_shot";
    case CollectiveAlgorithm::kRing:
      return "ring";
    case CollectiveAlgorithm::kDirect:
      return "direct";
  }
  return "";
}

CollectivePrice price_all_reduce(const ChipRates& chip, const GroupLinks& group, Bytes size) {
  check_group(group, size);
  const int n = group.size;
  if (n == 1) return {};
  const double whole = (n - 1) * size.value();
  const double shared = 2 * whole / n;
  const CollectivePrice direct =
      faster(priced(chip, group, CollectiveAlgorithm::kOneShot, whole, group.all_to_all, 1),
             priced(chip, group, CollectiveAlgorithm::kTwoShot, shared, group.all_to_all, 2));
  return faster(direct, priced(chip, group, CollectiveAlgorithm::kRing, shared, group.ring, 2 * (n - 1)));
}

CollectivePrice price_all_gather(const ChipRates& chip, const GroupLinks& group, Bytes size) {
  return half_reduce(chip, group, size);
}

CollectivePrice price_send(const ChipRates& chip, const GroupLinks& pair, Bytes size) {
  check_group(pair, size);
  SILICAST_CHECK(pair.size == 2, "a send within a group of {}", pair.size);
  return priced(chip, pair, CollectiveAlgorithm::kDirect, size.value(), pair.ring, 1);
}

}  // namespace silicast
