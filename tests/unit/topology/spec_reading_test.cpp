// What the readers of chips, nodes, clusters, calibrations and price sheets accept, and the exact words when
// not.
#include "specs_for_tests.hpp"
#include "topology/calibration.hpp"
#include "topology/chip_spec.hpp"

namespace silicast {
namespace {

ConfigValue yaml(const std::string& text) {
  return ConfigValue::from_text(text, "f.yaml");
}

constexpr const char* kChip =
    "name: c\nvendor: v\ndescription: d\nsoftware: CUDA\n"
    "peak: {bf16: 100 TFLOP/s, int8: 200 TOP/s}\n"
    "memory: {capacity: 64 GB, bandwidth: 1.6 TB/s}\n"
    "tdp: 400 W\n";

// `text` with its one occurrence of `from` replaced.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("a chip answers only for the formats it was given") {
  const ChipSpec chip = read_chip(yaml(kChip));
  CHECK(chip.dies == 1);
  CHECK(chip.peak_of(NumberFormat::kBf16)->value == 100e12);
  CHECK(chip.peak_of(NumberFormat::kFp16) == chip.peak_of(NumberFormat::kBf16));
  CHECK(chip.peak_of(NumberFormat::kInt8)->value == 200e12);
  CHECK(chip.peak_of(NumberFormat::kFp8) == nullptr);
  CHECK(chip.peak_of(NumberFormat::kMxFp4) == nullptr);
  CHECK(chip.peak_of(NumberFormat::kFp32) == nullptr);
  CHECK(chip.memory_capacity.value == 64e9);
  CHECK(chip.memory_bandwidth.value == 1.6e12);
  CHECK_FALSE(chip.host_link.has_value());
}

TEST_CASE("broken chips are refused at the value") {
  const auto refusal = [](const std::string& from, const std::string& to) {
    return message_of([&] { read_chip(yaml(with(kChip, from, to))); });
  };
  CHECK(refusal("software: CUDA", "softwear: CUDA") == "f.yaml:1:1: missing key 'software'; is it the key 'softwear'?");
  CHECK(refusal("tdp: 400 W", "tdp: 400") == "f.yaml:7:6: tdp: '400' needs a unit (one of: mW, W, kW, MW)");
  CHECK(refusal("tdp: 400 W", "tdp: -400 W") == "f.yaml:7:6: tdp: '-400 W' must be at least 1.00 W and at most 100 kW");
  CHECK(refusal("tdp: 400 W", "tdp: nan W") == "f.yaml:7:6: tdp: 'nan W' is not a finite number");
  CHECK(refusal("1.6 TB/s", "0 TB/s") ==
        "f.yaml:6:38: memory.bandwidth: '0 TB/s' must be at least 1.00 MB/s and at most 1000 TB/s");
  CHECK(refusal("64 GB,", "1e30 GB,") ==
        "f.yaml:6:20: memory.capacity: '1e30 GB' must be at least 1.00 MB and at most 100 TB");
  CHECK(refusal("int8: 200 TOP/s", "fp16: 200 TFLOP/s") ==
        "f.yaml:5:27: peak.fp16: unknown key (known: bf16, fp8, hif8, int4, int8, mxfp4, mxfp8, nvfp4)");
  CHECK(refusal("bf16: 100 TFLOP/s, ", "") == "f.yaml:5:7: peak: missing key 'bf16'");
  CHECK(refusal("tdp: 400 W", "tdp: {value: 400 W, range: [500 W, 600 W], grade: vendor, source: s}") ==
        "f.yaml:7:28: tdp.range: must hold the value: 400 W is not between 500 W and 600 W");
  CHECK(refusal("tdp: 400 W", "tdp: {value: 400 W, grade: sure, source: s}") ==
        "f.yaml:7:28: tdp.grade: unknown grade 'sure' (known: measured, vendor, third_party, estimate)");
  CHECK(refusal("tdp: 400 W", "tdp: 400 W\ndies: 0") == "f.yaml:8:7: dies: '0' must be a whole number from 1 to 64");
}

constexpr const char* kNode =
    "name: n\ndescription: d\nchip: c\nchips: 8\n"
    "scale_up: {wiring: groups, bandwidth: 150 GB/s, latency: 1 us, group: 4,\n"
    "  hosts: {groups_per_host: 1, within: {bandwidth: 32 GB/s, latency: 3 us},\n"
    "    between: {bandwidth: 24 GB/s, latency: 4 us}}}\n"
    "pod: {nodes: 4, bandwidth: 100 GB/s, latency: 2 us}\n"
    "nic: {bandwidth: 400 Gb/s, latency: 2 us}\n";

TEST_CASE("a node keeps all that its file says") {
  const NodeSpec node = read_node(yaml(kNode));
  CHECK(node.chips == 8);
  CHECK(node.scale_up.wiring == Wiring::kGroups);
  CHECK(node.scale_up.group == 4);
  CHECK(node.scale_up.hosts->groups_per_host == 1);
  CHECK(node.scale_up.hosts->between.bandwidth.value == 24e9);
  CHECK(node.pod->nodes == 4);
  CHECK(node.nic->bandwidth.value == 50e9);
  CHECK(node.nic->latency.value == 2e-6);
  CHECK(node.mark.file == "f.yaml");
}

TEST_CASE("broken nodes are refused at the value") {
  const auto refusal = [](const std::string& from, const std::string& to) {
    return message_of([&] { read_node(yaml(with(kNode, from, to))); });
  };
  CHECK(refusal("group: 4", "group: 3") == "f.yaml:5:71: scale_up.group: 8 chips do not fill groups of 3");
  CHECK(refusal("groups_per_host: 1", "groups_per_host: 3") ==
        "f.yaml:6:28: scale_up.hosts.groups_per_host: 2 groups do not fill hosts of 3");
  CHECK(refusal("groups_per_host: 1", "groups_per_host: 2") ==
        "f.yaml:7:14: scale_up.hosts.between: the node has one host only");
  CHECK(refusal("latency: 4 us", "latency: 2 us") ==
        "f.yaml:6:10: scale_up.hosts: the latency between hosts must be at least the latency within one");
  CHECK(refusal("wiring: groups", "wiring: ring") ==
        "f.yaml:5:20: scale_up.wiring: unknown wiring 'ring' (known: mesh, switch, groups)");
  CHECK(refusal("wiring: groups", "wiring: mesh").find("unknown key") != std::string::npos);
  CHECK(refusal("nodes: 4", "nodes: 1") == "f.yaml:8:14: pod.nodes: '1' must be a whole number from 2 to 100000");
  CHECK(refusal("400 Gb/s", "400 Gbit/s") ==
        "f.yaml:9:18: nic.bandwidth: '400 Gbit/s' has an unknown unit 'Gbit/s'; did you mean 'Gb/s'? (known: "
        "B/s, KB/s, "
        "MB/s, GB/s, TB/s, Mb/s, Gb/s, Tb/s, GiB/s, TiB/s)");
  CHECK(refusal("chips: 8", "chips: 0") == "f.yaml:4:8: chips: '0' must be a whole number from 1 to 1024");
}

constexpr const char* kLevels =
    "name: n\ndescription: d\nchip: c\nchips: 8\n"
    "scale_up: {wiring: switch, bandwidth: 150 GB/s, latency: 1 us}\n"
    "pod:\n  nodes: 48\n  bandwidth: 100 GB/s\n  latency: 3 us\n  levels:\n"
    "    - {name: L1, nodes: 1, switches: 7, oversubscription: 1}\n"
    "    - {name: L2, nodes: 8, oversubscription: 2, latency: 2 us}\n"
    "    - {name: L3, nodes: 48, switches: 16}\n";

TEST_CASE("the levels of a pod take their outer latencies from the node and the pod") {
  const std::vector<PodLevel> levels = read_node(yaml(kLevels)).pod->levels;
  REQUIRE(levels.size() == 3);
  CHECK(levels[0].switches == 7);
  CHECK(levels[0].latency.value == 1e-6);
  CHECK(levels[1].switches == 1);
  CHECK(levels[1].oversubscription.value == 2);
  CHECK(levels[1].latency.value == 2e-6);
  CHECK(levels[2].latency.value == 3e-6);
}

TEST_CASE("levels that do not fit the pod are refused at the value") {
  const auto refusal = [](const std::string& from, const std::string& to) {
    return message_of([&] { read_node(yaml(with(kLevels, from, to))); });
  };
  CHECK(refusal("nodes: 48, switches", "nodes: 24, switches") ==
        "f.yaml:13:25: pod.levels[2].nodes: the last level joins 24 nodes of 48; let it join the whole pod");
  CHECK(refusal("nodes: 8", "nodes: 5") ==
        "f.yaml:13:25: pod.levels[2].nodes: a group of 48 nodes is not made of whole groups of 5");
  CHECK(refusal("nodes: 8", "nodes: 1") ==
        "f.yaml:12:25: pod.levels[1].nodes: a group of 1 nodes is not made of whole groups of 1");
  CHECK(refusal("wiring: switch", "wiring: mesh") ==
        "f.yaml:11:25: pod.levels[0].nodes: a level of one node is the node's own switches; scale_up.wiring must be "
        "switch");
  CHECK(refusal("150 GB/s", "50 GB/s") ==
        "f.yaml:11:25: pod.levels[0].nodes: chips reach the pod through the node's own switches, at 50.0 GB/s each; "
        "pod.bandwidth is more");
  CHECK(refusal("latency: 2 us", "latency: 4 us") ==
        "f.yaml:13:7: pod.levels[2]: the latency over L3 must be at least that over L2");
  CHECK(refusal("switches: 16", "oversubscription: 2") ==
        "f.yaml:13:47: pod.levels[2].oversubscription: nothing lies above the last level");
  CHECK(refusal("switches: 16", "latency: 2 us") ==
        "f.yaml:13:38: pod.levels[2].latency: over the last level it is the latency of the pod");
  CHECK(refusal("switches: 7", "latency: 2 us") ==
        "f.yaml:11:37: pod.levels[0].latency: within one node it is the latency of scale_up");
  CHECK(refusal("oversubscription: 2, latency: 2 us", "oversubscription: 2") ==
        "f.yaml:12:7: pod.levels[1]: missing key 'latency'");
  CHECK(refusal("oversubscription: 2,", "oversubscription: 0.5,") ==
        "f.yaml:12:46: pod.levels[1].oversubscription: '0.5' must be at least 1 and at most 64");
}

TEST_CASE("a leaf's ports are divided by the oversubscription") {
  const std::string text = "name: x\ndescription: d\nkind: clos2\nhop_latency: 1 us\nports: 64\noversubscription: ";
  CHECK(read_cluster_fabric(yaml(text + "1")).leaf_down_ports() == 32);
  CHECK(read_cluster_fabric(yaml(text + "3")).leaf_down_ports() == 48);
  CHECK(read_cluster_fabric(yaml(text + "64")).leaf_up_ports() == 1);
  CHECK(message_of([&] { read_cluster_fabric(yaml(text + "0.5")); }) ==
        "f.yaml:6:19: oversubscription: '0.5' must be at least 1 and at most 64");
}

TEST_CASE("a single switch takes no Clos sizes") {
  const std::string text = "name: x\ndescription: d\nkind: single_switch\nhop_latency: 1 us\n";
  CHECK(read_cluster_fabric(yaml(text)).kind == FabricKind::kSingleSwitch);
  CHECK(message_of([&] { read_cluster_fabric(yaml(text + "ports: 64\n")); }) ==
        "f.yaml:5:8: ports: is of a Clos only; use kind: clos2 or clos3");
  CHECK(message_of([&] { read_cluster_fabric(yaml(with(text, "single_switch", "clos4"))); }) ==
        "f.yaml:3:7: kind: unknown fabric kind 'clos4'; did you mean 'clos2'? (known: single_switch, clos2, clos3)");
  CHECK(message_of([&] { read_cluster_fabric(yaml(text + "rails: true\n")); }) ==
        "f.yaml:5:8: rails: is of a Clos only; use kind: clos2 or clos3");
}

}  // namespace
}  // namespace silicast
