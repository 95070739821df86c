// Aligned text tables.
#include "sim/report/table_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace silicast {
namespace {

using Row = std::vector<std::string>;  // label, then one cell per column; only a label: a heading

// Display width of UTF-8 text: continuation bytes do not count.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string render(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    if (widths.size() < row.size()) widths.resize(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line = row[0];
    std::size_t at = width_of(line), edge = widths[0];
    for (std::size_t i = 1; i < row.size(); ++i) {
      edge += 2 + widths[i];
      const std::size_t padding = edge - at - width_of(row[i]);
      line += std::string(padding, ' ') + row[i];
      at = edge;
    }
    text += line + "\n";
  }
  return text;
}

double value_of(const TableColumn& column, const std::string& key) {
  const auto found = column.values.find(key);
  return found == column.values.end() ? kNoValue : found->second;
}

std::string cell(const TableColumn& column, const Metric& metric, bool ranges) {
  if (metric.void_when_unstable && column.unstable) return "unstable";
  const double value = value_of(column, metric.key);
  if (!std::isfinite(value)) return "-";
  const std::string text = format_significant(value * metric.scale);
  const double low = value_of(column, metric.key + "_low"), high = value_of(column, metric.key + "_high");
  if (!ranges || !metric.has_range || !(low < high)) return text;
  return fmt::format("{} ({} to {})", text, format_significant(low * metric.scale, 3),
                     format_significant(high * metric.scale, 3));
}

bool any_value(std::span<const TableColumn> columns, const Metric& metric) {
  return std::any_of(columns.begin(), columns.end(), [&](const TableColumn& column) {
    return std::isfinite(value_of(column, metric.key)) || (metric.void_when_unstable && column.unstable);
  });
}

void put(TableColumn& column, const std::vector<Metric>& metrics) {
  for (const Metric& metric : metrics) {
    column.values[metric.key] = metric.value;
    if (!metric.has_range) continue;
    column.values[metric.key + "_low"] = metric.low;
    column.values[metric.key + "_high"] = metric.high;
  }
}

std::string pools_table(const Summary& summary) {
  std::vector<TableColumn> columns;
  for (std::size_t i = 0; i < summary.use.size(); ++i) {
    TableColumn column;
    column.title = summary.use[i].name;
    column.unstable = summary.unstable;
    column.texts["chip"] = summary.use[i].chip;
    column.texts["badge"] = std::string(name_of(summary.use[i].badge.kind));
    if (i < summary.pools.size()) put(column, group_metrics(summary.pools[i], summary.unstable));
    put(column, use_metrics(summary.use[i]));
    columns.push_back(std::move(column));
  }
  std::vector<Metric> catalogue = group_catalogue();
  for (Metric& metric : use_metrics({})) catalogue.push_back(std::move(metric));
  return "\nby pool\n" + table_of(columns, catalogue);
}

std::string groups_table(std::string_view by, const std::vector<GroupSummary>& groups, const Summary& summary) {
  std::vector<TableColumn> columns;
  for (const GroupSummary& group : groups) {
    TableColumn column;
    column.title = group.name;
    column.unstable = summary.unstable;
    put(column, group_metrics(group, summary.unstable));
    columns.push_back(std::move(column));
  }
  return fmt::format("\nby {}\n{}", by, table_of(columns, group_catalogue()));
}

std::string reasons_of(const Summary& summary) {
  std::string text;
  for (std::size_t i = 1; i < kEndReasons; ++i)
    if (summary.total.reasons[i] > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", summary.total.reasons[i],
                          name_of(static_cast<EndReason>(i)));
  return text;
}

std::string verdict_of(const TargetResult& target) {
  if (!target.met) return target.unstable ? "unstable" : "no data";
  return fmt::format("{} ({} s)", *target.met ? "met" : "missed", format_significant(target.value));
}

// A run is as good as its worst pool.
BadgeKind worst_badge(const Summary& summary) {
  BadgeKind worst = BadgeKind::kMeasured;
  for (const PoolUse& use : summary.use) worst = std::max(worst, use.badge.kind);
  return worst;
}

std::string foot_of(const Summary& summary, bool named) {
  const std::string prefix = named ? fmt::format("{}: ", summary.name) : "";
  std::string text;
  for (const TargetResult& target : summary.total.goodput.targets) {
    text += fmt::format("{}target {} {} s: {}\n", prefix, target.name, format_significant(target.limit),
                        verdict_of(target));
  }
  const std::string reasons = reasons_of(summary);
  if (!reasons.empty()) text += fmt::format("{}not completed: {}\n", prefix, reasons);
  for (const PoolUse& use : summary.use)
    text += fmt::format("{}pool {}: {}, {}\n", prefix, use.name, name_of(use.badge.kind), use.badge.reason);
  for (const std::string& note : summary.notes) text += fmt::format("{}{}\n", prefix, note);
  if (summary.cost) {
    std::string weak;
    for (const CostGround& ground : summary.cost->grounds)
      if (ground.grade == summary.cost->weakest) weak += (weak.empty() ? "" : ", ") + ground.what;
    text += fmt::format("{}cost: prices '{}', weakest grade {} ({})\n", prefix, summary.cost->price_sheet,
                        name_of(summary.cost->weakest), weak);
  }
  return text;
}

}  // namespace

std::string format_significant(double value, int digits) {
  if (std::isnan(value)) return "-";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  const double magnitude = std::abs(value);
  if (magnitude >= 1e15 || (magnitude > 0 && magnitude < 1e-6)) return fmt::format("{:.{}g}", value, digits);
  const int before = magnitude > 0 ? static_cast<int>(std::floor(std::log10(magnitude))) + 1 : 1;
  const bool whole = value == std::floor(value);
  std::string text = fmt::format("{:.{}f}", value, whole ? 0 : std::max(0, digits - before));
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::size_t first = text[0] == '-' ? 1 : 0;
  for (std::size_t i = point; i > first + 3;) text.insert(i -= 3, 1, ',');
  return text;
}

TableColumn column_of(const Summary& summary) {
  TableColumn column;
  column.title = summary.name;
  column.unstable = summary.unstable;
  column.notes = summary.notes;
  put(column, run_metrics(summary));
  std::string chips;
  for (const PoolUse& use : summary.use)
    if (chips.find(use.chip) == std::string::npos) chips += (chips.empty() ? "" : ", ") + use.chip;
  column.texts["chip"] = chips;
  column.texts["badge"] = std::string(name_of(worst_badge(summary)));
  column.texts["latency rests on"] = std::string(name_of(summary.latency_weakest));
  if (summary.energy.known) column.texts["energy rests on"] = std::string(name_of(summary.energy.weakest));
  if (summary.cost) column.texts["cost rests on"] = std::string(name_of(summary.cost->weakest));
  return column;
}

std::string table_of(std::span<const TableColumn> columns, std::span<const Metric> catalogue,
                     std::size_t max_columns_with_ranges) {
  std::vector<Row> rows;
  Row titles{""};
  std::map<std::string, bool> labels;
  for (const TableColumn& column : columns) {
    titles.push_back(column.title);
    for (const auto& [label, text] : column.texts) labels[label] |= !text.empty();
  }
  rows.push_back(std::move(titles));
  for (const auto& [label, shown] : labels) {
    if (!shown) continue;
    Row row{label};
    for (const TableColumn& column : columns) {
      const auto found = column.texts.find(label);
      row.push_back(found == column.texts.end() ? "-" : found->second);
    }
    rows.push_back(std::move(row));
  }
  std::string section;
  for (const Metric& metric : catalogue) {
    if (!metric.in_tables || !any_value(columns, metric)) continue;
    if (metric.section != section) rows.push_back({section = metric.section});
    Row row{metric.unit.empty() ? fmt::format("  {}", metric.label)
                                : fmt::format("  {} [{}]", metric.label, metric.unit)};
    for (const TableColumn& column : columns)
      row.push_back(cell(column, metric, columns.size() <= max_columns_with_ranges));
    rows.push_back(std::move(row));
  }
  return render(rows);
}

std::string summary_table(std::span<const Summary> runs) {
  std::vector<TableColumn> columns;
  for (const Summary& run : runs) columns.push_back(column_of(run));
  std::string text = table_of(columns, metric_catalogue());
  if (runs.size() == 1 && runs[0].use.size() > 1) text += pools_table(runs[0]);
  if (runs.size() == 1 && runs[0].models.size() > 1) text += groups_table("model", runs[0].models, runs[0]);
  if (runs.size() == 1 && runs[0].classes.size() > 1) text += groups_table("class", runs[0].classes, runs[0]);
  text += "\n";
  for (const Summary& run : runs) text += foot_of(run, runs.size() > 1);
  return text;
}

}  // namespace silicast
