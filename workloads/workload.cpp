#include "workloads/workload.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/io/gzip_file.hpp"
#include "workloads/closed_loop_source.hpp"
#include "workloads/generated_source.hpp"
#include "workloads/limits.hpp"
#include "workloads/merge_source.hpp"
#include "workloads/session_trace_source.hpp"
#include "workloads/session_workload.hpp"
#include "workloads/trace_source.hpp"
#include "workloads/users_workload.hpp"
#include "workloads/workload_edits.hpp"
#include "workloads/workload_preset.hpp"
#include "workloads/workload_scope.hpp"

namespace silicast {
namespace {

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxMerged = 1000;

// A source without its edits.
struct Built {
  std::unique_ptr<RequestSource> source;
  WorkloadInfo info;
  std::int64_t clients = 1;      // RequestSpec::client is below
  std::int64_t concurrency = 0;  // clients of closed loops
  bool repeats_answers = false;  // later prompts repeat the answers to earlier ones, as they were cut
};

std::unique_ptr<TraceSource> open_trace(const ConfigValue& value, const WorkloadScope& scope, WorkloadInfo& info,
                                        std::string& path) {
  ConfigMap map = value.map();
  const auto& format = map.required("format").entry_of(trace_formats());
  const ConfigValue file = map.required("file");
  path = scope.resolve(file);
  std::unique_ptr<TraceReader> reader =
      format.make(map, open_packed_file(path, file.mark(), file.path()), path, scope.context);
  const auto replay = map.optional("replay");
  const bool replays = replay && replay->boolean();
  map.done();
  if (replays && reader->sessions())
    replay->fail(
        fmt::format("'replay' and {} exclude each other: requests come by their stamps or by answers; leave one "
                    "of them out",
                    map.has("columns") ? "columns.parent" : "the parents of the trace"));
  auto source = std::make_unique<TraceSource>(std::move(reader), path, replays);
  info.sessions = source->sessions();
  info.generated = source->reader().drawn();
  info.description = fmt::format("{} trace {}{}", format.name, file.text(), source->reader().note());
  info.block_tokens = source->block_tokens();
  return source;
}

RequestLengths read_lengths(ConfigMap& map, const WorkloadScope& scope, WorkloadInfo& info) {
  const ConfigValue prompt = map.required("prompt"), output = map.required("output");
  RequestLengths lengths{make_lengths(prompt, scope), make_lengths(output, scope), scope.stream("prompt"),
                         scope.stream("output")};
  info.mean_prompt = lengths.prompt->mean();
  info.mean_output = lengths.output->mean();
  return lengths;
}

Built make_generated(const ConfigValue& value, ConfigMap& map, const WorkloadScope& scope) {
  Built built;
  ConfigMap arrivals = value.map();
  const auto& process = arrivals.required("process").entry_of(arrival_processes());
  const SourceBounds bounds = read_bounds(arrivals);
  std::unique_ptr<ArrivalProcess> made = process.make(arrivals, scope.stream("arrivals"));
  arrivals.done();
  const bool counted = arrivals.has("requests"), timed = arrivals.has("duration") || made->end().has_value();
  if (!counted && !timed) value.fail("needs an end: give requests, duration or both");
  const double rate = made->mean_rate();
  if (!timed && static_cast<double>(bounds.requests) / rate > kLastArrivalSeconds / 2)
    value.fail("this many requests at this rate take over 30 years");
  double expected = counted ? static_cast<double>(bounds.requests) : 1e18;
  if (bounds.end != SimTime::never()) expected = std::min(expected, rate * bounds.end.seconds());
  if (const auto end = made->end()) expected = std::min(expected, rate * end->value());
  built.info.requests = std::llround(expected);
  built.info.mean_rate = rate;
  RequestLengths lengths = read_lengths(map, scope, built.info);
  built.info.description =
      fmt::format("{} arrivals at {:.4g} requests/s, prompt mean {:.4g}, output mean {:.4g} tokens", process.name, rate,
                  *built.info.mean_prompt, *built.info.mean_output);
  built.source = std::make_unique<GeneratedSource>(std::move(made), std::move(lengths), bounds);
  return built;
}

// `map` gives users, use_case and what ends them.
Built make_of_users(ConfigMap& map, const WorkloadScope& scope) {
  UsersWorkload of = resolve_users(map, scope.context.configs_dir);
  ConfigMap made = of.workload.map();
  const ConfigValue arrivals = made.required("arrivals");
  Built built = make_generated(arrivals, made, scope);
  built.info.description =
      fmt::format("{:.0f} users of {}: {}", of.load.users, of.load.use_case.name, built.info.description);
  built.info.use_cases = {std::move(of.load)};
  built.info.only_use_cases = true;
  return built;
}

Built make_closed_loop(const ConfigValue& value, ConfigMap& map, const WorkloadScope& scope) {
  Built built;
  ConfigMap loop = value.map();
  built.clients = built.concurrency = loop.required("concurrency").integer(1, kMaxConcurrency);
  const SourceBounds bounds = read_bounds(loop);
  const ThinkTime think = read_think_time(loop.optional("think_time"));
  loop.done();
  const bool counted = loop.has("requests");
  if (!counted && !loop.has("duration")) value.fail("needs an end: give requests, duration or both");
  built.info.open_loop = false;
  if (counted && !loop.has("duration")) built.info.requests = bounds.requests;
  RequestLengths lengths = read_lengths(map, scope, built.info);
  built.info.description = fmt::format("closed loop of {} clients, prompt mean {:.4g}, output mean {:.4g} tokens",
                                       built.clients, *built.info.mean_prompt, *built.info.mean_output);
  built.source = std::make_unique<ClosedLoopSource>(static_cast<std::int32_t>(built.clients), think,
                                                    scope.stream("think"), std::move(lengths), bounds, value);
  return built;
}

Built make_of_sessions(const ConfigValue& value, const WorkloadScope& scope) {
  SessionWorkload made = make_sessions(value, scope);
  Built built;
  built.clients = kMaxConcurrency;  // sessions that there may be at once
  built.repeats_answers = true;
  built.info = std::move(made.info);
  built.source = std::move(made.source);
  return built;
}

void add(std::optional<std::int64_t>& sum, const std::optional<std::int64_t>& part) {
  sum = sum && part ? std::optional(*sum + *part) : std::nullopt;
}

// Sums of what the parts know; means weighted by their requests.
WorkloadInfo merged_info(const std::vector<WorkloadInfo>& parts) {
  WorkloadInfo info;
  info.requests = 0;
  info.mean_rate = info.mean_prompt = info.mean_output = 0;
  info.only_use_cases = true;
  std::vector<std::string> descriptions;
  for (const WorkloadInfo& part : parts) {
    info.open_loop &= part.open_loop;
    info.generated &= part.generated;
    info.sessions |= part.sessions;
    info.only_use_cases &= part.only_use_cases;
    info.use_cases.insert(info.use_cases.end(), part.use_cases.begin(), part.use_cases.end());
    descriptions.push_back(part.description);
    add(info.requests, part.requests);
    const auto accumulate = [&](std::optional<double>& sum, const std::optional<double>& mean,
                                std::optional<double> weight) {
      sum = sum && mean && weight ? std::optional(*sum + *mean * *weight) : std::nullopt;
    };
    const std::optional<double> weight =
        part.requests ? std::optional(static_cast<double>(*part.requests)) : std::nullopt;
    accumulate(info.mean_rate, part.mean_rate, 1.0);
    accumulate(info.mean_prompt, part.mean_prompt, weight);
    accumulate(info.mean_output, part.mean_output, weight);
  }
  if (info.mean_prompt) *info.mean_prompt /= std::max(1.0, static_cast<double>(*info.requests));
  if (info.mean_output) *info.mean_output /= std::max(1.0, static_cast<double>(*info.requests));
  info.description = fmt::format("merge of [{}]", fmt::join(descriptions, "; "));
  return info;
}

Built build(const ConfigValue& value, const WorkloadScope& scope);

Built make_merge(const ConfigValue& value, const WorkloadScope& scope) {
  const std::vector<ConfigValue> items = value.list();
  if (items.empty()) value.fail("an empty list");
  if (items.size() > kMaxMerged) value.fail(fmt::format("over {} workloads", kMaxMerged));
  std::vector<std::unique_ptr<RequestSource>> children;
  std::vector<WorkloadInfo> infos;
  std::int64_t clients = 1, concurrency = 0;
  std::int32_t block_tokens = 0;
  bool repeats_answers = false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    WorkloadScope inner{scope.context, fmt::format("{}/merge[{}]", scope.name, i), scope.preset_file, scope.depth + 1};
    Built child = build(items[i], inner);
    children.push_back(std::move(child.source));
    if (child.info.block_tokens > 0) {
      if (block_tokens > 0 && child.info.block_tokens != block_tokens)
        items[i].fail(fmt::format("its prompts name blocks of {} tokens, those of the parts before it blocks of {}",
                                  child.info.block_tokens, block_tokens));
      block_tokens = child.info.block_tokens;
    }
    infos.push_back(std::move(child.info));
    repeats_answers |= child.repeats_answers;
    clients = std::max(clients, child.clients);
    concurrency += child.concurrency;
    if (concurrency > kMaxConcurrency)
      items[i].fail(fmt::format("{} clients in all of the merged closed loops so far; at most {} may ask", concurrency,
                                kMaxConcurrency));
  }
  Built built;
  built.concurrency = concurrency;
  built.repeats_answers = repeats_answers;
  built.clients = clients * static_cast<std::int64_t>(items.size());
  if (built.clients > std::numeric_limits<std::int32_t>::max())
    value.fail("too many clients in all of the merged closed loops");
  built.info = merged_info(infos);
  built.info.block_tokens = block_tokens;
  built.source = std::make_unique<MergeSource>(std::move(children));
  return built;
}

// Plays a trace through, edits included, for what is wrong with it and what it holds.
void scan(RequestSource& source, WorkloadInfo& info) {
  std::int64_t count = 0;
  double prompt = 0, output = 0;
  SimTime first, last;
  while (source.next_time()) {
    const RequestSpec request = source.take();
    if (count++ == 0) first = request.arrival;
    last = request.arrival;
    prompt += request.prompt_tokens;
    output += request.output_tokens;
    source.ended(request, request.arrival, true);  // for a replay, whose order is kept by ends
  }
  info.requests = count;
  if (count > 0) info.mean_prompt = prompt / static_cast<double>(count);
  if (count > 0) info.mean_output = output / static_cast<double>(count);
  if (last > first) info.mean_rate = static_cast<double>(count - 1) / (last - first).value();
}

Built make_trace(const ConfigValue& value, const WorkloadEdits& edits, const WorkloadScope& scope) {
  Built built;
  std::string path;
  std::unique_ptr<TraceSource> trace = open_trace(value, scope, built.info, path);
  if (trace->replay())
    edits.refuse_time_edits("a replay asks at the stamps of its trace, which cannot be moved; leave out 'replay'");
  if (trace->sessions() && !scope.context.recorded) {
    auto sessions = std::make_unique<SessionTraceSource>(std::move(trace));
    if (sessions->requests() > 0 && sessions->waiting() > 0) {
      built.info.open_loop = false;
      built.info.description +=
          fmt::format(", {} of {} requests wait for answers", sessions->waiting(), sessions->requests());
      edits.refuse_time_edits();
    }
    built.clients = sessions->requests();
    built.source = std::move(sessions);
  } else {
    built.source = std::move(trace);
  }
  edits.adjust(built.info);
  if (!scope.context.scan_traces) return built;
  WorkloadInfo unused;
  std::unique_ptr<TraceSource> read = open_trace(value, scope, unused, path);
  const TraceReader& reader = read->reader();
  const std::unique_ptr<RequestSource> copy = edits.apply(std::move(read), scope);
  scan(*copy, built.info);
  if (reader.failures() > 0) built.info.description += fmt::format(", {} failures passed over", reader.failures());
  if (built.info.requests == 0) edits.slice()->fail(fmt::format("keeps no request of the trace '{}'", path));
  return built;
}

// The one key of the mapping that says where requests come from.
std::string source_key(ConfigMap& map) {
  const std::vector<std::string> sources = {"arrivals", "closed_loop", "merge", "preset", "sessions", "trace", "users"};
  std::string found;
  for (const std::string& key : sources) {
    if (!map.has(key)) continue;
    if (!found.empty()) map.required(key).fail(fmt::format("'{}' and '{}' exclude each other", found, key));
    found = key;
  }
  if (!found.empty()) return found;
  if (map.has("use_case")) map.required("users");  // missing
  std::string near;
  for (const std::string& key : map.keys())
    if (const std::string meant = nearest(key, sources); !meant.empty())
      near = fmt::format("; is '{}' meant to be '{}'?", key, meant);
  map.fail(fmt::format("needs a source of requests: {}{}", fmt::join(sources, ", "), near));
}

Built build(const ConfigValue& value, const WorkloadScope& scope) {
  if (scope.depth > kMaxDepth) value.fail(fmt::format("nested over {} levels", kMaxDepth));
  ConfigMap map = value.map();
  if (map.has("preset")) {
    const AppliedPreset preset = apply_preset(value, scope.context.configs_dir);
    return build(preset.workload, {scope.context, scope.name, preset.file, scope.depth + 1});
  }
  const std::string key = source_key(map);
  const ConfigValue source = map.required(key);
  for (const char* note : {"description", "source"})
    if (const auto text = map.optional(note)) text->text();
  const WorkloadEdits edits = WorkloadEdits::read(map, scope);
  Built built;
  if (key == "trace") {
    map.done();
    built = make_trace(source, edits, scope);
  } else {
    if (key == "merge") map.done();
    built = key == "arrivals"   ? make_generated(source, map, scope)
            : key == "merge"    ? make_merge(source, scope)
            : key == "users"    ? make_of_users(map, scope)
            : key == "sessions" ? make_of_sessions(source, scope)
                                : make_closed_loop(source, map, scope);
    edits.adjust(built.info);
    map.done();
    if (!built.info.open_loop) edits.refuse_time_edits();
    if (built.repeats_answers) edits.refuse_token_scale();
  }
  built.source = edits.apply(std::move(built.source), scope);
  return built;
}

}  // namespace

Workload make_workload(const ConfigValue& workload, const WorkloadContext& context) {
  Built built = build(workload, WorkloadScope{context, "workload", "", 0});
  return {std::move(built.source), std::move(built.info)};
}

}  // namespace silicast
