#include "sim/study/traces/trace_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sim/run/scenario.hpp"
#include "sim/study/traces/trace_curves.hpp"
#include "workloads/trace_reader.hpp"
#include "workloads/trace_source.hpp"
#include "workloads/trace_store.hpp"

namespace silicast {
namespace {

bool is_hdf5_name(const std::string& file) {
  return file.ends_with(".h5") || file.ends_with(".hdf5");
}

ConfigNode text_node(std::string text) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::kScalar;
  node.quoted = true;
  node.scalar = std::move(text);
  return node;
}

ConfigNode map_node(std::vector<ConfigEntry> entries) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::kMap;
  node.entries = std::move(entries);
  return node;
}

ConfigEntry entry(std::string key, ConfigNode value) {
  return {std::move(key), {}, std::move(value)};
}

bool sets(const std::vector<std::string>& settings, std::string_view key) {
  return std::any_of(settings.begin(), settings.end(), [&](const std::string& setting) {
    return setting.starts_with(key) && setting.size() > key.size() &&
           (setting[key.size()] == '=' || setting[key.size()] == '.');
  });
}

// {trace: {format, file, ...}} with the settings applied.
ConfigNode workload_of(const TraceInput& input, const TraceQuestion& question,
                       const std::vector<std::string>& class_names) {
  ConfigNode root = map_node(
      {entry("trace", map_node({entry("format", text_node(input.format)), entry("file", text_node(input.file))}))});
  const auto set = [&](const std::string& setting) { apply_setting(root, "trace." + setting, "--set " + setting); };
  if ((input.format == "csv" || input.format == "jsonl") && !sets(question.settings, "columns")) {
    set("columns={arrival: arrival_ns, prompt: prompt_tokens, output: output_tokens}");
    if (!class_names.empty()) set("columns.class=class");
    if (sets(question.settings, "block_tokens")) set("columns.blocks=blocks");
    if (!sets(question.settings, "units")) set("units={arrival: ns}");
  }
  for (const std::string& setting : question.settings) set(setting);
  return root;
}

void set_slice(ConfigNode& root, const char* key, const std::optional<std::string>& value) {
  if (value) set_config(root, fmt::format("slice.{}", key), *value, fmt::format("--{} {}", key, *value));
}

}  // namespace

TraceInput trace_input(const std::string& text, const std::optional<std::string>& format) {
  const std::vector<std::string> known = trace_formats().names();
  const std::size_t colon = text.find(':');
  if (colon != std::string::npos && trace_formats().find(text.substr(0, colon)) != nullptr)
    return {text.substr(0, colon), text.substr(colon + 1)};
  if (format) {
    if (trace_formats().find(*format) == nullptr)
      throw InputError(fmt::format("--format: unknown trace format '{}'{}", *format, suggestion(*format, known)));
    return {*format, text};
  }
  if (is_hdf5_name(text)) return {"hdf5", text};
  throw InputError(
      fmt::format("{}: of which format? give FORMAT:FILE or --format (known: {})", text, fmt::join(known, ", ")));
}

const RegistryEntry<TraceWriterFactory>& trace_output(const std::string& file, const std::optional<std::string>& as) {
  const auto* by_ending = trace_writer_by_ending(file);
  const std::string format = as ? *as : by_ending != nullptr ? std::string(by_ending->name) : "";
  const std::vector<std::string> known = trace_writers().names();
  if (format.empty())
    throw InputError(fmt::format("{}: in which format? give --as (known: {})", file, fmt::join(known, ", ")));
  const auto* found = trace_writers().find(format);
  if (found == nullptr) throw InputError(fmt::format("--as: unknown format '{}'{}", format, suggestion(format, known)));
  return *found;
}

TraceStream open_traces(const TraceQuestion& question) {
  TraceStream stream;
  stream.class_names = question.class_names;
  for (const std::string& name : stream.class_names)
    if (name.empty() || name.find_first_of(",/\n\t") != std::string::npos)
      throw InputError(fmt::format("--class '{}': cannot name a class; leave out ',' and '/'", name));
  if (stream.class_names.empty())
    for (const TraceInput& input : question.inputs) {
      if (input.format != "hdf5") continue;
      for (const std::string& name : trace_store_classes(input.file))
        if (std::find(stream.class_names.begin(), stream.class_names.end(), name) == stream.class_names.end())
          stream.class_names.push_back(name);
    }
  ConfigNode root;
  if (question.inputs.size() == 1) {
    root = workload_of(question.inputs[0], question, stream.class_names);
  } else {
    ConfigNode parts;
    parts.kind = ConfigNode::Kind::kList;
    for (const TraceInput& input : question.inputs) {
      if (!stream.class_names.empty() && input.format != "csv" && input.format != "jsonl" && input.format != "hdf5")
        throw InputError(
            fmt::format("{}: {} has no classes and the others do; convert it to csv and give it a column "
                        "'class' first",
                        input.file, input.format));
      parts.items.push_back(workload_of(input, question, stream.class_names));
    }
    root = map_node({entry("merge", std::move(parts))});
  }
  stream.whole = question.inputs.size() == 1 && !question.from && !question.to && !question.first;
  set_slice(root, "from", question.from);
  set_slice(root, "to", question.to);
  set_slice(root, "first", question.first);
  WorkloadContext context;
  context.class_names = stream.class_names;
  context.recorded = true;
  stream.workload = make_workload(ConfigValue::of(std::move(root)), context);
  stream.sessions = stream.workload.info.sessions;
  return stream;
}

TraceStream open_scenario(const std::string& path, const std::string& configs_dir,
                          const std::vector<std::string>& settings) {
  Scenario scenario = read_scenario(path, {configs_dir, settings}, Fit::kReported);
  if (!scenario.workload_info.open_loop)
    scenario.workload->fail(
        "who waits for answers has no arrivals before it is served; 'silicast run --write-arrivals' keeps them");
  TraceStream stream;
  if (scenario.classes.size() > 1) stream.class_names = scenario.workload_context.class_names;
  stream.workload = make_workload(*scenario.workload, scenario.workload_context);
  stream.workload.info = scenario.workload_info;
  return stream;
}

TraceSummary count_trace(TraceStream& stream, std::string* curves, ReuseCounter* reuse) {
  RequestSource& source = *stream.workload.source;
  TraceCounter counter(source.block_tokens());
  TraceCurves counted(source.block_tokens());
  while (source.next_time()) {
    const RequestSpec request = source.take();
    counter.add(request, source.blocks());
    if (curves != nullptr) counted.add(request, source.blocks());
    if (reuse != nullptr) reuse->add(source.blocks(), counter.of_prompt(request, source.blocks()));
    source.ended(request, request.arrival, true);  // for a replay, whose order is kept by ends
  }
  if (curves != nullptr) *curves = counted.json();
  return counter.summary();
}

TraceWritten write_trace(TraceStream& stream, const RegistryEntry<TraceWriterFactory>& format,
                         const std::string& file) {
  RequestSource& source = *stream.workload.source;
  if (!source.next_time()) throw InputError("no request arrives; is the slice right?");
  // Slices and merges number the requests anew: there the sessions are lost.
  const bool sessions = stream.sessions && stream.whole && format.name != "mooncake";
  // A trace that is whole is played by nothing else.
  const TraceSource* trace = sessions ? static_cast<const TraceSource*>(&source) : nullptr;
  const TraceShape shape{source.block_tokens(), stream.class_names, false, sessions};
  const std::unique_ptr<TraceWriter> writer = format.make(file, shape);
  TraceWritten written;
  written.block_tokens = shape.block_tokens;
  bool has_limits = false;
  const SimTime first = *source.next_time();
  while (source.next_time()) {
    const RequestSpec request = source.take();
    has_limits |= request.deadline != SimTime::never() || request.max_output_tokens > 0;
    writer->add(request, source.blocks(), {0, sessions ? trace->turn() : TraceTurn{}});
    ++written.requests;
    written.blocks += static_cast<std::int64_t>(source.blocks().size());
    written.span_s = (request.arrival - first).value();
    source.ended(request, request.arrival, true);
  }
  writer->finish();
  written.mapping = writer->mapping();
  if (has_limits)
    written.left_out.push_back(
        "declared limits of output, timeouts and aborts; 'silicast run --write-arrivals' keeps them");
  if (stream.sessions && !sessions)
    written.left_out.push_back(format.name == "mooncake"
                                   ? "sessions, which mooncake has no place for"
                                   : "sessions: what is cut or merged no longer has all requests that others wait for");
  if (format.name == "mooncake" && !stream.class_names.empty())
    written.left_out.push_back("classes, which mooncake has no place for");
  return written;
}

}  // namespace silicast
