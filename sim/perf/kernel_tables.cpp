#include "sim/perf/kernel_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>

#include "sim/base/errors.hpp"
#include "sim/io/table_file.hpp"

namespace silicast {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostTokens = std::int64_t{1} << 30;
// Kernels may get faster with more rows, when another variant takes over; not by this much.
constexpr double kLargestFall = 4;

// What profilers call the kernels of sim/model, first our own name.
struct LayerName {
  std::string_view kernel, layer;
};
constexpr LayerName kLayers[] = {
    {"embedding", "embedding"}, {"norm", "layernorm"},
    {"norm", "norm"},           {"norm", "final_layernorm"},
    {"qkv_proj", "qkv_proj"},   {"qk_norm", "qk_norm"},
    {"rotary", "rotary_emb"},   {"rotary", "rotary"},
    {"o_proj", "o_proj"},       {"mlp_gate_up", "gate_up_proj"},
    {"mlp_gate_up", "gate_up"}, {"mlp_down", "down_proj"},
    {"mlp_down", "down"},       {"activation", "act_fn"},
    {"activation", "act"},      {"router", "router"},
    {"router", "gate"},         {"lm_head", "lm_head"},
    {"sampling", "sampler"},    {"sampling", "sampling"},
};

// A row of a file with where it stands, for messages.
struct FileRow {
  MeasuredGrid::Row row;
  std::int64_t line = 0;
};

// The rows of one grid, of which none may stand twice, nor fall by much along the last axis.
MeasuredGrid grid_of(std::vector<FileRow> rows, std::size_t axes, const std::string& path) {
  std::stable_sort(rows.begin(), rows.end(), [](const FileRow& a, const FileRow& b) { return a.row.at < b.row.at; });
  std::vector<MeasuredGrid::Row> plain;
  double most = 0;
  for (const FileRow& one : rows) {
    const MeasuredGrid::Row& row = one.row;
    const auto fail = [&](const std::string& what) {
      throw InputError({path, static_cast<int>(one.line), 0}, "time_us", what);
    };
    if (!plain.empty() && plain.back().at == row.at) fail(fmt::format("line {} has this point too", (&one - 1)->line));
    const auto last = static_cast<std::ptrdiff_t>(axes) - 1;
    if (plain.empty() || !std::equal(row.at.begin(), row.at.begin() + last, plain.back().at.begin())) most = 0;
    if (row.seconds * kLargestFall < most)
      fail(fmt::format("{:g} is under a quarter of the {:g} that less work took; is a unit wrong?", 1e6 * row.seconds,
                       1e6 * most));
    most = std::max(most, row.seconds);
    plain.push_back(row);
  }
  return MeasuredGrid(std::move(plain), axes);
}

// Columns of an axis, from the first on; the time is in the last.
FileRow read_row(const TableFile& table, std::span<const char* const> axes) {
  FileRow row;
  for (std::size_t axis = 0; axis < axes.size(); ++axis)
    row.row.at[axis] = static_cast<double>(table.integer(axes[axis], 1, kMostTokens));
  row.row.seconds = 1e-6 * table.number("time_us");
  row.line = table.line();
  return row;
}

void check_layer(const TableFile& table, const std::string& layer) {
  std::vector<std::string> known;
  for (const LayerName& name : kLayers) known.emplace_back(name.layer);
  if (std::find(known.begin(), known.end(), layer) == known.end())
    table.fail("layer", fmt::format("'{}' is no layer that silicast knows{}", layer, suggestion(layer, known)));
}

void read_layers(const std::string& path, const char* count, std::map<std::string, MeasuredGrid, std::less<>>& into) {
  TableFile table(path, {"layer", count, "time_us"});
  std::map<std::string, std::vector<FileRow>> rows;
  while (table.next()) {
    const std::string layer = table.required_text("layer");
    if (rows.find(layer) == rows.end()) {
      check_layer(table, layer);
      if (into.find(layer) != into.end()) table.fail("layer", fmt::format("'{}' is in another file too", layer));
    }
    rows[layer].push_back(read_row(table, std::array{count}));
  }
  for (auto& [layer, own] : rows) into.emplace(layer, grid_of(std::move(own), 1, path));
}

void read_experts(const std::string& path, MeasuredGrid& into) {
  TableFile table(path, {"tokens", "activated_experts", "time_us"});
  std::vector<FileRow> rows;
  while (table.next()) rows.push_back(read_row(table, std::array{"activated_experts", "tokens"}));
  if (!into.empty()) throw InputError({path, 0, 0}, "", "another file has the routed experts too");
  if (rows.empty()) return;
  into = grid_of(std::move(rows), 2, path);
}

void read_attention(const std::string& path, AttentionGrids& into) {
  TableFile table(path, {"prefill_chunk", "kv_prefill", "n_decode", "kv_decode", "time_us"});
  std::vector<FileRow> prefill, decode, mixed;
  while (table.next()) {
    const auto count = [&](const char* column) { return static_cast<double>(table.integer(column, 0, kMostTokens)); };
    const double chunk = count("prefill_chunk"), context = count("kv_prefill");
    const double sequences = count("n_decode"), length = count("kv_decode");
    if (chunk == 0 && context > 0) table.fail("kv_prefill", "must be 0 without a prompt chunk");
    if (sequences == 0 && length > 0) table.fail("kv_decode", "must be 0 where nothing decodes");
    if (sequences > 0 && length == 0) table.fail("kv_decode", "must be over 0 where sequences decode");
    if (chunk == 0 && sequences == 0) table.fail("prefill_chunk", "is 0, and so is n_decode");
    const double seconds = 1e-6 * table.number("time_us");
    if (sequences == 0)
      prefill.push_back({{{chunk, context}, seconds}, table.line()});
    else if (chunk == 0)
      decode.push_back({{{sequences, length}, seconds}, table.line()});
    else
      mixed.push_back({{{length, sequences, chunk, context}, seconds}, table.line()});
  }
  if (!into.empty()) throw InputError({path, 0, 0}, "", "another file has attention too");
  if (prefill.empty() && decode.empty() && mixed.empty()) return;
  const auto need = [&](const std::vector<FileRow>& rows, const char* what) {
    if (rows.empty()) throw InputError({path, 0, 0}, "", fmt::format("has no row of {}", what));
  };
  need(prefill, "a prompt chunk alone (n_decode 0)");
  need(decode, "decodes alone (prefill_chunk 0)");
  need(mixed, "a prompt chunk beside decodes");
  into.prefill = grid_of(std::move(prefill), 2, path);
  into.decode = grid_of(std::move(decode), 2, path);
  into.mixed = grid_of(std::move(mixed), 4, path);
}

// False where its columns are of no table of kernels.
bool read_table(const std::string& path, KernelTables& tables) {
  const std::vector<std::string> header = table_header(path);
  const auto has = [&](std::string_view column) {
    return std::find(header.begin(), header.end(), column) != header.end();
  };
  if (has("prefill_chunk") && has("n_decode"))
    read_attention(path, tables.attention);
  else if (has("activated_experts"))
    read_experts(path, tables.experts);
  else if (has("layer") && has("tokens"))
    read_layers(path, "tokens", tables.tokens);
  else if (has("layer") && has("sequences"))
    read_layers(path, "sequences", tables.sequences);
  else
    return false;
  return true;
}

// "tp4" of "tp4_dense.csv"; empty where the name says no such thing.
std::string degree_of(const std::string& name) {
  const std::size_t end = name.find('_');
  if (!name.starts_with("tp") || end == std::string::npos || end < 3) return "";
  const std::string degree = name.substr(0, end);
  return degree.find_first_not_of("0123456789", 2) == std::string::npos ? degree : "";
}

void read_folder(const fs::path& folder, std::int32_t tensor, KernelTables& tables) {
  std::vector<fs::path> files;
  std::vector<std::string> degrees;
  for (const fs::path& file : fs::directory_iterator(folder)) {
    const std::string name = file.filename().string();
    if (!name.ends_with(".csv") && !name.ends_with(".csv.gz")) continue;
    files.push_back(file);
    if (const std::string degree = degree_of(name); !degree.empty()) degrees.push_back(degree);
  }
  std::sort(files.begin(), files.end());
  const std::string wanted = fmt::format("tp{}", tensor);
  if (!degrees.empty() && std::find(degrees.begin(), degrees.end(), wanted) == degrees.end())
    throw InputError({folder.string(), 0, 0}, "",
                     fmt::format("has no tables of tensor: {} ({}_*.csv)", tensor, wanted));
  bool any = false;
  for (const fs::path& file : files)
    if (degrees.empty() || degree_of(file.filename().string()) == wanted)
      any = read_table(file.string(), tables) || any;
  if (!any) throw InputError({folder.string(), 0, 0}, "", "has no table of kernel times");
}

}  // namespace

const MeasuredGrid* KernelTables::of(std::string_view kernel) const {
  for (const LayerName& name : kLayers) {
    if (name.kernel != kernel) continue;
    for (const auto* of : {&tokens, &sequences})
      if (const auto found = of->find(name.layer); found != of->end()) return &found->second;
  }
  return nullptr;
}

KernelTables read_kernel_tables(const std::vector<std::string>& paths, std::int32_t tensor) {
  KernelTables tables;
  for (const std::string& path : paths) {
    if (fs::is_directory(path))
      read_folder(path, tensor, tables);
    else if (!fs::exists(path))
      throw InputError({path, 0, 0}, "", "does not exist; perf.measured takes a folder or files");
    else if (!read_table(path, tables))
      throw InputError({path, 0, 0}, "",
                       "is no table of kernel times: its columns are none of (layer, tokens), (layer, sequences), "
                       "(tokens, activated_experts), (prefill_chunk, kv_prefill, n_decode, kv_decode), with time_us");
  }
  if (tables.tokens.empty() && tables.sequences.empty() && tables.attention.empty() && tables.experts.empty())
    throw InputError({paths.empty() ? "" : paths[0], 0, 0}, "", "has no rows");
  return tables;
}

}  // namespace silicast
