// Launch of a scenario, read back, is the same pool: for what ships and for random pools of every family.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "scenario_for_tests.hpp"
#include "sim/base/random.hpp"
#include "sim/io/config_catalogue.hpp"
#include "sim/run/fleet.hpp"
#include "sim/run/launch/launch.hpp"

namespace silicast::testing {
namespace {

Scenario read_back(const std::string& launch) {
  const std::string yaml = read_launch(launch, "launch.sh", {kConfigs});
  INFO(yaml);
  return read_scenario(parse_config(yaml, "back.yaml"), "back.yaml", {kConfigs, {}}, Fit::kReported);
}

// Everything that a launch decides.
void check_same(const Scenario& given, const Scenario& back) {
  REQUIRE(back.pools.size() == 1);
  const PoolScenario &a = given.pools[0], &b = back.pools[0];
  CHECK(back.model.name == given.model.name);
  CHECK(back.max_context == given.max_context);
  CHECK(b.name == a.name);
  CHECK(b.node.name == a.node.name);
  CHECK(b.nodes == a.nodes);
  CHECK(b.replicas == a.replicas);
  const ParallelPlan &p = a.plan, &q = b.plan;
  CHECK(std::tuple(q.tensor, q.context, q.data, q.expert, q.redundant_experts, q.stage_layers) ==
        std::tuple(p.tensor, p.context, p.data, p.expert, p.redundant_experts, p.stage_layers));
  const auto formats = [](const Precision& one) {
    return std::tuple(one.weights, one.activations, one.kv, one.experts, one.expert_activations);
  };
  CHECK(formats(b.precision) == formats(a.precision));
  const auto limits = [](const EngineLimits& one) {
    return std::tuple(one.max_sequences, one.max_batched_tokens, one.block_size, one.max_chunk, one.max_waiting);
  };
  CHECK(limits(b.engine.limits()) == limits(a.engine.limits()));
  CHECK(b.engine.name == a.engine.name);
  CHECK(b.engine.memory.utilisation.value == a.engine.memory.utilisation.value);
  CHECK(b.engine.parallel.two_batches == a.engine.parallel.two_batches);
  CHECK(b.scheduler->name == a.scheduler->name);
  CHECK(b.kv_blocks_given == a.kv_blocks_given);
  CHECK(b.kv_blocks == a.kv_blocks);
  CHECK(b.speculation.draft == a.speculation.draft);
  CHECK(b.speculation.tokens == a.speculation.tokens);
  CHECK(b.speculation.accepted.value == a.speculation.accepted.value);
}

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : stream_(seed, "launch") {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(stream_.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool one_in(std::int64_t n) { return between(1, n) == 1; }
  template <class T>
  const T& of(const std::vector<T>& values) {
    return values[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(values.size()) - 1))];
  }

 private:
  RandomStream stream_;
};

struct Random {
  std::string family;
  std::string text;
};

Random random_pool(std::uint64_t seed) {
  Draw draw(seed);
  static const std::map<std::string, std::vector<std::string>> engines = {
      {"vllm", {"vllm", "vllm-0.12", "vllm-ep", "vllm-small"}},
      {"sglang", {"sglang", "sglang-ep"}},
      {"mindie", {"mindie"}}};
  Random random;
  random.family = draw.of<std::string>({"vllm", "sglang", "mindie"});
  const std::string model =
      draw.of<std::string>({"qwen3-32b", "llama-3.1-8b", "deepseek-r1", "gpt-oss-120b", "llama-2-7b", "qwen3-30b-a3b",
                            "qwen3-235b-a22b-fp8", "kimi-k2.5", "yi-34b"});
  const std::string node = random.family == "mindie" ? draw.of<std::string>({"atlas-800-a2", "atlas-800-a3-die"})
                                                     : draw.of<std::string>({"hgx-h200", "hgx-h20-96", "atlas-800-a2"});
  std::string engine = draw.of(engines.at(random.family));
  if (random.family == "vllm" && node == "atlas-800-a2") engine = "vllm-ascend";
  const std::int64_t tokens = 1 << draw.between(9, 15),
                     sequences = std::min<std::int64_t>(tokens, draw.between(1, 512));
  const std::int64_t tensor = 1 << draw.between(0, 4);
  std::string layout = fmt::format("tensor: {}", tensor);
  std::int64_t ranks = tensor;
  if (draw.one_in(3)) {
    const std::int64_t data = 1 << draw.between(0, 4);
    ranks *= data;
    layout += fmt::format(", data: {}", data);
  }
  if (random.family != "sglang" && draw.one_in(4)) {
    ranks *= 2;
    layout += ", context: 2";
  }
  if (draw.one_in(2)) layout += fmt::format(", expert: {}", random.family == "vllm" ? ranks : 1 << draw.between(0, 4));
  if (draw.one_in(4)) layout += fmt::format(", redundant_experts: {}", draw.between(1, 32));
  if (draw.one_in(4)) layout += fmt::format(", pipeline: {}", draw.between(2, 5));
  std::string pool = fmt::format(
      "name: {}, node: {}, nodes: {}, layout: {{{}}}, engine: {{base: {}, max_sequences: {}, max_batched_tokens: {}, "
      "block_size: {}, memory: {{utilisation: {}}}{}{}}}",
      draw.of<std::string>({"chat", "a b", "it's", "\"8\"", "x:y"}), node, draw.between(1, 4), layout, engine,
      sequences, tokens, 1 << draw.between(3, 7), static_cast<double>(draw.between(50, 99)) / 100,
      random.family == "vllm" && draw.one_in(3) ? fmt::format(", max_chunk: {}", draw.between(64, 4096)) : "",
      random.family == "sglang" && draw.one_in(3) ? fmt::format(", max_waiting: {}", draw.between(1, 4096)) : "");
  if (random.family != "vllm" && draw.one_in(3)) pool += ", scheduler: chunked";
  if (draw.one_in(3)) pool += fmt::format(", kv_blocks: {}", draw.between(100, 2000));
  if (draw.one_in(5))
    pool += fmt::format(", speculation: {{draft: mtp, tokens: 1, accepted: 0.7, spread: {}}}", draw.between(0, 1));
  pool += draw.of<std::string>(
      {"", ", precision: 8bit", ", precision: {weights: bf16, activations: bf16, kv: bf16}",
       ", precision: {weights: fp8}", ", precision: {kv: fp8}", ", precision: {weights: int8, kv: int8}",
       ", precision: {weights: fp16, activations: fp16, kv: fp16}", ", precision: {weights: int4}",
       ", precision: {weights: fp8, activations: fp8, kv: fp8}", ", precision: {weights: int4, activations: fp8}",
       ", precision: {experts: int4}"});
  random.text = fmt::format(
      "name: random\nmodel: {}\nmax_context: {}\nworkload: {{arrivals: {{process: fixed, rate: 1 /s, requests: 3}}, "
      "prompt: "
      "{{distribution: fixed, tokens: 1}}, output: {{distribution: fixed, tokens: 1}}}}\ncluster: {{pools: "
      "[{{{}}}]}}\n",
      model, draw.between(2, 4096), pool);
  return random;
}

TEST_CASE("launches of random pools, read back, are the same pools") {
  std::map<std::string, int> same;
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= 900; ++seed) {
    const Random random = random_pool(seed);
    std::optional<Scenario> given;
    try {
      given = read(random.text, {}, Fit::kReported);
    } catch (const InputError&) {
      continue;  // no legal pool
    }
    INFO("seed " << seed << "\n" << random.text);
    std::string launch;
    try {
      launch = launch_text(*given, "", kConfigs);
    } catch (const InputError& error) {
      // What an engine cannot be told, by its exact name.
      const std::string what = error.what();
      const bool known = what.find("no key of MindIE") != std::string::npos ||
                         what.find("MindIE takes one plugin") != std::string::npos;
      if (!known) FAIL(what);
      ++refused;
      continue;
    }
    INFO(launch);
    check_same(*given, read_back(launch));
    ++same[random.family];
  }
  INFO(fmt::format("{} refused {}", same, refused));
  CHECK(same["vllm"] > 25);
  CHECK(same["sglang"] > 25);
  CHECK(same["mindie"] > 10);
  CHECK(refused > 2);
}

TEST_CASE("every scenario that ships has a launch that is the same pool when read back, or an engine that has none") {
  int same = 0, without = 0;
  for (const char* folder : {"scenarios", "validation"})
    for (const std::string& name : config_names(fmt::format("{}/{}", kConfigs, folder))) {
      const std::string path = fmt::format("{}/{}/{}.yaml", kConfigs, folder, name);
      ConfigNode tree = load_config(path);
      if (tree.find("cluster") == nullptr) continue;
      // What makes a scenario a case of validation.
      std::erase_if(tree.entries, [](const ConfigEntry& entry) {
        return entry.key == "measured" || entry.key == "source" || entry.key == "group" || entry.key == "iteration" ||
               entry.key == "bounds" || entry.key == "calibrates";
      });
      if (tree.find("workload") == nullptr)
        set_config(
            tree, "workload",
            "{arrivals: {process: fixed, rate: 1 /s, requests: 1}, prompt: {distribution: fixed, tokens: 1}, output: "
            "{distribution: fixed, tokens: 1}}",
            "test");
      INFO(path);
      const Scenario given = read_scenario(tree, path, {kConfigs, {}}, Fit::kReported);
      if (given.pools[0].engine.family.empty()) {
        CHECK_THROWS_WITH(launch_text(given, "", kConfigs), Catch::Contains("has no launch that is known"));
        ++without;
        continue;
      }
      for (const PoolScenario& pool : given.pools) {
        Scenario alone = given;
        alone.pools = {pool};
        alone.model = pool.replica.model;
        alone.max_context = max_context_of(given, pool.replica.model);
        check_same(alone, read_back(launch_text(given, given.pools.size() > 1 ? pool.name : "", kConfigs)));
        ++same;
      }
    }
  CHECK(same >= 8);
  CHECK(without >= 10);
}

TEST_CASE("a share of memory by another engine's rule is converted to the same KV cache") {
  for (const char* base : {"sglang", "mindie"}) {
    const Scenario given =
        read(kBare, {fmt::format("cluster.pools.0.engine={{base: {}, memory: {{budget: total_less_peak, "
                                 "utilisation: 0.9}}}}",
                                 base)});
    const std::string launch = launch_text(given, "", kConfigs);
    CHECK_THAT(launch, Catch::Contains("gives the same KV cache, by silicast's memory plan"));
    const Scenario back = read_back(launch);
    // The share is printed with four digits, downwards: up to 1e-4 of the chip is lost.
    const double lost =
        1 - static_cast<double>(back.pools[0].kv_blocks) / static_cast<double>(given.pools[0].kv_blocks);
    CHECK(lost >= 0);
    CHECK(lost < 3e-4);
  }
}

}  // namespace
}  // namespace silicast::testing
