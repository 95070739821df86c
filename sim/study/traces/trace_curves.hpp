// How a trace's load, lengths and reuse spread, counted as its requests go by, for plots. Memory: one number for each
// length that occurs, 8 bytes for each block that a request names and some 60 for each other one.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "workloads/request_source.hpp"

namespace silicast {

// Counts of positive numbers by size, each bin a fixed ratio wide.
class RatioBins {
 public:
  void add(double value) { ++counts_[bin_of(value)]; }
  // Share of `all` that is at most so large, at the upper edge of each bin that has any: [[edge, share], ...]. So many
  // as `smaller` are below every bin.
  std::string cumulative(std::int64_t all, std::int64_t smaller = 0) const;

 private:
  static std::int32_t bin_of(double value);
  std::map<std::int32_t, std::int64_t> counts_;
};

class TraceCurves {
 public:
  explicit TraceCurves(std::int32_t block_tokens) : block_tokens_(block_tokens) {}
  void add(const RequestSpec& request, std::span<const std::uint64_t> blocks);

  // One JSON object: rate [[s, requests/s], ...]; gaps, prompt_tokens, output_tokens [[value, share at most that],
  // ...]; with ids of blocks reuse_by_cache [[blocks, share of the prompts' blocks that a cache of so many finds],
  // ...], which drops the least recently used, and reuse_by_age [[s since the last use, share], ...].
  std::string json() const;

 private:
  void add_rate(SimTime arrival);
  void look_up(std::uint64_t id, SimTime now, bool of_prompt);
  std::int64_t used_since(std::int64_t use) const;  // blocks whose last use is behind it
  void mark(std::int64_t use, std::int64_t change);

  std::int32_t block_tokens_;
  std::int64_t requests_ = 0;
  SimTime first_, last_;
  double bin_s_ = 1;                // of rate_; doubles when a trace is long
  std::vector<std::int64_t> rate_;  // requests by bin
  RatioBins gaps_, ages_, caches_;
  std::int64_t zero_gaps_ = 0;
  std::map<std::int32_t, std::int64_t> prompts_, outputs_;
  struct Use {
    std::int64_t number = 0;  // in the order of uses
    SimTime time;
  };
  std::map<std::uint64_t, Use> uses_;     // the last of each block
  std::vector<std::int64_t> tree_ = {0};  // Fenwick's, over the uses: 1 where one is its block's last
  std::int64_t prompt_blocks_ = 0;
};

}  // namespace silicast
