// What a workload's mapping gives beside its source of requests: slice, speed and what clients do.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "workloads/client_source.hpp"
#include "workloads/time_source.hpp"
#include "workloads/workload.hpp"
#include "workloads/workload_scope.hpp"

namespace silicast {

class WorkloadEdits {
 public:
  // Asks the mapping for its keys: slice, speed, token_scale, max_output, class, timeout, abort.
  static WorkloadEdits read(ConfigMap& map, const WorkloadScope& scope);

  // The source with the edits around it, none where nothing is edited.
  std::unique_ptr<RequestSource> apply(std::unique_ptr<RequestSource> source, const WorkloadScope& scope) const;

  // What is still known of the source once it is edited.
  void adjust(WorkloadInfo& info) const;

  // A closed loop's clock is its clients': InputError at a key that would bend it, which says why not.
  void refuse_time_edits(std::string_view why = kClientsClock) const;
  // A session's prompts repeat its answers: one scaled is scaled again in every later turn.
  void refuse_token_scale() const;

  const std::optional<ConfigValue>& slice() const { return slice_; }

 private:
  static constexpr std::string_view kClientsClock =
      "who waits for answers asks when it is answered; such arrivals cannot be moved";

  explicit WorkloadEdits(ConfigValue at) : at_(std::move(at)) {}

  void read_slice(const ConfigValue& slice);
  void read_clients(ConfigMap& map, const WorkloadScope& scope);

  ConfigValue at_;
  std::optional<ConfigValue> slice_, speed_, window_, scale_;
  TimeEdits time_;
  ClientEdits client_;
  bool edits_clients_ = false;
  std::string description_;
};

}  // namespace silicast
