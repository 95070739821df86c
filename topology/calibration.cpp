// Reads calibration files.
#include "topology/calibration.hpp"

namespace silicast {

Calibration read_calibration(const ConfigValue& value) {
  ConfigMap map = value.map();
  Calibration calibration;
  calibration.chip = map.required("chip").text();
  calibration.description = map.required("description").text();
  const auto fraction = [&](std::string_view key) {
    return map.required(key).evidence(Dimension::kNumber, kPositiveFraction);
  };
  // A second per kernel or collective is a slipped unit, not a slow chip.
  const auto start = [&](std::string_view key) { return map.required(key).evidence(Dimension::kTime, Bounds{0, 1}); };
  calibration.compute = fraction("compute");
  calibration.gemm_half_tokens = map.required("gemm_half_tokens").evidence(Dimension::kNumber, Bounds{0, 1e6});
  calibration.attention_compute = fraction("attention_compute");
  calibration.attention_half_tokens =
      map.required("attention_half_tokens").evidence(Dimension::kNumber, Bounds{0, 1e6});
  calibration.memory = fraction("memory");
  calibration.memory_half_bytes = map.required("memory_half_bytes").evidence(Dimension::kBytes, Bounds{0, 1e12});
  calibration.launch = start("launch");
  calibration.collective_start = start("collective_start");
  calibration.collective_efficiency = fraction("collective_efficiency");
  map.done();
  return calibration;
}

}  // namespace silicast
