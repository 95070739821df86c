// A calibration as a file of configs/calibration.
#include <fmt/format.h>

#include "sim/study/calibration/calibrate_kernels.hpp"
#include "sim/study/calibration/evidence_yaml.hpp"

namespace silicast {

std::string calibration_yaml(const KernelCalibration& fitted) {
  Calibration calibration = fitted.calibration;
  std::string text = fmt::format("# Made by silicast calibrate kernels.\nchip: {}\ndescription: {}\n", calibration.chip,
                                 calibration.description);
  std::string_view open;
  for (const CalibrationField& field : fields_of(calibration)) {
    if (field.group != open) text += fmt::format("{}{}:\n", open.empty() ? "\n" : "", field.group);
    open = field.group;
    text += fmt::format("  {}: {}\n", field.key, evidence_yaml(*field.evidence, field.dimension));
  }
  return text;
}

}  // namespace silicast
