#include "workloads/trace_columns.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/io/line_reader.hpp"
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
  names.done();
  ConfigMap units = trace.required("units").map();
  columns.unit =
      static_cast<ArrivalUnit>(units.required("arrival").choice({"ns", "us", "ms", "s", "datetime"}, "unit of time"));
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

}  // namespace silicast
