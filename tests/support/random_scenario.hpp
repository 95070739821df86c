// Random serving systems for properties that must hold in all of them: small, tight in memory, bursty.
#pragma once

#include <string>

#include "sim/base/random.hpp"
#include "tests/support/serving_fixture.hpp"

namespace silicast::testing {

struct RandomScenario {
  ClusterSetup setup;
  std::vector<RequestSpec> requests;
  std::vector<std::vector<std::uint64_t>> blocks;  // as RequestSource::blocks(), of each; empty: not known
  std::int32_t block_tokens = 0;                   // of one of these
  std::string description;

  VectorSource source() const { return VectorSource(requests, blocks, block_tokens); }
};

// What the systems may have besides.
struct RandomFeatures {
  bool ranks = true;     // data-parallel ranks in lock step
  bool drafts = true;    // speculative decoding
  bool prompts = false;  // that begin alike and are kept in a cache
  bool answers = false;  // with prompts: some go on where others were answered
  bool flat = false;     // the lengths of contexts cost nothing
  bool roles = false;    // some pools prefill, others decode
  bool tiers = false;    // with prompts: below the caches
  bool loads = false;    // replicas start without weights
};

// The same seed gives the same scenario. Durations are irregular doubles, with several cost pieces and at times several
// stages and overlapped host work; arrivals come in bursts and, now and then, at the same instant.
// Some attention reaches a limited length, some sequences keep memory besides their tokens, some schedulers plan ahead.
// `time_scale`, a power of two of 1 or more, stretches every duration and every gap exactly.
RandomScenario random_scenario(std::uint64_t seed, int time_scale = 1, RandomFeatures features = {});

}  // namespace silicast::testing
