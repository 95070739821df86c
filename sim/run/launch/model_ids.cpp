#include "sim/run/launch/model_ids.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "sim/io/config_catalogue.hpp"
#include "sim/io/line_reader.hpp"
#include "sim/model/draft_spec.hpp"
#include "sim/model/model_spec.hpp"

namespace silicast {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string last_part(const std::string& path) {
  return path.substr(path.find_last_of('/') + 1);
}

// "models--Qwen--Qwen3-32B/snapshots/0a1b" of a Hugging Face cache is Qwen/Qwen3-32B.
std::string repository(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const std::size_t start = path.find("models--");
  if (start == std::string::npos) return lower(path);
  std::string name = path.substr(start + 8);
  name = name.substr(0, name.find('/'));
  if (const std::size_t dashes = name.find("--"); dashes != std::string::npos) name.replace(dashes, 2, "/");
  return lower(name);
}

struct Entry {
  std::string name;
  std::vector<std::string> ids;
};

// The entry with this repository; else one whose repository, or itself, is called like its last part.
const Entry* find(const std::vector<Entry>& entries, const std::string& id) {
  const std::string wanted = repository(id), last = last_part(wanted);
  for (const Entry& entry : entries)
    for (const std::string& own : entry.ids)
      if (lower(own) == wanted) return &entry;
  // "somebody/Qwen3-32B" is a repository of somebody else, who may have quantised it; folders are anyone's.
  const bool of_somebody = std::count(wanted.begin(), wanted.end(), '/') == 1 && wanted[0] != '/' && wanted[0] != '.';
  if (of_somebody) return nullptr;
  for (const Entry& entry : entries) {
    if (lower(entry.name) == last) return &entry;
    for (const std::string& own : entry.ids)
      if (last_part(lower(own)) == last) return &entry;
  }
  return nullptr;
}

std::string meant(const std::vector<Entry>& entries, const std::string& id) {
  std::vector<std::string> ids;
  for (const Entry& entry : entries) ids.insert(ids.end(), entry.ids.begin(), entry.ids.end());
  const std::string near = nearest(id, ids);
  return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

}  // namespace

std::string model_of(const Said<std::string>& id, const std::string& configs_dir) {
  std::vector<Entry> entries;
  for (const std::string& name : config_names(configs_dir + "/models"))
    entries.push_back({name, read_model_spec(load_entry(configs_dir, "models", name)).huggingface_ids});
  if (const Entry* entry = find(entries, id.value)) return entry->name;
  id.fail(
      fmt::format("no model of the catalogue is published as {}{}; name the one of its shape by --model, or add it to "
                  "configs/models with this in huggingface_ids (see 'silicast list models')",
                  quoted_text(id.value), meant(entries, id.value)));
}

std::string draft_of(const Said<std::string>& id, const std::string& configs_dir) {
  std::vector<Entry> entries;
  for (const std::string& name : config_names(configs_dir + "/drafts"))
    entries.push_back({name, {read_draft_spec(load_entry(configs_dir, "drafts", name)).huggingface_id}});
  if (const Entry* entry = find(entries, id.value)) return entry->name;
  id.fail(
      fmt::format("no draft of the catalogue is published as {}{}; add it to configs/drafts, or leave it out here to "
                  "simulate without",
                  quoted_text(id.value), meant(entries, id.value)));
}

}  // namespace silicast
