// One class per rank and per replica, one loop over the instants. Everything that can be recomputed is recomputed: clarity
// over speed.
#include "tests/support/sum_reference.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <limits>
#include <map>

#include "sim/serving/scheduler/scheduler.hpp"
#include "tests/support/sum_prompt_cache.hpp"

namespace silicast::testing {
namespace {

constexpr double kNoEvent = std::numeric_limits<double>::infinity();

// Units of a token, of which a sequence that decodes gets a whole number per iteration.
constexpr std::int64_t kUnits = kTokenUnits;

struct Job {
  std::int64_t index = 0;
  std::int32_t prompt = 0;
  std::int32_t output = 0;
  std::int32_t generated = 0;  // output tokens so far
  std::int32_t context = 0;    // tokens to prefill: prompt and what was generated before it last waited
  std::int32_t stored = 0;     // tokens whose KV is stored
  std::int32_t shared = 0;     // blocks of its prompt that it has in common with others
  std::int32_t growth = 0;     // tokens that the present iteration computes or keeps for it
  std::int64_t rate = 0;       // units that it gets per decode iteration
  std::int32_t begun = 0;      // generated when its decoding began
  std::int64_t units = 0;      // gained since
  std::int64_t eligible = 0;   // iteration before which it is not scheduled
  double preempted_at = kNeverSeconds;

  bool decoding() const { return stored >= context; }
  // Output tokens after one more iteration; the last may bring more than are wanted.
  std::int32_t generated_next() const {
    return static_cast<std::int32_t>(std::min<std::int64_t>(output, begun + (units + rate) / kUnits));
  }
  // Its length as attention counts it, the token of the present iteration included.
  std::int64_t length_units() const { return (std::int64_t{prompt} + begun) * kUnits + units; }
};

// The requests of one rank.
class SumRank {
 public:
  SumRank(const PoolSetup& pool, std::vector<SumRequest>& requests, const std::vector<PromptBlocks>& prompts)
      : limits_(pool.limits),
        cost_(pool.cost),
        acceptance_(pool.acceptance),
        requests_(requests),
        prompts_(prompts),
        weight_(pool.limits.prompt_block / pool.limits.block_size),
        cache_(weight_) {
    for (const auto& entry : schedulers.entries())
      if (entry.make == pool.make_scheduler) scheduler_ = entry.name;
  }

  // kNone when it is in the queue now.
  EndReason submit(std::int64_t index, const RequestSpec& spec, std::int64_t eligible) {
    if (blocks_of(spec.prompt_tokens + spec.output_tokens - 1) > limits_.blocks) return EndReason::kKvTooSmall;
    if (limits_.max_waiting > 0 && static_cast<std::int64_t>(waiting_.size()) >= limits_.max_waiting)
      return EndReason::kQueueFull;
    Job job;
    job.index = index;
    job.prompt = job.context = spec.prompt_tokens;
    job.output = spec.output_tokens;
    job.rate = acceptance_.rate_of(index, limits_.drafts);
    job.eligible = eligible;
    waiting_.push_back(job);
    return EndReason::kNone;
  }

  bool idle() const { return running_.empty(); }
  bool busy() const {  // has something in the present iteration
    return std::any_of(running_.begin(), running_.end(), [](const Job& job) { return job.growth > 0; });
  }

  // Ends the iteration and returns the requests that completed, in order.
  std::vector<std::int64_t> finish_iteration(double now) {
    std::vector<std::int64_t> completed;
    std::vector<std::int64_t> in_order;
    for (const Job& job : running_)
      if (job.decoding() && job.growth > 0) in_order.push_back(job.index);
    in_order.insert(in_order.end(), chunk_order_.begin(), chunk_order_.end());
    for (std::int64_t index : in_order) {
      const auto job = std::find_if(running_.begin(), running_.end(), [&](const Job& j) { return j.index == index; });
      if (job->decoding()) {
        job->generated = job->generated_next();
        job->units += job->rate;
        job->stored += job->growth;
        job->growth = 0;
      } else {
        job->stored += job->growth;
        job->growth = 0;
        const std::int32_t whole = whole_blocks(*job, job->stored);
        cache_.use(prompt_of(*job), job->shared, whole);
        job->shared = std::max(job->shared, whole);
        if (job->stored < job->context) continue;
        job->begun = ++job->generated;
        job->units = 0;
      }
      SumRequest& request = requests_[static_cast<std::size_t>(index)];
      if (request.first_token == kNeverSeconds) request.first_token = now;
      request.output_tokens = job->generated;
      if (job->generated < job->output) continue;
      request.state = EndState::kCompleted;
      request.end = now;
      completed.push_back(index);
      leave(*job);
      running_.erase(job);
    }
    return completed;
  }

  // What the iteration of that number computes, which begins now.
  void plan(double now, std::int64_t iteration) {
    now_ = now;
    iteration_ = iteration;
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
    take_from_cache();
  }

  BatchShape shape() const {
    BatchShape shape;
    std::int64_t units = 0, rates = 0;
    std::array<std::int64_t, kMaxReaches> limited{}, growing{};
    for (const Job& job : running_) {
      if (job.growth == 0) continue;
      if (job.decoding()) {
        ++shape.decode_sequences;
        ++shape.sampled_sequences;
        units += job.length_units();
        rates += job.rate;
        for (std::size_t i = 0; i < cost_.reaches().size(); ++i) {
          limited[i] += std::min(job.length_units(), cost_.reaches()[i] * kUnits);
          if (job.length_units() < cost_.reaches()[i] * kUnits) growing[i] += job.rate;
        }
      } else {
        ++shape.prefill_sequences;
        shape.prefill_tokens += job.growth;
        shape.prefill_attention += cost_.prefill_attention(job.growth, job.stored);
        if (job.growth > shape.largest_chunk) {
          shape.largest_chunk = job.growth;
          shape.largest_attention = cost_.prefill_attention(job.growth, job.stored);
          shape.largest_context = job.stored;
        }
        if (job.stored + job.growth == job.context) ++shape.sampled_sequences;
      }
    }
    shape.decode_kv_tokens = units / kUnits;
    shape.accepted_drafts = static_cast<double>(rates - shape.decode_sequences * kUnits) / kUnits;
    for (std::size_t i = 0; i < kMaxReaches; ++i)
      shape.limited[i] = {static_cast<double>(limited[i]) / kUnits, static_cast<double>(growing[i]) / kUnits};
    return shape;
  }

  // Blocks held, those for the tokens of the present iteration included.
  std::int64_t blocks_used() const {
    std::int64_t used = 0;
    for (const Job& job : running_) used += blocks_of(job.stored + job.growth) - job.shared * weight_;
    return used + cache_.blocks_in_use();
  }

 private:
  const PromptBlocks& prompt_of(const Job& job) const {
    static const PromptBlocks none;
    return limits_.prompt_block > 0 ? prompts_[static_cast<std::size_t>(job.index)] : none;
  }
  // With an id, within its first tokens: of its prompt, and of its answer where that is named to its end.
  std::int32_t whole_blocks(const Job& job, std::int32_t tokens) const {
    if (limits_.prompt_block == 0) return 0;
    const auto named = static_cast<std::int32_t>(prompt_of(job).size());
    const bool answer = (named - 1) * limits_.prompt_block >= job.prompt;
    return std::min((answer ? tokens : std::min(tokens, job.prompt)) / limits_.prompt_block, named);
  }
  // Out of the batch: what it has stored is there for others, until the memory is needed.
  void leave(Job& job) {
    const std::int32_t whole = whole_blocks(job, job.stored);
    cache_.use(prompt_of(job), job.shared, whole);
    job.shared = std::max(job.shared, whole);
    cache_.give_back(prompt_of(job), job.shared);
    job.shared = 0;
  }
  void take_from_cache() { cache_.keep_within(limits_.blocks - blocks_used()); }

  std::int64_t blocks_of(std::int64_t tokens) const {
    if (tokens == 0) return 0;
    return (tokens + limits_.drafts + limits_.block_size - 1) / limits_.block_size + limits_.sequence_blocks;
  }

  std::int32_t budget_left() const {
    std::int32_t left = limits_.max_batched_tokens;
    for (const Job& job : running_) {
      if (!job.decoding()) left -= job.growth;
      if (job.decoding() && decodes_) left -= 1 + limits_.drafts;
    }
    return left;
  }

  std::int32_t wanted(const Job& job) const {
    if (job.decoding()) return job.generated_next() - job.generated;
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
      while (i < running_.size() && blocks_used() > limits_.blocks) preempt_last_for(i);
      if (i < running_.size() && running_[i].growth > 0) chunk_order_.push_back(running_[i].index);
    }
  }

  void walk() {
    for (Job& job : running_) job.growth = 0;
    for (std::size_t i = 0; i < running_.size(); ++i) {
      running_[i].growth = wanted(running_[i]);
      while (i < running_.size() && blocks_used() > limits_.blocks) preempt_last_for(i);
    }
  }

  // What others took before is theirs already; what this one asks for is not there.
  void preempt_last_for(std::size_t asking) {
    const std::int32_t growth = running_[asking].growth;
    running_[asking].growth = 0;
    take_from_cache();
    running_[asking].growth = growth;
    Job job = running_.back();
    running_.pop_back();
    leave(job);
    job.context = job.prompt + job.generated;
    job.stored = job.growth = 0;
    job.preempted_at = now_;
    ++requests_[static_cast<std::size_t>(job.index)].preemptions;
    waiting_.push_front(job);
    preempted_ = true;
  }

  // Who came too late for this plan waits for the next, but nobody keeps a rank without any work waiting.
  bool front_eligible() const {
    return !waiting_.empty() && (waiting_.front().eligible <= iteration_ || running_.empty());
  }

  bool admit_chunk() {
    if (!front_eligible()) return false;
    return admit(std::min({waiting_.front().context - find(), limits_.max_chunk, budget_left()}));
  }

  bool admit_whole() {
    if (!front_eligible()) return false;
    const std::int32_t piece =
        std::min({waiting_.front().context - find(), limits_.max_chunk, limits_.max_batched_tokens});
    return piece <= budget_left() && admit(piece);
  }

  // Tokens of the first waiting context that are in the cache; the last is always computed.
  std::int32_t find() {
    take_from_cache();
    const Job& job = waiting_.front();
    return cache_.match(prompt_of(job), whole_blocks(job, job.context - 1)) * limits_.prompt_block;
  }

  bool admit(std::int32_t tokens) {
    if (static_cast<std::int32_t>(running_.size()) >= limits_.max_sequences || tokens <= 0) return false;
    Job job = waiting_.front();
    job.stored = find();
    job.shared = job.stored == 0 ? 0 : job.stored / limits_.prompt_block;
    job.growth = limits_.reserve_prompt ? job.context - job.stored : tokens;
    const SumPromptCache before = cache_;
    running_.push_back(job);
    cache_.use(prompt_of(job), 0, job.shared);
    const bool fits = blocks_used() <= limits_.blocks;
    running_.pop_back();
    if (!fits) {
      cache_ = before;
      return false;
    }
    SumRequest& request = requests_[static_cast<std::size_t>(job.index)];
    if (request.scheduled == kNeverSeconds) request.scheduled = now_;
    if (job.preempted_at != kNeverSeconds && job.generated == 0)
      request.preempted_before_first_token += now_ - job.preempted_at;
    if (request.preemptions == 0) request.cached_tokens = job.stored;
    job.growth = tokens;
    waiting_.pop_front();
    running_.push_back(job);
    chunk_order_.push_back(job.index);
    return true;
  }

  const ReplicaLimits& limits_;
  const IterationCost& cost_;
  const Acceptance& acceptance_;
  std::vector<SumRequest>& requests_;
  const std::vector<PromptBlocks>& prompts_;  // of all requests
  std::int64_t weight_;                       // blocks in a block of prompts
  SumPromptCache cache_;
  std::string_view scheduler_;
  std::deque<Job> waiting_;
  std::vector<Job> running_;               // in order of admission
  std::vector<std::int64_t> chunk_order_;  // prompts of the present batch
  double now_ = 0;
  std::int64_t iteration_ = 0;
  bool decodes_ = false;    // the present batch holds the decoding requests
  bool preempted_ = false;  // somebody, in the present plan
};

// Ranks whose iterations begin and end together.
class SumEngine {
 public:
  SumEngine(const PoolSetup& pool, std::vector<SumRequest>& requests, const std::vector<PromptBlocks>& prompts,
            SumReplica& history)
      : cost_(pool.cost), ahead_(pool.plans_ahead ? 1 : 0), history_(history) {
    for (std::int32_t rank = 0; rank < pool.ranks; ++rank) ranks_.emplace_back(pool, requests, prompts);
  }

  EndReason submit(std::size_t rank, std::int64_t index, const RequestSpec& spec) {
    SumRank& at = ranks_[rank];
    // With the plan for the next iteration made already, it is one later for ranks that have work.
    const bool waits = busy_ ? at.busy() : !at.idle();
    return at.submit(index, spec, iteration_ + (busy_ ? 1 : 0) + (waits ? ahead_ : 0));
  }

  double iteration_end() const { return busy_ ? now_ + history_.iterations.back().duration : kNoEvent; }
  bool busy() const { return busy_; }

  // Returns the requests that completed, in order of ranks.
  std::vector<std::int64_t> finish_iteration() {
    now_ = iteration_end();
    busy_ = false;
    ++iteration_;
    std::vector<std::int64_t> completed;
    for (SumRank& rank : ranks_) {
      const std::vector<std::int64_t> own = rank.finish_iteration(now_);
      completed.insert(completed.end(), own.begin(), own.end());
    }
    return completed;
  }

  // Starts the next iteration at `time` if there is work.
  void plan(double time) {
    now_ = time;
    SumIteration iteration{now_, 0, {}, 0};
    std::int64_t tokens = 0;
    std::int32_t most = 0;
    for (SumRank& rank : ranks_) {
      rank.plan(now_, iteration_);
      iteration.kv_blocks += rank.blocks_used();
      if (!rank.busy()) continue;
      busy_ = true;
      const BatchShape shape = rank.shape();
      iteration.duration = std::max(iteration.duration, cost_.line(shape).first);
      const std::int32_t own = shape.decode_sequences * cost_.query_tokens() + shape.prefill_tokens;
      tokens += own;
      most = std::max(most, own);
      add(iteration.shape, shape);
    }
    if (!busy_) return;
    if (ranks_.size() > 1) iteration.duration += cost_.shared(tokens, most);
    history_.iterations.push_back(iteration);
  }

 private:
  static void add(BatchShape& sum, const BatchShape& shape) {
    sum.decode_sequences += shape.decode_sequences;
    sum.decode_kv_tokens += shape.decode_kv_tokens;
    sum.prefill_sequences += shape.prefill_sequences;
    sum.prefill_tokens += shape.prefill_tokens;
    sum.prefill_attention += shape.prefill_attention;
    sum.sampled_sequences += shape.sampled_sequences;
    sum.accepted_drafts += shape.accepted_drafts;
    for (std::size_t i = 0; i < kMaxReaches; ++i) {
      sum.limited[i].tokens += shape.limited[i].tokens;
      sum.limited[i].growth += shape.limited[i].growth;
    }
  }

  const IterationCost& cost_;
  std::int64_t ahead_;
  SumReplica& history_;
  std::deque<SumRank> ranks_;
  double now_ = 0;
  std::int64_t iteration_ = 0;  // that have ended
  bool busy_ = false;
};

class SumCluster {
 public:
  SumCluster(const ClusterSetup& setup, const std::vector<RequestSpec>& specs, const std::vector<PromptBlocks>& prompts,
             std::int32_t block_tokens)
      : setup_(setup), specs_(specs), prompts_(prompts), block_tokens_(block_tokens) {
    std::size_t count = 0;
    for (const PoolSetup& pool : setup.pools) count += static_cast<std::size_t>(pool.replicas * pool.ranks);
    history_.requests.resize(specs.size());
    history_.replicas.resize(count);
    std::vector<std::int64_t> holds;  // KV tokens, by rank
    for (const PoolSetup& pool : setup.pools)
      for (std::int32_t i = 0; i < pool.replicas; ++i) {
        engines_.emplace_back(pool, history_.requests, prompts, history_.replicas[places_.size()]);
        for (std::int32_t rank = 0; rank < pool.ranks; ++rank) {
          places_.push_back({engines_.size() - 1, static_cast<std::size_t>(rank)});
          ways_in_.push_back(pool.way_in);
          holds.push_back((pool.limits.blocks - pool.limits.sequence_blocks) * pool.limits.block_size -
                          pool.limits.drafts);
        }
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
      while (!on_their_way_.empty() && on_their_way_.begin()->first == now) {
        const std::size_t index = on_their_way_.begin()->second;
        on_their_way_.erase(on_their_way_.begin());
        enter(index);
      }
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
    if (!on_their_way_.empty()) next = std::min(next, on_their_way_.begin()->first);
    for (const SumEngine& engine : engines_) next = std::min(next, engine.iteration_end());
    return next;
  }

  void arrive() {
    const RequestSpec& spec = specs_[next_];
    SumRequest& request = history_.requests[next_];
    if (spec.prompt_tokens + spec.output_tokens > setup_.max_context) {
      reject(next_, EndReason::kContextTooLong, spec.arrival);
      return;
    }
    auto gateway = gateways_.lower_bound(
        spec.prompt_tokens + (spec.max_output_tokens > 0 ? spec.max_output_tokens : spec.output_tokens) - 1);
    if (gateway == gateways_.end()) gateway = std::prev(gateway);
    const ReplicaId chosen = gateway->second.router->choose(
        {spec.prompt_tokens, spec.max_output_tokens, spec.request_class, known(next_)}, gateway->second.loads);
    request.replica = gateway->second.replicas[chosen.index()];
    change_load(request.replica, 1, spec.prompt_tokens);
    if (way_in(request.replica).value() > 0)
      on_their_way_.emplace(entry_of(next_).seconds(), next_);
    else
      enter(next_);
  }

  // The blocks of its prompt; of its answer nobody knows yet.
  std::span<const std::uint64_t> known(std::size_t index) const {
    if (prompts_.empty()) return {};
    const PromptBlocks& all = prompts_[index];
    const std::int32_t of_prompt = (specs_[index].prompt_tokens + block_tokens_ - 1) / block_tokens_;
    return std::span(all).first(std::min(all.size(), static_cast<std::size_t>(of_prompt)));
  }

  Seconds way_in(ReplicaId rank) const { return ways_in_[rank.index()]; }
  SimTime entry_of(std::size_t index) const { return specs_[index].arrival + way_in(history_.requests[index].replica); }

  void enter(std::size_t index) {
    const Place& place = places_[history_.requests[index].replica.index()];
    const EndReason refusal =
        engines_[place.engine].submit(place.rank, static_cast<std::int64_t>(index), specs_[index]);
    if (refusal == EndReason::kNone) return;
    reject(index, refusal, entry_of(index));
    over(static_cast<std::int64_t>(index));
  }

  void reject(std::size_t index, EndReason reason, SimTime at) {
    SumRequest& request = history_.requests[index];
    request.state = EndState::kRejected;
    request.reason = reason;
    request.end = at.seconds();
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

  struct Place {
    std::size_t engine, rank;
  };
  struct Gateway {
    std::vector<ReplicaId> replicas;  // ranks: what routers and records number
    std::vector<ReplicaLoad> loads;
    std::unique_ptr<Router> router;
  };

  const ClusterSetup& setup_;
  const std::vector<RequestSpec>& specs_;
  const std::vector<PromptBlocks>& prompts_;
  std::int32_t block_tokens_;
  SumHistory history_;
  std::map<std::int64_t, Gateway> gateways_;  // by KV tokens
  std::deque<SumEngine> engines_;
  std::vector<Place> places_;                        // by rank
  std::vector<Seconds> ways_in_;                     // by rank
  std::multimap<double, std::size_t> on_their_way_;  // requests by when they reach their queue
  std::size_t next_ = 0;                             // request to arrive
};

}  // namespace

SumHistory sum_reference(const ClusterSetup& setup, const std::vector<RequestSpec>& requests,
                         const std::vector<PromptBlocks>& blocks, std::int32_t block_tokens) {
  return SumCluster(setup, requests, blocks, block_tokens).play();
}

}  // namespace silicast::testing
