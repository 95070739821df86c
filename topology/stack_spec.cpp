#include "topology/stack_spec.hpp"

#include "topology/calibration.hpp"

namespace silicast {
namespace {

constexpr std::string_view kNames[kStackOperators] = {"experts", "latent_attention", "selected_attention",
                                                      "linear_attention", "window_attention"};
constexpr double kYear = 365.0 * 86400;

}  // namespace

std::string_view name_of(StackOperator op) {
  return kNames[static_cast<std::size_t>(op)];
}

StackSpec read_stack(const ConfigValue& value) {
  ConfigMap map = value.map();
  StackSpec stack;
  stack.name = map.required("name").text();
  stack.description = map.required("description").text();
  ConfigMap fallback = map.required("fallback").map();
  for (std::size_t i = 0; i < kStackOperators; ++i) {
    stack.fallback[i] = {1, 1, 1, Grade::kMeasured, "a good kernel exists"};
    if (const auto given = fallback.optional(kNames[i]))
      stack.fallback[i] = given->evidence(Dimension::kNumber, Bounds{1, 100});
  }
  fallback.done();
  stack.porting_delay = map.required("porting_delay").evidence(Dimension::kTime, Bounds{0, 5 * kYear});
  map.done();
  return stack;
}

StackSpec at_maturity(StackSpec stack, double maturity) {
  for (Evidence& factor : stack.fallback) factor.value = value_at_maturity(factor, maturity, false);
  return stack;
}

}  // namespace silicast
