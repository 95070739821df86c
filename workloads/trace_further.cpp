#include "workloads/trace_further.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "sim/io/line_reader.hpp"
#include "workloads/limits.hpp"
#include "workloads/stamp_text.hpp"

namespace silicast {
namespace {

constexpr const char* kKeys[kFurtherColumns] = {"max_output", "patience", "leaves", "after_ends",
                                                "id",         "session",  "parent", "think"};

std::int64_t whole(const std::string& column, std::string_view text, std::int64_t most, const Mark& mark) {
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > most)
    throw InputError(mark, column, fmt::format("{} is no whole number from 0 to {}", quoted_text(text), most));
  return value;
}

std::int64_t duration(const std::string& column, std::string_view text, int unit, const Mark& mark) {
  const ParsedInteger parsed = parse_time(text, unit);
  if (!parsed.ok) throw InputError(mark, column, parsed.error);
  return parsed.value;
}

int unit_of(ConfigMap& units, const char* key) {
  return 3 * static_cast<int>(units.required(key).choice({"ns", "us", "ms", "s"}, "unit of time"));
}

}  // namespace

FurtherColumns FurtherColumns::read(ConfigMap& columns, ConfigMap& units, std::vector<std::string>& taken) {
  FurtherColumns further;
  for (int i = 0; i < kFurtherColumns; ++i) {
    const auto name = columns.optional(kKeys[i]);
    if (!name) continue;
    if (std::find(taken.begin(), taken.end(), name->text()) != taken.end())
      name->fail(fmt::format("'{}' is named for another quantity already; each has a column of its own", name->text()));
    further.names[static_cast<std::size_t>(i)] = taken.emplace_back(name->text());
  }
  if (further[Further::kPatience]) further.patience_unit = unit_of(units, "patience");
  if (further[Further::kThink]) further.think_unit = unit_of(units, "think");
  const auto needs = [&](Further one, Further other, const char* why) {
    if (further[one] && !further[other])
      columns.required(kKeys[static_cast<int>(one)])
          .fail(fmt::format("needs a column '{}', {}", kKeys[static_cast<int>(other)], why));
  };
  needs(Further::kParent, Further::kId, "which parents are named by");
  needs(Further::kParent, Further::kThink, "the time from the parent's answer to this request");
  needs(Further::kThink, Further::kParent, "whose answer the time counts from");
  needs(Further::kSession, Further::kParent, "by which its requests follow each other");
  needs(Further::kLeaves, Further::kPatience, "which says when");
  return further;
}

std::string_view FurtherColumns::name_of(Further column) const {
  const std::optional<std::string>& name = (*this)[column];
  return name ? std::string_view(*name) : kKeys[static_cast<int>(column)];
}

std::vector<Further> FurtherColumns::there() const {
  std::vector<Further> there;
  for (int i = 0; i < kFurtherColumns; ++i)
    if (names[static_cast<std::size_t>(i)]) there.push_back(static_cast<Further>(i));
  return there;
}

void FurtherColumns::take(Further column, std::string_view text, const Mark& mark, TraceRow& row) const {
  const std::string& name = *(*this)[column];
  switch (column) {
    case Further::kMaxOutput:
      row.max_output_tokens = text.empty() ? 0 : static_cast<std::int32_t>(whole(name, text, kMaxTokens, mark));
      if (const std::string mistake = mistake_in_limit(row); !mistake.empty()) throw InputError(mark, name, mistake);
      return;
    case Further::kPatience:
      row.patience_ns = text.empty() ? kNoPatience : duration(name, text, patience_unit, mark);
      return;
    case Further::kLeaves:
      row.leaves = !text.empty() && whole(name, text, 1, mark) == 1;
      return;
    case Further::kAfterEnds:
      row.after_ends = text.empty() ? 0 : whole(name, text, kMaxRequests, mark);
      return;
    case Further::kId:
      if (text.empty() && sessions())
        throw InputError(mark, name, "is empty; every request needs an id where some name parents");
      row.id = text;
      return;
    case Further::kSession:
      row.session = text;
      return;
    case Further::kParent:
      row.parent = text;
      return;
    case Further::kThink:
      row.think_ns = text.empty() ? 0 : duration(name, text, think_unit, mark);
      return;
  }
}

std::string mistake_in_limit(const TraceRow& row) {
  if (row.max_output_tokens == 0 || row.max_output_tokens >= row.output_tokens) return {};
  return fmt::format("{} is under the output of {} tokens; is it a limit of output?", row.max_output_tokens,
                     row.output_tokens);
}

}  // namespace silicast
