// One class per rank and per replica, one loop over the instants. Everything that can be recomputed is recomputed: clarity
// over speed.
#include "tests/support/sum_reference.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <limits>
#include <map>
#include <optional>

#include "sim/serving/scheduler/scheduler.hpp"
#include "tests/support/sum_prompt_cache.hpp"
#include "tests/support/sum_transfers.hpp"

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
  // Its context is computed by another rank; it is running here, but its KV is not; its KV has come, and it does not
  // decode yet.
  bool elsewhere = false, receiving = false, received = false;

  bool decoding() const { return stored >= context && !receiving && !received; }
  bool prefilling() const { return stored < context; }
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
    const std::int64_t longest = spec.prompt_tokens + (limits_.hands_on ? 0 : spec.output_tokens - 1);
    if (blocks_of(longest) > limits_.blocks) return EndReason::kKvTooSmall;
    if (limits_.max_waiting > 0 && static_cast<std::int64_t>(waiting_.size()) >= limits_.max_waiting)
      return EndReason::kQueueFull;
    waiting_.push_back(job_of(index, spec, eligible));
    return EndReason::kNone;
  }

  // A request whose context another rank computes; it finds a place in the queue whatever its limit.
  void submit_elsewhere(std::int64_t index, const RequestSpec& spec, std::int64_t eligible) {
    waiting_.push_back(job_of(index, spec, eligible));
    waiting_.back().elsewhere = true;
  }
  // Its KV has come, and its first token.
  void kv_arrived(std::int64_t index, std::int64_t eligible) {
    Job& job = *std::find_if(running_.begin(), running_.end(), [&](const Job& j) { return j.index == index; });
    job.receiving = job.elsewhere = false;
    job.received = true;
    job.eligible = eligible;
    job.begun = job.generated = 1;
    arrived_.push_back(index);
  }
  void release_held(std::int64_t index) {
    const auto job = std::find_if(held_.begin(), held_.end(), [&](const Job& j) { return j.index == index; });
    leave(*job);
    held_.erase(job);
    take_from_cache();
  }
  std::vector<std::int64_t> admitted_elsewhere, driven_out;  // by the last plan
  std::vector<std::int64_t> handed_on;                       // by the last iteration

  // Of the iteration in flight, with the tokens that each context will have.
  std::vector<std::pair<std::int64_t, std::int64_t>> chunks() const {
    std::vector<std::pair<std::int64_t, std::int64_t>> chunks;
    for (const std::int64_t index : chunk_order_)
      for (const Job& job : running_)
        if (job.index == index && job.output > 1) chunks.push_back({index, job.stored + job.growth});
    return chunks;
  }
  bool hands_on() const { return limits_.hands_on; }

  bool idle() const {
    return std::none_of(running_.begin(), running_.end(),
                        [](const Job& job) { return job.decoding() || job.prefilling(); });
  }
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
        if (limits_.hands_on && job->output > 1) {
          handed_on.push_back(index);
          held_.push_back(*job);
          running_.erase(job);
          continue;
        }
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
    join_received();
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
    for (const Job& job : running_) used += blocks_held(job) - job.shared * weight_;
    for (const Job& job : held_) used += blocks_held(job) - job.shared * weight_;
    return used + cache_.blocks_in_use();
  }

 private:
  Job job_of(std::int64_t index, const RequestSpec& spec, std::int64_t eligible) const {
    Job job;
    job.index = index;
    job.prompt = job.context = spec.prompt_tokens;
    job.output = spec.output_tokens;
    job.rate = acceptance_.rate_of(index, limits_.drafts);
    job.eligible = eligible;
    return job;
  }

  std::int64_t blocks_held(const Job& job) const {
    if (limits_.hands_on || job.receiving || job.received) return blocks_of(job.context);
    return blocks_of(job.stored + job.growth);
  }

  void join_received() {
    while (!arrived_.empty()) {
      Job& job =
          *std::find_if(running_.begin(), running_.end(), [&](const Job& j) { return j.index == arrived_.front(); });
      if (job.eligible > iteration_ && !idle()) return;
      job.received = false;
      job.stored = job.context;
      job.units = 0;
      arrived_.pop_front();
    }
  }

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
      if (job.prefilling()) left -= job.growth;
      if (job.decoding() && decodes_) left -= 1 + limits_.drafts;
    }
    return left;
  }

  std::int32_t wanted(const Job& job) const {
    if (job.decoding()) return job.generated_next() - job.generated;
    if (!job.prefilling()) return 0;
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
      if (!running_[i].prefilling()) continue;
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
    if (job.receiving) {
      job.receiving = false;
      job.stored = 0;
      if (std::erase(admitted_elsewhere, job.index) == 0) driven_out.push_back(job.index);
      waiting_.push_front(job);
      preempted_ = true;
      return;
    }
    if (job.received) std::erase(arrived_, job.index);
    job.received = false;
    leave(job);
    job.context = job.prompt + job.generated;
    job.stored = job.growth = 0;
    job.preempted_at = now_;
    ++requests_[static_cast<std::size_t>(job.index)].preemptions;
    waiting_.push_front(job);
    preempted_ = true;
  }

  // Who came too late for this plan waits for the next, but nobody keeps a rank without any work waiting.
  bool front_eligible() const { return !waiting_.empty() && (waiting_.front().eligible <= iteration_ || idle()); }

  bool admit_chunk() {
    if (!front_eligible()) return false;
    if (waiting_.front().elsewhere) return admit_elsewhere();
    return admit(std::min({waiting_.front().context - find(), limits_.max_chunk, budget_left()}));
  }

  bool admit_whole() {
    if (!front_eligible()) return false;
    if (waiting_.front().elsewhere) return admit_elsewhere();
    const std::int32_t piece =
        std::min({waiting_.front().context - find(), limits_.max_chunk, limits_.max_batched_tokens});
    return piece <= budget_left() && admit(piece);
  }

  bool admit_elsewhere() {
    if (static_cast<std::int32_t>(running_.size()) >= limits_.max_sequences) return false;
    Job job = waiting_.front();
    job.receiving = true;
    job.stored = job.context;
    if (blocks_used() + blocks_held(job) > limits_.blocks) return false;
    waiting_.pop_front();
    running_.push_back(job);
    admitted_elsewhere.push_back(job.index);
    return true;
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
    job.growth = limits_.reserve_prompt || limits_.hands_on ? job.context - job.stored : tokens;
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
  std::vector<Job> held_;                  // computed, until others have their KV
  std::deque<std::int64_t> arrived_;       // whose KV has come and who do not decode yet
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
      : cost_(pool.cost), crowded_(pool.crowded), ahead_(pool.plans_ahead ? 1 : 0), history_(history) {
    for (std::int32_t rank = 0; rank < pool.ranks; ++rank) ranks_.emplace_back(pool, requests, prompts);
  }

  EndReason submit(std::size_t rank, std::int64_t index, const RequestSpec& spec) {
    return ranks_[rank].submit(index, spec, next_plan(rank));
  }
  // The iteration that who comes now can be planned for.
  std::int64_t next_plan(std::size_t rank) const {
    const SumRank& at = ranks_[rank];
    // With the plan for the next iteration made already, it is one later for ranks that have work.
    const bool waits = busy_ ? at.busy() : !at.idle() && loaded;
    return iteration_ + (busy_ ? 1 : 0) + (waits ? ahead_ : 0);
  }
  SumRank& at(std::size_t rank) { return ranks_[rank]; }
  std::size_t ranks() const { return ranks_.size(); }

  bool loaded = true;  // its weights are there

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

  // Starts the next iteration at `time` if there is work; of the links to other nodes others take that share.
  void plan(double time, double taken) {
    now_ = time;
    SumIteration iteration{now_, 0, {}, 0, crowded_ && taken > 0};
    std::int64_t tokens = 0;
    std::int32_t most = 0;
    for (SumRank& rank : ranks_) {
      rank.plan(now_, iteration_);
      // Without an iteration no plan follows: what one has driven out the next may let in.
      for (int again = 0; again < 5 && rank.idle(); ++again) rank.plan(now_, iteration_);
      iteration.kv_blocks += rank.blocks_used();
      if (!rank.busy()) continue;
      busy_ = true;
      const BatchShape shape = rank.shape();
      const double own_time = cost_.line(shape).first;
      iteration.duration = std::max(iteration.duration, own_time);
      if (ranks_.size() == 1 && crowded_)
        iteration.duration += slower(taken) * (crowded_->cost.line(shape).first - own_time);
      const std::int32_t own = shape.decode_sequences * cost_.query_tokens() + shape.prefill_tokens;
      tokens += own;
      most = std::max(most, own);
      add(iteration.shape, shape);
    }
    if (!busy_) return;
    if (ranks_.size() > 1) iteration.duration += cost_.shared(tokens, most);
    if (ranks_.size() > 1 && crowded_)
      iteration.duration += slower(taken) * (crowded_->cost.shared(tokens, most) - cost_.shared(tokens, most));
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

  // How many times longer messages take, beyond once.
  static double slower(double taken) { return 1 / (1 - std::min(taken, 0.5)) - 1; }

  const IterationCost& cost_;
  const std::optional<PoolSetup::Crowded>& crowded_;
  std::int64_t ahead_;
  SumReplica& history_;
  std::deque<SumRank> ranks_;
  double now_ = 0;
  std::int64_t iteration_ = 0;  // that have ended
  bool busy_ = false;
};

// Routers over the ranks that hold enough: a gateway for every size of KV cache, which knows only those of at least that.
class SumGateways {
 public:
  // `holds`: KV tokens, by rank; below 0 for ranks that are not to be chosen.
  SumGateways(const std::vector<std::int64_t>& holds, RouterFactory* make_router, std::uint64_t seed) {
    for (const std::int64_t size : holds)
      if (size >= 0) gateways_[size];
    for (auto& [size, gateway] : gateways_) {
      for (std::size_t r = 0; r < holds.size(); ++r)
        if (holds[r] >= size) gateway.replicas.push_back({static_cast<std::int32_t>(r)});
      gateway.loads.resize(gateway.replicas.size());
      gateway.router = make_router(static_cast<std::int32_t>(gateway.replicas.size()), seed++);
    }
  }

  std::int64_t largest() const { return gateways_.rbegin()->first; }

  ReplicaId choose(const RequestSpec& spec, std::span<const std::uint64_t> prompt) {
    auto gateway = gateways_.lower_bound(
        spec.prompt_tokens + (spec.max_output_tokens > 0 ? spec.max_output_tokens : spec.output_tokens) - 1);
    if (gateway == gateways_.end()) gateway = std::prev(gateway);
    const ReplicaId chosen = gateway->second.router->choose(
        {spec.prompt_tokens, spec.max_output_tokens, spec.request_class, prompt}, gateway->second.loads);
    return gateway->second.replicas[chosen.index()];
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

 private:
  struct Gateway {
    std::vector<ReplicaId> replicas;  // ranks: what routers and records number
    std::vector<ReplicaLoad> loads;
    std::unique_ptr<Router> router;
  };
  std::map<std::int64_t, Gateway> gateways_;  // by KV tokens
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
    for (const PoolSetup& pool : setup.pools)
      for (std::int32_t i = 0; i < pool.replicas; ++i) {
        engines_.emplace_back(pool, history_.requests, prompts, history_.replicas[places_.size()]);
        for (std::int32_t rank = 0; rank < pool.ranks; ++rank)
          places_.push_back({engines_.size() - 1, static_cast<std::size_t>(rank), &pool});
      }
    if (setup.transfers) {
      transfers_.emplace(*setup.transfers);
      arrivals_.emplace(holds_of({PoolRole::kPrefill, PoolRole::kWhole}), setup.make_router, setup.seed);
      if (setup.transfers->max_local_prefill > 0)
        whole_.emplace(holds_of({PoolRole::kDecode, PoolRole::kWhole}), setup.make_router, setup.seed + 100'000);
      decoders_.emplace(holds_of({PoolRole::kDecode}), setup.make_router, setup.seed + 200'000);
    } else {
      arrivals_.emplace(holds_of({PoolRole::kWhole}), setup.make_router, setup.seed);
    }
    if (setup.weight_store) load_weights(*setup.weight_store);
  }

  SumHistory play() {
    for (double now = next_instant(); now != kNoEvent; now = next_instant()) {
      while (!on_their_way_.empty() && on_their_way_.begin()->first == now) {
        const std::size_t index = on_their_way_.begin()->second;
        on_their_way_.erase(on_their_way_.begin());
        enter(index);
      }
      for (; next_ < specs_.size() && specs_[next_].arrival.seconds() == now; ++next_) arrive();
      for (; !loads_.empty() && loads_.begin()->first == now; loads_.erase(loads_.begin()))
        engines_[loads_.begin()->second].loaded = true;
      if (transfers_)
        for (const std::int64_t index : transfers_->advance(now)) kv_arrived(index, now);
      std::vector<std::size_t> handing_on;
      for (std::size_t r = 0; r < engines_.size(); ++r)
        if (engines_[r].iteration_end() == now) {
          for (std::int64_t index : engines_[r].finish_iteration()) over(index);
          handing_on.push_back(r);
        }
      for (const std::size_t r : handing_on) hand_on(engines_[r], now);
      plan(now);
      if (transfers_) transfers_->settle(now);
    }
    return std::move(history_);
  }

 private:
  struct Place {
    std::size_t engine, rank;
    const PoolSetup* pool;
  };

  double next_instant() const {
    double next = next_ < specs_.size() ? specs_[next_].arrival.seconds() : kNoEvent;
    if (!on_their_way_.empty()) next = std::min(next, on_their_way_.begin()->first);
    if (transfers_) next = std::min(next, transfers_->next_instant());
    if (!loads_.empty()) next = std::min(next, loads_.begin()->first);
    for (const SumEngine& engine : engines_) next = std::min(next, engine.iteration_end());
    return next;
  }

  // All together from time 0, from one end to the next: each has a share of the store's bandwidth, or as much as it can
  // take of it, and what that leaves goes to the others. Ends are in whole nanoseconds, rounded up.
  void load_weights(BytesPerSecond store) {
    struct Load {
      double left, most, rate = 0;
      std::size_t engine;
    };
    std::vector<Load> loads;
    for (std::size_t place = 0; place < places_.size(); ++place)
      if (places_[place].rank == 0) {
        const WeightLoad& weights = places_[place].pool->weights;
        engines_[places_[place].engine].loaded = false;
        loads.push_back({static_cast<double>(weights.bytes), weights.bandwidth.value(), 0, places_[place].engine});
      }
    for (double now = 0; !loads.empty();) {
      std::sort(loads.begin(), loads.end(), [](const Load& a, const Load& b) { return a.most < b.most; });
      double free = store.value(), soonest = kNoEvent;
      for (std::size_t i = 0; i < loads.size(); ++i) {
        loads[i].rate = std::min(loads[i].most, free / static_cast<double>(loads.size() - i));
        free -= loads[i].rate;
        soonest = std::min(soonest, loads[i].left / loads[i].rate);
      }
      now += soonest;
      for (Load& one : loads) one.left -= one.rate * soonest;
      std::erase_if(loads, [&](const Load& one) {
        const bool over = one.left <= 1e-9 * one.rate;
        if (over) loads_.emplace(std::ceil(now * 1e9 - 1e-3) / 1e9, one.engine);
        return over;
      });
    }
  }

  // KV tokens that ranks of these roles hold.
  std::vector<std::int64_t> holds_of(std::initializer_list<PoolRole> roles) const {
    std::vector<std::int64_t> holds;
    for (const Place& place : places_) {
      const ReplicaLimits& limits = place.pool->limits;
      const bool chosen = std::find(roles.begin(), roles.end(), place.pool->role) != roles.end();
      holds.push_back(chosen ? (limits.blocks - limits.sequence_blocks) * limits.block_size - limits.drafts : -1);
    }
    return holds;
  }

  // The blocks of its prompt; of its answer nobody knows yet.
  std::span<const std::uint64_t> prompt_of(std::size_t index) const {
    if (prompts_.empty()) return {};
    const PromptBlocks& all = prompts_[index];
    const std::int32_t of_prompt = (specs_[index].prompt_tokens + block_tokens_ - 1) / block_tokens_;
    return std::span(all).first(std::min(all.size(), static_cast<std::size_t>(of_prompt)));
  }
  const Place& place_of(std::size_t index) const { return places_[history_.requests[index].replica.index()]; }

  void arrive() {
    const RequestSpec& spec = specs_[next_];
    SumRequest& request = history_.requests[next_];
    if (spec.prompt_tokens + spec.output_tokens > setup_.max_contexts[0]) {
      reject(next_, EndReason::kContextTooLong, spec.arrival);
      return;
    }
    const bool is_short = whole_ && spec.prompt_tokens <= setup_.transfers->max_local_prefill;
    request.replica = (is_short ? *whole_ : *arrivals_).choose(spec, prompt_of(next_));
    change_load(request.replica, 1, spec.prompt_tokens);
    if (place_of(next_).pool->role == PoolRole::kPrefill && spec.output_tokens > 1 &&
        spec.prompt_tokens + spec.output_tokens - 1 > decoders_->largest()) {
      reject(next_, EndReason::kKvTooSmall, spec.arrival);
      over(static_cast<std::int64_t>(next_));
    } else if (place_of(next_).pool->way_in.value() > 0) {
      on_their_way_.emplace(entry_of(next_).seconds(), next_);
    } else {
      enter(next_);
    }
  }

  SimTime entry_of(std::size_t index) const { return specs_[index].arrival + place_of(index).pool->way_in; }

  void enter(std::size_t index) {
    const Place& place = place_of(index);
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
    for (std::optional<SumGateways>* gateways : {&arrivals_, &whole_, &decoders_})
      if (*gateways) (*gateways)->change_load(replica, requests, prompt_tokens);
  }

  // ---- From prefill to decode

  void plan(double now) {
    std::vector<SumEngine*> begun;
    for (SumEngine& engine : engines_)
      if (!engine.busy() && plan(engine, now)) begun.push_back(&engine);
    if (!transfers_ || !transfers_->by_layers()) return;
    for (SumEngine* engine : begun)
      for (std::size_t rank = 0; rank < engine->ranks(); ++rank) {
        if (!engine->at(rank).hands_on()) continue;
        for (const auto& [index, tokens] : engine->at(rank).chunks()) {
          expect_elsewhere(index);
          transfers_->computing(index, tokens, engine->iteration_end(), now);
        }
      }
    // Whoever has nothing to compute takes up at once what has been announced.
    for (SumEngine& engine : engines_)
      if (!engine.busy()) plan(engine, now);
  }

  bool plan(SumEngine& engine, double now) {
    if (!engine.loaded) return false;
    engine.plan(now, taken_of(engine));
    for (std::size_t i = 0; i < engine.ranks(); ++i) {
      SumRank& rank = engine.at(i);
      for (const std::int64_t index : std::exchange(rank.driven_out, {})) transfers_->memory(index, false, now);
      for (const std::int64_t index : std::exchange(rank.admitted_elsewhere, {})) transfers_->memory(index, true, now);
    }
    return engine.busy();
  }

  double taken_of(const SumEngine& engine) const {
    double taken = 0;
    for (std::size_t place = 0; place < places_.size(); ++place)
      if (const auto& crowded = places_[place].pool->crowded;
          crowded && transfers_ && &engines_[places_[place].engine] == &engine)
        taken = std::max(taken, transfers_->taken(static_cast<std::int32_t>(place), crowded->tier));
    return taken;
  }

  void expect_elsewhere(std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    if (decoded_at_.count(index) > 0) return;
    const ReplicaId chosen = decoders_->choose(specs_[i], prompt_of(i));
    decoded_at_[index] = chosen;
    change_load(chosen, 1, specs_[i].prompt_tokens);
    const Place& place = places_[chosen.index()];
    transfers_->expect(index, history_.requests[i].replica.value, chosen.value, place.pool->kv);
    SumEngine& engine = engines_[place.engine];
    engine.at(place.rank).submit_elsewhere(index, specs_[i], engine.next_plan(place.rank));
  }

  void hand_on(SumEngine& engine, double now) {
    for (std::size_t rank = 0; rank < engine.ranks(); ++rank)
      for (const std::int64_t index : std::exchange(engine.at(rank).handed_on, {})) {
        expect_elsewhere(index);
        SumRequest& request = history_.requests[static_cast<std::size_t>(index)];
        const std::int32_t prompt = specs_[static_cast<std::size_t>(index)].prompt_tokens;
        change_load(request.replica, -1, -prompt);
        request.prefilled = now;
        request.prefill_replica = request.replica;
        request.replica = decoded_at_[index];
        transfers_->computed(index, prompt, now);
      }
  }

  void kv_arrived(std::int64_t index, double now) {
    SumRequest& request = history_.requests[static_cast<std::size_t>(index)];
    const Place &from = places_[request.prefill_replica.index()], &to = places_[request.replica.index()];
    engines_[from.engine].at(from.rank).release_held(index);
    SumEngine& engine = engines_[to.engine];
    engine.at(to.rank).kv_arrived(index, engine.next_plan(to.rank));
    request.first_token = now;
    request.output_tokens = 1;
  }

  const ClusterSetup& setup_;
  const std::vector<RequestSpec>& specs_;
  const std::vector<PromptBlocks>& prompts_;
  std::int32_t block_tokens_;
  SumHistory history_;
  std::optional<SumGateways> arrivals_, whole_, decoders_;
  std::optional<SumTransfers> transfers_;
  std::map<std::int64_t, ReplicaId> decoded_at_;  // by request
  std::deque<SumEngine> engines_;
  std::vector<Place> places_;                        // by rank
  std::multimap<double, std::size_t> on_their_way_;  // requests by when they reach their queue
  std::multimap<double, std::size_t> loads_;         // engines by when their weights are there
  std::size_t next_ = 0;                             // request to arrive
};

}  // namespace

SumHistory sum_reference(const ClusterSetup& setup, const std::vector<RequestSpec>& requests,
                         const std::vector<PromptBlocks>& blocks, std::int32_t block_tokens) {
  return SumCluster(setup, requests, blocks, block_tokens).play();
}

}  // namespace silicast::testing
