// Strict reading of a config tree. Each key of a mapping is asked for by name; done() rejects the rest, so a
// typo is an error with a suggestion and never a default. Every error names file, line, column and key path.
//
//   ConfigMap map = document.root().map();
//   const Seconds limit(map.required("limit").quantity(Dimension::kTime, kPositive));
//   const int count = map.optional("count") ? ... : 1;
//   map.done();
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/evidence.hpp"
#include "sim/base/registry.hpp"
#include "sim/io/config_node.hpp"
#include "sim/io/quantity_text.hpp"

namespace silicast {

// What a number may be; every number read has one.
struct Bounds {
  double low = -std::numeric_limits<double>::max();
  double high = std::numeric_limits<double>::max();
  bool low_excluded = false;
};
inline constexpr Bounds kPositive{0, std::numeric_limits<double>::max(), true};
inline constexpr Bounds kNonNegative{0, std::numeric_limits<double>::max(), false};
inline constexpr Bounds kFraction{0, 1, false};         // 0 to 1
inline constexpr Bounds kPositiveFraction{0, 1, true};  // over 0, to 1

class ConfigMap;

// One node of a document with its key path ("cluster.pools[0].nodes"). Cheap to copy; keeps the tree alive.
class ConfigValue {
 public:
  ConfigValue(std::shared_ptr<const ConfigNode> document, const ConfigNode* node, std::string path)
      : document_(std::move(document)), node_(node), path_(std::move(path)) {}

  // A node of the same document as `owner`.
  ConfigValue(const ConfigValue& owner, const ConfigNode* node, std::string path)
      : document_(owner.document_), node_(node), path_(std::move(path)) {}

  static ConfigValue of(ConfigNode root);  // takes the tree over
  static ConfigValue from_file(const std::string& path) { return of(load_config(path)); }
  static ConfigValue from_text(const std::string& text, const std::string& name) {
    return of(parse_config(text, name));
  }

  const std::string& path() const { return path_; }
  const Mark& mark() const { return node_->mark; }
  const ConfigNode& node() const { return *node_; }
  bool is_null() const { return node_->kind == ConfigNode::Kind::kNull; }
  bool is_scalar() const { return node_->kind == ConfigNode::Kind::kScalar; }
  bool is_list() const { return node_->kind == ConfigNode::Kind::kList; }
  bool is_map() const { return node_->kind == ConfigNode::Kind::kMap; }

  std::string text() const;  // a non-empty scalar
  bool boolean() const;      // true or false
  std::int64_t integer(std::int64_t low, std::int64_t high) const;
  double number(const Bounds& bounds = {}) const;                                   // no unit
  double quantity(Dimension dimension, const Bounds& bounds = kNonNegative) const;  // base units
  Evidence evidence(Dimension dimension,
                    const Bounds& bounds = kPositive) const;  // {value, range, grade, source} or a bare quantity
  std::vector<ConfigValue> list() const;                      // may be empty
  ConfigMap map() const;

  // The position in `names` of this scalar; anything else is an error that lists them.
  std::size_t choice(const std::vector<std::string>& names, std::string_view what) const;
  template <class Factory>
  const RegistryEntry<Factory>& entry_of(const Registry<Factory>& registry) const {
    return registry.entries()[choice(registry.names(), registry.kind())];
  }

  [[noreturn]] void fail(std::string_view what) const;

 private:
  std::shared_ptr<const ConfigNode> document_;
  const ConfigNode* node_;
  std::string path_;
};

class ConfigMap {
 public:
  explicit ConfigMap(ConfigValue value);

  ConfigValue required(std::string_view key);                 // missing: error, with the key it may be
  std::optional<ConfigValue> optional(std::string_view key);  // absent: nullopt; present but empty: error
  bool has(std::string_view key) const;                       // does not count as asking
  std::vector<std::string> keys() const;                      // in the order of the file
  void done() const;                                          // unknown keys are errors
  [[noreturn]] void fail(std::string_view what) const { value_.fail(what); }
  const ConfigValue& value() const { return value_; }

 private:
  ConfigValue child(const ConfigEntry& entry) const;
  const ConfigEntry* find(std::string_view key) const;

  ConfigValue value_;
  std::vector<const ConfigEntry*> sorted_;  // by key, for large mappings
  std::set<std::string, std::less<>> asked_;
};

}  // namespace silicast
