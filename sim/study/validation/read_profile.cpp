// Iterations of a chip that tools/profile_chip measured: a model of Llama-3.1-8B's shape, kernels launched as one
// graph.
#include <fmt/format.h>

#include <filesystem>

#include "sim/io/config_reader.hpp"
#include "sim/io/table_file.hpp"
#include "sim/study/validation/readers.hpp"
#include "sim/study/validation/scenario_draft.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMaxTokens = 1 << 24;

std::string chip_name(const std::string& path) {
  const ConfigNode chip = load_config(path);
  const ConfigNode* name = chip.at({"name"});
  if (name == nullptr || name->kind != ConfigNode::Kind::kScalar)
    throw InputError({path, 1, 0}, "name", "must be there as text: what the chip calls itself");
  return name->scalar;
}

IterationQuestion read_batch(const TableFile& row) {
  IterationQuestion question;
  question.batch.decode_sequences = static_cast<std::int32_t>(row.integer("decodes", 0, kMaxTokens));
  question.batch.kv_length = row.integer("context", 0, kMaxTokens);
  question.batch.prefill_tokens = static_cast<std::int32_t>(row.integer("chunk", 0, kMaxTokens));
  question.batch.prefill_context = row.integer("chunk_context", 0, kMaxTokens);
  if (question.batch.decode_sequences == 0 && question.batch.prefill_tokens == 0)
    row.fail("decodes", "an iteration of no tokens");
  return question;
}

}  // namespace

std::vector<ValidationCase> read_profile(const std::string& path, const ReadContext& context) {
  namespace fs = std::filesystem;
  const fs::path folder(path);
  const std::string chip = chip_name((folder / "chip.json").string());
  // Where it is: fitted to the kernels of the same profile.
  const fs::path calibration = fs::absolute(folder / "calibration.yaml");
  TableFile table((folder / "iterations.csv").string(), {"decodes", "context", "chunk", "chunk_context", "graph_ms"});
  std::vector<ValidationCase> cases;
  while (table.next()) {
    ValidationCase& one = cases.emplace_back();
    one.part = "profile";
    one.id = fmt::format("{}/iterations.csv:{}", folder.filename().string(), table.line());
    one.source = "tools/profile_chip: PyTorch, kernels launched as a graph";
    one.scenario_path = (folder / "iterations.csv").string();
    ScenarioDraft draft;
    Lookup lookup(context.names, one, draft);
    lookup.model("meta-llama/Llama-3.1-8B-Instruct");
    lookup.engine("profile");
    lookup.precision({"bfloat16"});
    lookup.machine(chip, {});
    one.group = fmt::format("profile {} {}", folder.filename().string(), one.labels.chip);
    one.measured = {{"iteration_time", table.number("graph_ms") / 1e3}};
    one.question = read_batch(table);
    if (fs::exists(calibration)) draft.pool_keys = fmt::format("      calibration: '{}'\n", calibration.string());
    draft.engine_keys = "host: {per_iteration: 0 s, per_sequence: 0 s, graph_tokens: 1000000}";
    draft.workload = lone_request();
    if (one.unsupported.empty()) one.scenario = draft.tree(one.id);
  }
  return cases;
}

}  // namespace silicast
