#include "workloads/recording_source.hpp"

#include "workloads/block_ids.hpp"

namespace silicast {

RequestSpec RecordingSource::take() {
  RequestSpec request = source_->take();
  // What a limit of output cut off an answer has no blocks.
  const std::span<const std::uint64_t> blocks =
      blocks_of_prompt(source_->blocks(), std::int64_t{request.prompt_tokens} + request.output_tokens, block_tokens());
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
