// Where the longest beginning of the prompt went last, if that is a good part of it and the replica has not far more to
// do than the least loaded; else to the least loaded. The gateway sees what it sent, not what replicas keep: its view
// may be stale, as that of SGLang's router or llm-d's is. The thresholds have the form of SGLang's router (as
// remembered: 0.3 of the prompt, 1.5 times, and a count, which is 32 there for servers of hundreds of requests).
#include <vector>

#include "sim/serving/router/min_index.hpp"
#include "sim/serving/router/router.hpp"

namespace silicast {
namespace {

constexpr std::size_t kSeen = std::size_t{1} << 20;  // blocks of prompts that are remembered, at most
constexpr double kLeastShare = 0.3;                  // of the prompt: most begin with the same instructions
constexpr std::int64_t kMoreRequests = 4;            // than the least loaded has, at which affinity ends

class PrefixAffinity final : public Router {
 public:
  explicit PrefixAffinity(std::int32_t replicas) : index_(replicas) {}

  ReplicaId choose(const RequestView& request, std::span<const ReplicaLoad> loads) override {
    const ReplicaId least{index_.smallest()};
    if (request.blocks.empty()) return least;
    if (seen_.empty()) seen_.resize(kSeen);
    ReplicaId chosen = least;
    const auto enough = static_cast<std::size_t>(kLeastShare * static_cast<double>(request.blocks.size()));
    for (std::size_t i = request.blocks.size(); i-- > enough;) {
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
