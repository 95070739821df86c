#include "sim/study/claims/claims.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>

#include "sim/study/parallel_for.hpp"

namespace silicast {
namespace {

constexpr double kUntuned = 0, kTypical = 0.5, kTuned = 1;

bool is_named(const std::string& name, const std::vector<std::string>& patterns) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
           return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
         });
}

// Each question once, however many cells ask it.
class Questions {
 public:
  std::size_t add(SideQuestion question) {
    question.maturity = question.system.maturity.value_or(question.maturity);
    const ClaimSystem& system = question.system;
    const std::string key =
        fmt::format("{}|{}|{}|{}|{}|{}|{}", system.node, system.engine, question.workload.name,
                    question.point.sequences, question.point.context, question.precision, question.maturity);
    const auto [found, is_new] = index_.emplace(key, all_.size());
    if (is_new) all_.push_back(std::move(question));
    return found->second;
  }

  std::vector<SideAnswer> ask(const ClaimOptions& options) const {
    std::vector<SideAnswer> answers(all_.size());
    parallel_for(all_.size(), options.threads,
                 [&](std::size_t i) { answers[i] = ask_side(all_[i], options.configs_dir); });
    return answers;
  }

 private:
  std::map<std::string, std::size_t> index_;
  std::vector<SideQuestion> all_;
};

// Both sides of a cell at the three maturities, by index of their questions.
struct Asked {
  std::size_t claim, cell;
  std::array<std::size_t, 3> a{}, b{};
  bool compares = false;
};

// low <= ratio <= high even where more is worse.
void fill_ratio(ClaimCell& cell, const Claim& claim, const std::array<double, 3>& a, const std::array<double, 3>& b) {
  cell.figure_a = a[1], cell.figure_b = b[1];
  cell.ratio = a[1] / b[1];
  cell.untuned = a[0] / b[0];
  cell.tuned = a[2] / b[2];
  const std::array<double, 5> all = {cell.ratio, cell.untuned, cell.tuned, a[0] / b[2], a[2] / b[0]};
  cell.low = *std::min_element(all.begin(), all.end());
  cell.high = *std::max_element(all.begin(), all.end());
  cell.verdict = judge(claim, cell.low, cell.high);
  cell.typically = judge(claim, cell.ratio, cell.ratio) == Verdict::kHolds;
}

void fill_datasheet(ClaimCell& cell, const Claim& claim, const ClaimSystem& system, const ClaimSystem* against,
                    const ClaimWorkload& workload, const std::string& configs_dir) {
  const DatasheetFigure a = datasheet_figure(system, workload, configs_dir);
  const DatasheetFigure b =
      against != nullptr ? datasheet_figure(*against, workload, configs_dir) : DatasheetFigure{1, 1, 1, ""};
  cell.impossible = a.impossible.empty() ? b.impossible : a.impossible;
  if (!cell.impossible.empty()) return;
  fill_ratio(cell, claim, {a.low, a.value, a.high}, {b.low, b.value, b.high});
}

void fill_answers(ClaimCell& cell, const Claim& claim, const Asked& asked, const std::vector<SideAnswer>& answers) {
  cell.a = answers[asked.a[1]];
  if (asked.compares) cell.b = answers[asked.b[1]];
  std::array<double, 3> a{}, b{1, 1, 1};
  for (std::size_t i = 0; i < 3; ++i) {
    const SideAnswer& ours = answers[asked.a[i]];
    if (cell.impossible.empty() && !ours.impossible.empty())
      cell.impossible = fmt::format("{}: {}", cell.system, ours.impossible);
    a[i] = ours.of(claim.metric);
    if (!asked.compares) continue;
    const SideAnswer& theirs = answers[asked.b[i]];
    if (cell.impossible.empty() && !theirs.impossible.empty())
      cell.impossible = fmt::format("{}: {}", cell.against, theirs.impossible);
    b[i] = theirs.of(claim.metric);
  }
  if (cell.impossible.empty()) fill_ratio(cell, claim, a, b);
}

// Calls each(workload, point, precision, system, against or nullptr) in the order of the cells.
template <class Each>
void for_cells(const Claim& claim, const Each& each) {
  static const ClaimPrecision kNone{"", "", ""};
  for (const ClaimWorkload& workload : claim.workloads)
    for (const ClaimPoint& point : workload.points)
      for (const ClaimPrecision& precision : claim.precisions) {
        const bool datasheet = workload.kind == ClaimWorkload::Kind::kDatasheet;
        if (datasheet && &precision != claim.precisions.data()) continue;  // once
        for (const ClaimSystem& system : claim.systems) {
          if (claim.against.empty()) each(workload, point, datasheet ? kNone : precision, system, nullptr);
          for (const ClaimSystem& against : claim.against)
            each(workload, point, datasheet ? kNone : precision, system, &against);
        }
      }
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  constexpr std::string_view kNames[] = {"holds", "depends", "fails", "impossible"};
  return kNames[static_cast<std::size_t>(verdict)];
}

Verdict judge(const Claim& claim, double low, double high) {
  if (low >= claim.low && high <= claim.high) return Verdict::kHolds;
  return high < claim.low || low > claim.high ? Verdict::kFails : Verdict::kDepends;
}

std::vector<Claim> choose_claims(const ClaimOptions& options) {
  std::vector<Claim> claims = read_claims(options.configs_dir);
  std::erase_if(claims, [&](const Claim& claim) { return !is_named(claim.name, options.only); });
  if (claims.empty()) throw InputError(fmt::format("--only '{}' chooses no claim", fmt::join(options.only, "' '")));
  return claims;
}

std::vector<ClaimResult> run_claims(std::vector<Claim> claims, const ClaimOptions& options) {
  std::vector<ClaimResult> results;
  for (Claim& claim : claims) results.push_back({std::move(claim), {}});
  Questions questions;
  std::vector<Asked> asked;
  for (std::size_t c = 0; c < results.size(); ++c) {
    const Claim& claim = results[c].claim;
    for_cells(claim, [&](const ClaimWorkload& workload, const ClaimPoint& point, const ClaimPrecision& precision,
                         const ClaimSystem& system, const ClaimSystem* against) {
      ClaimCell cell;
      cell.system = system.label, cell.against = against != nullptr ? against->label : "";
      cell.workload = workload.name, cell.point = point.label, cell.precision = precision.label;
      if (workload.kind == ClaimWorkload::Kind::kDatasheet) {
        fill_datasheet(cell, claim, system, against, workload, options.configs_dir);
      } else {
        Asked one{c, results[c].cells.size(), {}, {}, against != nullptr};
        std::size_t i = 0;
        for (const double maturity : {kUntuned, kTypical, kTuned}) {
          one.a[i] = questions.add({system, workload, point, precision.system, maturity});
          if (against != nullptr) one.b[i] = questions.add({*against, workload, point, precision.against, maturity});
          ++i;
        }
        asked.push_back(one);
      }
      results[c].cells.push_back(std::move(cell));
    });
  }
  const std::vector<SideAnswer> answers = questions.ask(options);
  for (const Asked& one : asked)
    fill_answers(results[one.claim].cells[one.cell], results[one.claim].claim, one, answers);
  return results;
}

}  // namespace silicast
