#include "sim/study/validation/validation_case.hpp"

#include <fnmatch.h>

#include <algorithm>

namespace silicast {
namespace {

bool matches(const std::string& pattern, const std::string& name) {
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

}  // namespace

bool is_chosen(const ValidationCase& one, const std::vector<std::string>& patterns, const std::string& load) {
  const std::string* names[] = {
      &one.part, &one.id, &one.group, &one.labels.model, &one.labels.chip, &one.labels.engine, &one.labels.precision,
      &load};
  const auto some_name = [&](const std::string& pattern) {
    return std::any_of(std::begin(names), std::end(names),
                       [&](const std::string* name) { return matches(pattern, *name); });
  };
  const auto all_parts = [&](const std::string& pattern) {
    for (std::size_t begin = 0; begin <= pattern.size();) {
      const std::size_t end = std::min(pattern.find(',', begin), pattern.size());
      if (!some_name(pattern.substr(begin, end - begin))) return false;
      begin = end + 1;
    }
    return true;
  };
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(), all_parts);
}

}  // namespace silicast
