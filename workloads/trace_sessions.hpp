// How the requests of a trace go on from each other: parents are looked up, and what cannot be is refused.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "workloads/trace_reader.hpp"

namespace silicast {

class TraceSessions {
 public:
  // The next row of the trace, which `reader` gave last. InputError: an id twice, a parent that is no request before
  // it (unknown, itself, in a circle, or further down: the stamps of the session run backwards), another session than
  // its parent's, ids of blocks that do not begin with its parent's.
  TraceTurn add(const TraceRow& row, TraceReader& reader);

 private:
  struct Request {
    std::int64_t session = 0;
    std::int32_t prompt_tokens = 0;
    std::string session_name;
    std::vector<std::uint64_t> blocks;
  };

  [[noreturn]] void refuse_parent(const TraceRow& row, TraceReader& reader) const;
  void check_turn(const TraceRow& row, const Request& parent, const TraceReader& reader) const;

  std::map<std::string, std::int64_t, std::less<>> by_id_;
  std::map<std::string, std::int64_t, std::less<>> sessions_;
  std::int64_t next_session_ = 0;
  std::vector<Request> requests_;
};

}  // namespace silicast
