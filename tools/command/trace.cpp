// silicast trace convert | slice | merge | info | generate: requests in files, apart from any run.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "sim/base/errors.hpp"
#include "sim/study/traces/trace_files.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {
namespace {

constexpr const char* kUsage =
    "usage: silicast trace convert [FORMAT:]FILE --out FILE [--as FORMAT]\n"
    "       silicast trace slice [FORMAT:]FILE --out FILE [--from TIME] [--to TIME] [--first N]\n"
    "       silicast trace merge [FORMAT:]FILE [FORMAT:]FILE ... --out FILE\n"
    "       silicast trace info [FORMAT:]FILE [--json | --curves] [--reuse]\n"
    "       silicast trace generate SCENARIO --out FILE\n"
    "FORMAT of what is read: 'silicast list formats'; of what is written: csv, hdf5, jsonl, mooncake.";

options::options_description options_of(const std::string& what) {
  options::options_description visible("options");
  const auto text = [] { return options::value<std::string>(); };
  auto add = visible.add_options();
  if (what != "info")
    add("out", text()->value_name("FILE"), "the trace to write")(
        "as", text()->value_name("FORMAT"), "its format; default: by its ending (.h5, .hdf5, .csv, .jsonl)");
  else
    add("json", "as one JSON object")("curves", "the same with what tools/trace_plot draws")(
        "reuse", "what caches of several sizes find of its prompts, and what perfect knowledge would");
  add("set", options::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
      what == "generate" ? "change a key of the scenario; may be repeated"
                         : "a key of the trace, as in a scenario's trace: mapping; may be repeated");
  if (what == "generate") {
    add_configs_option(visible);
    return visible;
  }
  add("format", text()->value_name("FORMAT"), "the format of files that do not say it")(
      "class", options::value<std::vector<std::string>>()->value_name("NAME"),
      "a class that requests of csv and jsonl may have; may be repeated");
  if (what == "slice")
    add("from", text()->value_name("TIME"), "drop what arrives ahead of it, \"10 min\"; it becomes time 0")(
        "to", text()->value_name("TIME"), "drop what arrives from it on")("first", text()->value_name("N"),
                                                                          "keep so many requests of the rest");
  return visible;
}

std::optional<std::string> maybe(const options::variables_map& given, const char* option) {
  if (given.count(option) == 0) return std::nullopt;
  return given[option].as<std::string>();
}

TraceStream open_stream(const std::string& what, const options::variables_map& given,
                        const std::vector<std::string>& files) {
  if (what == "generate") {
    const std::string configs = find_configs(given);
    return open_scenario(find_scenario(files[0], configs), configs, texts(given, "set"));
  }
  TraceQuestion question;
  for (const std::string& file : files) question.inputs.push_back(trace_input(file, maybe(given, "format")));
  question.settings = texts(given, "set");
  question.class_names = texts(given, "class");
  if (what == "slice") {
    question.from = maybe(given, "from");
    question.to = maybe(given, "to");
    question.first = maybe(given, "first");
    if (!question.from && !question.to && !question.first)
      throw InputError("slice: needs one of --from, --to and --first");
  }
  return open_traces(question);
}

void write(TraceStream& stream, const options::variables_map& given, const std::string& what,
           const std::vector<std::string>& files) {
  const std::string out = given["out"].as<std::string>();
  std::error_code ignored;
  if (what != "generate")
    for (const std::string& file : files) {
      const std::string path = trace_input(file, maybe(given, "format")).file;
      if (std::filesystem::equivalent(path, out, ignored))
        throw InputError(fmt::format("--out {}: is what is read; give another name", out));
    }
  const TraceWritten written = write_trace(stream, trace_output(out, maybe(given, "as")), out);
  std::cout << fmt::format(
      "written: {} ({} requests over {:.4g} s{})\nfrom: {}\n", out, written.requests, written.span_s,
      written.block_tokens == 0 ? ", no ids of blocks"
                                : fmt::format(", {} ids of blocks of {} tokens", written.blocks, written.block_tokens),
      stream.workload.info.description);
  for (const std::string& left : written.left_out) std::cout << fmt::format("left out: {}\n", left);
  std::cout << fmt::format("in a scenario: workload: {{trace: {}}}\n", written.mapping);
}

}  // namespace

int trace(const std::vector<std::string>& arguments) {
  const std::string what = arguments.empty() ? "" : arguments[0];
  if (what == "--help" || what == "-h") {
    std::cout << kUsage << "\n";
    return 0;
  }
  const std::vector<std::string> known = {"convert", "slice", "merge", "info", "generate"};
  if (std::find(known.begin(), known.end(), what) == known.end())
    throw InputError(what.empty() ? "trace: do what? convert, slice, merge, info or generate; see --help"
                                  : fmt::format("trace: unknown action '{}'{}", what, suggestion(what, known)));
  options::options_description hidden;
  hidden.add_options()("files", options::value<std::vector<std::string>>());
  options::positional_options_description positional;
  positional.add("files", -1);
  const auto given = parse({arguments.begin() + 1, arguments.end()}, kUsage, options_of(what), positional, hidden);
  if (!given) return 0;
  const std::vector<std::string> files = texts(*given, "files");
  if (files.empty()) throw InputError(what == "generate" ? "trace generate: of which scenario?" : "trace: which file?");
  if (files.size() > 1 && what != "merge")
    throw InputError(fmt::format("trace {}: takes one file; merge puts several together", what));
  if (files.size() < 2 && what == "merge") throw InputError("trace merge: takes two files or more");
  if (what != "info" && (given->count("out") == 0 || (*given)["out"].as<std::string>().empty()))
    throw InputError("--out: where is the trace to be written?");
  TraceStream stream = open_stream(what, *given, files);
  if (what != "info") {
    write(stream, *given, what, files);
    return 0;
  }
  const bool with_curves = given->count("curves") > 0;
  std::string curves;
  const std::int32_t block_tokens = stream.workload.source->block_tokens();
  const bool with_reuse = given->count("reuse") > 0 && block_tokens > 0;
  ReuseCounter reuse;
  const TraceSummary summary = count_trace(stream, with_curves ? &curves : nullptr, with_reuse ? &reuse : nullptr);
  const std::string& description = stream.workload.info.description;
  std::cout << (given->count("json") > 0 || with_curves
                    ? trace_summary_json(summary, description, stream.class_names, curves,
                                         with_reuse ? reuse_json(reuse) : "")
                    : trace_summary_text(summary, description, stream.class_names) +
                          (with_reuse ? reuse_text(reuse, block_tokens) : ""));
  return 0;
}

}  // namespace silicast::command
