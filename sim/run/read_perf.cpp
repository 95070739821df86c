#include "sim/run/read_perf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/model/iteration_work.hpp"

namespace silicast {
namespace {

// One table of attention is of one kind of layer, with one token of each decode sequence.
void check_measurable(const PoolScenario& pool, const ConfigValue& at) {
  const ReplicaSetup& setup = pool.replica;
  if (pool.plan.stages() > 1) at.fail("tables cannot price pipelines yet; leave layout.pipeline out");
  if (setup.drafts > 0) at.fail("tables cannot price speculation yet; leave 'speculation' out");
  const std::vector<AttentionPart> parts =
      attention_parts(setup.model, setup.plan, setup.precision, 0, setup.model.layer_count());
  if (!setup.measured->attention.empty() && (parts.size() != 1 || parts[0].reach != 0))
    at.fail(fmt::format("a table of attention is of one kind, over whole contexts; '{}' has windows, states or several",
                        setup.model.name));
  std::int64_t dense = 0;
  for (const FeedForwardSpec& block : setup.model.feed_forwards) dense += !block.mixture();
  if (dense > 1 && setup.measured->of("mlp_gate_up") != nullptr)
    at.fail(fmt::format("a table of the MLP is of one size; '{}' has {}", setup.model.name, dense));
}

// Kernels of an iteration of one token that are priced by rooflines in spite of the tables; messages always are.
std::string left_to_rooflines(const PoolScenario& pool) {
  const ReplicaSetup& setup = pool.replica;
  const KernelTables& tables = *setup.measured;
  const StageWork work(setup.model, setup.plan, setup.precision, 0, setup.policy);
  std::string names = tables.attention.empty() ? "attention" : "";
  for (const auto& kernels : {work.token_kernels(1), work.expert_kernels(1), work.sequence_kernels(1)})
    for (const Kernel& kernel : kernels) {
      const bool experts = kernel.kernel_class == KernelClass::kExperts && !tables.experts.empty();
      const bool kv_write = kernel.name == "kv_write" && !tables.attention.empty();
      if (kernel.message.value() > 0 || experts || kv_write || tables.of(kernel.name) != nullptr) continue;
      names += fmt::format("{}{}", names.empty() ? "" : ", ", kernel.name);
    }
  return names;
}

}  // namespace

void read_perf(const ConfigValue& perf, const std::string& folder, PoolScenario& pool) {
  if (perf.is_scalar()) {
    perf.choice({"roofline"}, "perf");
    return;
  }
  ConfigMap map = perf.map();
  const ConfigValue measured = map.required("measured");
  map.done();
  std::vector<std::string> paths;
  const auto add = [&](const ConfigValue& path) {
    paths.push_back((std::filesystem::path(folder) / path.text()).string());
  };
  if (measured.is_list()) {
    for (const ConfigValue& path : measured.list()) add(path);
    if (paths.empty()) measured.fail("names no file");
  } else {
    add(measured);
  }
  pool.replica.measured = read_kernel_tables(paths, pool.plan.tensor);
  check_measurable(pool, measured);
}

std::vector<std::string> notes_on_tables(const PoolScenario& pool, std::int32_t max_context) {
  std::vector<std::string> notes;
  if (!pool.replica.measured) return notes;
  const KernelTables& tables = *pool.replica.measured;
  const EngineLimits limits = pool.engine.limits();
  const auto note = [&](std::string_view table, double last, double allowed, std::string_view of) {
    if (last >= allowed) return;
    notes.push_back(fmt::format(
        "pool {}: {} measured up to {} {} of the {} that its limits allow; beyond, up to {:.3g} times as far, "
        "by the roofline's ratio",
        pool.name, table, last, of, allowed, allowed / last));
  };
  const auto shortest = [](const auto& grids) {
    double last = 1e18;
    for (const auto& [layer, grid] : grids) last = std::min(last, grid.last(0));
    return last;
  };
  note("layers are", shortest(tables.tokens), limits.max_batched_tokens, "tokens");
  note("LM head and sampling are", shortest(tables.sequences), limits.max_sequences, "sequences");
  if (!tables.attention.empty()) {
    const AttentionGrids& grids = tables.attention;
    const std::int32_t chunk = limits.max_chunk > 0 ? limits.max_chunk : limits.max_batched_tokens;
    note("attention of prompt chunks is", grids.prefill.last(0), std::min(chunk, max_context), "tokens");
    note("attention of decodes is", grids.decode.last(0), limits.max_sequences, "sequences");
    note("attention of decodes beside prompts is", grids.mixed.last(1), limits.max_sequences, "sequences");
    note("attention of decodes is", grids.decode.last(1), max_context, "tokens of context");
    note("attention of prompt chunks is", grids.prefill.last(1), max_context - 1, "tokens of context");
  }
  if (!tables.experts.empty()) {
    const StageWork work(pool.replica.model, pool.plan, pool.precision, 0, pool.replica.policy);
    double most = 0;
    for (const Kernel& kernel : work.expert_kernels(std::int64_t{limits.max_batched_tokens} * pool.plan.data))
      most = std::max(most, kernel.count);
    note("experts are", tables.experts.last(1), std::ceil(most), "tokens");
  }
  if (const std::string names = left_to_rooflines(pool); !names.empty())
    notes.push_back(fmt::format("pool {}: priced by rooflines, having no table: {}", pool.name, names));
  return notes;
}

bool measures(const PoolScenario& pool, std::string_view group) {
  if (!pool.replica.measured) return false;
  const KernelTables& tables = *pool.replica.measured;
  if (group == "attention") return !tables.attention.empty();
  if (group == "experts") return !tables.experts.empty();
  return (group == "gemm" || group == "elementwise") && left_to_rooflines(pool).empty();
}

}  // namespace silicast
