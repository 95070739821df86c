// A registry is a constexpr table of named answers to one decision: name, one line of help, factory.
// A table, not self-registration: static libraries drop objects that nothing refers to.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"

namespace silicast {

template <class Factory>
struct RegistryEntry {
  std::string_view name;
  std::string_view summary;
  Factory* make;
};

template <class Factory>
class Registry {
 public:
  constexpr Registry(std::string_view kind, std::span<const RegistryEntry<Factory>> entries)
      : kind_(kind), entries_(entries) {}

  std::string_view kind() const { return kind_; }
  std::span<const RegistryEntry<Factory>> entries() const { return entries_; }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : entries_) names.emplace_back(entry.name);
    return names;
  }

  // The entry of that name, or nullptr.
  const RegistryEntry<Factory>* find(std::string_view name) const {
    for (const auto& entry : entries_)
      if (entry.name == name) return &entry;
    return nullptr;
  }

 private:
  std::string_view kind_;
  std::span<const RegistryEntry<Factory>> entries_;
};

}  // namespace silicast
