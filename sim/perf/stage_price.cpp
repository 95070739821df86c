// Sends every kernel to the function that prices its class.
#include "sim/perf/stage_price.hpp"

#include <algorithm>
#include <optional>

#include "sim/base/check.hpp"
#include "sim/perf/collectives.hpp"

namespace silicast {
namespace {

KernelPrice as_kernel(const CollectivePrice& collective) {
  KernelPrice price;
  price.time = collective.time;
  price.start = collective.start;
  price.link = collective.time - collective.start;
  price.bound = price.link >= price.start ? Bound::kLink : Bound::kOverhead;
  return price;
}

// Which operator of the stack a part of attention needs beyond plain attention.
std::optional<StackOperator> operator_of(const AttentionPart& part) {
  if (part.selects) return StackOperator::kSelectedAttention;
  if (part.kind == AttentionKind::kLatent) return StackOperator::kLatentAttention;
  if (part.kind == AttentionKind::kLinear) return StackOperator::kLinearAttention;
  if (part.reach > 0) return StackOperator::kWindowAttention;
  return std::nullopt;
}

}  // namespace

StagePrice::StagePrice(const ReplicaSetup& setup, std::int32_t stage)
    : setup_(setup), stage_(stage), work_(setup.model, setup.plan, setup.precision, stage, setup.policy) {
  const auto stages = static_cast<std::size_t>(setup.plan.stages());
  SILICAST_CHECK(setup.tensor_groups.size() == stages && setup.stage_groups.size() == stages,
                 "{} tensor groups and {} stage groups for {} stages", setup.tensor_groups.size(),
                 setup.stage_groups.size(), stages);
  SILICAST_CHECK(setup.stage_links.size() + 1 == stages, "{} links between {} stages", setup.stage_links.size(),
                 stages);
  const GroupLinks& group = setup.tensor_groups[static_cast<std::size_t>(stage)];
  SILICAST_CHECK(group.size == setup.plan.tensor, "a group of {} for {} tensor ranks", group.size, setup.plan.tensor);
  const bool narrow_kv = bytes_of(setup.precision.kv) < bytes_of(setup.model.native_format) && !setup.native_kv;
  for (const AttentionPart& part : work_.attention()) {
    AttentionRates rates = attention_rates(setup.chip, part, narrow_kv, 1 + setup.drafts);
    if (const auto op = operator_of(part)) rates.scale(setup.fallback[static_cast<std::size_t>(*op)]);
    attention_.push_back(rates);
  }
}

KernelPrice StagePrice::kernel(const Kernel& kernel) const {
  const std::optional<Seconds> time = measured(kernel);
  KernelPrice price = roofline(kernel);
  if (!time) return price;
  price.time = *time;
  price.bound = Bound::kMeasured;
  return price;
}

KernelPrice StagePrice::roofline(const Kernel& kernel) const {
  const auto stage = static_cast<std::size_t>(stage_);
  const GroupLinks& group =
      kernel.group == RankGroup::kStage ? setup_.stage_groups[stage] : setup_.tensor_groups[stage];
  switch (kernel.kernel_class) {
    case KernelClass::kGemm:
      return price_gemm(setup_.chip, kernel);
    case KernelClass::kExperts: {
      KernelPrice price = price_experts(setup_.chip, kernel);
      price.time = price.time * setup_.fallback[static_cast<std::size_t>(StackOperator::kExperts)];
      return price;
    }
    case KernelClass::kElementwise:
      return price_elementwise(setup_.chip, kernel);
    case KernelClass::kAllReduce:
      return as_kernel(price_all_reduce(setup_.chip, group, kernel.message));
    case KernelClass::kAllGather:
      return as_kernel(price_all_gather(setup_.chip, group, kernel.message));
    case KernelClass::kReduceScatter:
      return as_kernel(price_reduce_scatter(setup_.chip, group, kernel.message));
    case KernelClass::kAllToAll:
      return as_kernel(price_shared_all_to_all(setup_.chip, group, kernel.message, kernel.copy, kernel.spread));
    case KernelClass::kSend:
      return as_kernel(price_send(setup_.chip, setup_.stage_links.at(stage), kernel.message));
    case KernelClass::kAttentionPrefill:
    case KernelClass::kAttentionDecode:
      break;
  }
  SILICAST_CHECK(false, "{} is priced by its rates", kernel.name);
  return {};
}

double StagePrice::sum(const std::vector<Kernel>& kernels, double floor) const {
  double computing = 0, talking = 0;
  for (const Kernel& one : kernels)
    (one.message.value() > 0 ? talking : computing) += one.times * std::max(floor, kernel(one).time.value());
  return computing + talking - setup_.overlap * std::min(computing, talking);
}

double StagePrice::in_batches(std::int64_t tokens, const std::function<double(std::int64_t)>& seconds) const {
  if (!setup_.two_batches || tokens < 2) return seconds(tokens);
  return seconds(tokens / 2) + seconds(tokens - tokens / 2);
}

double StagePrice::tokens(std::int64_t count) const {
  if (count == 0) return 0;
  return in_batches(count, [&](std::int64_t part) {
    const double floor = floor_of(part);
    double seconds = sum(work_.token_kernels(part), floor);
    if (measures_attention()) return seconds;
    for (std::size_t i = 0; i < attention_.size(); ++i)
      seconds += work_.attention()[i].layers * (attention_[i].start > 0 ? std::max(floor, attention_[i].start) : 0);
    return seconds;
  });
}

double StagePrice::experts(std::int64_t tokens) const {
  return in_batches(tokens, [&](std::int64_t part) { return sum(work_.expert_kernels(part), floor_of(part)); });
}

double StagePrice::exchange(std::int64_t tokens) const {
  const double talking = talk(tokens);
  return talking - hidden(tokens, talking);
}

double StagePrice::hidden_share(std::int64_t tokens) const {
  const double talking = talk(tokens);
  return talking > 0 ? hidden(tokens, talking) / talking : 0;
}

double StagePrice::talk(std::int64_t tokens) const {
  return in_batches(tokens, [&](std::int64_t part) { return sum(work_.exchange_kernels(part)); });
}

double StagePrice::hidden(std::int64_t tokens, double talking) const {
  if (setup_.overlap == 0) return 0;
  return setup_.overlap * std::min(talking, this->tokens(tokens) + experts(tokens * setup_.plan.data));
}

double StagePrice::sequences(std::int64_t count) const {
  return sum(work_.sequence_kernels(count));
}

double StagePrice::decode_base(std::int32_t sequences) const {
  double seconds = 0;
  if (measures_attention()) return seconds;
  for (std::size_t i = 0; i < attention_.size(); ++i)
    seconds += work_.attention()[i].layers * attention_[i].decode_sequence * sequences;
  return seconds;
}

}  // namespace silicast
