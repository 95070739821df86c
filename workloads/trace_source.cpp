#include "workloads/trace_source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/check.hpp"
#include "sim/io/line_reader.hpp"
#include "workloads/limits.hpp"

namespace silicast {

TraceSource::TraceSource(std::unique_ptr<TraceReader> reader, const std::string& name, bool replay)
    : reader_(std::move(reader)), replay_(replay) {
  if (!reader_->next(row_)) throw InputError({name, 0, 0}, "", "holds no request");
  if (!replay) first_ns_ = row_.stamp_ns;
  if (reader_->sessions()) sessions_.emplace();
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
  if (held()) return std::nullopt;
  return time_of_row();
}

RequestSpec TraceSource::take() {
  const std::optional<SimTime> time = next_time();
  SILICAST_CHECK(time.has_value(), "take() of an exhausted trace");
  row_is_new_ = false;
  ++taken_;
  if (sessions_) turn_ = sessions_->add(row_, *reader_);
  std::swap(blocks_, row_.blocks);
  RequestSpec request;
  request.arrival = *time;
  request.prompt_tokens = row_.prompt_tokens;
  request.output_tokens = row_.output_tokens;
  request.request_class = row_.request_class;
  request.max_output_tokens = row_.max_output_tokens;
  request.deadline_is_abort = row_.leaves;
  if (row_.patience_ns != kNoPatience) {
    const std::int64_t most = kLastArrival.ns;
    request.deadline = {time->ns + std::min(row_.patience_ns, most)};
  }
  return request;
}

void TraceSource::ended(const RequestSpec&, SimTime now, bool) {
  ++ends_;
  if (replay_ && row_is_new_ && row_.after_ends >= ends_ && now > time_of_row())
    throw InputError(reader_->mark(), "replay",
                     fmt::format("the request at {} ns came behind {} ends, of which one comes at {} ns here; a trace "
                                 "replays on the system that wrote it, elsewhere leave out 'replay'",
                                 row_.stamp_ns, row_.after_ends, now.ns));
}

}  // namespace silicast
