// Reads use cases, and what a scenario changes of one by the same code: a change is the schema with every key optional.
#include "workloads/use_case.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/io/config_catalogue.hpp"
#include "workloads/limits.hpp"

namespace silicast {
namespace {

constexpr double kSecondsPerDay = 86400;
constexpr Bounds kTokens{1, static_cast<double>(kMaxTokens)};
constexpr Bounds kVariation{0, 100};
constexpr Bounds kPeak{1, 100};
constexpr Bounds kPerMinute{0, 6000, true};
constexpr Bounds kPerDay{0, 1e6, true};

class UseCaseKeys {
 public:
  // `base` is what the keys change; nullptr: they stand alone, and each must be there.
  UseCaseKeys(ConfigMap& map, const UseCase* base) : map_(map), base_(base) {}

  void text(std::string_view key, std::string& out) {
    if (const auto value = find(key)) out = value->text();
  }
  void number(std::string_view key, const Bounds& bounds, Evidence& out, bool due = false) {
    const auto value = due ? map_.required(key) : find(key);
    if (value) out = read(*value, Dimension::kNumber, bounds, base_ != nullptr && !due ? &out : nullptr);
  }
  void lengths(std::string_view key, UseCaseLengths& out) {
    const auto value = find(key);
    if (!value) return;
    ConfigMap map = value->map();
    UseCaseKeys keys(map, base_);
    keys.number("mean", kTokens, out.mean);
    keys.number("cv", kVariation, out.cv);
    keys.number("max", kTokens, out.max);
    map.done();
  }
  void targets(std::vector<UseCaseTarget>& out) {
    const auto value = map_.optional("targets");
    if (!value) return;
    ConfigMap map = value->map();
    for (const std::string& name : map.keys()) {
      const auto found = std::ranges::find(out, name, &UseCaseTarget::name);
      const Evidence* replaced = found == out.end() ? nullptr : &found->limit;
      const ConfigValue limit = map.required(name);
      const UseCaseTarget target{name, read(limit, Dimension::kTime, kPositive, replaced), limit.mark()};
      if (found == out.end())
        out.push_back(target);
      else
        *found = target;
    }
  }

 private:
  std::optional<ConfigValue> find(std::string_view key) {
    if (base_ != nullptr) return map_.optional(key);
    return map_.required(key);
  }
  // A bare number is what whoever wrote it says it is; its source names what it stands instead of.
  Evidence read(const ConfigValue& value, Dimension dimension, const Bounds& bounds, const Evidence* replaced) const {
    Evidence evidence = value.evidence(dimension, bounds);
    if (value.is_map()) return evidence;
    evidence.grade = Grade::kMeasured;
    evidence.source = fmt::format("set in {}", value.mark().file);
    if (replaced != nullptr) evidence.source += fmt::format(" in place of {}", format_evidence(*replaced, dimension));
    return evidence;
  }

  ConfigMap& map_;
  const UseCase* base_;
};

void read_pace(ConfigMap& map, UseCaseKeys& keys, const UseCase* base, UseCase& use_case) {
  const bool daily = map.has("requests_per_user_day");
  const bool online = map.has("active_share") || map.has("requests_per_active_minute");
  if (daily && online)
    map.required(map.has("active_share") ? "active_share" : "requests_per_active_minute")
        .fail("excludes 'requests_per_user_day': people are active, or a day's quota is worked off");
  const Pace before = use_case.pace;
  if (daily || online || base == nullptr) use_case.pace = daily ? Pace::kDaily : Pace::kOnline;
  const bool due = base == nullptr || use_case.pace != before;  // the base has no such number
  if (use_case.pace == Pace::kDaily) {
    keys.number("requests_per_user_day", kPerDay, use_case.requests_per_user_day, due);
    return;
  }
  keys.number("active_share", kPositiveFraction, use_case.active_share, due);
  keys.number("requests_per_active_minute", kPerMinute, use_case.requests_per_active_minute, due);
}

UseCase read_keys(ConfigMap& map, const UseCase* base) {
  UseCase use_case = base == nullptr ? UseCase{} : *base;
  UseCaseKeys keys(map, base);
  keys.text("description", use_case.description);
  keys.text("user", use_case.user);
  read_pace(map, keys, base, use_case);
  keys.number("peak_factor", kPeak, use_case.peak_factor);
  keys.number("burstiness", kVariation, use_case.burstiness);
  keys.lengths("prompt", use_case.prompt);
  keys.lengths("output", use_case.output);
  keys.targets(use_case.targets);
  map.done();
  return use_case;
}

}  // namespace

Evidence UseCase::peak_rate_per_user() const {
  const Evidence mean = pace == Pace::kDaily ? scaled(requests_per_user_day, 1 / kSecondsPerDay)
                                             : product(active_share, scaled(requests_per_active_minute, 1.0 / 60));
  return product(mean, peak_factor);
}

Evidence UseCase::load_factor() const {
  return inverse(peak_factor);
}

std::vector<UseCaseFigure> figures_of(const UseCase& use_case) {
  std::vector<UseCaseFigure> figures;
  const auto add = [&](std::string key, std::string label, const Evidence& evidence) {
    figures.push_back({std::move(key), std::move(label), evidence, Dimension::kNumber});
  };
  if (use_case.pace == Pace::kDaily) {
    add("requests_per_user_day", "requests per user and day", use_case.requests_per_user_day);
  } else {
    add("active_share", "active share of users", use_case.active_share);
    add("requests_per_active_minute", "requests per active minute", use_case.requests_per_active_minute);
  }
  add("peak_factor", "busiest hour over average", use_case.peak_factor);
  add("burstiness", "burstiness (cv of gaps)", use_case.burstiness);
  const auto lengths = [&](const std::string& name, const UseCaseLengths& of) {
    add(name + ".mean", name + " tokens, mean", of.mean);
    add(name + ".cv", name + " tokens, cv", of.cv);
    add(name + ".max", name + " tokens, at most", of.max);
  };
  lengths("prompt", use_case.prompt);
  lengths("output", use_case.output);
  for (const UseCaseTarget& target : use_case.targets)
    figures.push_back({"targets." + target.name, "target " + target.name, target.limit, Dimension::kTime});
  return figures;
}

UseCase read_use_case(const ConfigValue& file) {
  ConfigMap map = file.map();
  const std::string name = map.required("name").text();
  UseCase use_case = read_keys(map, nullptr);
  use_case.name = name;
  return use_case;
}

UseCase find_use_case(const ConfigValue& value, const std::string& configs_dir) {
  if (!value.is_map()) return read_use_case(load_named(configs_dir, "use_cases", value));
  ConfigMap map = value.map();
  const UseCase base = read_use_case(load_named(configs_dir, "use_cases", map.required("base")));
  return read_keys(map, &base);
}

}  // namespace silicast
