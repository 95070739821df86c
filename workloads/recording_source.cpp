#include "workloads/recording_source.hpp"

#include <algorithm>

#include "workloads/block_ids.hpp"

namespace silicast {

RequestSpec RecordingSource::take() {
  RequestSpec request = source_->take();
  std::span<const std::uint64_t> blocks = source_->blocks();
  // What a limit of output cut off an answer has no blocks.
  if (!blocks.empty()) {
    const std::int64_t tokens = std::int64_t{request.prompt_tokens} + request.output_tokens;
    blocks = blocks.first(std::min(blocks.size(), static_cast<std::size_t>(blocks_in(tokens, block_tokens()))));
  }
  TraceFurther further;
  if (request.arrival == last_end_) further.after_ends = ends_;
  writer_->add(request, blocks, further);
  return request;
}

std::string RecordingSource::finish() {
  writer_->finish();
  std::string mapping = writer_->mapping();
  mapping.insert(mapping.size() - 1, ", replay: true");
  return mapping;
}

}  // namespace silicast
