#include "workloads/client_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "workloads/limits.hpp"

namespace silicast {

ClientSource::ClientSource(std::unique_ptr<RequestSource> source, ClientEdits edits, RandomStream abort_stream,
                           ConfigValue at)
    : source_(std::move(source)), edits_(edits), abort_stream_(abort_stream), at_(std::move(at)) {}

RequestSpec ClientSource::take() {
  RequestSpec request = source_->take();
  if (edits_.token_scale != 1) {
    request.prompt_tokens = scaled(request.prompt_tokens);
    request.output_tokens = scaled(request.output_tokens);
    if (request.max_output_tokens > 0) request.max_output_tokens = scaled(request.max_output_tokens);
  }
  if (edits_.max_output > 0 && (request.max_output_tokens == 0 || edits_.max_output < request.max_output_tokens)) {
    request.max_output_tokens = edits_.max_output;
    request.output_tokens = std::min(request.output_tokens, edits_.max_output);
  }
  if (edits_.request_class) request.request_class = *edits_.request_class;
  set_deadline(request);
  return request;
}

std::int32_t ClientSource::scaled(std::int32_t tokens) const {
  const double scaled = tokens * edits_.token_scale;
  if (scaled > static_cast<double>(kMaxTokens)) at_.fail(fmt::format("makes over {} tokens of {}", kMaxTokens, tokens));
  return static_cast<std::int32_t>(std::max<long long>(1, std::llround(scaled)));
}

// An earlier deadline of the source within stays.
void ClientSource::set_deadline(RequestSpec& request) {
  if (edits_.timeout && request.arrival + *edits_.timeout < request.deadline) {
    request.deadline = request.arrival + *edits_.timeout;
    request.deadline_is_abort = false;
  }
  if (edits_.abort_probability == 0) return;
  // Two numbers for every request, so that another probability changes who aborts and never when.
  const double who = abort_stream_.uniform(), when = abort_stream_.uniform();
  if (who >= edits_.abort_probability) return;
  const SimTime leaves = request.arrival + edits_.abort_mean * -std::log1p(-when);
  if (leaves >= request.deadline) return;
  request.deadline = leaves;
  request.deadline_is_abort = true;
}

}  // namespace silicast
