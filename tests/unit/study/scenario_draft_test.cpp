// Layouts in the words of sources, and machines whose devices are dies.
#include "sim/study/validation/scenario_draft.hpp"

#include <fmt/format.h>

#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

std::string layout_of(const std::string& text) {
  const auto layout = parse_layout(text, context().names);
  if (const std::string* reason = std::get_if<std::string>(&layout)) return *reason;
  const Layout& degrees = std::get<Layout>(layout);
  return fmt::format("{} {} {} {}", degrees.tensor, degrees.data, degrees.pipeline, degrees.expert);
}

TEST_CASE("layouts as sources write them: tensor, data, pipeline, experts") {
  CHECK(layout_of("TP8") == "8 1 1 1");
  CHECK(layout_of("DP2 TP2 EP") == "2 2 1 4");  // experts over all ranks
  CHECK(layout_of("TP8 + EP8") == "8 1 1 8");
  CHECK(layout_of("DP8 attention + EP8") == "1 8 1 8");
  CHECK(layout_of("PP2 TP4") == "4 1 2 1");
}

TEST_CASE("what is no layout is said") {
  CHECK(layout_of("") == "no layout is stated");
  CHECK(layout_of("TP0") == "layout 'TP0': 'TP0' is not modelled");
  CHECK(layout_of("TP8 PCP2") == "layout 'TP8 PCP2': 'PCP2' is not modelled");
  CHECK(layout_of("PD-disagg 1P1D") == "layout 'PD-disagg 1P1D': 'PD-disagg 1P1D' is not modelled");
}

const std::string kNames = R"(
models: {M: llama-3.1-8b}
hardware:
  plain: hgx-h100
  dies: {node: atlas-800-a3, devices: 2}
engines: {}
precisions: {}
layouts: {}
)";

std::string on(const std::string& hardware, const Layout& devices) {
  const Names names = Names::of(ConfigValue::from_text(kNames, "names.yaml"), kConfigs);
  ValidationCase one;
  ScenarioDraft draft;
  Lookup(names, one, draft).machine(hardware, devices);
  if (!one.unsupported.empty()) return one.unsupported;
  return fmt::format("{}: tensor {} data {} expert {}, {} nodes of {}", one.labels.chip, draft.layout.tensor,
                     draft.layout.data, draft.layout.expert, draft.nodes, draft.node);
}

TEST_CASE("as many nodes as a replica needs; dies of a chip leave the tensor group first") {
  CHECK(on("plain", {.tensor = 8}) == "h100: tensor 8 data 1 expert 1, 1 nodes of hgx-h100");
  CHECK(on("plain", {.tensor = 4, .data = 4, .expert = 16}) == "h100: tensor 4 data 4 expert 16, 2 nodes of hgx-h100");
  CHECK(on("dies", {.tensor = 4}) == "ascend-910c: tensor 2 data 1 expert 1, 1 nodes of atlas-800-a3");
  CHECK(on("dies", {.data = 16, .expert = 16}) == "ascend-910c: tensor 1 data 8 expert 8, 1 nodes of atlas-800-a3");
  CHECK(on("dies", {}) == "1 of 2 devices to a chip is less than a chip");
  CHECK(on("abacus", {}) == "hardware 'abacus' is not in configs/validation/names.yaml");
}

TEST_CASE("bad names are named by file, line and key") {
  const auto says = [](const std::string& text) {
    try {
      Names::of(ConfigValue::from_text(text, "names.yaml"), kConfigs);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  CHECK(says("models: {}\nhardware: {}\nengines: {}\n") == "names.yaml:1:1: missing key 'precisions'");
  CHECK(says("models: {}\nhardware: {}\nengines: {}\nprecisions: {fp8: [fp8, fp8]}\n") ==
        "names.yaml:4:19: precisions.fp8: must be [weights, activations, kv]");
  CHECK(says("models: {}\nhardware: {a: {node: hgx-h100, dies: 2}}\nengines: {}\nprecisions: {}\n") ==
        "names.yaml:2:32: hardware.a.dies: unknown key (known: devices, node)");
}

}  // namespace
}  // namespace silicast::testing
