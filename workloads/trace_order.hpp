// That the rows of a trace come in time order, which every reader of rows in order needs.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "sim/base/errors.hpp"
#include "sim/io/line_reader.hpp"
#include "workloads/trace_reader.hpp"

namespace silicast {

class TraceOrder {
 public:
  // `row` is the one that `reader` gave last. InputError: it is earlier than the row ahead of it.
  void check(const TraceRow& row, const TraceReader& reader) {
    if (row.stamp_ns < last_ns_)
      throw InputError(reader.mark(), reader.arrival_name(),
                       fmt::format("out of order: {} comes behind {}; sort the trace by time", quoted_text(row.stamp),
                                   quoted_text(last_stamp_)));
    last_ns_ = row.stamp_ns;
    last_stamp_ = row.stamp;
  }

 private:
  std::int64_t last_ns_ = 0;
  std::string last_stamp_;
};

}  // namespace silicast
