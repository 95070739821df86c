#include "sim/study/plan/size_option.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "sim/perf/breakdown.hpp"
#include "sim/study/capacity/capacity_report.hpp"
#include "sim/study/plan/cost_of_nodes.hpp"

namespace silicast {
namespace {

constexpr double kNear = 1.1;   // of a target
constexpr double kLoose = 0.9;  // of the roofline's bound
constexpr double kIdle = 0.05;  // busy share below which more nodes help nobody

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double seconds(const PoolScenario& pool, const BreakdownBatch& batch) {
  return breakdown(pool.replica, batch).total.value();
}

// The tightest limit on a mean time per output token that the targets imply; infinity: none.
double mean_tpot_limit(const Targets& targets) {
  double limit = std::numeric_limits<double>::infinity();
  for (const PercentileTarget& one : targets.percentiles)
    if (one.metric == LatencyMetric::kTpot || one.metric == LatencyMetric::kItl)
      if (one.quantile < 0 || one.quantile >= 0.95) limit = std::min(limit, one.limit);
  return limit;
}

class Sizing {
 public:
  Sizing(const PlanSpec& plan, const PlanOption& option, const std::string& configs_dir, std::int64_t most,
         std::int64_t until_ns)
      : plan_(plan),
        configs_dir_(configs_dir),
        enough_(most),
        most_(most / option.nodes_per_step),
        until_ns_(until_ns) {
    sized_.option = option;
  }

  SizedOption run() {
    try {
      size();
    } catch (const InputError& error) {
      end(OptionStatus::kUnsupported, error.what(), std::nan(""));
    }
    return std::move(sized_);
  }

 private:
  void end(OptionStatus status, std::string reason, double by) {
    sized_.status = status, sized_.reason = std::move(reason), sized_.by = by;
  }

  Scenario scenario(std::int64_t steps, Fit fit = Fit::kRequired) const {
    return read_scenario(scenario_of(plan_, sized_.option, steps * sized_.option.nodes_per_step), plan_.path,
                         {configs_dir_, {}}, fit);
  }

  // To its end where how far it is from its targets matters, and how busy it was.
  Verdict judge_with(std::int64_t steps, bool to_the_end) {
    ++sized_.runs;
    if (to_the_end) return verdict_of(simulate(scenario(steps), {}).summary, plan_.least_good);
    return judge(scenario(steps), plan_.least_good);
  }

  // Steps are of nodes_per_step nodes.
  void size() {
    const Scenario first = scenario(1, Fit::kReported);
    const PoolScenario& pool = first.pools[0];
    require_price(plan_, first);
    if (!pool.memory.fits() || pool.kv_blocks < 1)
      return end(OptionStatus::kDoesNotFit,
                 fmt::format("{} too little memory on a chip",
                             format_quantity(pool.memory.shortfall.value(), Dimension::kBytes)),
                 pool.memory.shortfall.value() / std::max(1.0, pool.memory.capacity.value()));
    const std::int64_t step = sized_.option.nodes_per_step;
    sized_.least_nodes = least_nodes(sized_.option, first, *first.workload_info.mean_rate);
    const std::int64_t least = std::max<std::int64_t>(1, (sized_.least_nodes + step - 1) / step);
    if (least > most_) return too_many(least);
    search(least);
  }

  void too_many(std::int64_t least) {
    sized_.least_nodes = least * sized_.option.nodes_per_step;
    end(OptionStatus::kExceeds,
        enough_ < kMostNodes
            ? fmt::format("needs {} nodes at least; another option does with {}", sized_.least_nodes, enough_)
            : fmt::format("needs {} nodes at least; a pool has {} at most", sized_.least_nodes, kMostNodes),
        static_cast<double>(sized_.least_nodes) / static_cast<double>(enough_) - 1);
  }

  bool meets(std::int64_t steps, Verdict& verdict, bool to_the_end = false) {
    verdict = judge_with(steps, to_the_end);
    if (verdict.met) sized_.nodes = steps * sized_.option.nodes_per_step, sized_.verdict = verdict;
    return verdict.met;
  }

  // Where others did with `most_`: whether this one does, and with fewer. Else from the bound upwards until the targets
  // are met or more nodes help nobody. Then bisection.
  void search(std::int64_t least) {
    std::int64_t missed = least - 1, met = 0;
    Verdict verdict;
    const bool bounded = enough_ < kMostNodes;
    for (std::int64_t steps = bounded ? most_ : least; met == 0; steps = std::min(2 * steps, most_)) {
      if (now_ns() > until_ns_) return end(OptionStatus::kTimedOut, "the time for the plan was up", std::nan(""));
      if (meets(steps, verdict, !bounded)) {
        met = steps;
      } else {
        missed = steps;
        if (steps >= most_ || idle(verdict)) return miss(steps, std::move(verdict));
      }
    }
    for (bool first = bounded; met - missed > 1; first = false) {
      if (now_ns() > until_ns_) {
        sized_.fewest = false;
        return end(OptionStatus::kCompliant, "the time for the plan was up: fewer nodes may do", 0);
      }
      const std::int64_t next = first ? met - 1 : missed + (met - missed) / 2;
      (meets(next, verdict) ? met : missed) = next;
    }
    end(OptionStatus::kCompliant, "", 0);
  }

  static bool idle(const Verdict& verdict) {
    return !verdict.stopped && !verdict.summary.use.empty() && verdict.summary.use[0].busy < kIdle;
  }

  // How far it is from its targets is told by a run to its end.
  void miss(std::int64_t steps, Verdict verdict) {
    const bool alone = idle(verdict);
    if (verdict.stopped) verdict = judge_with(steps, true);
    const std::string how =
        fmt::format("with {} nodes {}", steps * sized_.option.nodes_per_step, verdict_text(verdict));
    end(verdict.excess <= kNear ? OptionStatus::kNearMiss : OptionStatus::kExceeds,
        alone ? how + "; more nodes do not help" : how, verdict.excess - 1);
    sized_.verdict = std::move(verdict);
  }

  const PlanSpec& plan_;
  const std::string& configs_dir_;
  std::int64_t enough_;  // nodes, of another option; kMostNodes: none yet
  std::int64_t most_;    // steps
  std::int64_t until_ns_;
  SizedOption sized_;
};

}  // namespace

std::string_view name_of(OptionStatus status) {
  switch (status) {
    case OptionStatus::kCompliant:
      return "compliant";
    case OptionStatus::kNearMiss:
      return "near miss";
    case OptionStatus::kExceeds:
      return "exceeds";
    case OptionStatus::kDoesNotFit:
      return "does not fit";
    case OptionStatus::kUnsupported:
      return "unsupported";
    case OptionStatus::kTimedOut:
      return "timed out";
  }
  return "";
}

std::int64_t least_nodes(const PlanOption& option, const Scenario& scenario, double requests_per_second) {
  const PoolScenario& pool = scenario.pools[0];
  const WorkloadInfo& info = scenario.workload_info;
  if (!info.mean_prompt || !info.mean_output) return 0;
  const EngineLimits limits = pool.engine.limits();
  const double ranks = pool.plan.data, prompt = *info.mean_prompt, output = *info.mean_output;
  // Prompt tokens at the best rate of any chunk.
  double per_token = std::numeric_limits<double>::infinity();
  for (std::int32_t chunk = 256; chunk <= limits.max_batched_tokens; chunk *= 2)
    per_token = std::min(per_token, seconds(pool, {.prefill_tokens = chunk}) / chunk);
  const double prefill = std::isfinite(per_token) ? prompt * per_token : 0;
  // Output tokens in the largest batch that memory, engine and target allow. Decodes may ride along with prompts, so
  // the longer of both counts, not their sum.
  const auto context = static_cast<std::int64_t>(prompt + output / 2);
  const std::int64_t blocks = std::max<std::int64_t>(1, context / limits.block_size) + pool.memory.sequence_blocks;
  const std::int64_t most = std::clamp<std::int64_t>(pool.kv_blocks / blocks, 1, limits.max_sequences);
  const double limit = scenario.classes.size() == 1 ? mean_tpot_limit(scenario.classes[0].targets)
                                                    : std::numeric_limits<double>::infinity();
  double decode = seconds(pool, {.decode_sequences = 1, .kv_length = context}) / static_cast<double>(most);
  for (std::int64_t batch = 1; batch <= most; batch = batch < most && batch * 2 > most ? most : batch * 2) {
    const double time = seconds(pool, {.decode_sequences = static_cast<std::int32_t>(batch), .kv_length = context});
    if (time > limit) break;
    decode = time / static_cast<double>(batch);
  }
  const double busy = requests_per_second * std::max(prefill, output * decode) / ranks;
  const double replicas_per_node = option.nodes_per_step > 1
                                       ? 1.0 / option.nodes_per_step
                                       : static_cast<double>(option.node_chips / std::max(1, option.chips));
  return static_cast<std::int64_t>(std::ceil(kLoose * busy / replicas_per_node));
}

SizedOption size_option(const PlanSpec& plan, const PlanOption& option, const std::string& configs_dir,
                        std::int64_t most, std::int64_t until_ns) {
  return Sizing(plan, option, configs_dir, most, until_ns).run();
}

}  // namespace silicast
