// Prices the kernels of one batch and lists them.
#include "sim/perf/breakdown.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "sim/base/check.hpp"
#include "sim/perf/attention_table.hpp"
#include "sim/perf/stage_price.hpp"

namespace silicast {
namespace {

// What one micro-batch brings to a stage. The chunk, if any, is whole in one of them.
struct Portion {
  std::int32_t tokens;
  std::int32_t decode_sequences;
  std::int32_t sampled;
  double kv_length;
  bool chunk;
  std::int64_t expert_tokens;  // of all ranks that share the experts
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

// As StagePrice adds them up: none shorter than `floor`; of messages only what does not hide behind the rest, `overlap`
// of the shorter of the two, or `beside`, a share of them that hides behind others than these.
void add_kernels(std::vector<Row>& rows, const StagePrice& stage, const std::vector<Kernel>& kernels, double overlap,
                 double floor, std::optional<double> beside = {}) {
  const auto seconds_of = [&](const Kernel& kernel) {
    return kernel.times * std::max(floor, stage.kernel(kernel).time.value());
  };
  double computing = 0, talking = 0;
  for (const Kernel& kernel : kernels) (kernel.message.value() > 0 ? talking : computing) += seconds_of(kernel);
  const double hidden = beside ? *beside * talking : overlap * std::min(computing, talking);
  for (const Kernel& kernel : kernels) {
    const KernelPrice price = stage.kernel(kernel);
    const bool message = kernel.message.value() > 0;
    const double shown = message ? 1 - hidden / talking : 1;
    const Bound bound = price.time.value() < floor ? Bound::kOverhead : price.bound;
    rows.push_back(row_of(kernel.name, kernel.kernel_class, seconds_of(kernel) * shown, bound,
                          kernel.times * kernel.flops.value(),
                          kernel.times * (message ? kernel.message.value() : kernel.bytes.value())));
  }
}

double start_of(const StagePrice& stage, const AttentionRates& rates, std::int64_t tokens) {
  if (rates.start == 0) return 0;
  return stage.in_batches(tokens, [&](std::int64_t part) { return std::max(stage.floor_of(part), rates.start); });
}

// `start` of the launch is counted once for prompts and decodes together.
void add_decode(std::vector<Row>& rows, const StagePrice& stage, const Portion& portion, double mixed) {
  for (std::size_t i = 0; i < stage.attention().size(); ++i) {
    const AttentionPart& part = stage.work().attention()[i];
    const AttentionRates& rates = stage.attention()[i];
    const double sequences = portion.decode_sequences;
    const double reached =
        part.reach > 0 ? std::min(portion.kv_length, static_cast<double>(part.reach)) : portion.kv_length;
    const double kv = rates.decode_kv(reached * sequences);
    const double seconds = start_of(stage, rates, portion.tokens) + mixed * (rates.decode_sequence * sequences + kv);
    Bound bound = rates.decode_compute > rates.decode_memory ? Bound::kCompute : Bound::kMemory;
    if (kv < 0.5 * seconds) bound = Bound::kOverhead;
    rows.push_back(row_of(fmt::format("decode_{}", part.name), KernelClass::kAttentionDecode, part.layers * seconds,
                          bound, part.layers * part.decode_flops * reached * sequences,
                          part.layers * (part.decode_bytes * reached + part.query_bytes) * sequences));
  }
}

void add_prefill(std::vector<Row>& rows, const StagePrice& stage, const BreakdownBatch& batch, const Portion& portion) {
  const auto cube = [](double x) { return x * x * x; };
  for (std::size_t i = 0; i < stage.attention().size(); ++i) {
    const AttentionPart& part = stage.work().attention()[i];
    const AttentionRates& rates = stage.attention()[i];
    const double tokens = batch.prefill_tokens;
    const double all = static_cast<double>(batch.prefill_context) + tokens;
    const double keys = part.reach > 0 ? std::min(all, static_cast<double>(part.reach) + tokens) : all;
    const double pairs = reached_pairs(batch.prefill_tokens, batch.prefill_context, part.reach);
    const double compute = rates.prefill_pair * pairs + rates.prefill_row * tokens;
    const double walk = rates.prefill_walk * keys, memory = rates.prefill_kv * keys;
    // With decodes it is counted among them.
    const double start = portion.decode_sequences > 0 ? 0 : start_of(stage, rates, portion.tokens);
    const double work = std::cbrt(cube(compute) + cube(walk) + cube(memory));
    Bound bound = Bound::kOverhead;
    if (start < work && walk < std::max(compute, memory)) bound = compute >= memory ? Bound::kCompute : Bound::kMemory;
    rows.push_back(row_of(fmt::format("prefill_{}", part.name), KernelClass::kAttentionPrefill,
                          part.layers * (start + work), bound, part.layers * part.prefill_flops * pairs,
                          part.layers * (part.prefill_bytes * keys + part.query_bytes * tokens)));
  }
}

// By the tables: the launch counts among the decodes where there are some.
void add_measured_attention(std::vector<Row>& rows, const StagePrice& stage, const ReplicaSetup& setup,
                            const BreakdownBatch& batch, const Portion& portion) {
  const AttentionPart& part = stage.work().attention()[0];
  const AttentionTable table(setup.measured->attention, stage.attention()[0], setup.chip.reached.attention.mixed.value,
                             part.layers, portion.decode_sequences);
  const double kv_tokens = portion.kv_length * portion.decode_sequences;
  const auto add = [&](KernelClass kernel_class, std::string_view name, double seconds, double flops, double bytes) {
    rows.push_back(row_of(fmt::format("{}_{}", name, part.name), kernel_class, seconds, Bound::kMeasured,
                          part.layers * flops, part.layers * bytes));
  };
  double rest = 0;
  if (portion.chunk)
    rest = table.beside(batch.prefill_tokens, batch.prefill_context, portion.decode_sequences, kv_tokens);
  else
    rest = table.decodes(portion.decode_sequences)(kv_tokens);
  if (portion.decode_sequences > 0)
    add(KernelClass::kAttentionDecode, "decode", rest, part.decode_flops * kv_tokens, part.decode_bytes * kv_tokens);
  if (!portion.chunk) return;
  const double seconds = table.prefill(batch.prefill_tokens, batch.prefill_context);
  add(KernelClass::kAttentionPrefill, "prefill", seconds + (portion.decode_sequences > 0 ? 0 : rest),
      part.prefill_flops * reached_pairs(batch.prefill_tokens, batch.prefill_context, 0),
      part.prefill_bytes * static_cast<double>(batch.prefill_context + batch.prefill_tokens));
}

std::vector<Row> stage_rows(const StagePrice& stage, const ReplicaSetup& setup, const BreakdownBatch& batch,
                            const Portion& portion) {
  const double mixed = portion.chunk ? setup.chip.reached.attention.mixed.value : 1;
  const double overlap = setup.overlap;
  const double hidden = stage.hidden_share(portion.tokens);
  std::vector<Row> rows;
  stage.in_batches(portion.tokens, [&](std::int64_t tokens) {
    add_kernels(rows, stage, stage.work().token_kernels(tokens), overlap, stage.floor_of(tokens));
    return 0.0;
  });
  stage.in_batches(portion.expert_tokens, [&](std::int64_t tokens) {
    add_kernels(rows, stage, stage.work().expert_kernels(tokens), overlap, stage.floor_of(tokens));
    return 0.0;
  });
  stage.in_batches(portion.tokens, [&](std::int64_t tokens) {
    add_kernels(rows, stage, stage.work().exchange_kernels(tokens), overlap, 0, hidden);
    return 0.0;
  });
  if (stage.measures_attention()) {
    add_measured_attention(rows, stage, setup, batch, portion);
  } else {
    if (portion.decode_sequences > 0) add_decode(rows, stage, portion, mixed);
    if (portion.chunk) add_prefill(rows, stage, batch, portion);
  }
  add_kernels(rows, stage, stage.work().sequence_kernels(portion.sampled), overlap, 0);
  return rows;
}

// The network that drafts runs on the last stage, over the decode sequences; as part of their attention it is slowed
// down by prompts in the same iteration.
void add_drafts(std::vector<Row>& rows, const ReplicaSetup& setup, const Portion& portion) {
  const ReplicaSetup own = draft_setup(setup);
  const StagePrice price(own, 0);
  const std::int32_t sequences = portion.decode_sequences;
  const Portion drafted{sequences, sequences, sequences, portion.kv_length, false, sequences};
  const double times = setup.drafts * (portion.chunk ? setup.chip.reached.attention.mixed.value : 1);
  for (Row row : stage_rows(price, own, {sequences, 0, 0, 0}, drafted)) {
    row.row.kernel = fmt::format("draft_{}", row.row.kernel);
    row.row.time = row.row.time * times;
    row.flops *= setup.drafts;
    row.bytes *= setup.drafts;
    rows.push_back(row);
  }
}

Portion portion_of(const ReplicaSetup& setup, const BreakdownBatch& batch, std::int32_t micro_batches, bool chunk) {
  const ParallelPlan& plan = setup.plan;
  const std::int32_t decodes = (batch.decode_sequences + micro_batches - 1) / micro_batches;
  const std::int32_t queries = decodes * (1 + setup.drafts);
  const std::int32_t prompt = chunk ? batch.prefill_tokens : 0;
  const std::int32_t tokens = queries + (prompt + plan.context - 1) / plan.context;
  // An even share of the KV tokens, whatever the rounding of sequences.
  const double kv_tokens = static_cast<double>(batch.decode_sequences * batch.kv_length) / micro_batches;
  const std::int64_t own = plan.data > 1 ? queries + prompt : tokens * plan.context;
  return {tokens, decodes, queries + chunk, decodes > 0 ? kv_tokens / decodes : 0, chunk, own * plan.data};
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
  const Portion large = portion_of(setup, batch, micro_batches, chunk);
  const Portion small = portion_of(setup, batch, micro_batches, false);
  const auto rows_of = [&](std::int32_t stage, const Portion& portion) {
    const StagePrice price(setup, stage);
    std::vector<Row> rows = stage_rows(price, setup, batch, portion);
    const bool last = stage + 1 == setup.plan.stages();
    if (last && !setup.draft.layers.empty() && portion.decode_sequences > 0) add_drafts(rows, setup, portion);
    return rows;
  };
  std::vector<Row> longest;
  for (std::int32_t s = 0; s < setup.plan.stages(); ++s) merge(longest, rows_of(s, large), 1);
  for (std::int32_t s = 0; s < setup.plan.stages(); ++s) {
    std::vector<Row> all;
    merge(all, rows_of(s, large), chunk ? 1 : micro_batches);
    if (chunk && micro_batches > 1) merge(all, rows_of(s, small), micro_batches - 1);
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
