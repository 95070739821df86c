#include "sim/study/uncertainty/drawn_catalogue.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "sim/base/errors.hpp"

namespace silicast {
namespace {

namespace fs = std::filesystem;

}  // namespace

DrawnCatalogue::DrawnCatalogue(const std::string& configs_dir,
                               const std::vector<std::pair<const Unknown*, double>>& values) {
  std::string folder =
      (fs::temp_directory_path() / "silicast-").string() + std::string(6, 'X');  // mkdtemp fills them in
  if (::mkdtemp(folder.data()) == nullptr)
    throw InputError(fmt::format("{}: cannot be made: {}", folder, std::strerror(errno)));
  path_ = folder;
  std::map<std::string, ConfigNode> files;
  for (const auto& [unknown, value] : values) {
    if (unknown->file.empty()) continue;
    auto found = files.find(unknown->file);
    if (found == files.end())
      found = files.emplace(unknown->file, load_config(configs_dir + "/" + unknown->file)).first;
    set_evidence(found->second, *unknown, 0, value);
  }
  const fs::path from = fs::absolute(configs_dir), to = path_;
  for (const fs::directory_entry& kind : fs::directory_iterator(from)) {
    const std::string name = kind.path().filename().string();
    const auto in_kind = [&](const auto& file) { return file.first.starts_with(name + "/"); };
    if (std::none_of(files.begin(), files.end(), in_kind)) {
      fs::create_symlink(kind.path(), to / name);
      continue;
    }
    fs::create_directory(to / name);
    for (const fs::directory_entry& file : fs::directory_iterator(kind.path())) {
      const std::string inner = name + "/" + file.path().filename().string();
      if (files.count(inner) == 0) fs::create_symlink(file.path(), to / inner);
    }
  }
  for (const auto& [name, tree] : files) {
    std::ofstream file(to / name, std::ios::binary);
    file << to_yaml(tree) << std::flush;
    if (!file) throw InputError(fmt::format("{}: cannot be written", (to / name).string()));
  }
}

DrawnCatalogue::~DrawnCatalogue() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace silicast
