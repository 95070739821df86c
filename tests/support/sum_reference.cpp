// One class per replica, one loop over the instants. Everything that can be recomputed is recomputed: clarity
// over speed.
#include "tests/support/sum_reference.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <limits>
#include <map>

#include "sim/serving/scheduler/scheduler.hpp"

namespace silicast::testing {
namespace {

constexpr double kNoEvent = std::numeric_limits<double>::infinity();

struct Job {
  std::int64_t index = 0;
  std::int32_t prompt = 0;
  std::int32_t output = 0;
  std::int32_t generated = 0;  // output tokens so far
  std::int32_t context = 0;    // tokens to prefill: prompt and what was generated before it last waited
  std::int32_t stored = 0;     // tokens whose KV is stored
  std::int32_t growth = 0;     // tokens that the present iteration computes for it
  double preempted_at = kNeverSeconds;

  bool decoding() const { return stored >= context; }
};

class SumEngine {
 public:
  SumEngine(const PoolSetup& pool, std::vector<SumRequest>& requests, SumReplica& history)
      : limits_(pool.limits), cost_(pool.cost), requests_(requests), history_(history) {
    for (const auto& entry : schedulers.entries())
      if (entry.make == pool.make_scheduler) scheduler_ = entry.name;
  }

  // kNone when it is in the queue now.
  EndReason submit(std::int64_t index, const RequestSpec& spec) {
    if (blocks_of(spec.prompt_tokens + spec.output_tokens - 1) > limits_.blocks) return EndReason::kKvTooSmall;
    if (limits_.max_waiting > 0 && static_cast<std::int64_t>(waiting_.size()) >= limits_.max_waiting)
      return EndReason::kQueueFull;
    Job job;
    job.index = index;
    job.prompt = job.context = spec.prompt_tokens;
    job.output = spec.output_tokens;
    waiting_.push_back(job);
    return EndReason::kNone;
  }

  double iteration_end() const { return busy_ ? now_ + history_.iterations.back().duration : kNoEvent; }

  // Ends the iteration and returns the requests that completed, in order.
  std::vector<std::int64_t> finish_iteration() {
    now_ = iteration_end();
    busy_ = false;
    std::vector<std::int64_t> completed;
    std::vector<std::int64_t> in_order;
    for (const Job& job : running_)
      if (job.decoding() && job.growth > 0) in_order.push_back(job.index);
    in_order.insert(in_order.end(), chunk_order_.begin(), chunk_order_.end());
    for (std::int64_t index : in_order) {
      const auto job = std::find_if(running_.begin(), running_.end(), [&](const Job& j) { return j.index == index; });
      job->stored += job->growth;
      job->growth = 0;
      if (job->stored < job->context) continue;
      ++job->generated;
      SumRequest& request = requests_[static_cast<std::size_t>(index)];
      if (job->generated == 1) request.first_token = now_;
      request.output_tokens = job->generated;
      if (job->generated < job->output) continue;
      request.state = EndState::kCompleted;
      request.end = now_;
      completed.push_back(index);
      running_.erase(job);
    }
    return completed;
  }

  // Starts the next iteration at `time` if there is work.
  void plan(double time) {
    now_ = time;
    preempted_ = false;
    decodes_ = false;
    chunk_order_.clear();
    for (Job& job : running_) job.growth = 0;
    if (scheduler_ == "chunked") {
      continue_running();
      while (!preempted_ && admit_chunk()) {
      }
    } else {
      if (scheduler_ == "prefill_first") continue_prompts();
      if (scheduler_ == "prefill_first" || running_.empty())
        while (!preempted_ && admit_whole()) {
        }
      if (chunk_order_.empty()) continue_running();
    }
    if (!running_.empty()) start_iteration();
  }

  bool busy() const { return busy_; }

 private:
  std::int64_t blocks_of(std::int64_t tokens) const { return (tokens + limits_.block_size - 1) / limits_.block_size; }

  // Blocks held, those for the tokens of the present iteration included.
  std::int64_t blocks_used() const {
    std::int64_t used = 0;
    for (const Job& job : running_) used += blocks_of(job.stored + job.growth);
    return used;
  }

  std::int32_t budget_left() const {
    std::int32_t left = limits_.max_batched_tokens;
    for (const Job& job : running_) {
      if (!job.decoding()) left -= job.growth;
      if (job.decoding() && decodes_) left -= 1;
    }
    return left;
  }

  std::int32_t wanted(const Job& job) const {
    if (job.decoding()) return 1;
    return std::min({job.context - job.stored, limits_.max_chunk, budget_left()});
  }

  void continue_running() {
    decodes_ = true;
    for (Job& job : running_) job.growth = wanted(job);
    if (blocks_used() > limits_.blocks) walk();
    for (const Job& job : running_)
      if (!job.decoding() && job.growth > 0) chunk_order_.push_back(job.index);
  }

  void continue_prompts() {
    for (std::size_t i = 0; i < running_.size(); ++i) {
      if (running_[i].decoding()) continue;
      running_[i].growth = wanted(running_[i]);
      while (i < running_.size() && blocks_used() > limits_.blocks) preempt_last();
      if (i < running_.size() && running_[i].growth > 0) chunk_order_.push_back(running_[i].index);
    }
  }

  void walk() {
    for (Job& job : running_) job.growth = 0;
    for (std::size_t i = 0; i < running_.size(); ++i) {
      running_[i].growth = wanted(running_[i]);
      while (i < running_.size() && blocks_used() > limits_.blocks) preempt_last();
    }
  }

  void preempt_last() {
    Job job = running_.back();
    running_.pop_back();
    job.context = job.prompt + job.generated;
    job.stored = job.growth = 0;
    job.preempted_at = now_;
    ++requests_[static_cast<std::size_t>(job.index)].preemptions;
    waiting_.push_front(job);
    preempted_ = true;
  }

  bool admit_chunk() {
    if (waiting_.empty()) return false;
    return admit(std::min({waiting_.front().context, limits_.max_chunk, budget_left()}));
  }

  bool admit_whole() {
    if (waiting_.empty()) return false;
    const std::int32_t piece = std::min({waiting_.front().context, limits_.max_chunk, limits_.max_batched_tokens});
    return piece <= budget_left() && admit(piece);
  }

  bool admit(std::int32_t tokens) {
    if (static_cast<std::int32_t>(running_.size()) >= limits_.max_sequences || tokens <= 0) return false;
    Job job = waiting_.front();
    const std::int32_t needed = limits_.reserve_prompt ? job.context : tokens;
    if (blocks_of(needed) > limits_.blocks - blocks_used()) return false;
    SumRequest& request = requests_[static_cast<std::size_t>(job.index)];
    if (request.scheduled == kNeverSeconds) request.scheduled = now_;
    if (job.preempted_at != kNeverSeconds && job.generated == 0)
      request.preempted_before_first_token += now_ - job.preempted_at;
    job.growth = tokens;
    waiting_.pop_front();
    running_.push_back(job);
    chunk_order_.push_back(job.index);
    return true;
  }

  void start_iteration() {
    BatchShape shape;
    for (const Job& job : running_) {
      if (job.growth == 0) continue;
      if (job.decoding()) {
        ++shape.decode_sequences;
        ++shape.sampled_sequences;
        shape.decode_kv_tokens += job.stored + 1;
      } else {
        ++shape.prefill_sequences;
        shape.prefill_tokens += job.growth;
        shape.prefill_attention += cost_.prefill_attention(job.growth, job.stored);
        if (job.growth > shape.largest_chunk) {
          shape.largest_chunk = job.growth;
          shape.largest_attention = cost_.prefill_attention(job.growth, job.stored);
        }
        if (job.stored + job.growth == job.context) ++shape.sampled_sequences;
      }
    }
    history_.iterations.push_back({now_, cost_.line(shape).first, shape, blocks_used()});
    busy_ = true;
  }

  const ReplicaLimits& limits_;
  const IterationCost& cost_;
  std::vector<SumRequest>& requests_;
  SumReplica& history_;
  std::string_view scheduler_;
  std::deque<Job> waiting_;
  std::vector<Job> running_;               // in order of admission
  std::vector<std::int64_t> chunk_order_;  // prompts of the present batch
  double now_ = 0;
  bool busy_ = false;
  bool decodes_ = false;    // the present batch holds the decoding requests
  bool preempted_ = false;  // somebody, in the present plan
};

class SumCluster {
 public:
  SumCluster(const ClusterSetup& setup, const std::vector<RequestSpec>& specs) : setup_(setup), specs_(specs) {
    std::size_t count = 0;
    for (const PoolSetup& pool : setup.pools) count += static_cast<std::size_t>(pool.replicas);
    history_.requests.resize(specs.size());
    history_.replicas.resize(count);
    std::vector<std::int64_t> holds;  // KV tokens, by replica
    for (const PoolSetup& pool : setup.pools)
      for (std::int32_t i = 0; i < pool.replicas; ++i) {
        engines_.emplace_back(pool, history_.requests, history_.replicas[engines_.size()]);
        holds.push_back(pool.limits.blocks * pool.limits.block_size);
      }
    // A gateway for every size of KV cache, which knows only the replicas that have at least that much.
    for (std::size_t r = 0; r < holds.size(); ++r) gateways_[holds[r]];
    std::uint64_t seed = setup.seed;
    for (auto& [size, gateway] : gateways_) {
      for (std::size_t r = 0; r < holds.size(); ++r)
        if (holds[r] >= size) gateway.replicas.push_back({static_cast<std::int32_t>(r)});
      gateway.loads.resize(gateway.replicas.size());
      gateway.router = setup.make_router(static_cast<std::int32_t>(gateway.replicas.size()), seed++);
    }
  }

  SumHistory play() {
    for (double now = next_instant(); now != kNoEvent; now = next_instant()) {
      for (; next_ < specs_.size() && specs_[next_].arrival.seconds() == now; ++next_) arrive();
      for (std::size_t r = 0; r < engines_.size(); ++r)
        if (engines_[r].iteration_end() == now)
          for (std::int64_t index : engines_[r].finish_iteration()) over(index);
      for (SumEngine& engine : engines_)
        if (!engine.busy()) engine.plan(now);
    }
    return std::move(history_);
  }

 private:
  double next_instant() const {
    double next = next_ < specs_.size() ? specs_[next_].arrival.seconds() : kNoEvent;
    for (const SumEngine& engine : engines_) next = std::min(next, engine.iteration_end());
    return next;
  }

  void arrive() {
    const RequestSpec& spec = specs_[next_];
    SumRequest& request = history_.requests[next_];
    EndReason refusal = EndReason::kContextTooLong;
    if (spec.prompt_tokens + spec.output_tokens <= setup_.max_context) {
      auto gateway = gateways_.lower_bound(
          spec.prompt_tokens + (spec.max_output_tokens > 0 ? spec.max_output_tokens : spec.output_tokens) - 1);
      if (gateway == gateways_.end()) gateway = std::prev(gateway);
      const ReplicaId chosen = gateway->second.router->choose(
          {spec.prompt_tokens, spec.max_output_tokens, spec.request_class}, gateway->second.loads);
      request.replica = gateway->second.replicas[chosen.index()];
      change_load(request.replica, 1, spec.prompt_tokens);
      refusal = engines_[request.replica.index()].submit(static_cast<std::int64_t>(next_), spec);
    }
    if (refusal == EndReason::kNone) return;
    request.state = EndState::kRejected;
    request.reason = refusal;
    request.end = spec.arrival.seconds();
    if (request.replica.valid()) over(static_cast<std::int64_t>(next_));
  }

  void over(std::int64_t index) {
    const ReplicaId replica = history_.requests[static_cast<std::size_t>(index)].replica;
    history_.replicas[replica.index()].ended.push_back(index);
    change_load(replica, -1, -specs_[static_cast<std::size_t>(index)].prompt_tokens);
  }

  void change_load(ReplicaId replica, std::int32_t requests, std::int64_t prompt_tokens) {
    for (auto& [size, gateway] : gateways_)
      for (std::size_t i = 0; i < gateway.replicas.size(); ++i) {
        if (gateway.replicas[i] != replica) continue;
        gateway.loads[i].requests += requests;
        gateway.loads[i].prompt_tokens += prompt_tokens;
        gateway.router->load_changed({static_cast<std::int32_t>(i)}, gateway.loads[i]);
      }
  }

  struct Gateway {
    std::vector<ReplicaId> replicas;
    std::vector<ReplicaLoad> loads;
    std::unique_ptr<Router> router;
  };

  const ClusterSetup& setup_;
  const std::vector<RequestSpec>& specs_;
  SumHistory history_;
  std::map<std::int64_t, Gateway> gateways_;  // by KV tokens
  std::deque<SumEngine> engines_;
  std::size_t next_ = 0;  // request to arrive
};

}  // namespace

SumHistory sum_reference(const ClusterSetup& setup, const std::vector<RequestSpec>& requests) {
  return SumCluster(setup, requests).play();
}

}  // namespace silicast::testing
