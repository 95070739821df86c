// Where the longest beginning of the prompt went last, unless that replica has far more to do than the least loaded;
// then, and where nothing is known, to the least loaded. The gateway sees what it sent, not what replicas keep: its
// view may be stale, as that of SGLang's router or llm-d's is. Balance by two thresholds like those of SGLang's router
// (as remembered), in requests: 1.5 times and a count; its count of 32 is for servers of hundreds of requests.
#include <vector>

#include "sim/serving/router/min_index.hpp"
#include "sim/serving/router/router.hpp"

namespace silicast {
namespace {

constexpr std::size_t kSeen = std::size_t{1} << 20;  // blocks of prompts that are remembered, at most
constexpr std::int64_t kMoreRequests = 8;            // than the least loaded has, at which affinity ends

class PrefixAffinity final : public Router {
 public:
  explicit PrefixAffinity(std::int32_t replicas) : index_(replicas) {}

  ReplicaId choose(const RequestView& request, std::span<const ReplicaLoad> loads) override {
    const ReplicaId least{index_.smallest()};
    if (request.blocks.empty()) return least;
    if (seen_.empty()) seen_.resize(kSeen);
    ReplicaId chosen = least;
    for (std::size_t i = request.blocks.size(); i-- > 0;) {
      const Seen& seen = seen_[place_of(request.blocks[i])];
      if (seen.block != request.blocks[i] || !seen.replica.valid()) continue;
      if (balanced(loads[seen.replica.index()].requests, loads[least.index()].requests)) chosen = seen.replica;
      break;
    }
    for (const std::uint64_t block : request.blocks) seen_[place_of(block)] = {block, chosen};
    return chosen;
  }
  void load_changed(ReplicaId replica, const ReplicaLoad& load) override { index_.set(replica.value, load.requests); }

 private:
  // One place for each block: another one that falls on it takes it over.
  struct Seen {
    std::uint64_t block = 0;
    ReplicaId replica;
  };
  static std::size_t place_of(std::uint64_t block) { return block * 0x9e3779b97f4a7c15ULL >> 44; }  // Fibonacci hashing
  static_assert(kSeen == std::size_t{1} << (64 - 44));

  static bool balanced(std::int64_t requests, std::int64_t least) {
    return requests <= least + kMoreRequests || 2 * requests <= 3 * least;
  }

  MinIndex index_;
  std::vector<Seen> seen_;
};

}  // namespace

std::unique_ptr<Router> make_prefix_affinity(std::int32_t replicas, std::uint64_t) {
  return std::make_unique<PrefixAffinity>(replicas);
}

}  // namespace silicast
