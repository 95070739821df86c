#include "sim/base/errors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace silicast {
namespace {

std::string located(const Mark& mark, std::string_view key, std::string_view what) {
  std::string text;
  if (!mark.file.empty()) text += mark.file + ":";
  if (mark.line > 0) text += fmt::format("{}:", mark.line);
  if (mark.line > 0 && mark.column > 0) text += fmt::format("{}:", mark.column);
  if (!text.empty()) text += " ";
  if (!key.empty()) text += fmt::format("{}: ", key);
  return text += what;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

InputError::InputError(const Mark& mark, std::string_view key, std::string_view what)
    : std::runtime_error(located(mark, key, what)) {}

InputError::InputError(std::string_view what) : std::runtime_error(std::string(what)) {}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  // A long word (a pasted file, say) is near nothing; the bound also bounds the work.
  if (word.size() > 64) return "";
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance == std::max(word.size(), candidate.size())) continue;  // not a letter in common
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string near = nearest(word, candidates);
  const std::string meant = near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
  if (candidates.empty()) return meant;
  return fmt::format("{} (known: {})", meant, fmt::join(candidates, ", "));
}

}  // namespace silicast
