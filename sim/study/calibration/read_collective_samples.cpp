// Tables of collectives: nccl-tests and custom all-reduce of aiconfigurator, apex_plus, DeepEP.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/base/errors.hpp"
#include "sim/io/table_file.hpp"
#include "sim/perf/collectives.hpp"
#include "sim/study/calibration/kernel_samples.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 40;
constexpr double kNodeChips = 8;  // of DeepEP's tables

using Price = CollectivePrice(const ChipRates&, const GroupLinks&, Bytes);

KernelSample sample_of(const char* kernel_class, const std::string& what, double bytes, double seconds,
                       GroupLinks group, Price* price) {
  KernelSample sample;
  sample.kernel_class = kernel_class;
  sample.band = band_of("MB", bytes / 1e6, {0.1, 8});
  sample.shape = fmt::format("{} of {} {}", what, group.size, sample.band);
  sample.measured = seconds;
  sample.predicted = [=](const ChipRates& chip) { return price(chip, group, Bytes(bytes)).time.value(); };
  return sample;
}

void add_library(const std::string& op, std::int64_t chips, double bytes, double seconds, const GroupOf& group_of,
                 const std::string& file, KernelSamples& into) {
  GroupLinks group = group_of(static_cast<std::int32_t>(chips));
  group.within_node = false;  // no kernels but the library's
  if (op == "all_reduce")
    into.by_library.push_back(sample_of("library all-reduce", op, bytes, seconds, group, price_all_reduce));
  else if (op == "all_gather" || op == "reduce_scatter")
    into.by_library.push_back(
        sample_of("library all-gather, reduce-scatter", op, bytes, seconds, group, price_all_gather));
  else
    into.left_out.add(file, fmt::format("{} is not fitted", op));
}

void read_library(const TableOption& option, const std::string& name, const GroupOf& group, KernelSamples& into) {
  TableFile table(option.path, {"op", "num_gpus", "bytes", "latency_ms"});
  while (table.next())
    add_library(table.required_text("op"), table.integer("num_gpus", 2, 4096),
                static_cast<double>(table.integer("bytes", 1, kMost)), 1e-3 * table.number("latency_ms"), group, name,
                into);
}

void read_apex(const TableOption& option, const std::string& name, const GroupOf& group, KernelSamples& into) {
  TableFile table(option.path, {"op", "num_nodes", "num_gpus_per_node", "size(kb)", "time(us)"});
  while (table.next()) {
    const auto size = static_cast<double>(table.integer("size(kb)", 0, kMost));
    if (table.integer("num_nodes", 1, 4096) > 1)
      into.left_out.add(name, "groups over several nodes");
    else if (size == 0)
      into.left_out.add(name, "sizes rounded to 0 kB");
    else
      add_library(table.required_text("op"), table.integer("num_gpus_per_node", 2, 4096), 1024 * size,
                  1e-6 * table.number("time(us)"), group, name, into);
  }
}

void read_custom(const TableOption& option, const std::string& name, const GroupOf& group, KernelSamples& into) {
  TableFile table(option.path, {"kernel", "num_gpus", "bytes", "latency_ms"});
  while (table.next()) {
    const std::string kernel = table.required_text("kernel");
    if (!option.takes(kernel, into.left_out)) continue;
    const auto bytes = static_cast<double>(table.integer("bytes", 1, kMost));
    if (kernel.find("eager") != std::string::npos)
      into.left_out.add(name, "launched by the host");
    else if (bytes >= 8e6)
      into.left_out.add(name, "8 MB and more: the library's");
    else
      into.by_peers.push_back(sample_of("all-reduce by peers' memory", kernel, bytes, 1e-3 * table.number("latency_ms"),
                                        group(static_cast<std::int32_t>(table.integer("num_gpus", 2, 4096))),
                                        price_all_reduce));
  }
}

// One copy of a token for each of its experts, FP8 with scales there and BF16 back.
void read_low_latency(const TableOption& option, const std::string& name, const GroupOf& group, KernelSamples& into) {
  TableFile table(option.path,
                  {"node_num", "hidden_size", "num_tokens", "topk", "num_experts", "dispatch_us", "combine_us"});
  const GroupLinks links = group(static_cast<std::int32_t>(kNodeChips));
  while (table.next()) {
    if (table.integer("node_num", 1, 4096) > 1) {
      into.left_out.add(name, "groups over several nodes");
      continue;
    }
    const double hidden = static_cast<double>(table.integer("hidden_size", 1, kMost));
    const double copies = static_cast<double>(table.integer("num_tokens", 1, kMost) * table.integer("topk", 1, 1024)) *
                          (1 - 1 / kNodeChips);
    into.exchange.push_back(sample_of("dispatch of tokens", "dispatch", 1.03 * hidden * copies,
                                      1e-6 * table.number("dispatch_us"), links, price_all_to_all));
    into.exchange.push_back(sample_of("combine of tokens", "combine", 2 * hidden * copies,
                                      1e-6 * table.number("combine_us"), links, price_all_to_all));
  }
}

}  // namespace

void read_collective_samples(const TableOption& option, const GroupOf& group, KernelSamples& into) {
  const std::string name = option.name();
  const std::vector<std::string> header = table_header(option.path);
  const auto has = [&](const char* column) { return std::find(header.begin(), header.end(), column) != header.end(); };
  if (has("time(us)") && has("op")) return read_apex(option, name, group, into);
  if (has("op") && has("bytes")) return read_library(option, name, group, into);
  if (has("kernel") && has("num_gpus") && has("bytes")) return read_custom(option, name, group, into);
  if (has("dispatch_us")) return read_low_latency(option, name, group, into);
  throw InputError({option.path, 0, 0}, "",
                   "is no table of collectives: it has none of the columns (op, num_gpus, bytes, latency_ms), (kernel, "
                   "num_gpus, bytes, latency_ms), (op, num_nodes, num_gpus_per_node, size(kb), time(us)), (node_num, "
                   "hidden_size, num_tokens, topk, num_experts, dispatch_us, combine_us)");
}

}  // namespace silicast
