// Where the columns of the trace store stand; trace_store.hpp says what they hold.
#pragma once

namespace silicast::store {

inline constexpr const char* kFormat = "silicast-trace";
inline constexpr double kVersion = 1;

inline constexpr const char* kTrace = "/trace";
inline constexpr const char* kArrival = "/trace/arrival";
inline constexpr const char* kPrompt = "/trace/prompt_tokens";
inline constexpr const char* kOutput = "/trace/output_tokens";
inline constexpr const char* kClass = "/trace/class";

inline constexpr const char* kClients = "/clients";
inline constexpr const char* kMaxOutput = "/clients/max_output_tokens";
inline constexpr const char* kPatience = "/clients/patience";
inline constexpr const char* kLeaves = "/clients/leaves";
inline constexpr const char* kAfterEnds = "/clients/after_ends";

inline constexpr const char* kSessions = "/sessions";
inline constexpr const char* kSession = "/sessions/session";
inline constexpr const char* kParent = "/sessions/parent";
inline constexpr const char* kThink = "/sessions/think";

inline constexpr const char* kOffset = "/blocks/offset";
inline constexpr const char* kId = "/blocks/id";

}  // namespace silicast::store
