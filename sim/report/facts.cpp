// Reading of the part of a scenario that only the report cares about.
#include "sim/report/facts.hpp"

namespace silicast {

PowerShares default_power_shares() {
  const std::string source =
      "kernels of vLLM 0.22 measured with their watts on H200 and B200; other vendors assumed alike";
  return {.off = {0.2, 0.15, 0.3, Grade::kEstimate, source},
          .idle = {0.25, 0.2, 0.3, Grade::kEstimate, source},
          .decode = {0.65, 0.55, 0.8, Grade::kEstimate, source},
          .prefill = {0.95, 0.85, 1.0, Grade::kEstimate, source}};
}

Evidence default_server_factor() {
  return {1.8, 1.6, 2.4, Grade::kEstimate,
          "HGX H100: 10.2 kW for 8 x 700 W; CloudMatrix 384: 1.46 kW per 600 W; H20 servers about 2.0"};
}

MeasureWindow read_measure_window(const ConfigValue& value) {
  MeasureWindow window;
  if (!value.is_map()) {
    window.mode =
        value.choice({"mser", "none"}, "warm-up") == 0 ? MeasureWindow::Mode::kMser : MeasureWindow::Mode::kNone;
    return window;
  }
  window.mode = MeasureWindow::Mode::kGiven;
  ConfigMap map = value.map();
  constexpr Bounds kTimes{0, 1e9, false};
  window.from = map.required("from").quantity(Dimension::kTime, kTimes);
  if (const auto until = map.optional("until")) {
    window.until = until->quantity(Dimension::kTime, kTimes);
    if (window.until <= window.from) until->fail("must be later than 'from'");
  }
  map.done();
  return window;
}

}  // namespace silicast
