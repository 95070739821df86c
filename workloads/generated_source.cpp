#include "workloads/generated_source.hpp"

#include "sim/base/check.hpp"
#include "workloads/limits.hpp"

namespace silicast {

SourceBounds read_bounds(ConfigMap& map) {
  SourceBounds bounds;
  if (const auto requests = map.optional("requests")) bounds.requests = requests->integer(1, kMaxRequests);
  if (const auto duration = map.optional("duration"))
    bounds.end = SimTime{} + Seconds(duration->quantity(Dimension::kTime, {1e-9, kLastArrivalSeconds}));
  return bounds;
}

GeneratedSource::GeneratedSource(std::unique_ptr<ArrivalProcess> arrivals, RequestLengths lengths, SourceBounds bounds)
    : arrivals_(std::move(arrivals)), lengths_(std::move(lengths)), bounds_(bounds) {
  advance();
}

void GeneratedSource::advance() {
  next_.reset();
  if (bounds_.requests == 0) return;
  --bounds_.requests;
  next_ = arrivals_->next();
  if (next_ && *next_ >= bounds_.end) next_.reset();
  if (!next_) bounds_.requests = 0;
}

RequestSpec GeneratedSource::take() {
  SILICAST_CHECK(next_.has_value(), "take() of an exhausted source");
  RequestSpec request;
  request.arrival = *next_;
  lengths_.draw(request);
  advance();
  return request;
}

}  // namespace silicast
