#include "workloads/trace_source.hpp"

#include <fmt/format.h>

#include "sim/base/check.hpp"
#include "sim/io/line_reader.hpp"
#include "workloads/limits.hpp"

namespace silicast {

TraceSource::TraceSource(std::unique_ptr<TraceReader> reader, const std::string& name) : reader_(std::move(reader)) {
  if (!reader_->next(row_)) throw InputError({name, 0, 0}, "", "holds no request");
  first_ns_ = row_.stamp_ns;
  order_.check(row_, *reader_);
  row_is_new_ = true;
}

bool TraceSource::read() {
  if (!reader_->next(row_)) return false;
  order_.check(row_, *reader_);
  if (row_.stamp_ns - first_ns_ > kLastArrival.ns)
    throw InputError(reader_->mark(), reader_->arrival_name(),
                     fmt::format("{} is over 63 years behind the trace's first request; is the unit right?",
                                 quoted_text(row_.stamp)));
  return true;
}

std::optional<SimTime> TraceSource::next_time() {
  if (!row_is_new_) {
    if (over_ || !read()) {
      over_ = true;
      return std::nullopt;
    }
    row_is_new_ = true;
  }
  return SimTime{row_.stamp_ns - first_ns_};
}

RequestSpec TraceSource::take() {
  const std::optional<SimTime> time = next_time();
  SILICAST_CHECK(time.has_value(), "take() of an exhausted trace");
  row_is_new_ = false;
  std::swap(blocks_, row_.blocks);
  RequestSpec request;
  request.arrival = *time;
  request.prompt_tokens = row_.prompt_tokens;
  request.output_tokens = row_.output_tokens;
  request.request_class = row_.request_class;
  return request;
}

}  // namespace silicast
