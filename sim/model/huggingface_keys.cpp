#include "sim/model/huggingface_keys.hpp"

#include <fmt/format.h>

#include <string>

namespace silicast::huggingface {
std::optional<ConfigValue> find(const ConfigValue& config, std::string_view key) {
  const ConfigEntry* entry = config.node().find(key);
  if (entry == nullptr || entry->value.kind == ConfigNode::Kind::kNull) return std::nullopt;
  const std::string path = config.path().empty() ? entry->key : fmt::format("{}.{}", config.path(), entry->key);
  return ConfigValue(config, &entry->value, path);
}

bool flag(const ConfigValue& config, std::string_view key, bool otherwise) {
  const auto value = find(config, key);
  return value ? value->boolean() : otherwise;
}

std::int32_t shape(const ConfigValue& config, std::string_view key, std::optional<std::int32_t> otherwise) {
  const auto value = find(config, key);
  if (value) return static_cast<std::int32_t>(value->integer(1, kLargestShape));
  if (!otherwise) config.fail(fmt::format("missing key '{}'", key));
  return *otherwise;
}

std::int32_t count(const ConfigValue& config, std::string_view key, std::int32_t otherwise) {
  const auto value = find(config, key);
  return value ? static_cast<std::int32_t>(value->integer(0, kLargestShape)) : otherwise;
}

std::int32_t shape_or_null(const ConfigValue& config, std::string_view key) {
  if (config.node().find(key) == nullptr) config.fail(fmt::format("missing key '{}'", key));
  return shape(config, key, 0);
}

void refuse(const ConfigValue& config, std::initializer_list<std::string_view> keys, std::string_view architecture,
            std::string_view what) {
  for (const std::string_view key : keys) {
    const auto value = find(config, key);
    if (value && !(value->is_scalar() && value->node().scalar == "0"))
      value->fail(fmt::format("{} with {} is not modelled yet", architecture, what));
  }
}

}  // namespace silicast::huggingface
