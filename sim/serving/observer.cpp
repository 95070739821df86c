// Names of the ways in which a request ends, as files and tables show them.
#include "sim/serving/observer.hpp"

namespace silicast {

std::string_view name_of(EndState state) {
  switch (state) {
    case EndState::kCompleted:
      return "completed";
    case EndState::kRejected:
      return "rejected";
    case EndState::kTimedOut:
      return "timed_out";
    case EndState::kAborted:
      return "aborted";
    case EndState::kUnfinished:
      return "unfinished";
  }
  return "";
}

std::string_view name_of(EndReason reason) {
  switch (reason) {
    case EndReason::kNone:
      return "";
    case EndReason::kContextTooLong:
      return "context_too_long";
    case EndReason::kKvTooSmall:
      return "kv_too_small";
    case EndReason::kQueueFull:
      return "queue_full";
    case EndReason::kClientTimeout:
      return "client_timeout";
    case EndReason::kClientAbort:
      return "client_abort";
    case EndReason::kEndOfRun:
      return "end_of_run";
  }
  return "";
}

}  // namespace silicast
