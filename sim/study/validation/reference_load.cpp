#include "sim/study/validation/reference_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <regex>

namespace silicast {
namespace {

// "16,384" is 16384.
std::int64_t whole(std::string text) {
  std::erase(text, ',');
  return std::stoll(text);
}

}  // namespace

ReferenceLoad parse_reference_load(const std::string& text) {
  static const std::regex kPoisson(R"(Poisson rate ([\d.]{1,9}|inf)(?: req/s)?, (\d{1,9}) (?:requests|prompts))");
  static const std::regex kStages(R"(Poisson ([\d.]{1,9}) \(stage0\), ([\d.]{1,9}) \(stage1\) req/s -> )"
                                  R"((?:this row: stage ([01])|all stages pooled))");
  static const std::regex kOneStage(
      R"(Poisson ([\d.]{1,9}) req/s, (\d{1,9}) s -> (?:this row: stage 0|all stages pooled))");
  static const std::regex kStatic(R"(static batch (\d{1,9})|(\d{1,9}) prompts|1 request at a time)");
  static const std::regex kPrefill(R"(([1-9][\d,]{0,11}) tokens(?:/batch|/NPU|/device| per GPU per batch))");
  static const std::regex kPrompts(R"(([1-9]\d{0,5}) x ([1-9]\d{0,3})K)");
  static const std::regex kDecode(
      R"(batch (\d{1,9})(?:/GPU|/NPU| per GPU)|(\d{1,9}) req/(?:GPU|EP rank|rank)(?:; overlap scheduling, no MTP)?)");
  static const std::regex kGlobal(R"(global batch (\d{1,9})(?: \(\d+/chip\))?(?:, MTP(\d))?)");
  std::smatch found;
  const auto is = [&](const std::regex& form) { return std::regex_match(text, found, form); };
  if (text == "offline max throughput (all requests at t=0)") return OfflineLoad{};
  if (is(kPoisson))
    return PoissonLoad{found[1] == "inf" ? std::numeric_limits<double>::infinity() : std::stod(found[1]),
                       whole(found[2])};
  if (is(kStages)) {
    StagedLoad load{{std::stod(found[1]), std::stod(found[2])}, 600, {}};
    if (found[3].matched) load.counted = static_cast<std::size_t>(whole(found[3]));
    return load;
  }
  if (is(kOneStage)) return StagedLoad{{std::stod(found[1])}, static_cast<double>(whole(found[2])), {}};
  if (is(kStatic)) return StaticBatch{found[1].matched ? whole(found[1]) : found[2].matched ? whole(found[2]) : 1};
  if (is(kPrefill)) return PrefillPass{whole(found[1]), false};
  if (is(kPrompts)) return PrefillPass{whole(found[1]) * whole(found[2]) * 1024, true};
  if (is(kDecode)) return DecodePass{whole(found[1].matched ? found[1] : found[2]), false, 0};
  if (is(kGlobal)) return DecodePass{whole(found[1]), true, found[2].matched ? whole(found[2]) : 0};
  return {};
}

std::optional<std::int64_t> offline_requests(const std::string& notes, std::int64_t prompt, std::int64_t output) {
  static const std::regex kCount(R"((\d{1,9}) \(([\d/,]*)\))");
  const std::string lengths = fmt::format(",{}/{},", prompt, output);
  for (std::sregex_iterator match(notes.begin(), notes.end(), kCount), end; match != end; ++match)
    if (fmt::format(",{},", (*match)[2].str()).find(lengths) != std::string::npos) return whole((*match)[1]);
  return std::nullopt;
}

}  // namespace silicast
