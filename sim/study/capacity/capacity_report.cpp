#include "sim/study/capacity/capacity_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <vector>

#include "sim/io/quantity_text.hpp"
#include "sim/report/json_text.hpp"

namespace silicast {
namespace {

std::string seconds(double value) {
  return format_quantity(value, Dimension::kTime);
}

const char* name_of(CapacityAnswer::Kind kind) {
  switch (kind) {
    case CapacityAnswer::Kind::kFound:
      return "found";
    case CapacityAnswer::Kind::kNone:
      return "none";
    case CapacityAnswer::Kind::kUnlimited:
      return "unlimited";
  }
  return "";
}

// Nothing but the growth of the queue stands against a higher load.
bool too_short(const CapacityAnswer& answer) {
  return answer.beyond.target == "stability" && answer.at.excess < 0.8;
}

struct TokenPrice {
  const char* basis;
  Range rmb;  // per million tokens of both kinds
};
std::vector<TokenPrice> token_prices(const Verdict& verdict) {
  std::vector<TokenPrice> prices;
  const std::optional<Cost>& cost = verdict.summary.cost;
  if (cost && cost->purchase) prices.push_back({"bought", cost->purchase->per_million_total.rmb});
  if (cost && cost->rent) prices.push_back({"rented", cost->rent->per_million_total.rmb});
  return prices;
}

std::string cost_text(const Verdict& verdict) {
  std::string text;
  for (const auto& [basis, rmb] : token_prices(verdict))
    text += fmt::format("{}{:.3g} ({:.3g} to {:.3g}) {}", text.empty() ? "cost:     RMB/M tokens " : ", ", rmb.value,
                        rmb.low, rmb.high, basis);
  return text.empty() ? text : text + "\n";
}

void put(JsonText& json, const std::string& key, const Verdict& verdict) {
  json.item(key).open('{');
  json.item("target").string(verdict.target);
  json.item("value").number(verdict.value);
  json.item("limit").number(verdict.limit);
  json.item("excess").number(verdict.excess);
  json.item("met").boolean(verdict.met);
  json.close('}');
}

}  // namespace

std::string verdict_text(const Verdict& verdict) {
  if (verdict.target.empty()) return "no target has a value";
  if (verdict.target == "stability") return "the queue grows without bound";
  if (std::isinf(verdict.excess)) return fmt::format("{}: the queue grows without bound", verdict.target);
  if (verdict.target.starts_with("share"))
    return fmt::format("{:.2f}% of requests within their limits, {:.2f}% asked", 100 * verdict.value,
                       100 * verdict.limit);
  return fmt::format("{} of {} is {:.2f} times its {}", verdict.target, seconds(verdict.value), verdict.excess,
                     seconds(verdict.limit));
}

std::string capacity_text(const CapacityAnswer& answer) {
  std::string text;
  switch (answer.kind) {
    case CapacityAnswer::Kind::kNone:
      return fmt::format("no load meets the targets: with hardly a request at a time, {}\nbound by {}: {}\n",
                         verdict_text(answer.at), answer.binding.what, answer.binding.why);
    case CapacityAnswer::Kind::kUnlimited:
      return fmt::format("no limit was found: the targets are met at {:.4g} {}\n", answer.load, answer.unit);
    case CapacityAnswer::Kind::kFound:
      text = fmt::format("capacity: {:.4g} {} ({:.4g} to {:.4g}{})\n", answer.load, answer.unit, answer.low,
                         answer.high, answer.sampled ? ", 95% confidence" : "; a trace has no spread of its own");
  }
  text += fmt::format("there:    {}\nabove:    {}\n", verdict_text(answer.at), verdict_text(answer.beyond));
  text += fmt::format("bound by: {}: {}\n", answer.binding.what, answer.binding.why) + cost_text(answer.at);
  const double seconds_of_run = answer.at.summary.run_seconds;
  if (too_short(answer))
    text += fmt::format(
        "note:     in runs of {} a queue that grows cannot be told from one that fills: give the workload "
        "more requests\n",
        seconds(seconds_of_run));
  return text + fmt::format("{} runs of about {}, {} seed{}\n", answer.runs, seconds(seconds_of_run),
                            answer.each.size(), answer.each.size() == 1 ? "" : "s");
}

std::string capacity_json(const CapacityAnswer& answer) {
  JsonText json;
  put_capacity(json, answer);
  return json.take();
}

void put_capacity(JsonText& json, const CapacityAnswer& answer) {
  json.open('{');
  json.item("kind").string(name_of(answer.kind));
  json.item("unit").string(answer.unit);
  json.item("load").number(answer.load);
  json.item("low").number(answer.low);
  json.item("high").number(answer.high);
  json.item("sampled").boolean(answer.sampled);
  json.item("each").open('[');
  for (const double one : answer.each) json.item().number(one);
  json.close(']');
  put(json, "at", answer.at);
  put(json, "beyond", answer.beyond);
  json.item("rmb_per_million_tokens").open('{');
  for (const auto& [basis, rmb] : token_prices(answer.at)) json.item(basis).number(rmb.value);
  json.close('}');
  json.item("bound_by").string(answer.binding.what);
  json.item("why").string(answer.binding.why);
  json.item("run_s").number(answer.at.summary.run_seconds);
  json.item("too_short").boolean(too_short(answer));
  json.item("runs").integer(answer.runs);
  json.close('}');
}

}  // namespace silicast
