// Where requests come from: a lazy stream in time order. Nothing is loaded whole; memory is O(clients).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "sim/base/ids.hpp"
#include "sim/base/sim_time.hpp"

namespace silicast {

// A request before anyone serves it.
struct RequestSpec {
  SimTime arrival;
  std::int32_t prompt_tokens = 0;      // >= 1
  std::int32_t output_tokens = 0;      // >= 1: the true length, after the client's own limit; no policy sees it
  std::int32_t max_output_tokens = 0;  // what the client declared; 0: nothing declared
  ClassId request_class{0};
  std::int32_t client = 0;  // closed loop: who asks; opaque to everybody but its source
  // How long the client waits for the whole answer; never() when it waits for ever.
  SimTime deadline = SimTime::never();
  bool deadline_is_abort = false;  // the client leaves of its own accord, rather than by its timeout
};

class RequestSource {
 public:
  virtual ~RequestSource() = default;

  // When the next request arrives, as far as is known now; nullopt when none is known (exhausted, or a
  // closed loop whose clients all wait for answers). Never before the last request taken.
  virtual std::optional<SimTime> next_time() = 0;

  // Takes that request. next_time() must have a value. Throws InputError on a malformed trace.
  virtual RequestSpec take() = 0;

  // Ids of the KV blocks of the prompt that take() gave last, from its start: equal ids are equal blocks behind equal
  // ones, so what two prompts share at their start is told by the ids that they share there. The last block may be
  // partial; tokens behind the last one named are the prompt's own. Where the source knows its answer as well, which
  // the next turn of a session repeats, the ids go on through all of it: more ids than the prompt has blocks say so.
  // Empty where nothing is known. Valid until the next take().
  virtual std::span<const std::uint64_t> blocks() const { return {}; }

  // Tokens of one such block, the same for the whole source; 0: none of its requests has ids.
  virtual std::int32_t block_tokens() const { return 0; }

  // Whether requests may still become known by ended(): a closed loop that has not asked all of its requests.
  // With it and without next_time() the source is not exhausted.
  virtual bool more_after_ends() const { return false; }

  // An instant from which on no request arrives any more, where that is known beforehand; never() where the source ends
  // with its last request instead.
  virtual SimTime closes() const { return SimTime::never(); }

  // A request of this source left the system at `now`, `answered` in full or for another reason; may make a new one
  // known, at or after `now`. Open-loop sources ignore it.
  virtual void ended(const RequestSpec& request, SimTime now, bool answered) {
    (void)request;
    (void)now;
    (void)answered;
  }
};

}  // namespace silicast
