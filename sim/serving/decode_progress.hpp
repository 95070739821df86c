// How far a decoding request has come, from when it began and its rate alone.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sim/base/first_integer.hpp"
#include "sim/serving/request_table.hpp"

namespace silicast {

// Units of kTokenUnits that the request has gained when the rank has computed `iteration` decode iterations.
inline std::int64_t gained_units(const Request& request, std::int64_t iteration) {
  return (iteration - request.decode_start) * request.rate;
}

inline std::int32_t generated_at(const Request& request, std::int64_t iteration) {
  // The last iteration may bring more tokens than are wanted.
  return static_cast<std::int32_t>(std::min<std::int64_t>(
      request.spec.output_tokens, request.generated + gained_units(request, iteration) / kTokenUnits));
}

inline std::int64_t kv_length_at(const Request& request, std::int64_t iteration) {
  return std::int64_t{request.spec.prompt_tokens} + generated_at(request, iteration) - 1;
}

// As the cost of attention counts it: without rounding to whole tokens.
inline std::int64_t kv_units_at(const Request& request, std::int64_t iteration) {
  return (std::int64_t{request.spec.prompt_tokens} + request.generated - 1) * kTokenUnits +
         gained_units(request, iteration);
}

// The first iteration after which the request has `tokens` output tokens.
inline std::int64_t iteration_of_token(const Request& request, std::int64_t tokens) {
  const std::int64_t units = (tokens - request.generated) * kTokenUnits;
  return request.decode_start + (units + request.rate - 1) / request.rate;
}

// The first iteration after which its KV length is `length`; kForever beyond its end.
inline std::int64_t iteration_of_length(const Request& request, std::int64_t length) {
  const std::int64_t tokens = length - request.spec.prompt_tokens + 1;
  return tokens > request.spec.output_tokens ? kForever : iteration_of_token(request, tokens);
}

}  // namespace silicast
