// The links that a transfer between two groups of chips takes, with lanes that run side by side taken together: the
// chips of a group send over all of their NICs at once, evenly, and switches of one level spread what they get evenly
// over the next (as routes of the fabric do). So a transfer of a whole group is one flow over few links, each as wide
// as those that it stands for. Collisions of lanes are not modelled, as nowhere in the fabric, nor that a group may
// have more of its chips on one of its leaves than on another.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "sim/base/units.hpp"
#include "topology/fabric.hpp"

namespace silicast {

class TransferPaths {
 public:
  // `groups`: distinct chips of each, at least one; no chip is in two.
  TransferPaths(const Fabric& fabric, const std::vector<std::vector<std::int32_t>>& groups);

  std::int32_t groups() const { return static_cast<std::int32_t>(ends_.size()); }
  const std::vector<BytesPerSecond>& capacities() const { return capacities_; }  // by link

  // The links from one group to another, in order: within their node, else within their pod, else over NICs. Empty from
  // a group to itself. Valid until the next call.
  std::span<const std::int32_t> links(std::int32_t from, std::int32_t to);
  Seconds latency(std::span<const std::int32_t> links) const;

  // The links by which a group's chips send and get in a tier; -1 where they have none.
  struct Exits {
    std::int32_t out = -1, in = -1;
  };
  Exits exits(std::int32_t group, Tier tier) const;

 private:
  // A level on the way up from a group: what stands there, and the links from the level below and back.
  struct Level {
    std::int32_t vertex = 0;
    std::int32_t up = -1, down = -1;
  };
  struct End {
    std::vector<Level> levels[kTiers];  // by tier; [0] is the group itself
    std::int32_t node = -1, pod = -1;   // -1: of several
  };

  std::int32_t link(std::int32_t from, std::int32_t to) const;  // -1: none
  bool connect(const End& from, const End& to, Tier tier);      // fills path_; false where that tier has no way
  void over(std::span<const Level> up, std::int32_t across, std::span<const Level> down);

  std::vector<End> ends_;
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> link_of_;
  std::vector<BytesPerSecond> capacities_;
  std::vector<Seconds> latencies_;
  std::vector<std::int32_t> path_;
};

}  // namespace silicast
