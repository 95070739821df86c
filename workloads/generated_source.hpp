// Requests made up: an arrival process and two length distributions, each with a stream of its own.
#pragma once

#include <limits>
#include <memory>

#include "workloads/arrival_process.hpp"
#include "workloads/length_distribution.hpp"
#include "workloads/request_source.hpp"

namespace silicast {

// Lengths of prompt and output, drawn in the order of the requests.
struct RequestLengths {
  std::unique_ptr<LengthDistribution> prompt, output;
  RandomStream prompt_stream, output_stream;

  void draw(RequestSpec& request) {
    request.prompt_tokens = prompt->draw(prompt_stream);
    request.output_tokens = output->draw(output_stream);
  }
};

// What ends a source: a number of requests, a time that arrivals must lie ahead of, or both.
struct SourceBounds {
  std::int64_t requests = std::numeric_limits<std::int64_t>::max();
  SimTime end = SimTime::never();
};

// Asks the mapping for requests and duration.
SourceBounds read_bounds(ConfigMap& map);

class GeneratedSource final : public RequestSource {
 public:
  GeneratedSource(std::unique_ptr<ArrivalProcess> arrivals, RequestLengths lengths, SourceBounds bounds);

  std::optional<SimTime> next_time() override { return next_; }
  RequestSpec take() override;

 private:
  void advance();

  std::unique_ptr<ArrivalProcess> arrivals_;
  RequestLengths lengths_;
  SourceBounds bounds_;
  std::optional<SimTime> next_;
};

}  // namespace silicast
