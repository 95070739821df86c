// Prices by measured tables.
#include <algorithm>
#include <vector>

#include "sim/base/check.hpp"
#include "sim/perf/stage_price.hpp"

namespace silicast {
namespace {

const Kernel* named(const std::vector<Kernel>& kernels, std::string_view name) {
  const auto found = std::find_if(kernels.begin(), kernels.end(), [&](const Kernel& one) { return one.name == name; });
  return found == kernels.end() ? nullptr : &*found;
}

}  // namespace

std::optional<Seconds> StagePrice::measured(const Kernel& kernel) const {
  if (!setup_.measured || kernel.message.value() > 0) return std::nullopt;
  const KernelTables& tables = *setup_.measured;
  if (kernel.kernel_class == KernelClass::kExperts)
    return tables.experts.empty() ? std::nullopt : std::optional(measured_experts(kernel));
  // Profiles of attention include it.
  if (kernel.name == "kv_write" && measures_attention()) return Seconds(0);
  const MeasuredGrid* times = tables.of(kernel.name);
  if (times == nullptr) return std::nullopt;
  const Seconds time = measured_layer(kernel, *times);
  // The last norm has a row of its own; `kernel` stands for all of them.
  const auto last = tables.tokens.find("final_layernorm");
  if (kernel.name != "norm" || stage_ + 1 < setup_.plan.stages() || last == tables.tokens.end()) return time;
  return (time * (kernel.times - 1) + measured_layer(kernel, last->second)) / kernel.times;
}

// Beyond the last row the same kernel is priced there and here by its roofline.
Seconds StagePrice::measured_layer(const Kernel& kernel, const MeasuredGrid& times) const {
  return Seconds(times.at({kernel.count}, [&](const MeasuredGrid::Point& point) {
    const auto count = static_cast<std::int64_t>(point[0]);
    for (const auto& kernels : {work_.token_kernels(count), work_.sequence_kernels(count)})
      if (const Kernel* there = named(kernels, kernel.name)) return roofline(*there).time.value();
    SILICAST_CHECK(false, "{} of {} tokens is not there", kernel.name, count);
    return 0.0;
  }));
}

Seconds StagePrice::measured_experts(const Kernel& kernel) const {
  const double rows = static_cast<double>(kernel.m), weights = (kernel.bytes - kernel.output).value();
  return Seconds(setup_.measured->experts.at({kernel.experts, kernel.count}, [&](const MeasuredGrid::Point& point) {
    const double more = point[1] / kernel.count;
    Kernel there = kernel;
    there.experts = point[0];
    there.m = std::max<std::int64_t>(1, static_cast<std::int64_t>(rows * more));
    there.flops = kernel.flops * more;
    there.output = kernel.output * more;
    there.bytes = Bytes(weights * (point[0] / kernel.experts)) + there.output;
    return roofline(there).time.value();
  }));
}

}  // namespace silicast
