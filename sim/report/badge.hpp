// What an answer about a pool rests on.
#pragma once

#include <string>
#include <string_view>

namespace silicast {

enum class BadgeKind {
  kMeasured,   // this configuration was run and measured, and the model was fitted to that
  kAnchored,   // a run like it was
  kEstimated,  // neither: catalogue and datasheets
};

constexpr std::string_view name_of(BadgeKind kind) {
  return kind == BadgeKind::kMeasured ? "measured" : kind == BadgeKind::kAnchored ? "anchored" : "estimated";
}

struct Badge {
  BadgeKind kind = BadgeKind::kEstimated;
  std::string reason = "no anchors are given";
};

}  // namespace silicast
