#include "workloads/generated_source.hpp"

#include "sim/base/check.hpp"

namespace silicast {

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
