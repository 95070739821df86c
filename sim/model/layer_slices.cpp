#include "sim/model/layer_slices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace silicast {
namespace {

constexpr std::int32_t kNone = -1;

// Splits at every `separator`; n separators give n + 1 parts.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::int32_t whole(const ConfigValue& at, std::string_view slice, std::string_view text) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.starts_with('-'))
    at.fail(fmt::format("'{}' is no layer or slice of layers (like 5, 0:3 or 1:36:2)", slice));
  return number;
}

// Appends the layers of one slice.
void read_slice(const ConfigValue& at, std::string_view slice, std::int32_t count, std::vector<std::int32_t>& layers) {
  const std::vector<std::string_view> parts = split(slice, ':');
  if (parts.size() > 3) whole(at, slice, "");
  const auto bound = [&](std::size_t part, std::int32_t otherwise) {
    return part >= parts.size() || parts[part].empty() ? otherwise : whole(at, slice, parts[part]);
  };
  const bool single = parts.size() == 1;
  const std::int32_t first = single ? whole(at, slice, slice) : bound(0, 0);
  const std::int32_t step = bound(2, 1);
  if (first >= count || (!single && bound(1, count) > count))
    at.fail(fmt::format("'{}' reaches beyond the {} layers, which count from 0", slice, count));
  const std::int32_t end = single ? first + 1 : bound(1, count);
  if (step == 0 || first >= end) at.fail(fmt::format("'{}' is empty", slice));
  for (std::int64_t layer = first; layer < end; layer += step) layers.push_back(static_cast<std::int32_t>(layer));
}

}  // namespace

std::vector<std::int32_t> read_layer_slices(const ConfigValue& slices, std::int32_t count) {
  std::vector<std::int32_t> layers;
  std::vector<bool> seen(static_cast<std::size_t>(count));
  const std::string text = slices.text();
  for (const std::string_view slice : split(text, ',')) {
    const std::size_t before = layers.size();
    read_slice(slices, trimmed(slice), count, layers);
    for (std::size_t i = before; i < layers.size(); ++i) {
      const auto layer = static_cast<std::size_t>(layers[i]);
      if (seen[layer]) slices.fail(fmt::format("names layer {} twice", layer));
      seen[layer] = true;
    }
  }
  return layers;
}

std::vector<std::int32_t> share_layers(const ConfigValue& kinds, std::int32_t count) {
  ConfigMap map = kinds.map();
  const std::vector<std::string> names = map.keys();
  if (names.empty()) kinds.fail("names no kind of layer");
  std::vector<std::int32_t> shares(static_cast<std::size_t>(count), kNone);
  std::optional<std::size_t> rest;
  for (std::size_t kind = 0; kind < names.size(); ++kind) {
    const ConfigValue value = map.required(names[kind]);
    const auto slices = value.map().optional("layers");
    if (!slices) {
      if (rest) value.fail(fmt::format("has no 'layers', as '{}'; one kind alone can have the rest", names[*rest]));
      rest = kind;
      continue;
    }
    for (const std::int32_t layer : read_layer_slices(*slices, count)) {
      std::int32_t& share = shares[static_cast<std::size_t>(layer)];
      if (share != kNone)
        slices->fail(
            fmt::format("layer {} is of the kind '{}' already", layer, names[static_cast<std::size_t>(share)]));
      share = static_cast<std::int32_t>(kind);
    }
  }
  const auto free = std::find(shares.begin(), shares.end(), kNone);
  if (free == shares.end() && rest) map.required(names[*rest]).fail("has no layers: the other kinds have all of them");
  if (free != shares.end() && !rest)
    kinds.fail(
        fmt::format("layer {} is of no kind; one kind may leave out 'layers' and has the rest", free - shares.begin()));
  if (rest) std::replace(shares.begin(), shares.end(), kNone, static_cast<std::int32_t>(*rest));
  return shares;
}

}  // namespace silicast
