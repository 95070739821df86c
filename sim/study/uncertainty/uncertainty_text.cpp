#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/text_table.hpp"
#include "sim/study/uncertainty/plan_uncertainty.hpp"

namespace silicast {
namespace {

constexpr std::size_t kBars = 10;
constexpr double kNoise = 0.005;  // of cost: what two searches within 0.2% may say of nothing

std::string interval(const std::vector<double>& values) {
  const auto text = [](double value) {
    return std::isfinite(value) ? fmt::format("{:.2f}", value) : std::string("none");
  };
  return fmt::format("{} ({} to {})", text(quantile(values, 0.5)), text(quantile(values, 0.05)),
                     text(quantile(values, 0.95)));
}

std::string months(double value) {
  return std::isfinite(value) ? fmt::format("{:.0f}", value) : "never";
}

std::string firmness(double share) {
  if (share >= 0.95) return "firm";
  if (share >= 0.8) return "likely";
  if (share >= 0.6) return "weak: better measure first";
  return "a toss-up: measure before buying";
}

std::string service_text(const PlanSpec& plan, const PlanUncertainty& found, std::size_t s) {
  std::vector<const UncertainOption*> options;
  for (const UncertainOption& one : found.options)
    if (one.part->service == s) options.push_back(&one);
  if (options.empty()) return "";
  std::stable_sort(options.begin(), options.end(), [](const UncertainOption* a, const UncertainOption* b) {
    return quantile(a->per_million, 0.5) < quantile(b->per_million, 0.5);
  });
  std::vector<std::string> heads = {"node",
                                    "nodes",
                                    "all targets hold",
                                    "each target",
                                    "RMB/M tokens at capacity, median (5% to 95%)",
                                    "requests/s at the targets"};
  const bool grows = plan.growth.months > 0;
  if (grows) heads.push_back("full after months");
  heads.push_back("beats the next");
  TextTable table(heads);
  for (std::size_t i = 0; i < options.size(); ++i) {
    const UncertainOption& one = *options[i];
    std::string each;
    for (std::size_t t = 0; t < one.targets.size(); ++t)
      each += fmt::format("{}{} {:.0f}%", each.empty() ? "" : ", ", one.targets[t], 100 * one.holds[t]);
    std::vector<std::string> row = {plan.candidates[one.part->candidate].node,
                                    fmt::format("{}", one.part->sized->nodes),
                                    fmt::format("{:.0f}%", 100 * one.all_hold),
                                    each,
                                    interval(one.per_million),
                                    interval(one.capacity)};
    if (grows)
      row.push_back(fmt::format("{} ({} to {})", months(quantile(one.months, 0.5)), months(quantile(one.months, 0.05)),
                                months(quantile(one.months, 0.95))));
    row.push_back(i + 1 < options.size() ? fmt::format("{:.0f}%", 100 * beats(one, *options[i + 1])) : "-");
    table.add(row);
  }
  std::string text =
      fmt::format("\n{}: {} draws of {} numbers\n{}", plan.services[s].name, found.draws, found.unknowns, table.text());
  for (const UncertainOption* one : options)
    if (one->refused > 0)
      text += fmt::format("{}: {} draws cannot serve it at all: {}\n", plan.candidates[one->part->candidate].node,
                          one->refused, one->refusal);
  if (options.size() > 1) {
    double worst = 1;
    for (std::size_t i = 1; i < options.size(); ++i) worst = std::min(worst, beats(*options[0], *options[i]));
    text +=
        fmt::format("that {} is the cheapest per token is {}: it beats each other one in {:.0f}% of draws or more\n",
                    plan.candidates[options[0]->part->candidate].node, firmness(worst), 100 * worst);
  }
  TextTable bars({"what matters most to its cost per token", "low end", "high end"});
  std::size_t shown = 0;
  for (const TornadoBar& bar : found.tornado[s]) {
    if (shown == kBars || std::abs(bar.at_high - bar.at_low) < kNoise) break;
    bars.add({bar.name, fmt::format("{:+.1f}%", 100 * bar.at_low), fmt::format("{:+.1f}%", 100 * bar.at_high)});
    ++shown;
  }
  return text + "\n" + bars.text();
}

}  // namespace

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  if (below + 1 >= values.size()) return values.back();
  const double low = values[below], high = values[below + 1];
  return std::isfinite(high) ? low + (at - static_cast<double>(below)) * (high - low) : low;
}

std::string uncertainty_text(const PlanSpec& plan, const PlanUncertainty& found) {
  std::string text;
  for (const std::string& file : found.certain)
    text += fmt::format("\nnot drawn: {}, as it is not of the catalogue\n", file);
  for (std::size_t s = 0; s < plan.services.size(); ++s) text += service_text(plan, found, s);
  return text;
}

}  // namespace silicast
