// Sum mode: a second, slow implementation of the serving layer, written from its specification and not from
// its code. It prices every iteration alone and adds the durations up one by one, in seconds as doubles; it
// keeps the length of every sequence and counts blocks sequence by sequence. No closed form, no leap, no
// integer clock.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/serving/cluster.hpp"

namespace silicast::testing {

inline constexpr double kNeverSeconds = -1;

// How one request fared; instants are seconds since the start of the run, kNeverSeconds for what did not
// happen.
struct SumRequest {
  EndState state = EndState::kUnfinished;
  EndReason reason = EndReason::kNone;
  ReplicaId replica;  // its rank, by number; invalid when it never reached one
  double scheduled = kNeverSeconds;
  double first_token = kNeverSeconds;
  double end = kNeverSeconds;
  double prefilled = kNeverSeconds;  // by another replica than the one it ended at:
  ReplicaId prefill_replica;
  double preempted_before_first_token = 0;  // seconds
  std::int32_t output_tokens = 0;
  std::int32_t cached_tokens = 0;
  std::int32_t preemptions = 0;
};

struct SumIteration {
  double start = 0;     // seconds since the start of the run
  double duration = 0;  // seconds
  BatchShape shape;
  std::int64_t kv_blocks = 0;  // in use during it, those taken for its own tokens included
  bool crowded = false;        // its messages found transfers on their links
};

// By rank; ranks in lock step have their iterations with the first of them, as sums.
struct SumReplica {
  std::vector<SumIteration> iterations;
  std::vector<std::int64_t> ended;  // indices of its requests, in order of their ends
};

struct SumHistory {
  std::vector<SumRequest> requests;  // by order of arrival
  std::vector<SumReplica> replicas;
};

// Plays the requests, given in order of arrival, to the end. Requests must not have deadlines, and the setup
// no horizon; `leap` and `sample_interval` mean nothing here.
// `blocks`: as RequestSource::blocks() of each request, where the source has any, of `block_tokens` each.
SumHistory sum_reference(const ClusterSetup& setup, const std::vector<RequestSpec>& requests,
                         const std::vector<std::vector<std::uint64_t>>& blocks = {}, std::int32_t block_tokens = 1);

}  // namespace silicast::testing
