#include "sim/run/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "sim/base/fingerprint.hpp"
#include "sim/io/quantity_text.hpp"
#include "sim/report/recorder.hpp"
#include "sim/report/result_file.hpp"
#include "sim/run/cost_inputs.hpp"
#include "sim/run/disaggregation.hpp"
#include "sim/run/fleet.hpp"
#include "sim/run/read_perf.hpp"
#include "sim/run/read_tiers.hpp"
#include "sim/run/version.hpp"
#include "workloads/recording_source.hpp"

namespace silicast {
namespace {

// Everything that listens to a run, called without indirection: the report's share of the hot path.
class RunObserver final : public ServingObserver {
 public:
  RunObserver(RunFacts facts, ServingObserver* listener) : recorder_(std::move(facts)), listener_(listener) {}

  void request_arrived(SimTime now, std::int64_t in_system) override {
    recorder_.request_arrived(now, in_system);
    if (listener_) listener_->request_arrived(now, in_system);
  }
  void arrivals_ended(SimTime now) override {
    recorder_.arrivals_ended(now);
    if (listener_) listener_->arrivals_ended(now);
  }
  void request_ended(const RequestRecord& record) override {
    for (const std::int64_t word :
         {record.index, record.arrival.ns, record.scheduled.ns, record.first_token.ns, record.end.ns,
          std::int64_t{record.output_tokens} << 32 | record.preemptions,
          std::int64_t{record.replica.value} << 32 | static_cast<std::int64_t>(record.state) << 8 |
              static_cast<std::int64_t>(record.reason)})
      fingerprint_.add(static_cast<std::uint64_t>(word));
    if (record.prefilled != SimTime::never()) fingerprint_.add(static_cast<std::uint64_t>(record.prefilled.ns));
    output_tokens_ += record.output_tokens;
    recorder_.request_ended(record);
    if (file_) file_->request_ended(record);
    if (listener_) listener_->request_ended(record);
  }
  void sampled(SimTime now, std::span<const PoolSample> pools) override {
    if (file_) file_->sampled(now, pools);
    if (listener_) listener_->sampled(now, pools);
  }
  void run_ended(const RunRecord& run) override {
    iterations_ += run.iterations;
    recorder_.run_ended(run);
    if (listener_) listener_->run_ended(run);
  }
  void token_gap(PoolId pool, Seconds gap, std::int64_t count) override {
    recorder_.token_gap(pool, gap, count);
    if (listener_) listener_->token_gap(pool, gap, count);
  }

  void write_to(std::unique_ptr<ResultFile> file) { file_ = std::move(file); }
  ResultFile* file() { return file_.get(); }
  Recorder& recorder() { return recorder_; }
  std::uint64_t fingerprint() const { return fingerprint_.value(); }
  std::int64_t iterations() const { return iterations_; }
  std::int64_t output_tokens() const { return output_tokens_; }

 private:
  Recorder recorder_;
  ServingObserver* listener_;
  std::unique_ptr<ResultFile> file_;
  Fingerprint fingerprint_;
  std::int64_t iterations_ = 0;
  std::int64_t output_tokens_ = 0;
};

// Of the figures that the durations of a pool's iterations follow from.
Grade weakest_of(const PoolScenario& pool) {
  const bool talks = pool.plan.chips() > 1;
  Calibration calibration = pool.calibration;
  Grade weakest = std::max(
      {pool.chip.memory_bandwidth.grade, pool.engine.host.per_iteration.grade, pool.engine.host.per_sequence.grade});
  for (const CalibrationField& field : fields_of(calibration)) {
    if ((field.group == "collective" && !talks) || (field.group == "experts" && !pool.replica.model.mixture()))
      continue;
    if (measures(pool, field.group)) continue;
    weakest = std::max(weakest, field.evidence->grade);
  }
  if (const Evidence* peak = pool.chip.peak_of(pool.precision.activations)) weakest = std::max(weakest, peak->grade);
  if (pool.role == PoolRole::kDecode)
    weakest = std::max({weakest, pool.engine.transfer.start.grade, pool.engine.transfer.efficiency.grade});
  if (!talks) return weakest;
  return std::max({weakest, pool.node.scale_up.link.bandwidth.grade, pool.node.scale_up.link.latency.grade});
}

PoolFacts pool_facts(const Scenario& scenario, const PoolScenario& pool, const WorkRates& work) {
  PoolFacts facts;
  facts.name = pool.name;
  facts.chip = pool.chip.name;
  facts.badge = pool.badge;
  facts.replicas = pool.replicas;
  facts.chips_per_replica = pool.plan.chips();
  facts.unused_chips = pool.nodes * pool.node.chips - pool.replicas * pool.plan.chips();
  facts.work = work;
  facts.kv_blocks = pool.kv_blocks;
  facts.tdp = pool.chip.tdp;
  if (scenario.prices) {
    facts.shares = scenario.prices->sheet.power;
    facts.server_factor = scenario.prices->sheet.server_power_of(pool.node.name);
    facts.default_power = false;
  }
  return facts;
}

// Each chip loads its own part, over its own link to its host.
WeightLoad weight_load(const PoolScenario& pool) {
  Bytes weights;
  for (const StageMemory& stage : pool.memory.stages) weights += stage.weights * pool.plan.ranks();
  return {static_cast<std::int64_t>(weights.value()), BytesPerSecond(pool.node.host_link->value * pool.plan.chips())};
}

}  // namespace

PoolSetup pool_setup(const Scenario& scenario, const PoolScenario& pool, WorkRates& work) {
  const EngineLimits limits = pool.engine.limits();
  PoolSetup setup;
  setup.role = pool.role;
  setup.model = pool.model;
  setup.overflow_after = pool.overflow_after;
  setup.kv = kv_size(pool);
  if (scenario.weight_store) setup.weights = weight_load(pool);
  setup.limits.hands_on = pool.role == PoolRole::kPrefill;
  setup.replicas = pool.replicas;
  setup.ranks = pool.plan.data;
  setup.limits.max_sequences = limits.max_sequences;
  setup.limits.max_batched_tokens = limits.max_batched_tokens;
  setup.limits.max_chunk = limits.max_chunk > 0 ? limits.max_chunk : limits.max_batched_tokens;
  setup.limits.max_waiting = limits.max_waiting;
  setup.limits.block_size = limits.block_size;
  setup.limits.blocks = pool.kv_blocks;
  setup.limits.sequence_blocks = pool.memory.sequence_blocks;
  setup.limits.reserve_prompt = limits.reserve_prompt;
  setup.limits.drafts = pool.speculation.tokens;
  setup.acceptance = {pool.speculation.accepted.value, pool.speculation.spread.value, scenario.seed};
  setup.plans_ahead = pool.engine.host.plans_ahead;
  setup.way_in = Seconds(pool.engine.host.per_request.value);
  setup.make_scheduler = pool.scheduler->make;
  CompiledCost compiled = compile_cost(pool.replica, limits.max_batched_tokens, limits.max_sequences);
  setup.cost = std::move(compiled.cost);
  if (const auto tier = tier_between_nodes(pool.replica); tier && pool.role != PoolRole::kWhole)
    setup.crowded.emplace(
        compile_cost(crowded_setup(pool.replica), limits.max_batched_tokens, limits.max_sequences).cost, *tier);
  work = compiled.work;
  return setup;
}

struct Simulation::Parts {
  Parts(const Scenario& of, const SimulationOptions& options)
      : scenario(of),
        workload(make_workload(*of.workload, of.workload_context)),
        arrivals(record_arrivals(options)),
        facts(facts_and_setup(options)),
        observer(facts, options.listener) {
    cluster = std::make_unique<Cluster>(std::move(setup), *workload.source, observer);
    if (!options.output_file.empty()) open_file(options);
  }

  // Between the workload and the cluster, where a file is named for them.
  RecordingSource* record_arrivals(const SimulationOptions& options) {
    if (options.arrivals_file.empty()) return nullptr;
    const auto* format = trace_writer_by_ending(options.arrivals_file);
    if (format == nullptr)
      throw InputError(fmt::format("--write-arrivals {}: in which format? its name must end in .h5, .csv or .jsonl",
                                   options.arrivals_file));
    // One that is there may be the trace that the scenario reads.
    namespace fs = std::filesystem;
    std::error_code ignored;
    const auto whole = [](const std::string& file) { return fs::absolute(file).lexically_normal(); };
    if (!options.output_file.empty() && whole(options.output_file) == whole(options.arrivals_file))
      throw InputError(
          fmt::format("--write-arrivals {}: is the result file, too; give another name", options.arrivals_file));
    if (fs::exists(fs::symlink_status(options.arrivals_file, ignored)))
      throw InputError(fmt::format("--write-arrivals {}: exists already; give another name", options.arrivals_file));
    TraceShape shape{workload.source->block_tokens(), {}, true, false};
    if (scenario.classes.size() > 1) shape.class_names = scenario.workload_context.class_names;
    auto recording =
        std::make_unique<RecordingSource>(std::move(workload.source), format->make(options.arrivals_file, shape));
    RecordingSource* recorder = recording.get();
    workload.source = std::move(recording);
    return recorder;
  }

  // Last of all, so that no other error leaves a file.
  void open_file(const SimulationOptions& options) {
    try {
      const RunIdentity identity{scenario.name, scenario.resolved, scenario.seed, std::string(version()),
                                 std::string(git_hash())};
      const ResultFileOptions choices{scenario.output.requests, scenario.output.series.value() > 0};
      observer.write_to(std::make_unique<ResultFile>(options.output_file, identity, facts, choices));
    } catch (const InputError& error) {
      if (scenario.output.at && scenario.output.file == options.output_file) scenario.output.at->fail(error.what());
      throw;
    }
  }

  RunFacts facts_and_setup(const SimulationOptions& options) {
    RunFacts run;
    run.name = scenario.name;
    run.classes = scenario.classes;
    run.window = scenario.window;
    run.tiers = tier_names(scenario);
    for (const PoolScenario& pool : scenario.pools) {
      WorkRates work;
      setup.pools.push_back(pool_setup(scenario, pool, work));
      if (shares_prompts(pool)) setup.pools.back().limits.prompt_block = workload.source->block_tokens();
      setup.pools.back().tiers = tiers_setup(pool, run.tiers, workload.source->block_tokens());
      run.pools.push_back(pool_facts(scenario, pool, work));
    }
    for (const ModelSpec& model : scenario.models) {
      run.models.push_back(model.name);
      setup.max_contexts.push_back(max_context_of(scenario, model));
    }
    for (const ClassFacts& one : scenario.classes) setup.class_models.push_back(one.model);
    if (scenario.disaggregation) setup.transfers = transfer_setup(scenario);
    run.transfers = scenario.disaggregation.has_value();
    setup.weight_store = scenario.weight_store;
    setup.make_router = scenario.router->make;
    setup.seed = scenario.seed;
    setup.leap = options.leap;
    if (scenario.until) setup.horizon = SimTime{} + *scenario.until;
    setup.sample_interval = options.output_file.empty() ? options.sample_interval : scenario.output.series;
    return run;
  }

  const Scenario scenario;
  ClusterSetup setup;  // filled by facts_and_setup, then moved into the cluster
  Workload workload;
  RecordingSource* arrivals;  // the workload's source, or nullptr
  RunFacts facts;
  RunObserver observer;
  std::unique_ptr<Cluster> cluster;
};

Simulation::Simulation(const Scenario& scenario, const SimulationOptions& options)
    : parts_(std::make_unique<Parts>(scenario, options)) {}
Simulation::~Simulation() = default;
Simulation::Simulation(Simulation&&) noexcept = default;

bool Simulation::advance(std::uint64_t events) {
  try {
    return parts_->cluster->run(events);
  } catch (const OutputError&) {
    throw;  // what was written so far can be recovered
  } catch (const InputError&) {
    // A trace that goes bad after its start: what was written so far is of no use to anybody.
    if (parts_->observer.file() != nullptr) parts_->observer.file()->abandon();
    throw;
  }
}
double Simulation::now_seconds() const {
  return parts_->cluster->now().seconds();
}
std::int64_t Simulation::arrived() const {
  return parts_->cluster->arrived();
}
std::int64_t Simulation::in_system() const {
  return parts_->cluster->in_system();
}

RunResult Simulation::finish() {
  Parts& parts = *parts_;
  RunResult result;
  result.summary = parts.observer.recorder().summarize(parts.cluster->now());
  if (parts.scenario.prices) result.summary.cost = cost_of(cost_inputs(parts.scenario, result.summary));
  for (const std::string& note : parts.scenario.notes) result.summary.notes.push_back(note);
  const auto without_effect = [&](const std::string& key) { result.summary.notes.push_back("without effect: " + key); };
  for (const std::string& key : parts.scenario.without_effect) without_effect(key);
  if (const KvTiers* tiers = parts.cluster->tiers())
    for (std::string& note : notes_on_tiers(parts.scenario, *tiers, parts.workload.source->block_tokens()))
      result.summary.notes.push_back(std::move(note));
  if (const WeightLoads* loads = parts.cluster->weight_loads())
    result.summary.notes.push_back(
        loads->bytes() == 0 ? "weights: no replica had loaded its own before the run ended"
                            : fmt::format("weights: {} were loaded by {}",
                                          format_quantity(static_cast<double>(loads->bytes()), Dimension::kBytes),
                                          format_quantity(loads->loaded_by().seconds(), Dimension::kTime)));
  if (parts.scenario.until && parts.cluster->now().seconds() < parts.scenario.until->value())
    without_effect("until: the run ended before");
  for (const GroupSummary& one : result.summary.classes)
    if (std::accumulate(one.states.begin(), one.states.end(), std::int64_t{0}) == 0)
      without_effect(fmt::format("classes.{}: no request is of this class", one.name));
  result.fingerprint = parts.observer.fingerprint();
  result.summary.version = version();
  result.summary.seed = parts.scenario.seed;
  for (const PoolScenario& pool : parts.scenario.pools)
    result.summary.latency_weakest = std::max(result.summary.latency_weakest, weakest_of(pool));
  result.summary.fingerprint = fmt::format("{:016x}", result.fingerprint);
  result.iterations = parts.observer.iterations();
  result.output_tokens = parts.observer.output_tokens();
  result.events = parts.cluster->events();
  if (parts.arrivals != nullptr) result.arrivals = parts.arrivals->finish();
  if (ResultFile* file = parts.observer.file())
    file->finish(result.summary, parts.observer.recorder().histograms(), result.fingerprint);
  return result;
}

RunResult simulate(const Scenario& scenario, const SimulationOptions& options) {
  Simulation simulation(scenario, options);
  while (simulation.advance(std::uint64_t{1} << 20)) {
  }
  return simulation.finish();
}

}  // namespace silicast
