#include "workloads/workload_edits.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "workloads/limits.hpp"

namespace silicast {
namespace {

constexpr Bounds kSpeedBounds{1e-3, 1e6};
constexpr Bounds kScaleBounds{1e-3, 1e3};
constexpr Bounds kPatienceBounds{1e-9, 1e8};

std::string shown(Seconds time) {
  return format_quantity(time.value(), Dimension::kTime);
}

}  // namespace

WorkloadEdits WorkloadEdits::read(ConfigMap& map, const WorkloadScope& scope) {
  WorkloadEdits edits(map.value());
  edits.slice_ = map.optional("slice");
  if (edits.slice_) edits.read_slice(*edits.slice_);
  edits.speed_ = map.optional("speed");
  if (edits.speed_) {
    edits.time_.speed = edits.speed_->number(kSpeedBounds);
    edits.description_ += fmt::format(", speed {:g}", edits.time_.speed);
  }
  edits.read_clients(map, scope);
  return edits;
}

void WorkloadEdits::read_slice(const ConfigValue& slice) {
  ConfigMap map = slice.map();
  if (const auto from = map.optional("from")) {
    window_ = from;
    time_.from = SimTime{} + Seconds(from->quantity(Dimension::kTime, {0, kLastArrivalSeconds}));
    description_ += ", from " + shown(Seconds(time_.from.seconds()));
  }
  if (const auto to = map.optional("to")) {
    window_ = to;
    time_.to = SimTime{} + Seconds(to->quantity(Dimension::kTime, {0, kLastArrivalSeconds, true}));
    if (time_.to <= time_.from) to->fail("must be over 'from'");
    description_ += ", to " + shown(Seconds(time_.to.seconds()));
  }
  if (const auto first = map.optional("first")) {
    time_.first = first->integer(1, kMaxRequests);
    description_ += fmt::format(", first {} requests", time_.first);
  }
  map.done();
  if (map.keys().empty()) slice.fail("needs one of from, to and first");
}

void WorkloadEdits::read_clients(ConfigMap& map, const WorkloadScope& scope) {
  scale_ = map.optional("token_scale");
  if (scale_) {
    client_.token_scale = scale_->number(kScaleBounds);
    description_ += fmt::format(", tokens times {:g}", client_.token_scale);
    edits_clients_ = true;
  }
  if (const auto limit = map.optional("max_output")) {
    client_.max_output = static_cast<std::int32_t>(limit->integer(1, kMaxTokens));
    description_ += fmt::format(", output at most {}", client_.max_output);
    edits_clients_ = true;
  }
  if (const auto name = map.optional("class")) {
    if (scope.context.class_names.empty()) name->fail("the scenario declares no classes");
    client_.request_class = ClassId{static_cast<std::int32_t>(name->choice(scope.context.class_names, "class"))};
    description_ += ", class " + name->text();
    edits_clients_ = true;
  }
  if (const auto timeout = map.optional("timeout")) {
    client_.timeout = Seconds(timeout->quantity(Dimension::kTime, kPatienceBounds));
    description_ += ", timeout " + shown(*client_.timeout);
    edits_clients_ = true;
  }
  if (const auto abort = map.optional("abort")) {
    ConfigMap keys = abort->map();
    client_.abort_probability = keys.required("probability").number(kFraction);
    ConfigMap after = keys.required("after").map();
    client_.abort_mean = Seconds(after.required("mean").quantity(Dimension::kTime, kPatienceBounds));
    after.done();
    keys.done();
    description_ +=
        fmt::format(", {:g}% abort after {} on average", 100 * client_.abort_probability, shown(client_.abort_mean));
    edits_clients_ = true;
  }
}

std::unique_ptr<RequestSource> WorkloadEdits::apply(std::unique_ptr<RequestSource> source,
                                                    const WorkloadScope& scope) const {
  if (slice_ || speed_) source = std::make_unique<TimeSource>(std::move(source), time_, at_);
  if (edits_clients_) source = std::make_unique<ClientSource>(std::move(source), client_, scope.stream("abort"), at_);
  return source;
}

void WorkloadEdits::adjust(WorkloadInfo& info) const {
  info.description += description_;
  if (window_) info.requests.reset();
  if (info.requests) info.requests = std::min(*info.requests, time_.first);
  if (info.mean_rate) *info.mean_rate *= time_.speed;
  if (client_.token_scale != 1 && info.block_tokens > 0) {
    info.description += " (without the ids of its blocks)";
    info.block_tokens = 0;
  }
  if (info.mean_prompt) *info.mean_prompt *= client_.token_scale;
  if (info.mean_output) *info.mean_output *= client_.token_scale;
  if (client_.max_output > 0) info.mean_output.reset();
  if (client_.request_class)
    for (UseCaseLoad& load : info.use_cases) load.request_class = *client_.request_class;
}

void WorkloadEdits::refuse_time_edits(std::string_view why) const {
  if (speed_) speed_->fail(why);
  if (window_) window_->fail(why);
}

void WorkloadEdits::refuse_token_scale() const {
  if (client_.token_scale != 1)
    scale_->fail(
        "later turns of a session repeat its answers, which would be scaled once more each time; scale the lengths of "
        "'sessions' instead");
}

}  // namespace silicast
