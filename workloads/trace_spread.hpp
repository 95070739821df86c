// A trace whose stamps are rounded to a coarse step, with the requests of one stamp spread over that step.
#pragma once

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "workloads/trace_order.hpp"
#include "workloads/trace_reader.hpp"

namespace silicast {

// The requests of one stamp come evenly over the time to the next other stamp, in their order: the i-th of n (from 0)
// i/n of it behind the stamp. Where that time is over twice the shortest between two stamps so far, the trace is silent
// for a while; the shortest is the step then, as it is behind the last stamp. Spreading makes the least burst that the
// stamps allow, and arrivals that all come at the stamp the largest; the truth lies between. No request passes one of
// another stamp, so what was busy stays busy on every scale above the step. Holds the rows of one stamp.
class SpreadTrace final : public TraceReader {
 public:
  SpreadTrace(std::unique_ptr<TraceReader> rows, std::string name);

  // InputError too: more rows of one stamp, or ids in them, than can be held.
  bool next(TraceRow& row) override;
  Mark mark() const override;
  std::string_view arrival_name() const override { return rows_->arrival_name(); }
  std::int32_t block_tokens() const override { return rows_->block_tokens(); }
  std::int64_t failures() const override { return rows_->failures(); }
  std::string note() const override { return rows_->note() + ", arrivals of one stamp spread evenly to the next"; }

 private:
  struct Held {
    TraceRow row;
    int line = 0;
    int column = 0;
  };

  bool read_ahead();
  bool read_group();
  std::int64_t step();

  std::unique_ptr<TraceReader> rows_;
  std::string name_;
  TraceOrder order_;
  std::vector<Held> group_;  // of one stamp; the first size_ count
  std::size_t size_ = 0;
  std::size_t taken_ = 0;
  std::int64_t step_ns_ = 0;
  std::string stamp_;
  Held ahead_;  // the first row of the next group
  bool ahead_is_there_ = false;
  bool started_ = false;
  std::int64_t shortest_ns_ = std::numeric_limits<std::int64_t>::max();
};

}  // namespace silicast
