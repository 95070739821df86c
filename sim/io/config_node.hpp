// A YAML (or JSON) document as a plain tree that knows where every node stands. Built from yaml-cpp's
// events, because its own tree silently accepts duplicate keys and merge keys.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"

namespace silicast {

struct ConfigEntry;

struct ConfigNode {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  std::string scalar;                // text of a scalar
  bool quoted = false;               // a quoted scalar is text, never null or a number
  std::vector<ConfigNode> items;     // of a list
  std::vector<ConfigEntry> entries;  // of a map, in the order of the file, keys unique
  Mark mark;

  const ConfigEntry* find(std::string_view key) const;
  // The node below by keys and, in lists, positions ("0"); nullptr where there is none.
  const ConfigNode* at(std::initializer_list<std::string_view> path) const;
};

struct ConfigEntry {
  std::string key;
  Mark mark;
  ConfigNode value;
};

// Parses one document: JSON when the name ends in ".json", else YAML. Errors (InputError): syntax, bytes that are not
// UTF-8, tags, duplicate keys, merge keys ("<<"), several documents, nesting over 64 levels, over 16 MiB of text or a
// million nodes (alias bombs).
ConfigNode parse_config(const std::string& text, const std::string& name);
ConfigNode parse_json(const std::string& text, const std::string& name);  // whatever its name

// The same of a file; an unreadable, binary or too large file is an InputError.
ConfigNode load_config(const std::string& path);

// Sets the node at a dotted path ("cluster.pools.0.nodes") to a YAML value; creates missing map keys, never
// list items. The new node's mark names the assignment itself ("--set a.b=3").
void set_config(ConfigNode& root, const std::string& path, const std::string& yaml, const std::string& origin);

// "key.path=YAML" as set_config(). Error (InputError) too: no key or no '='.
void apply_setting(ConfigNode& root, const std::string& setting, const std::string& origin);

// The tree as YAML text, block style, keys in order; parse_config of it gives an equal tree.
std::string to_yaml(const ConfigNode& node);
std::string flow_text(const ConfigNode& node);  // in one line, for people: "{tensor: 4}"

}  // namespace silicast
