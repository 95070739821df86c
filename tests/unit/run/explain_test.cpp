// The text of an explanation against the scenario that it explains.
#include "sim/run/explain.hpp"

#include <fmt/format.h>

#include <numeric>
#include <regex>

#include "scenario_for_tests.hpp"

namespace silicast::testing {
namespace {

using Catch::Matchers::Contains;

// The only number that a pattern captures.
double number_in(const std::string& text, const std::string& pattern) {
  std::smatch match;
  REQUIRE(std::regex_search(text, match, std::regex(pattern)));
  return std::stod(match[1]);
}

// The lines of kernels under the heading that begins so, up to what binds.
std::string section(const std::string& text, const std::string& heading) {
  const std::size_t from = text.find("\n  " + heading);
  REQUIRE(from != std::string::npos);
  return text.substr(from, text.find("what binds", from) - from);
}

std::vector<double> shares_in(const std::string& lines) {
  static const std::regex share(R"( ([0-9.]+)%  \w)");
  std::vector<double> shares;
  for (std::sregex_iterator match(lines.begin(), lines.end(), share), end; match != end; ++match)
    shares.push_back(std::stod((*match)[1]));
  return shares;
}

TEST_CASE("a scenario that fits shows the KV blocks that were computed for it") {
  const Scenario scenario = read(kBare);
  const PoolScenario& pool = scenario.pools[0];
  const std::string text = explain(scenario, {});
  CHECK_THAT(text, Contains(fmt::format("{} KV blocks", pool.kv_blocks)));
  CHECK_THAT(text, Contains(fmt::format("{} tokens", pool.kv_blocks * 16)));
  CHECK_THAT(text, !Contains("does not fit"));
}

TEST_CASE("KV blocks that the scenario gives stand beside those that would fit") {
  const Scenario scenario = read(kBusy);
  const std::string text = explain(scenario, {});
  CHECK_THAT(text, Contains(fmt::format("{} KV blocks", scenario.pools[0].memory.blocks)));
  CHECK_THAT(text, Contains("300 blocks"));
}

TEST_CASE("a scenario that does not fit says by how much") {
  const Scenario scenario = read(kTooLarge, {}, Fit::kReported);
  const double missing = scenario.pools[0].memory.shortfall.value() / (1 << 30);
  CHECK(number_in(explain(scenario, {}), R"(does not fit: ([0-9.]+) GiB short)") == Approx(missing).margin(0.001));
}

TEST_CASE("the parts of a chip's memory add up to it") {
  const std::string text = explain(read(kBare), {});
  double parts = 0;
  for (const char* part :
       {"weights", "activations, at peak", "runtime reserve", "captured graphs", "KV cache", "left of the chip"})
    parts += number_in(text, fmt::format(R"(\n +{} +(-?[0-9.]+) GiB)", part));
  CHECK(parts == Approx(number_in(text, R"(memory per chip, of ([0-9.]+) GiB)")).margin(0.004));
}

TEST_CASE("the shares of the kernels of an iteration sum to all of it") {
  // Rounded to a tenth of a percent each.
  const std::string text = explain(read(kBare), {});
  for (const char* heading : {"prefill of", "decode of"}) {
    INFO(heading);
    const std::vector<double> shares = shares_in(section(text, heading));
    REQUIRE(shares.size() > 8);
    CHECK(std::accumulate(shares.begin(), shares.end(), 0.0) ==
          Approx(100).margin(0.05 * static_cast<double>(shares.size())));
  }
}

TEST_CASE("the shares of a pipeline over several chips sum to all of it too") {
  const std::string text = explain(read(kBare, {"cluster.pools.0.layout={tensor: 2, pipeline: 2}"}), {});
  for (const char* heading : {"prefill of", "decode of"}) {
    INFO(heading);
    const std::vector<double> shares = shares_in(section(text, heading));
    CHECK(std::accumulate(shares.begin(), shares.end(), 0.0) ==
          Approx(100).margin(0.05 * static_cast<double>(shares.size())));
  }
}

TEST_CASE("the batch shown is the one asked for, its prompt cut to the engine's token budget") {
  const std::string text = explain(read(kBusy), {16, 300, 2048});  // 512 tokens at most
  CHECK_THAT(text, Contains("prefill of 512 tokens"));
  CHECK_THAT(text, Contains("decode of 16 sequences of 300 tokens"));
}

TEST_CASE("what binds is said in shares that sum to all of the iteration") {
  static const std::regex binds(R"(what binds: compute (\d+)% memory (\d+)% link (\d+)% overhead (\d+)%)");
  const std::string text = explain(read(kBare), {});
  int found = 0;
  for (std::sregex_iterator match(text.begin(), text.end(), binds), end; match != end; ++match, ++found)
    CHECK(std::stoi((*match)[1]) + std::stoi((*match)[2]) + std::stoi((*match)[3]) + std::stoi((*match)[4]) ==
          Approx(100).margin(2));
  CHECK(found == 2);
}

TEST_CASE("every pool has its section") {
  const std::string text = explain(read(kBare, {"cluster.pools=[{name: a, node: hgx-h100, engine: vllm}, "
                                                "{name: b, node: hgx-h20-96, engine: vllm}]"}),
                                   {});
  CHECK_THAT(text, Contains("pool a:") && Contains("pool b:"));
}

TEST_CASE("the links of a pool's collectives are those that its placement uses") {
  const std::string text = explain(read(kBare), {});
  CHECK_THAT(text, Contains("placement packed: 4 replicas on 1 of 1 node, at most 4 on one"));
  // Two chips and the way between them over one switch, each way.
  CHECK_THAT(text, Contains("tensor group of 2: 450 GB/s per chip when all talk to all"));
  CHECK_THAT(text, Contains("within one node; over 4 links, the narrowest 450 GB/s (chip to node switch)"));
}

TEST_CASE("a fabric shows its links with who says so, and what its halves can send each other") {
  const std::string text = explain(read(kBare, {"cluster.fabric=clos2", "cluster.pools.0.nodes=4",
                                                "cluster.pools.0.layout={tensor: 8, pipeline: 2}"}),
                                   {});
  CHECK_THAT(text, Contains("fabric clos2: 32 chips in 4 nodes and 4 scale-up domains over NICs"));
  CHECK_THAT(text, Contains("NIC to leaf"));
  CHECK_THAT(text, Contains("vendor: NVIDIA datasheet"));
  CHECK_THAT(text, Contains("nodes 0 to 1 against nodes 2 to 3: 800 GB/s each way by max-flow, 50.0 GB/s per chip"));
  CHECK_THAT(text, Contains("the first half of the chips of node 0 against the rest: 1.80 TB/s each way"));
  CHECK_THAT(text, Contains("stage 1 to 2: 50.0 GB/s per chip"));
}

TEST_CASE("links of two pools on the same node are one row, and one pod has one bisection") {
  const auto text_of = [](const char* fabric, int nodes) {
    const std::string pool = fmt::format("node: zhenwu-m890, nodes: {}, layout: {{tensor: 8}}, engine: vllm", nodes);
    return explain(read(kBare, {fabric, fmt::format("cluster.pools=[{{name: a, {}}}, {{name: b, {}}}]", pool, pool)}),
                   {});
  };
  const auto count = [](const std::string& text, const std::string& part) {
    int found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  const std::string one_pod = text_of("cluster.fabric=single-switch", 2);
  CHECK(count(one_pod, "\n  chip to node switch ") == 1);
  CHECK(count(one_pod, "\n  bisection ") == 1);
  CHECK_THAT(one_pod, Contains("bisection of the cluster, nodes 0 to 1 against nodes 2 to 3: 6.40 TB/s"));
  // Both pools stand in the first of two pods to begin with.
  const std::string two_pods = text_of("cluster.fabric=single-switch", 6);
  CHECK(count(two_pods, "\n  bisection ") == 2);
  CHECK_THAT(two_pods, Contains("of the cluster, nodes 0 to 5 against nodes 6 to 11:") &&
                           Contains("of pool a's first pod, nodes 0 to 3 against nodes 4 to 7:"));
}

TEST_CASE("a node of one chip has no bisection") {
  const std::string text = explain(read(kBare, {"cluster.pools.0.node=gh200", "cluster.pools.0.layout.tensor=1"}), {});
  CHECK_THAT(text, Contains("fabric ") && !Contains("bisection"));
}

TEST_CASE("a fabric that cannot be built and need not be says why") {
  const std::string text = explain(read(kBare, {"cluster.fabric=clos2", "cluster.pools.0.nodes=2000"}), {});
  CHECK_THAT(text, Contains("cannot be built, and no replica reaches into it") && Contains("need 500 leaves"));
}

TEST_CASE("an explanation names the keys without effect") {
  CHECK_THAT(explain(read(kBusy, {"cluster.fabric=clos2"}), {}), Contains("cluster.fabric: "));
}

}  // namespace
}  // namespace silicast::testing
