// Sends every kernel to the function that prices its class.
#include "sim/perf/stage_price.hpp"

#include "sim/base/check.hpp"
#include "sim/perf/collectives.hpp"

namespace silicast {
namespace {

KernelPrice as_kernel(const CollectivePrice& collective) {
  KernelPrice price;
  price.time = collective.time;
  price.launch = collective.start;
  price.link = collective.time - collective.start;
  price.bound = price.link >= price.launch ? Bound::kLink : Bound::kOverhead;
  return price;
}

}  // namespace

StagePrice::StagePrice(const ReplicaSetup& setup, std::int32_t stage)
    : setup_(setup),
      stage_(stage),
      work_(setup.model, setup.plan, setup.precision, stage),
      attention_(attention_rates(setup.chip, work_)) {
  const auto stages = static_cast<std::size_t>(setup.plan.stages());
  SILICAST_CHECK(setup.tensor_groups.size() == stages, "{} tensor groups for {} stages", setup.tensor_groups.size(),
                 stages);
  SILICAST_CHECK(setup.stage_links.size() + 1 == stages, "{} links between {} stages", setup.stage_links.size(),
                 stages);
  const GroupLinks& group = setup.tensor_groups[static_cast<std::size_t>(stage)];
  SILICAST_CHECK(group.size == setup.plan.tensor, "a group of {} for {} tensor ranks", group.size, setup.plan.tensor);
}

KernelPrice StagePrice::kernel(const Kernel& kernel) const {
  const auto stage = static_cast<std::size_t>(stage_);
  switch (kernel.kernel_class) {
    case KernelClass::kGemm:
      return price_gemm(setup_.chip, kernel);
    case KernelClass::kElementwise:
      return price_elementwise(setup_.chip, kernel);
    case KernelClass::kAllReduce:
      return as_kernel(price_all_reduce(setup_.chip, setup_.tensor_groups[stage], kernel.message));
    case KernelClass::kAllGather:
      return as_kernel(price_all_gather(setup_.chip, setup_.tensor_groups[stage], kernel.message));
    case KernelClass::kSend:
      return as_kernel(price_send(setup_.chip, setup_.stage_links.at(stage), kernel.message));
    case KernelClass::kAttentionPrefill:
    case KernelClass::kAttentionDecode:
      break;
  }
  SILICAST_CHECK(false, "{} is priced by its rates", kernel.name);
  return {};
}

double StagePrice::tokens(std::int32_t count) const {
  if (count == 0) return 0;
  double seconds = layers() * attention_.launch;
  for (const Kernel& one : work_.token_kernels(count)) seconds += one.times * kernel(one).time.value();
  return seconds;
}

double StagePrice::sequences(std::int32_t count) const {
  double seconds = 0;
  if (count == 0) return seconds;
  for (const Kernel& one : work_.sequence_kernels(count)) seconds += one.times * kernel(one).time.value();
  return seconds;
}

}  // namespace silicast
