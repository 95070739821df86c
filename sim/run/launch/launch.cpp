#include "sim/run/launch/launch.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/registry.hpp"
#include "sim/io/config_catalogue.hpp"
#include "sim/io/line_reader.hpp"
#include "sim/io/text_checks.hpp"
#include "sim/report/json_text.hpp"
#include "sim/run/launch/launched_scenario.hpp"

namespace silicast {
namespace {

constexpr std::size_t kMaxBytes = 1u << 20;
constexpr std::string_view kUnsaid = "silicast:";  // of the comment that says what no flag does

constexpr RegistryEntry<WriteLaunch> kWriters[] = {
    {"vllm", "", write_vllm}, {"sglang", "", write_sglang}, {"mindie", "", write_mindie}};
constexpr Registry<WriteLaunch> writers{"family of engines", kWriters};

// On one line, as YAML and as text in a comment.
std::string in_one_line(const ConfigNode& node) {
  std::string text;
  if (node.kind == ConfigNode::Kind::kMap) {
    for (const ConfigEntry& entry : node.entries)
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", entry.key, in_one_line(entry.value));
    return "{" + text + "}";
  }
  const bool plain = !node.scalar.empty() && std::all_of(node.scalar.begin(), node.scalar.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-' || c == '/';
  }) && std::isalnum(static_cast<unsigned char>(node.scalar[0]));
  return plain ? node.scalar : json_quoted(node.scalar);
}

// How many drafts are accepted, unless the draft's own table says so.
void add_speculation(const PoolScenario& pool, const std::string& configs_dir, LaunchParts& parts) {
  const Speculation& said = pool.speculation;
  if (said.tokens == 0) return;
  ConfigNode node;
  if (said.draft != "mtp") {
    if (said.weights.empty()) put(node, "draft", said.draft);
    const std::vector<std::string> names = config_names(configs_dir + "/drafts");
    if (std::find(names.begin(), names.end(), said.draft) != names.end()) {
      const DraftSpec draft = read_draft_spec(load_entry(configs_dir, "drafts", said.draft));
      const auto own = draft.accepted.find(said.tokens);
      if (own != draft.accepted.end() && own->second.value == said.accepted.value &&
          draft.spread.value == said.spread.value)
        return;
    }
  }
  put(node, "accepted", fmt::format("{}", said.accepted.value));
  put(node, "spread", fmt::format("{}", said.spread.value));
  put(parts.unsaid, "speculation", node);
}

std::string pool_text(const Scenario& scenario, const PoolScenario& pool, const std::string& configs_dir) {
  const auto* writer = writers.find(pool.engine.family);
  if (writer == nullptr)
    fail_at(pool, fmt::format("engine '{}' has no launch that is known: its file names no family ({})",
                              pool.engine.name, fmt::join(writers.names(), ", ")));
  check_dies(pool.node, configs_dir, pool.mark);
  LaunchParts parts = writer->make(scenario, pool);
  add_speculation(pool, configs_dir, parts);
  ConfigNode unsaid;
  put(unsaid, "name", pool.name);
  put(unsaid, "node", pool.node.name);
  put(unsaid, "nodes", fmt::format("{}", pool.nodes));
  put(unsaid, "replicas", fmt::format("{}", pool.replicas));
  put(unsaid, "engine", pool.engine.name);
  for (const ConfigEntry& entry : parts.unsaid.entries) put(unsaid, entry.key, entry.value);
  if (pool.replica.model.huggingface_ids.empty())
    parts.notes.push_back(
        fmt::format("no repository of {} is known: name its files in place of it", pool.replica.model.name));
  if (pool.role != PoolRole::kWhole)
    parts.notes.push_back(fmt::format(
        "role {}: what connects it with the other pool is left out (KV connector, its ports, the gateway)",
        name_of(pool.role)));
  if (pool.replicas > 1)
    parts.notes.push_back(fmt::format("before the {} copies stands a router; the scenario's is '{}'", pool.replicas,
                                      scenario.router->name));
  parts.notes.push_back(
      fmt::format("of engine '{}' and chip '{}' no flag says: host times, memory reserves, kernel rates",
                  pool.engine.name, pool.chip.name));
  std::string head =
      fmt::format("# Pool {} of {}: {} cop{} of this, each on {} x {}; {} x {} in all.\n# {} {}\n", pool.name,
                  scenario.name, pool.replicas, pool.replicas == 1 ? "y" : "ies", pool.plan.chips(), pool.chip.name,
                  pool.nodes, pool.node.name, kUnsaid, in_one_line(unsaid));
  std::string notes;
  for (const std::string& note : parts.notes) notes += fmt::format("#   {}\n", note);
  if (!parts.json.empty()) {
    for (const std::string& variable : parts.environment) head += fmt::format("# export {}\n", variable);
    return fmt::format("{}# config.json is what stands from the brace on.\n{}{}\n", head, notes, parts.json);
  }
  std::string command;
  for (const std::string& variable : parts.environment) command += variable + " \\\n";
  for (std::size_t i = 0; i < parts.command.size(); ++i)
    command += fmt::format("{}{}{}", i > 0 ? " \\\n" : "", i > 0 ? "  " : "", parts.command[i]);
  return fmt::format("{}{}\n{}", head, command, notes);
}

// Where a launch stands in a text, and its family; nothing in other commands.
struct Place {
  std::string_view family;
  std::size_t program = 0;    // of the words
  std::size_t arguments = 0;  // behind the program
};
std::optional<Place> launch_in(const ShellCommand& command) {
  const auto base = [](const std::string& word) { return word.substr(word.find_last_of('/') + 1); };
  for (std::size_t i = 0; i + 1 < command.words.size(); ++i) {
    const std::string& word = command.words[i].text;
    const std::string& next = command.words[i + 1].text;
    if (base(word) == "vllm" && next == "serve") return Place{"vllm", i, i + 2};
    if (word == "-m" && next == "vllm.entrypoints.openai.api_server") return Place{"vllm", i, i + 2};
    if (base(word) == "sglang" && next == "serve") return Place{"sglang", i, i + 2};
    if (word == "-m" && next == "sglang.launch_server") return Place{"sglang", i, i + 2};
  }
  return std::nullopt;
}

constexpr std::string_view kDue = "'vllm serve ...', 'python3 -m sglang.launch_server ...' or a config.json of MindIE";

// What a comment says that no flag does; positions are those of the text.
std::optional<ConfigValue> unsaid_of(const std::vector<ShellWord>& comments) {
  std::optional<ConfigValue> found;
  for (const ShellWord& comment : comments) {
    const std::size_t start = comment.text.find_first_not_of(" \t");
    if (start == std::string::npos || !comment.text.substr(start).starts_with(kUnsaid)) continue;
    if (found)
      throw InputError(comment.mark, "",
                       fmt::format("a second '# {}' begins here; give one launch (launch --pool NAME prints "
                                   "one)",
                                   kUnsaid));
    std::string text(static_cast<std::size_t>(comment.mark.line - 1), '\n');
    text.append(static_cast<std::size_t>(comment.mark.column - 1) + start + kUnsaid.size(), ' ');
    text += comment.text.substr(start + kUnsaid.size());
    found = ConfigValue::of(parse_config(text, comment.mark.file));
  }
  return found;
}

std::string read_shell(const std::string& text, const std::string& name, const LaunchReading& reading) {
  const ShellText shell = read_shell_text(text, name);
  const ShellCommand* launch = nullptr;
  std::optional<Place> place;
  std::vector<std::string> others;
  for (const ShellCommand& command : shell.commands) {
    const std::optional<Place> here = launch_in(command);
    if (!here) {
      others.push_back(
          fmt::format("{} ({}): a command that is not read", command.words[0].text, place_of(command.words[0].mark)));
      continue;
    }
    if (launch != nullptr)
      throw InputError(command.words[here->program].mark, "",
                       "a second launch command begins here; give one (launch --pool NAME prints one)");
    launch = &command;
    place = here;
  }
  if (launch == nullptr)
    throw InputError(
        {name, 0, 0}, "",
        fmt::format("{}; {} is due", shell.commands.empty() ? "no command is in it" : "no launch is in it", kDue));
  const std::span<const ShellWord> arguments = std::span(launch->words).subspan(place->arguments);
  LaunchedPool pool = place->family == "vllm" ? read_vllm(*launch, arguments) : read_sglang(*launch, arguments);
  pool.mark = launch->words[place->program].mark;
  for (const auto& [variable, value] : launch->environment)
    if (!variable.ends_with("_PP_LAYER_PARTITION") && variable != "VLLM_ALL2ALL_BACKEND")
      pool.notes.push_back(fmt::format("{}={} ({}): variables of the environment are not read", variable,
                                       shell_word(value.text), place_of(value.mark)));
  pool.notes.insert(pool.notes.end(), others.begin(), others.end());
  return launched_scenario(pool, unsaid_of(shell.comments), name, reading);
}

// JSON behind lines of comments, which become blank so that positions stay.
std::string read_config(std::string text, const std::string& name, const LaunchReading& reading) {
  std::vector<ShellWord> comments, environment;
  int line = 1;
  for (std::size_t start = 0; start < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::size_t first = text.find_first_not_of(" \t\r", start);
    if (first < end && text[first] != '#') break;
    if (first < end) {
      const Mark mark{name, line, static_cast<int>(first - start) + 2};
      comments.push_back({text.substr(first + 1, end - first - 1), mark});
      for (std::size_t at = first; at < end;) {
        const std::size_t blank = std::min(text.find(' ', at), end);
        environment.push_back({text.substr(at, blank - at), {name, line, static_cast<int>(at - start) + 1}});
        at = blank + 1;
      }
      std::fill(text.begin() + static_cast<std::ptrdiff_t>(start), text.begin() + static_cast<std::ptrdiff_t>(end),
                ' ');
    }
    start = end + 1;
  }
  const ConfigValue config = ConfigValue::of(parse_json(text, name));
  return launched_scenario(read_mindie(config, environment), unsaid_of(comments), name, reading);
}

}  // namespace

std::string launch_text(const Scenario& scenario, const std::string& only, const std::string& configs_dir) {
  std::string text;
  std::vector<std::string> names;
  for (const PoolScenario& pool : scenario.pools) {
    names.push_back(pool.name);
    if (only.empty() || only == pool.name)
      text += fmt::format("{}{}", text.empty() ? "" : "\n", pool_text(scenario, pool, configs_dir));
  }
  if (text.empty()) throw InputError(fmt::format("--pool {}: no such pool{}", only, suggestion(only, names)));
  return text;
}

std::string read_launch(const std::string& given, const std::string& name, const LaunchReading& reading) {
  const std::string text = given.starts_with("\xef\xbb\xbf") ? given.substr(3) : given;
  if (text.size() > kMaxBytes) throw InputError({name, 0, 0}, "", "over 1 MiB; a launch is small");
  if (text.find('\0') != std::string::npos) throw InputError({name, 0, 0}, "", "not a text file (it holds NUL bytes)");
  check_utf8(text, name);
  bool comment = false;
  for (const char c : text) {
    if (c == '\n') comment = false;
    if (c == '#') comment = true;
    if (comment || std::isspace(static_cast<unsigned char>(c))) continue;
    return c == '{' ? read_config(text, name, reading) : read_shell(text, name, reading);
  }
  throw InputError({name, 0, 0}, "", fmt::format("nothing is in it; {} is due", kDue));
}

}  // namespace silicast
