// What the iterations of a replica compute and move, as rates per thing counted: for utilisation and energy.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "sim/perf/iteration_cost.hpp"

namespace silicast {

// What a replica as a whole (all of its chips) computes and moves, for utilisation and energy. The work of a
// run is the sum of each rate times its count; a decode token counts as a token, as a sampled sequence, and
// with its KV tokens.
struct WorkRates {
  double flops_per_token = 0;            // GEMMs
  double flops_per_sampled = 0;          // LM head
  double flops_per_decode_kv_token = 0;  // attention of a decode token, per KV token it reads
  double flops_per_prefill_pair = 0;     // attention of prompts, per (query, key) pair, all layers
  double bytes_per_pass = 0;             // weights: read once for each micro-batch, see micro_batches
  double bytes_per_token = 0;            // activations and KV writes
  double bytes_per_sampled = 0;
  double bytes_per_decode_kv_token = 0;   // KV reads
  double bytes_per_prefill_kv_token = 0;  // KV reads of a prompt chunk: once per chunk and token of context or chunk
  // Attention that reaches a limited length only, by IterationCost::reaches; so many there are.
  std::size_t reaches = 0;
  struct Limited {
    double flops_per_decode_kv_token = 0;
    double bytes_per_decode_kv_token = 0;
    double flops_per_prefill_pair = 0;
  };
  std::array<Limited, kMaxReaches> limited{};
  // Routed experts, all layers: a pass reads those that its tokens meet.
  double bytes_of_experts = 0;
  double expert_share = 0;    // of the experts that one token meets
  double peak_flops = 0;      // FLOP/s of all chips in the format that the layers' GEMMs work in
  double peak_bandwidth = 0;  // B/s of all chips
  std::int32_t stages = 1;

  // Bytes of experts that a pass of `tokens` reads, experts taken as equally popular.
  double expert_bytes(double tokens) const { return bytes_of_experts * (1 - std::pow(1 - expert_share, tokens)); }

  // Micro-batches that an iteration of so many sequences is cut into.
  std::int32_t micro_batches(std::int32_t sequences) const { return sequences < stages ? sequences : stages; }
};

}  // namespace silicast
