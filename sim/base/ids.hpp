// Id<Tag>: an index into one particular table; ids of different tables do not mix.
#pragma once

#include <compare>
#include <cstdint>

namespace silicast {

template <class Tag>
struct Id {
  std::int32_t value = -1;

  constexpr auto operator<=>(const Id&) const = default;
  constexpr bool valid() const { return value >= 0; }
  constexpr std::size_t index() const { return static_cast<std::size_t>(value); }
};

using ReplicaId = Id<struct ReplicaTag>;  // replica of the whole cluster, numbered through all pools
using PoolId = Id<struct PoolTag>;
using ClassId = Id<struct ClassTag>;        // request class with its own targets
using RequestSlot = Id<struct RequestTag>;  // slot of a live request; reused after it ended

}  // namespace silicast
