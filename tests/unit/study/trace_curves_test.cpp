// The curves of a trace against their definitions, counted the slow way.
#include "sim/study/traces/trace_curves.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/base/random.hpp"

namespace silicast {
namespace {

struct Asked {
  RequestSpec spec;
  std::vector<std::uint64_t> blocks;
};

std::vector<Asked> asked(std::uint64_t seed) {
  RandomStream draw(seed, "curves");
  std::vector<Asked> all;
  std::int64_t now = 0;
  for (int i = 0; i < 400; ++i) {
    Asked one;
    now += static_cast<std::int64_t>(draw.below(3)) * static_cast<std::int64_t>(draw.below(4'000'000'000));
    one.spec.arrival.ns = now;
    one.spec.prompt_tokens = 1 + static_cast<std::int32_t>(draw.below(100));
    one.spec.output_tokens = 1 + static_cast<std::int32_t>(draw.below(40));
    const bool answer = draw.below(2) == 0;
    const std::int32_t tokens = one.spec.prompt_tokens + (answer ? one.spec.output_tokens : 0);
    const std::uint64_t talk = draw.below(12);
    for (std::int32_t b = 0; b < (tokens + 15) / 16; ++b)
      one.blocks.push_back(talk * 100 + static_cast<std::uint64_t>(b));
    all.push_back(std::move(one));
  }
  return all;
}

// Blocks of prompts that a cache of `size` blocks holds when they are asked for, the least recently used dropped.
std::int64_t hits(const std::vector<Asked>& all, std::size_t size, std::int64_t& of) {
  std::vector<std::uint64_t> kept;
  std::int64_t found = 0;
  of = 0;
  for (const Asked& one : all)
    for (std::size_t i = 0; i < one.blocks.size(); ++i) {
      const bool of_prompt = i < static_cast<std::size_t>((one.spec.prompt_tokens + 15) / 16);
      const auto at = std::find(kept.begin(), kept.end(), one.blocks[i]);
      of += of_prompt;
      if (at != kept.end()) found += of_prompt, kept.erase(at);
      kept.push_back(one.blocks[i]);
      if (kept.size() > size) kept.erase(kept.begin());
    }
  return found;
}

double share_at(const nlohmann::json& curve, double value) {
  double share = 0;
  for (const auto& point : curve)
    if (point[0].get<double>() <= value * 1.0001) share = point[1];
  return share;
}

TEST_CASE("what a cache of a size finds is what a cache of that size finds") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto all = asked(seed);
    TraceCurves curves(16);
    for (const Asked& one : all) curves.add(one.spec, one.blocks);
    const auto json = nlohmann::json::parse(curves.json());
    for (const std::size_t size : {1, 10, 100}) {  // edges of bins
      std::int64_t of = 0;
      const std::int64_t found = hits(all, size, of);
      CHECK(share_at(json["reuse_by_cache"], static_cast<double>(size)) ==
            Approx(static_cast<double>(found) / static_cast<double>(of)).margin(1e-5));
    }
    CHECK(share_at(json["reuse_by_age"], 1e9) == Approx(share_at(json["reuse_by_cache"], 1e9)));
  }
}

TEST_CASE("rates of a trace that grows long keep their requests, and lengths and gaps end at one") {
  const auto all = asked(9);
  TraceCurves curves(0);
  for (const Asked& one : all) curves.add(one.spec, {});
  const auto json = nlohmann::json::parse(curves.json());
  CHECK_FALSE(json.contains("reuse_by_cache"));
  CHECK(json["rate"].size() <= 400);
  const double width = json["rate"][1][0].get<double>();
  CHECK(width > 1);
  double requests = 0;
  for (const auto& bin : json["rate"]) requests += bin[1].get<double>() * width;
  CHECK(requests == Approx(all.size()).epsilon(1e-4));
  for (const char* curve : {"gaps", "prompt_tokens", "output_tokens"})
    CHECK(json[curve].back()[1].get<double>() == Approx(1));
}

}  // namespace
}  // namespace silicast
