// Which anchor is for which pool.
#include "sim/run/anchor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace silicast {
namespace {

constexpr double kSame = 0.1;  // lengths and loads within this share are the measured ones

// Models whose kernels are of the same kinds.
std::string family_of(const ModelSpec& model) {
  std::set<std::string> kinds;
  for (const AttentionSpec& attention : model.attentions) kinds.insert(std::string(name_of(attention.kind)));
  std::string text = model.mixture() ? "mixture of experts" : "dense";
  for (const std::string& kind : kinds) text += fmt::format(", {} attention", kind);
  return text;
}

std::optional<double> clients_of(const Scenario& scenario) {
  const ConfigEntry* loop = scenario.workload->node().find("closed_loop");
  const ConfigEntry* clients = loop != nullptr ? loop->value.find("concurrency") : nullptr;
  double count = 0;
  if (clients == nullptr || !parse_number(clients->value.scalar, count)) return std::nullopt;
  return count;
}

struct Limited {
  std::string_view what;
  std::optional<double> AnchorSubject::*of;
  AnchorRange Anchor::*range;
};
constexpr Limited kLengths[] = {{"prompts of {:.4g} tokens on average", &AnchorSubject::prompt, &Anchor::prompt},
                                {"outputs of {:.4g} tokens on average", &AnchorSubject::output, &Anchor::output}};
constexpr Limited kLoads[] = {
    {"{:.4g} requests at once on a replica", &AnchorSubject::running, &Anchor::running},
    {"{:.4g} output tokens/s of a replica", &AnchorSubject::output_rate, &Anchor::output_rate}};

std::string beyond(const Limited& limited, const Anchor& anchor, const AnchorSubject& subject) {
  const AnchorRange& range = anchor.*limited.range;
  const double value = *(subject.*limited.of);
  if (range.holds(value)) return "";
  return fmt::format("{}, beyond its {:.4g} to {:.4g}", fmt::format(fmt::runtime(limited.what), value), range.low,
                     range.high);
}

std::string activations(const std::string& precision) {
  const std::size_t first = precision.find('/');
  return precision.substr(first + 1, precision.find('/', first + 1) - first - 1);
}

// How far a load is from the measured one, in powers of e.
double distance(const Anchor& anchor, const AnchorSubject& subject) {
  double far = 0;
  for (const Limited& limited : {kLengths[0], kLengths[1], kLoads[0], kLoads[1]}) {
    const auto measured = anchor.measured.*limited.of, asked = subject.*limited.of;
    if (measured && asked) far += std::abs(std::log(*asked / *measured));
  }
  return far;
}

}  // namespace

AnchorSubject subject_of(const Scenario& scenario, const PoolScenario& pool) {
  const ParallelPlan& plan = pool.plan;
  const WorkloadInfo& info = scenario.workload_info;
  AnchorSubject subject;
  subject.chip = pool.chip.name, subject.engine = pool.engine.name;
  subject.model = pool.replica.model.name, subject.family = family_of(pool.replica.model);
  subject.precision = fmt::format("{}/{}/{}", name_of(pool.precision.weights), name_of(pool.precision.activations),
                                  name_of(pool.precision.kv));
  subject.layout = fmt::format("tensor {}, context {}, data {}, expert {}, pipeline {}", plan.tensor, plan.context,
                               plan.data, plan.expert, plan.stages());
  subject.prompt = info.mean_prompt, subject.output = info.mean_output;
  const double replicas = scenario.replicas();
  if (const auto clients = clients_of(scenario)) subject.running = *clients / replicas;
  if (info.open_loop && info.mean_rate && info.mean_output)
    subject.output_rate = *info.mean_rate * *info.mean_output / replicas;
  return subject;
}

std::string refusal(const Anchor& anchor, const AnchorSubject& subject) {
  const AnchorSubject& measured = anchor.measured;
  const auto differs = [](std::string_view what, const std::string& theirs, const std::string& ours) {
    return theirs == ours ? std::string() : fmt::format("its {} is {}, not {}", what, theirs, ours);
  };
  for (const std::string& reason :
       {differs("chip", measured.chip, subject.chip), differs("engine", measured.engine, subject.engine),
        differs("kind of model", measured.family, subject.family),
        differs("format of activations", activations(measured.precision), activations(subject.precision))})
    if (!reason.empty()) return reason;
  for (const Limited& limited : kLengths) {
    if (!(subject.*limited.of)) return "the lengths of requests are not known before the run";
    if (const std::string reason = beyond(limited, anchor, subject); !reason.empty()) return reason;
  }
  bool known = false;
  for (const Limited& limited : kLoads) {
    if (!(subject.*limited.of)) continue;
    known = true;
    if (const std::string reason = beyond(limited, anchor, subject); !reason.empty()) return reason;
  }
  return known ? "" : "the load is not known before the run";
}

bool is_same(const Anchor& anchor, const AnchorSubject& subject) {
  const AnchorSubject& measured = anchor.measured;
  for (const auto text : {&AnchorSubject::chip, &AnchorSubject::engine, &AnchorSubject::model,
                          &AnchorSubject::precision, &AnchorSubject::layout})
    if (measured.*text != subject.*text) return false;
  for (const auto number :
       {&AnchorSubject::prompt, &AnchorSubject::output, &AnchorSubject::running, &AnchorSubject::output_rate})
    if (subject.*number && !(std::abs(*(subject.*number) / (measured.*number).value_or(0) - 1) <= kSame)) return false;
  return true;
}

std::vector<AnchorChoice> choose_anchors(const Scenario& scenario, const ConfigNode& tree,
                                         const std::vector<Anchor>& anchors) {
  std::vector<AnchorChoice> choices;
  for (std::size_t i = 0; i < scenario.pools.size(); ++i) {
    const AnchorSubject subject = subject_of(scenario, scenario.pools[i]);
    AnchorChoice choice;
    choice.badge.reason.clear();
    double nearest = std::numeric_limits<double>::infinity();
    for (const Anchor& anchor : anchors) {
      std::string reason = refusal(anchor, subject);
      if (reason.empty()) reason = set_by_hand(tree, i, anchor.moved);
      if (!reason.empty()) {
        if (choice.anchor == nullptr)
          choice.badge.reason +=
              fmt::format("{}anchor {}: {}", choice.badge.reason.empty() ? "" : "; ", anchor.name, reason);
        continue;
      }
      // One of the same model counts as nearer than any of another; of equals the first by name.
      const bool same = is_same(anchor, subject);
      const double far = same ? -1 : distance(anchor, subject) + (anchor.measured.model == subject.model ? 0 : 1000);
      if (!(far < nearest)) continue;
      nearest = far;
      choice.anchor = &anchor;
      choice.badge = {same ? BadgeKind::kMeasured : BadgeKind::kAnchored,
                      fmt::format("by anchor {} of {}", anchor.name, anchor.date)};
    }
    if (anchors.empty()) choice.badge.reason = "the folder of anchors is empty";
    choices.push_back(std::move(choice));
  }
  return choices;
}

}  // namespace silicast
