// Cells of a claim put together: what they have in common is said once.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>

#include "sim/study/claims/claim_report.hpp"

namespace silicast {
namespace {

using Cells = std::vector<const ClaimCell*>;

std::string ratio_text(double ratio) {
  return ratio < 10 ? fmt::format("{:.2f}", ratio) : fmt::format("{:.0f}", ratio);
}

// " 1.4-1.5"; nothing for cells that could not be run.
std::string ratios(const Cells& cells) {
  if (cells[0]->verdict == Verdict::kImpossible) return "";
  const auto by_ratio = [](const ClaimCell* a, const ClaimCell* b) { return a->ratio < b->ratio; };
  const auto [low, high] = std::minmax_element(cells.begin(), cells.end(), by_ratio);
  const std::string first = ratio_text((*low)->ratio), last = ratio_text((*high)->ratio);
  return first == last ? " " + first : fmt::format(" {}-{}", first, last);
}

std::vector<std::string> distinct(const Cells& cells, std::string ClaimCell::*of) {
  std::vector<std::string> all;
  for (const ClaimCell* cell : cells)
    if (std::find(all.begin(), all.end(), cell->*of) == all.end()) all.push_back(cell->*of);
  return all;
}

// No maturity of the stacks changes the verdict.
bool is_firm(const ClaimCell* cell) {
  return cell->verdict == Verdict::kHolds || cell->verdict == Verdict::kFails;
}

// Of one system in one precision: its workloads, each with the cells that are wanted.
struct Line {
  std::string who;
  std::string what;  // names of the workloads
  std::vector<std::pair<std::string, Cells>> workloads;
};

std::vector<Line> lines_of(const ClaimResult& result, const std::function<bool(const ClaimCell&)>& wanted) {
  Cells every;
  for (const ClaimCell& cell : result.cells) every.push_back(&cell);
  std::vector<Line> lines;
  for (const std::string& precision : distinct(every, &ClaimCell::precision))
    for (const std::string& system : distinct(every, &ClaimCell::system)) {
      const bool told = result.claim.precisions.size() > 1 && !precision.empty();
      Line line{told ? fmt::format("{} {}", system, precision) : system, "", {}};
      for (const std::string& workload : distinct(every, &ClaimCell::workload)) {
        Cells some;
        std::size_t all = 0;
        for (const ClaimCell* cell : every) {
          if (cell->system != system || cell->precision != precision || cell->workload != workload) continue;
          ++all;
          if (wanted(*cell)) some.push_back(cell);
        }
        if (some.empty()) continue;
        const bool firm = std::all_of(some.begin(), some.end(), is_firm);
        const std::string name = fmt::format("{}{}{}", workload, firm ? "*" : "", some.size() < all ? " in part" : "");
        line.what += name + ", ";
        line.workloads.emplace_back(name, std::move(some));
      }
      if (!line.workloads.empty()) lines.push_back(std::move(line));
    }
  return lines;
}

// "950PR MXFP4: P 2.1-2.3; 950DT-96, 950DT-144: P 1.7, Mix in part 1.6": systems of the same workloads stand together.
std::string listed(const ClaimResult& result, const std::function<bool(const ClaimCell&)>& wanted) {
  std::vector<Line> merged;
  for (Line& line : lines_of(result, wanted)) {
    const auto same =
        std::find_if(merged.begin(), merged.end(), [&](const Line& one) { return one.what == line.what; });
    if (same == merged.end()) {
      merged.push_back(std::move(line));
      continue;
    }
    if (same->who != line.who) same->who += ", " + line.who;
    for (std::size_t i = 0; i < line.workloads.size(); ++i) {
      Cells& cells = same->workloads[i].second;
      cells.insert(cells.end(), line.workloads[i].second.begin(), line.workloads[i].second.end());
    }
  }
  std::string text;
  for (const Line& line : merged) {
    std::vector<std::string> parts;
    for (const auto& [name, cells] : line.workloads) parts.push_back(name + ratios(cells));
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", line.who, fmt::join(parts, ", "));
  }
  return text;
}

Bound binding(const SideAnswer& side) {
  return static_cast<Bound>(std::max_element(side.bounds.begin(), side.bounds.end()) - side.bounds.begin());
}

std::string kind_of(const ClaimCell& cell) {
  const Bound a = binding(cell.a), b = binding(cell.b);
  if (cell.against.empty()) return std::string(name_of(a));
  return a == b ? fmt::format("{} on both", name_of(a)) : fmt::format("{} against {}", name_of(a), name_of(b));
}

// Workloads by what binds most of the time on either side, in most of their cells.
std::string why(const ClaimResult& result) {
  Cells ran;
  for (const ClaimCell& cell : result.cells)
    if (cell.impossible.empty() && cell.a.tokens_per_second > 0) ran.push_back(&cell);
  std::vector<std::pair<std::string, std::string>> kinds;  // and the workloads of each
  for (const std::string& workload : distinct(ran, &ClaimCell::workload)) {
    std::map<std::string, std::size_t> count;
    std::size_t all = 0;
    for (const ClaimCell* cell : ran)
      if (cell->workload == workload) ++count[kind_of(*cell)], ++all;
    const auto most =
        std::max_element(count.begin(), count.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    const std::string name = fmt::format("{}{}", workload, most->second < all ? " mostly" : "");
    auto found = std::find_if(kinds.begin(), kinds.end(), [&](const auto& one) { return one.first == most->first; });
    if (found == kinds.end()) found = kinds.insert(kinds.end(), {most->first, ""});
    found->second += (found->second.empty() ? "" : ", ") + name;
  }
  std::string text;
  for (const auto& [kind, workloads] : kinds)
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", kind, workloads);
  return text;
}

}  // namespace

ClaimSummary summarise(const ClaimResult& result) {
  ClaimSummary summary;
  summary.true_where = listed(result, [](const ClaimCell& cell) { return cell.typically; });
  summary.not_where =
      listed(result, [](const ClaimCell& cell) { return !cell.typically && cell.verdict != Verdict::kImpossible; });
  summary.impossible = listed(result, [](const ClaimCell& cell) { return cell.verdict == Verdict::kImpossible; });
  summary.why = why(result);
  return summary;
}

std::string matrix_cell(const std::vector<const ClaimCell*>& cells) {
  Cells possible;
  for (const ClaimCell* cell : cells)
    if (cell->verdict != Verdict::kImpossible) possible.push_back(cell);
  if (possible.empty()) return cells.empty() ? "" : "impossible";
  const auto all = [&](const auto& is) { return std::all_of(possible.begin(), possible.end(), is); };
  const auto typically = [](const ClaimCell* cell) { return cell->typically; };
  const char* verdict = "rarely";
  if (all([](const ClaimCell* cell) { return cell->verdict == Verdict::kHolds; }))
    verdict = "holds";
  else if (all(typically))
    verdict = "typically";
  else if (std::any_of(possible.begin(), possible.end(), typically))
    verdict = "partly";
  else if (all([](const ClaimCell* cell) { return cell->verdict == Verdict::kFails; }))
    verdict = "fails";
  return fmt::format("{} {}", ratios(possible).substr(1), verdict);
}

}  // namespace silicast
