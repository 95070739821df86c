#include "sim/io/config_node.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <sstream>

#include "sim/io/input_file.hpp"
#include "sim/io/json_events.hpp"
#include "sim/io/text_checks.hpp"

namespace silicast {
namespace {

constexpr std::size_t kMaxBytes = 16u << 20;
constexpr std::size_t kMaxNodes = 1'000'000;
constexpr std::size_t kMaxDepth = 64;

std::size_t count_nodes(const ConfigNode& node) {
  std::size_t count = 1;
  for (const ConfigNode& item : node.items) count += count_nodes(item);
  for (const ConfigEntry& entry : node.entries) count += count_nodes(entry.value);
  return count;
}

// What to do about the commonest of yaml-cpp's messages.
std::string_view remedy(std::string_view message) {
  const std::pair<std::string_view, std::string_view> known_messages[] = {
      {YAML::ErrorMsg::END_OF_MAP, "; is the indentation off, or made of tabs?"},
      {YAML::ErrorMsg::END_OF_SEQ, "; is the indentation off?"},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "; a '{' above is never closed"},
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "; a '[' above is never closed"},
      {YAML::ErrorMsg::FLOW_END, "; '[' and '{' must be closed by their own kind"},
      {YAML::ErrorMsg::TAB_IN_INDENTATION, "; indent by spaces"},
      {YAML::ErrorMsg::MAP_VALUE, "; is a ':' missing on the line above, one too many here, or the indentation off?"},
      {YAML::ErrorMsg::UNKNOWN_TOKEN, "; put quotes around text that begins with this character"},
  };
  for (const auto& [known, what] : known_messages)
    if (message == known) return what;
  return "";
}

// Receives yaml-cpp's events and builds the tree bottom-up: open containers wait on a stack.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& text, std::string file) : text_(text), file_(std::move(file)) {}

  ConfigNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0)
      throw InputError(marked(mark), "", "a second document begins here; give one (is the indentation off?)");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { finish(node_at(mark), anchor); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw InputError(marked(mark), "", "an alias to a node that contains it");
    nodes_ += count_nodes(found->second);
    ConfigNode copy = found->second;
    finish(std::move(copy), 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    ConfigNode node = node_at(mark);
    node.kind = ConfigNode::Kind::kScalar;
    node.scalar = value;
    refuse_tag(mark, tag);
    if (value.find('\0') != std::string::npos) throw InputError(marked(mark), "", "text with a NUL character");
    node.quoted = tag == "!";  // yaml-cpp's tag of a quoted scalar
    if (node.quoted) check_closed(mark);
    if (!node.quoted && (value == "~" || value == "null")) node.kind = ConfigNode::Kind::kNull;
    finish(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(mark, anchor, ConfigNode::Kind::kList);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(mark, anchor, ConfigNode::Kind::kMap);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    ConfigNode node;
    YAML::anchor_t anchor;
    bool has_key = false;
    std::string key;
    Mark key_mark;
    std::map<std::string, int> lines = {};  // of the keys so far
  };

  Mark marked(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  // Tags would say what a value is; here its key does. yaml-cpp's own are "?" (plain) and "!" (quoted).
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!")
      throw InputError(marked(mark), "", "tags such as !!str are not supported");
  }

  // yaml-cpp lets the end of the file close a quote.
  void check_closed(const YAML::Mark& mark) const {
    const std::size_t open = text_.find_first_of("'\"", static_cast<std::size_t>(mark.pos));
    if (open == std::string::npos) return;
    const char quote = text_[open];
    for (std::size_t at = open + 1; at < text_.size(); ++at) {
      if (text_[at] == '\\' && quote == '"') {
        ++at;
      } else if (text_[at] == quote) {
        if (quote == '"' || at + 1 >= text_.size() || text_[at + 1] != quote) return;
        ++at;  // '' within '...' is one quote
      }
    }
    throw InputError(marked(mark), "", "a quote that never closes; is the file cut off?");
  }

  ConfigNode node_at(const YAML::Mark& mark) const {
    ConfigNode node;
    node.mark = marked(mark);
    return node;
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, ConfigNode::Kind kind) {
    if (stack_.size() >= kMaxDepth) throw InputError(marked(mark), "", fmt::format("nested over {} levels", kMaxDepth));
    Open open{node_at(mark), anchor, false, {}, {}};
    open.node.kind = kind;
    if (!stack_.empty() && stack_.back().node.kind == ConfigNode::Kind::kMap && !stack_.back().has_key)
      throw InputError(marked(mark), "",
                       "a key must be plain text, not a list or a mapping (is a bracket never closed?)");
    stack_.push_back(std::move(open));
  }

  void close() {
    Open done = std::move(stack_.back());
    stack_.pop_back();
    finish(std::move(done.node), done.anchor);
  }

  void finish(ConfigNode node, YAML::anchor_t anchor) {
    if (++nodes_ > kMaxNodes)
      throw InputError(node.mark, "", fmt::format("over {} nodes (aliases counted in full)", kMaxNodes));
    if (anchor != 0) anchors_[anchor] = node;
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = stack_.back();
    if (parent.node.kind == ConfigNode::Kind::kList) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      if (node.kind == ConfigNode::Kind::kNull) throw InputError(node.mark, "", "an empty key");
      if (node.scalar == "<<") throw InputError(node.mark, "<<", "merge keys are not supported; repeat the keys");
      if (const auto [first, is_new] = parent.lines.emplace(node.scalar, node.mark.line); !is_new)
        throw InputError(node.mark, node.scalar, fmt::format("duplicate key; first given at line {}", first->second));
      parent.has_key = true;
      parent.key = node.scalar;
      parent.key_mark = node.mark;
    } else {
      // An empty value has no mark of its own in yaml-cpp's events: it stands where its key does.
      if (node.kind == ConfigNode::Kind::kNull) node.mark = parent.key_mark;
      parent.node.entries.push_back({std::move(parent.key), parent.key_mark, std::move(node)});
      parent.has_key = false;
    }
  }

  const std::string& text_;
  std::string file_;
  int documents_ = 0;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, ConfigNode> anchors_;
  std::size_t nodes_ = 0;
  ConfigNode root_;
};

void emit(YAML::Emitter& out, const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::kNull:
      out << YAML::Null;
      break;
    case ConfigNode::Kind::kScalar:
      if (node.quoted) out << YAML::DoubleQuoted;
      out << node.scalar;
      break;
    case ConfigNode::Kind::kList:
      out << YAML::BeginSeq;
      for (const ConfigNode& item : node.items) emit(out, item);
      out << YAML::EndSeq;
      break;
    case ConfigNode::Kind::kMap:
      out << YAML::BeginMap;
      for (const ConfigEntry& entry : node.entries) {
        out << YAML::Key << entry.key << YAML::Value;
        emit(out, entry.value);
      }
      out << YAML::EndMap;
      break;
  }
}

void restamp(ConfigNode& node, const std::string& origin) {
  node.mark = {origin, 0, 0};
  for (ConfigNode& item : node.items) restamp(item, origin);
  for (ConfigEntry& entry : node.entries) {
    entry.mark = {origin, 0, 0};
    restamp(entry.value, origin);
  }
}

}  // namespace

const ConfigEntry* ConfigNode::find(std::string_view key) const {
  for (const ConfigEntry& entry : entries)
    if (entry.key == key) return &entry;
  return nullptr;
}

const ConfigNode* ConfigNode::at(std::initializer_list<std::string_view> path) const {
  const ConfigNode* node = this;
  for (const std::string_view key : path) {
    if (node->kind == Kind::kList) {
      std::size_t position = 0;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), position);
      if (error != std::errc() || end != key.data() + key.size() || position >= node->items.size()) return nullptr;
      node = &node->items[position];
    } else {
      const ConfigEntry* entry = node->find(key);
      if (entry == nullptr) return nullptr;
      node = &entry->value;
    }
  }
  return node;
}

namespace {

// Positions count without the byte-order mark.
std::string checked_text(const std::string& given, const std::string& name) {
  std::string text = given.starts_with("\xef\xbb\xbf") ? given.substr(3) : given;
  if (text.size() > kMaxBytes) throw InputError({name, 0, 0}, "", "over 16 MiB; a config file is small");
  const std::size_t nul = text.find('\0');
  if (nul != std::string::npos) throw InputError({name, 0, 0}, "", "not a text file (it holds NUL bytes)");
  check_utf8(text, name);
  return text;
}

}  // namespace

ConfigNode parse_json(const std::string& given, const std::string& name) {
  const std::string text = checked_text(given, name);
  TreeBuilder builder(text, name);
  send_json_events(text, name, builder);
  return builder.take();
}

ConfigNode parse_config(const std::string& given, const std::string& name) {
  if (name.ends_with(".json")) return parse_json(given, name);
  const std::string text = checked_text(given, name);
  TreeBuilder builder(text, name);
  check_brackets(text, name);
  std::istringstream stream(text);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) throw InputError({name, 0, 0}, "", "empty file");
    parser.HandleNextDocument(builder);  // refuses
  } catch (const YAML::Exception& error) {
    throw InputError({name, error.mark.line + 1, error.mark.column + 1}, "",
                     fmt::format("not valid YAML: {}{}", error.msg, remedy(error.msg)));
  }
  return builder.take();
}

ConfigNode load_config(const std::string& path) {
  if (const std::string problem = input_problem(path); !problem.empty()) throw InputError({path, 0, 0}, "", problem);
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxBytes + 1, '\0');
  text.resize(read_bytes(file, text.data(), text.size(), path));
  return parse_config(text, path);
}

void set_config(ConfigNode& root, const std::string& path, const std::string& yaml, const std::string& origin) {
  ConfigNode value = yaml.empty() ? ConfigNode{} : parse_config(yaml, origin);
  restamp(value, origin);
  ConfigNode* node = &root;
  std::size_t start = 0;
  while (start <= path.size()) {
    const std::size_t dot = std::min(path.find('.', start), path.size());
    const std::string key = path.substr(start, dot - start);
    if (key.empty())
      throw InputError({origin, 0, 0}, "", fmt::format("'{}' is not a key path such as cluster.pools.0.nodes", path));
    if (node->kind == ConfigNode::Kind::kList) {
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
      if (error != std::errc() || end != key.data() + key.size() || index >= node->items.size())
        throw InputError({origin, 0, 0}, path,
                         fmt::format("'{}' is no item of the list; it has items 0 to {}", key,
                                     static_cast<long>(node->items.size()) - 1));
      node = &node->items[index];
    } else {
      if (node->kind == ConfigNode::Kind::kScalar)
        throw InputError({origin, 0, 0}, path, fmt::format("'{}' lies below a plain value", key));
      node->kind = ConfigNode::Kind::kMap;
      auto found =
          std::find_if(node->entries.begin(), node->entries.end(), [&](const ConfigEntry& e) { return e.key == key; });
      if (found == node->entries.end()) {
        node->entries.push_back({key, {origin, 0, 0}, {}});
        node->entries.back().value.mark = {origin, 0, 0};
        found = node->entries.end() - 1;
      }
      node = &found->value;
    }
    start = dot + 1;
  }
  *node = std::move(value);
}

void apply_setting(ConfigNode& root, const std::string& setting, const std::string& origin) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0)
    throw InputError(fmt::format("{}: must be key.path=value, e.g. cluster.pools.0.nodes=4", origin));
  set_config(root, setting.substr(0, equals), setting.substr(equals + 1), origin);
}

std::string flow_text(const ConfigNode& node) {
  std::string text;
  switch (node.kind) {
    case ConfigNode::Kind::kNull:
      return "none";
    case ConfigNode::Kind::kScalar:
      return node.scalar;
    case ConfigNode::Kind::kList:
      for (const ConfigNode& item : node.items) text += (text.empty() ? "" : ", ") + flow_text(item);
      return "[" + text + "]";
    case ConfigNode::Kind::kMap:
      for (const ConfigEntry& entry : node.entries)
        text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", entry.key, flow_text(entry.value));
      return "{" + text + "}";
  }
  return text;
}

std::string to_yaml(const ConfigNode& node) {
  YAML::Emitter out;
  emit(out, node);
  return std::string(out.c_str()) + "\n";
}

}  // namespace silicast
