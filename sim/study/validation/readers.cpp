// Which file is of which format.
#include "sim/study/validation/readers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "sim/io/config_reader.hpp"
#include "sim/io/table_file.hpp"

namespace silicast {
namespace {

namespace fs = std::filesystem;

struct TableFormat {
  std::string_view column;  // only such a table has it
  CaseReader* read;
};
constexpr TableFormat kTables[] = {
    {"silicon_tpot_ms", read_closed_loop},   {"draft_k", read_drafting},
    {"request_throughput_rps", read_sweep},  {"num_users_per_system_prompt", read_multi_turn},
    {"npu_devices", read_ascend_rows},       {"baseline_time_ms", read_forward_passes},
    {"kv_cache_tokens", read_memory_starts}, {"quote_or_location", read_reference_points},
};

// A folder that is one measurement, by files that are in it.
struct FolderFormat {
  std::vector<const char*> files;
  CaseReader* read;
};
const FolderFormat kFolders[] = {
    {{"requests.csv", "meta.json", "workload.jsonl"}, read_request_run},
    {{"chip.json", "iterations.csv"}, read_profile},
};

// nullptr for a folder of files that stand each for itself.
CaseReader* reader_of_folder(const fs::path& folder) {
  std::error_code ignored;
  for (const FolderFormat& format : kFolders)
    if (std::all_of(format.files.begin(), format.files.end(),
                    [&](const char* file) { return fs::exists(folder / file, ignored); }))
      return format.read;
  return nullptr;
}

bool is_table(const std::string& name) {
  return name.ends_with(".csv") || name.ends_with(".csv.gz");
}

// nullptr for a file of no known format.
CaseReader* reader_of(const std::string& path) {
  if (is_table(path)) {
    const std::vector<std::string> header = table_header(path);
    for (const TableFormat& format : kTables)
      if (std::find(header.begin(), header.end(), format.column) != header.end()) return format.read;
    return nullptr;
  }
  if (!path.ends_with(".yaml")) return nullptr;
  const ConfigNode tree = load_config(path);
  return tree.kind == ConfigNode::Kind::kMap && tree.find("measured") != nullptr ? read_case_file : nullptr;
}

void read_with(CaseReader* reader, const std::string& path, const ReadContext& context, CaseFiles& into) {
  std::vector<ValidationCase> cases = reader(path, context);
  into.files.push_back(path);
  std::move(cases.begin(), cases.end(), std::back_inserter(into.cases));
}

void read_folder(const fs::path& folder, const ReadContext& context, CaseFiles& into) {
  if (CaseReader* reader = reader_of_folder(folder)) return read_with(reader, folder.string(), context, into);
  std::vector<fs::path> entries{fs::directory_iterator(folder), fs::directory_iterator()};
  std::sort(entries.begin(), entries.end());
  for (const fs::path& entry : entries) {
    if (fs::is_directory(entry)) {
      read_folder(entry, context, into);
      continue;
    }
    if (CaseReader* reader = reader_of(entry.string()))
      read_with(reader, entry.string(), context, into);
    else if (is_table(entry.string()) || entry.extension() == ".yaml")
      into.not_read.push_back(entry.string());
  }
}

}  // namespace

void read_cases(const std::string& path, const ReadContext& context, CaseFiles& into) {
  try {
    if (fs::is_directory(path)) return read_folder(path, context, into);
    if (!fs::exists(path)) throw InputError({path, 0, 0}, "", "does not exist; --data takes a file or a folder");
    CaseReader* reader = reader_of(path);
    if (reader == nullptr)
      throw InputError({path, 0, 0}, "",
                       "is of no known format: a case file has the key 'measured', a table one of the columns that "
                       "sim/study/validation/README.md lists");
    read_with(reader, path, context, into);
  } catch (const fs::filesystem_error& error) {
    throw InputError({path, 0, 0}, "", fmt::format("cannot be read: {}", error.code().message()));
  }
}

}  // namespace silicast
