#include "workloads/think_time.hpp"

namespace silicast {

ThinkTime read_think_time(const std::optional<ConfigValue>& value) {
  constexpr Bounds kTime{0, 1e8};
  if (!value) return {};
  if (!value->is_map()) return {Seconds(value->quantity(Dimension::kTime, kTime)), 0};
  ConfigMap keys = value->map();
  ThinkTime think{Seconds(keys.required("mean").quantity(Dimension::kTime, kTime)), 1};
  if (const auto cv = keys.optional("cv")) think.cv = cv->number({0, 100});
  keys.done();
  return think;
}

}  // namespace silicast
