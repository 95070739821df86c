#include "sim/study/claims/claim_report.hpp"

#include <fmt/format.h>

#include "sim/report/json_text.hpp"

namespace silicast {
namespace {

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

// "memory 85%", of the share of time that it binds.
std::string binds(const SideAnswer& side) {
  std::size_t most = 0;
  for (std::size_t i = 1; i < side.bounds.size(); ++i)
    if (side.bounds[i] > side.bounds[most]) most = i;
  if (side.tokens_per_second == 0) return "-";
  return fmt::format("{} {:.0f}%", name_of(static_cast<Bound>(most)), 100 * side.bounds[most]);
}

std::string side_text(double figure, const SideAnswer& side) {
  if (side.tokens_per_second == 0) return figure == 0 ? "-" : fmt::format("{:.4g}", figure);
  return fmt::format("{:.4g} ({})", figure, binds(side));
}

// What a claim says, and below it what became of that.
std::string title_of(const ClaimResult& result) {
  const Claim& claim = result.claim;
  std::string text =
      fmt::format("{}: {}\n  said by: {}\n  claimed: {:g} to {:g}, {}{}\n", claim.name, claim.statement, claim.by,
                  claim.low, claim.high, claim.against.empty() ? "" : "ratio of ", name_of(claim.metric));
  if (!claim.unstated.empty()) text += fmt::format("  left open: {}\n", claim.unstated);
  const ClaimSummary summary = summarise(result);
  if (!summary.why.empty()) text += fmt::format("  what binds: {}\n", summary.why);
  text.pop_back();
  return text;
}

ReportTable cells_table(const ClaimResult& result) {
  const Claim& claim = result.claim;
  ReportTable table{title_of(result),
                    {"workload", "load", "precision", "system", "against", "ratio", "from", "to", "verdict",
                     "typically", std::string(name_of(claim.metric)), "of the other"},
                    {}};
  for (const ClaimCell& cell : result.cells) {
    std::vector<std::string> row = {cell.workload, or_dash(cell.point), or_dash(cell.precision), cell.system,
                                    or_dash(cell.against)};
    if (cell.verdict == Verdict::kImpossible)
      row.insert(row.end(), {"-", "-", "-", "impossible", "-", cell.impossible, "-"});
    else
      row.insert(row.end(),
                 {fmt::format("{:.3g}", cell.ratio), fmt::format("{:.3g}", cell.low), fmt::format("{:.3g}", cell.high),
                  std::string(name_of(cell.verdict)),
                  cell.typically           ? "true"
                  : cell.ratio < claim.low ? "false, below"
                                           : "false, above",
                  side_text(cell.figure_a, cell.a), cell.against.empty() ? "-" : side_text(cell.figure_b, cell.b)});
    table.rows.push_back(std::move(row));
  }
  return table;
}

// A row for each system and precision, a column for each workload.
ReportTable matrix_table(const ClaimResult& result) {
  const Claim& claim = result.claim;
  ReportTable table{title_of(result), {"system", "precision"}, {}};
  for (const ClaimWorkload& workload : claim.workloads) table.columns.push_back(workload.name);
  for (const ClaimPrecision& precision : claim.precisions)
    for (const ClaimSystem& system : claim.systems) {
      std::vector<std::string> row = {system.label, precision.label};
      for (const ClaimWorkload& workload : claim.workloads) {
        std::vector<const ClaimCell*> cells;
        for (const ClaimCell& cell : result.cells)
          if (cell.system == system.label && cell.workload == workload.name &&
              (cell.precision.empty() || cell.precision == precision.label))
            cells.push_back(&cell);
        row.push_back(or_dash(matrix_cell(cells)));
      }
      table.rows.push_back(std::move(row));
    }
  return table;
}

void put_side(JsonText& json, const char* key, double figure, const SideAnswer& side) {
  json.item(key).open('{');
  json.item("figure").number(figure);
  if (side.tokens_per_second > 0) {
    json.item("tokens_per_second").number(side.tokens_per_second);
    json.item("joules_per_token").number(side.joules_per_token);
    json.item("share_of_peak").number(side.share_of_peak);
    json.item("seconds").number(side.seconds);
    json.item("sequences").integer(side.sequences);
    json.item("bounds").open('{');
    for (const Bound bound : {Bound::kCompute, Bound::kMemory, Bound::kLink, Bound::kOverhead})
      json.item(name_of(bound)).number(side.bounds[static_cast<std::size_t>(bound)]);
    json.close('}');
  }
  json.close('}');
}

void put_cell(JsonText& json, const ClaimCell& cell) {
  json.item().open('{');
  const std::pair<const char*, const std::string*> kTexts[] = {{"system", &cell.system},
                                                               {"against", &cell.against},
                                                               {"workload", &cell.workload},
                                                               {"load", &cell.point},
                                                               {"precision", &cell.precision}};
  for (const auto& [key, text] : kTexts) json.item(key).string(*text);
  json.item("verdict").string(name_of(cell.verdict));
  json.item("typically").boolean(cell.typically);
  json.item("impossible").string(cell.impossible);
  if (cell.verdict != Verdict::kImpossible) {
    const std::pair<const char*, double> kNumbers[] = {{"ratio", cell.ratio},
                                                       {"low", cell.low},
                                                       {"high", cell.high},
                                                       {"both_untuned", cell.untuned},
                                                       {"both_tuned", cell.tuned}};
    for (const auto& [key, value] : kNumbers) json.item(key).number(value);
    put_side(json, "of_system", cell.figure_a, cell.a);
    if (!cell.against.empty()) put_side(json, "of_against", cell.figure_b, cell.b);
  }
  json.close('}');
}

}  // namespace

std::vector<ReportTable> claim_tables(const std::vector<ClaimResult>& results, bool cells) {
  std::vector<ReportTable> tables;
  for (const ClaimResult& result : results) tables.push_back(cells ? cells_table(result) : matrix_table(result));
  return tables;
}

std::string claims_json(const std::vector<ClaimResult>& results) {
  JsonText json;
  json.open('{');
  json.item("claims").open('[');
  for (const ClaimResult& result : results) {
    const Claim& claim = result.claim;
    const ClaimSummary summary = summarise(result);
    json.item().open('{');
    const std::pair<const char*, const std::string*> kTexts[] = {{"name", &claim.name},
                                                                 {"claim", &claim.statement},
                                                                 {"by", &claim.by},
                                                                 {"unstated", &claim.unstated},
                                                                 {"true_where", &summary.true_where},
                                                                 {"not_where", &summary.not_where},
                                                                 {"impossible", &summary.impossible},
                                                                 {"why", &summary.why}};
    for (const auto& [key, text] : kTexts) json.item(key).string(*text);
    json.item("metric").string(name_of(claim.metric));
    json.item("claimed_low").number(claim.low);
    json.item("claimed_high").number(claim.high);
    json.item("cells").open('[');
    for (const ClaimCell& cell : result.cells) put_cell(json, cell);
    json.close(']');
    json.close('}');
  }
  json.close(']');
  json.close('}');
  return json.take() + "\n";
}

}  // namespace silicast
