// Prices the kernels of one batch and lists them.
#include "sim/perf/breakdown.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "sim/base/check.hpp"
#include "sim/perf/stage_price.hpp"

namespace silicast {
namespace {

// What one micro-batch brings to a stage. The chunk, if any, is whole in one of them.
struct Portion {
  std::int32_t tokens;
  std::int32_t decode_sequences;
  std::int32_t sampled;
  double kv_tokens;
  bool chunk;
};

struct Row {
  BreakdownRow row;
  double flops = 0;
  double bytes = 0;
};

Row row_of(std::string_view name, KernelClass kernel_class, double seconds, Bound bound, double flops, double bytes) {
  Row out;
  out.row.kernel = name;
  out.row.kernel_class = name_of(kernel_class);
  out.row.time = Seconds(seconds);
  out.row.bound = bound;
  out.flops = flops;
  out.bytes = bytes;
  return out;
}

void add_kernels(std::vector<Row>& rows, const StagePrice& stage, const std::vector<Kernel>& kernels) {
  for (const Kernel& kernel : kernels) {
    const KernelPrice price = stage.kernel(kernel);
    const double bytes = kernel.message.value() > 0 ? kernel.message.value() : kernel.bytes.value();
    rows.push_back(row_of(kernel.name, kernel.kernel_class, kernel.times * price.time.value(), price.bound,
                          kernel.times * kernel.flops.value(), kernel.times * bytes));
  }
}

void add_decode(std::vector<Row>& rows, const StagePrice& stage, const Portion& portion) {
  const AttentionRates& rates = stage.attention();
  const Kernel kernel =
      stage.work().decode_attention(portion.decode_sequences, static_cast<std::int64_t>(portion.kv_tokens));
  const double kv = stage.decode_kv(portion.kv_tokens) / stage.layers();
  const double launch = rates.launch;
  const double seconds = launch + rates.decode_sequence * portion.decode_sequences + kv;
  Bound bound = rates.decode_kv_compute * portion.kv_tokens >= kv ? Bound::kCompute : Bound::kMemory;
  if (bound == Bound::kMemory && launch + rates.decode_kv_floor > 0.5 * seconds) bound = Bound::kOverhead;
  rows.push_back(row_of("attention_decode", KernelClass::kAttentionDecode, stage.layers() * seconds, bound,
                        stage.layers() * kernel.flops.value(), stage.layers() * kernel.bytes.value()));
}

void add_prefill(std::vector<Row>& rows, const StagePrice& stage, const BreakdownBatch& batch, const Portion& portion) {
  const AttentionRates& rates = stage.attention();
  const Kernel kernel = stage.work().prefill_attention(batch.prefill_tokens, batch.prefill_context);
  const double c = batch.prefill_tokens;
  const double p = static_cast<double>(batch.prefill_context);
  const double compute = rates.prefill_quadratic(batch.prefill_tokens) * (c * p + 0.5 * c * (c + 1));
  const double memory = rates.prefill_kv * (p + c);
  const double launch = portion.decode_sequences > 0 ? 0 : rates.launch;  // else counted with the decodes
  const double work = std::max(compute, memory);
  Bound bound = compute >= memory ? Bound::kCompute : Bound::kMemory;
  if (launch > work) bound = Bound::kOverhead;
  const double times = stage.layers();
  rows.push_back(row_of("attention_prefill", KernelClass::kAttentionPrefill, stage.layers() * (launch + work), bound,
                        times * kernel.flops.value(), times * kernel.bytes.value()));
}

std::vector<Row> stage_rows(const StagePrice& stage, const BreakdownBatch& batch, const Portion& portion) {
  std::vector<Row> rows;
  add_kernels(rows, stage, stage.work().token_kernels(portion.tokens));
  if (portion.decode_sequences > 0) add_decode(rows, stage, portion);
  if (portion.chunk) add_prefill(rows, stage, batch, portion);
  add_kernels(rows, stage, stage.work().sequence_kernels(portion.sampled));
  return rows;
}

Portion portion_of(const BreakdownBatch& batch, std::int32_t micro_batches, bool chunk) {
  const std::int32_t decodes = (batch.decode_sequences + micro_batches - 1) / micro_batches;
  const double kv_tokens = static_cast<double>(batch.decode_sequences * batch.kv_length) / micro_batches;
  return {decodes + (chunk ? batch.prefill_tokens : 0), decodes, decodes + chunk, kv_tokens, chunk};
}

double seconds_of(const std::vector<Row>& rows) {
  double seconds = 0;
  for (const Row& row : rows) seconds += row.row.time.value();
  return seconds;
}

// Rows of several stages with equal names become one.
void merge(std::vector<Row>& into, const std::vector<Row>& rows, double copies) {
  for (Row row : rows) {
    row.row.time = row.row.time * copies;
    row.flops *= copies;
    row.bytes *= copies;
    const auto same = std::find_if(into.begin(), into.end(), [&](const Row& old) {
      return old.row.kernel == row.row.kernel && old.row.kernel_class == row.row.kernel_class;
    });
    if (same == into.end()) {
      into.push_back(std::move(row));
      continue;
    }
    same->row.time += row.row.time;
    same->flops += row.flops;
    same->bytes += row.bytes;
  }
}

// The longest way through the pipeline, as IterationCost finds it: the largest micro-batch over all stages, or all
// micro-batches over the slowest stage.
std::vector<Row> device_rows(const ReplicaSetup& setup, const BreakdownBatch& batch) {
  const std::int32_t micro_batches = std::min(setup.plan.stages(), batch.sequences());
  const bool chunk = batch.prefill_tokens > 0;
  const Portion large = portion_of(batch, micro_batches, chunk), small = portion_of(batch, micro_batches, false);
  std::vector<Row> longest;
  for (std::int32_t s = 0; s < setup.plan.stages(); ++s) {
    const StagePrice price(setup, s);
    merge(longest, stage_rows(price, batch, large), 1);
  }
  for (std::int32_t s = 0; s < setup.plan.stages(); ++s) {
    const StagePrice price(setup, s);
    std::vector<Row> all;
    merge(all, stage_rows(price, batch, large), chunk ? 1 : micro_batches);
    if (chunk && micro_batches > 1) merge(all, stage_rows(price, batch, small), micro_batches - 1);
    if (seconds_of(all) > seconds_of(longest)) longest = std::move(all);
  }
  return longest;
}

}  // namespace

Breakdown breakdown(const ReplicaSetup& setup, const BreakdownBatch& batch) {
  SILICAST_CHECK(batch.sequences() > 0 && batch.decode_sequences >= 0 && batch.prefill_tokens >= 0, "an empty batch");
  SILICAST_CHECK(batch.decode_sequences == 0 || batch.kv_length > 0, "decode without KV");
  std::vector<Row> rows = device_rows(setup, batch);
  Breakdown out;
  out.device = Seconds(seconds_of(rows));
  out.host = Seconds(setup.host.per_iteration + setup.host.per_sequence * batch.sequences());
  out.total = setup.host.overlapped ? std::max(out.device, out.host) : out.device + out.host;
  Row host;
  host.row.kernel = "host";
  host.row.kernel_class = "host";
  host.row.time = out.total - out.device;
  rows.push_back(host);
  for (Row& row : rows) {
    const double seconds = row.row.time.value();
    row.row.share = seconds / out.total.value();
    if (seconds > 0) {
      row.row.flops_rate = FlopsPerSecond(row.flops / seconds);
      row.row.bytes_rate = BytesPerSecond(row.bytes / seconds);
    }
    out.rows.push_back(row.row);
  }
  return out;
}

}  // namespace silicast
