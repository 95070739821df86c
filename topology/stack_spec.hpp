// A chip's software stack as data: operators that it lacks or has only in slow forms, and what it takes to bring a new
// model to it. How fast its kernels are is in each chip's calibration.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/evidence.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

// What a stack may lack a good kernel for.
enum class StackOperator { kExperts, kLatentAttention, kSelectedAttention, kLinearAttention, kWindowAttention };
inline constexpr std::size_t kStackOperators = 5;
std::string_view name_of(StackOperator op);  // "experts", "latent_attention", "selected_attention", ...

struct StackSpec {
  std::string name;  // "CANN", as the chips' `software`
  std::string description;
  std::array<Evidence, kStackOperators> fallback;  // factor on the time of such kernels, 1 where a good one exists
  Evidence porting_delay;                          // s until a model of a new architecture serves well
};

// A catalogue file (configs/stacks/NAME.yaml). Schema:
//   name, description: text
//   fallback: {experts: EVIDENCE, ...}    # 1 to 100; operators left out have a good kernel
//   porting_delay: EVIDENCE               # a time, "30 d"
// Errors: InputError at the key.
StackSpec read_stack(const ConfigValue& stack);

// Like at_maturity of a calibration: the larger end of a fallback's range untuned, the smaller tuned.
StackSpec at_maturity(StackSpec stack, double maturity);

}  // namespace silicast
