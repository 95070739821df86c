#include "workloads/trace_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "sim/io/line_reader.hpp"
#include "workloads/block_ids.hpp"
#include "workloads/limits.hpp"
#include "workloads/stamp_text.hpp"

namespace silicast {

TraceColumns TraceColumns::read(ConfigMap& trace, const std::vector<std::string>& class_names) {
  TraceColumns columns;
  columns.class_names = class_names;
  ConfigMap names = trace.required("columns").map();
  std::vector<std::string> taken;
  const auto column = [&](const ConfigValue& value) {
    if (std::find(taken.begin(), taken.end(), value.text()) != taken.end())
      value.fail(fmt::format("'{}' is named for another quantity already; each has a column of its own", value.text()));
    return taken.emplace_back(value.text());
  };
  columns.arrival = column(names.required("arrival"));
  columns.prompt = column(names.required("prompt"));
  columns.output = column(names.required("output"));
  if (const auto name = names.optional("class")) {
    if (class_names.empty()) name->fail("the scenario declares no classes");
    columns.request_class = column(*name);
  }
  if (const auto name = names.optional("blocks")) columns.blocks = column(*name);
  if (columns.blocks)
    columns.block_tokens = static_cast<std::int32_t>(trace.required("block_tokens").integer(1, kMaxTokens));
  else if (const auto tokens = trace.optional("block_tokens"))
    tokens->fail("goes with columns.blocks, which is not there");
  ConfigMap units = trace.required("units").map();
  columns.unit =
      static_cast<ArrivalUnit>(units.required("arrival").choice({"ns", "us", "ms", "s", "datetime"}, "unit of time"));
  columns.further = FurtherColumns::read(names, units, taken);
  names.done();
  units.done();
  return columns;
}

std::int64_t arrival_of(const TraceColumns& columns, std::string_view text, const Mark& mark) {
  const ParsedInteger parsed = columns.unit == ArrivalUnit::kDatetime
                                   ? parse_datetime(text)
                                   : parse_time(text, 3 * static_cast<int>(columns.unit));
  if (!parsed.ok) throw InputError(mark, columns.arrival, parsed.error);
  return parsed.value;
}

std::int32_t tokens_of(const std::string& column, std::string_view text, const Mark& mark) {
  const ParsedInteger parsed = parse_tokens(text);
  if (!parsed.ok) throw InputError(mark, column, parsed.error);
  return static_cast<std::int32_t>(parsed.value);
}

ClassId class_of(const TraceColumns& columns, std::string_view text, const Mark& mark) {
  const auto found = std::find(columns.class_names.begin(), columns.class_names.end(), text);
  if (found == columns.class_names.end())
    throw InputError(mark, *columns.request_class,
                     fmt::format("unknown class {}{}", quoted_text(text), suggestion(text, columns.class_names)));
  return ClassId{static_cast<std::int32_t>(found - columns.class_names.begin())};
}

void blocks_of(const TraceColumns& columns, std::string_view text, const Mark& mark, TraceRow& row) {
  row.blocks.clear();
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word.empty()) continue;
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || end != word.data() + word.size())
      throw InputError(mark, *columns.blocks,
                       fmt::format("holds {}; whole numbers from 0 with blanks between are due", quoted_text(word)));
    row.blocks.push_back(id);
  }
  check_blocks(*columns.blocks, row, columns.block_tokens, false, mark);
}

namespace {

// Equal ids are equal blocks behind equal ones, so that none can stand twice in a prompt.
bool any_twice(std::span<const std::uint64_t> ids) {
  std::vector<std::uint64_t> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end());
  return std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
}

}  // namespace

void check_blocks(const std::string& column, const TraceRow& row, std::int32_t block_tokens, bool all,
                  const Mark& mark) {
  const std::span<const std::uint64_t> ids = row.blocks;
  const auto due = static_cast<std::size_t>(blocks_in(row.prompt_tokens, block_tokens));
  const auto with_answer =
      static_cast<std::size_t>(blocks_in(std::int64_t{row.prompt_tokens} + row.output_tokens, block_tokens));
  if ((ids.size() > due && (all || ids.size() != with_answer)) || (ids.size() < due && all))
    throw InputError(mark, column,
                     fmt::format("{} ids where a prompt of {} tokens has {} blocks of {}; is block_tokens right?",
                                 ids.size(), row.prompt_tokens, due, block_tokens));
  if (any_twice(ids))
    throw InputError(mark, column, "an id stands twice in one prompt; it must name a block with all that is before it");
}

}  // namespace silicast
