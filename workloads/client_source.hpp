// What clients do to their requests: another tokenizer, a limit on output, a class, and how long they wait.
#pragma once

#include <memory>
#include <optional>

#include "sim/base/random.hpp"
#include "sim/base/units.hpp"
#include "sim/io/config_reader.hpp"
#include "workloads/request_source.hpp"

namespace silicast {

struct ClientEdits {
  double token_scale = 1;       // prompt and output times it, to the nearest token, at least 1; not 1: no block ids
  std::int32_t max_output = 0;  // output is cut to it, after scaling; 0: no limit
  std::optional<ClassId> request_class;
  std::optional<Seconds> timeout;  // deadline = arrival + timeout
  double abort_probability = 0;    // a client that aborts does so after an exponential time;
  Seconds abort_mean;              // whichever of timeout and abort comes first is the deadline
};

class ClientSource final : public RequestSource {
 public:
  // `at` is where a token count that grows past kMaxTokens is reported.
  ClientSource(std::unique_ptr<RequestSource> source, ClientEdits edits, RandomStream abort_stream, ConfigValue at);

  std::optional<SimTime> next_time() override { return source_->next_time(); }
  RequestSpec take() override;
  bool more_after_ends() const override { return source_->more_after_ends(); }
  SimTime closes() const override { return source_->closes(); }
  // None where prompts are scaled: so many tokens of another tokenizer are cut into other blocks.
  std::span<const std::uint64_t> blocks() const override {
    return edits_.token_scale == 1 ? source_->blocks() : std::span<const std::uint64_t>{};
  }
  std::int32_t block_tokens() const override { return edits_.token_scale == 1 ? source_->block_tokens() : 0; }
  void ended(const RequestSpec& request, SimTime now, bool answered) override {
    source_->ended(request, now, answered);
  }

 private:
  std::int32_t scaled(std::int32_t tokens) const;
  void set_deadline(RequestSpec& request);

  std::unique_ptr<RequestSource> source_;
  ClientEdits edits_;
  RandomStream abort_stream_;
  ConfigValue at_;
};

}  // namespace silicast
