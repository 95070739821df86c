// Reads chip files and answers which number formats a chip's matrix unit works in.
#include "topology/chip_spec.hpp"

namespace silicast {
namespace {

// No machine of the coming decade leaves these, so a slipped unit is caught where it is written.
constexpr Bounds kPeakBounds{1e9, 1e18};
constexpr Bounds kCapacityBounds{1e6, 1e14};
constexpr Bounds kBandwidthBounds{1e6, 1e15};
constexpr Bounds kPowerBounds{1, 1e5};

}  // namespace

const Evidence* ChipSpec::peak_of(NumberFormat format) const {
  if (format == NumberFormat::kFp16) format = NumberFormat::kBf16;
  const auto& found = peak[static_cast<std::size_t>(format)];
  return found ? &*found : nullptr;
}

ChipSpec read_chip(const ConfigValue& chip) {
  ConfigMap map = chip.map();
  ChipSpec spec;
  spec.name = map.required("name").text();
  spec.vendor = map.required("vendor").text();
  spec.description = map.required("description").text();
  spec.software = map.required("software").text();
  if (const auto dies = map.optional("dies")) spec.dies = static_cast<std::int32_t>(dies->integer(1, 64));

  ConfigMap peak = map.required("peak").map();
  const auto set = [&](NumberFormat format, const ConfigValue& value) {
    spec.peak[static_cast<std::size_t>(format)] = value.evidence(Dimension::kFlopRate, kPeakBounds);
  };
  set(NumberFormat::kBf16, peak.required("bf16"));
  for (const NumberFormat format : {NumberFormat::kFp8, NumberFormat::kInt8, NumberFormat::kMxFp8, NumberFormat::kHiF8,
                                    NumberFormat::kInt4, NumberFormat::kMxFp4, NumberFormat::kNvFp4})
    if (const auto value = peak.optional(name_of(format))) set(format, *value);
  peak.done();

  ConfigMap memory = map.required("memory").map();
  spec.memory_capacity = memory.required("capacity").evidence(Dimension::kBytes, kCapacityBounds);
  spec.memory_bandwidth = memory.required("bandwidth").evidence(Dimension::kByteRate, kBandwidthBounds);
  memory.done();

  spec.tdp = map.required("tdp").evidence(Dimension::kPower, kPowerBounds);
  if (const auto link = map.optional("host_link"))
    spec.host_link = link->evidence(Dimension::kByteRate, kBandwidthBounds);
  map.done();
  return spec;
}

}  // namespace silicast
