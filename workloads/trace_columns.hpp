// Which columns of a table (or keys of an object) hold a request, in which unit, and how their text becomes
// numbers. Shared by every format that maps columns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"
#include "sim/base/ids.hpp"
#include "sim/io/config_reader.hpp"
#include "workloads/trace_further.hpp"

namespace silicast {

enum class ArrivalUnit { kNanoseconds, kMicroseconds, kMilliseconds, kSeconds, kDatetime };

struct TraceColumns {
  std::string arrival;
  std::string prompt;
  std::string output;
  std::optional<std::string> request_class;
  std::optional<std::string> blocks;  // ids of the prompt's KV blocks
  std::int32_t block_tokens = 0;      // tokens of one, where there are ids
  ArrivalUnit unit = ArrivalUnit::kSeconds;
  std::vector<std::string> class_names;  // what a class may be
  FurtherColumns further;

  // From `columns: {arrival: ts, prompt: n_in, output: n_out, class: tier, blocks: ids}`, `units: {arrival: ms}` and,
  // with blocks, `block_tokens: 512`; class and blocks may be left out, as may be the further columns.
  static TraceColumns read(ConfigMap& trace, const std::vector<std::string>& class_names);
};

// The text of one field as a number; InputError at `mark` under the column's name.
std::int64_t arrival_of(const TraceColumns& columns, std::string_view text, const Mark& mark);
std::int32_t tokens_of(const std::string& column, std::string_view text, const Mark& mark);
ClassId class_of(const TraceColumns& columns, std::string_view text, const Mark& mark);

// The ids of a request's blocks that stand in one field, with blanks between them; none where it is empty.
void blocks_of(const TraceColumns& columns, std::string_view text, const Mark& mark, TraceRow& row);

// InputError at `mark`: more ids than the prompt has blocks, unless they go on through all of the answer; with `all`,
// another number than the prompt has blocks; one of them twice.
void check_blocks(const std::string& column, const TraceRow& row, std::int32_t block_tokens, bool all,
                  const Mark& mark);

}  // namespace silicast
