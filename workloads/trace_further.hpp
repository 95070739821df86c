// The columns that a trace may have besides arrivals, lengths, classes and blocks: what clients declare and bear, and
// how sessions go on.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"
#include "sim/io/config_reader.hpp"
#include "workloads/trace_reader.hpp"

namespace silicast {

enum class Further {
  kMaxOutput,  // tokens that the client declared; 0 or none: nothing
  kPatience,   // time from its arrival to when the client goes; none: never
  kLeaves,     // 1: the client goes of its own accord, rather than by its timeout
  kAfterEnds,  // requests that had ended when it was asked, if one of them did at that very instant; else 0
  kId,         // of the request, for parents to name
  kSession,    // name of its session
  kParent,     // id of the request whose answer it waits for; none: it is asked at its arrival
  kThink,      // time from that answer to when it is asked
};
inline constexpr int kFurtherColumns = 8;

struct FurtherColumns {
  std::array<std::optional<std::string>, kFurtherColumns> names;
  int patience_unit = 0, think_unit = 0;  // as parse_time() takes them

  // Asks `columns` for max_output, patience, leaves, after_ends, id, session, parent and think; `units` for patience
  // and think where these are there. `taken` are the columns that mean something else.
  static FurtherColumns read(ConfigMap& columns, ConfigMap& units, std::vector<std::string>& taken);

  const std::optional<std::string>& operator[](Further column) const { return names[static_cast<std::size_t>(column)]; }
  std::string_view name_of(Further column) const;  // the key's own where there is no such column
  bool sessions() const { return (*this)[Further::kParent].has_value(); }
  // Those that are there, in their order.
  std::vector<Further> there() const;

  // One field of a row; empty: none. InputError at `mark` under the column's name.
  void take(Further column, std::string_view text, const Mark& mark, TraceRow& row) const;
};

// What is wrong with the limit of output that a row declares; empty: nothing.
std::string mistake_in_limit(const TraceRow& row);

}  // namespace silicast
