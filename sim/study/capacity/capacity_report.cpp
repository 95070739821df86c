#include "sim/study/capacity/capacity_report.hpp"

#include <fmt/format.h>

#include <cmath>

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
  text += fmt::format("bound by: {}: {}\n", answer.binding.what, answer.binding.why);
  return text +
         fmt::format("{} runs, {} seed{}\n", answer.runs, answer.each.size(), answer.each.size() == 1 ? "" : "s");
}

std::string capacity_json(const CapacityAnswer& answer) {
  JsonText json;
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
  json.item("bound_by").string(answer.binding.what);
  json.item("why").string(answer.binding.why);
  json.item("runs").integer(answer.runs);
  json.close('}');
  return json.take();
}

}  // namespace silicast
