// Keys of a config.json as its readers ask for them: publishers write null for "none" and add keys at will.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "sim/io/config_reader.hpp"

namespace silicast::huggingface {

inline constexpr std::int32_t kLargestShape = 1 << 28;

// A present key that is not null.
std::optional<ConfigValue> find(const ConfigValue& config, std::string_view key);

bool flag(const ConfigValue& config, std::string_view key, bool otherwise);

// A whole number from 1 on. Error (InputError): neither there nor `otherwise`.
std::int32_t shape(const ConfigValue& config, std::string_view key,
                   std::optional<std::int32_t> otherwise = std::nullopt);

// A whole number from 0 on.
std::int32_t count(const ConfigValue& config, std::string_view key, std::int32_t otherwise);

// A size that may be none: 0 for null. Error (InputError): absent.
std::int32_t shape_or_null(const ConfigValue& config, std::string_view key);

// The first of `keys` that is there fails as "ARCHITECTURE with `what` is not modelled yet".
void refuse(const ConfigValue& config, std::initializer_list<std::string_view> keys, std::string_view architecture,
            std::string_view what);

}  // namespace silicast::huggingface
