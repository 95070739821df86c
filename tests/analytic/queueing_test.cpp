// The simulator against queueing theory: single and multiple servers whose mean time in system has a closed form.
#include <catch2/catch.hpp>
#include <cmath>

#include "sim/base/random.hpp"
#include "tests/support/measured_data.hpp"
#include "tests/support/serving_fixture.hpp"

namespace silicast::testing {
namespace {

constexpr double kIteration = 1e-3;   // s, whatever the batch
constexpr double kMeanTokens = 1000;  // mean service 1 s

// Poisson arrivals; geometric or fixed output lengths; prompts of one token.
class Poisson final : public RequestSource {
 public:
  Poisson(double rate, std::int64_t requests, bool fixed_lengths)
      : rate_(rate), left_(requests), fixed_(fixed_lengths), arrivals_(1, "arrivals"), lengths_(1, "lengths") {
    draw();
  }
  std::optional<SimTime> next_time() override {
    if (left_ == 0) return std::nullopt;
    return SimTime{} + Seconds(now_);
  }
  RequestSpec take() override {
    RequestSpec spec;
    spec.arrival = SimTime{} + Seconds(now_);
    spec.prompt_tokens = 1;
    spec.output_tokens = static_cast<std::int32_t>(
        fixed_ ? kMeanTokens : std::min(lengths_.geometric(kMeanTokens), std::int64_t{100000}));
    --left_;
    draw();
    return spec;
  }

 private:
  void draw() { now_ += arrivals_.exponential() / rate_; }
  double rate_, now_ = 0;
  std::int64_t left_;
  bool fixed_;
  RandomStream arrivals_, lengths_;
};

class MeanStay final : public ServingObserver {
 public:
  void request_ended(const RequestRecord& record) override {
    sum_ += (record.end - record.arrival).value();
    ++count_;
  }
  double mean() const { return sum_ / static_cast<double>(count_); }

 private:
  double sum_ = 0;
  std::int64_t count_ = 0;
};

double simulated_stay(double rate, std::int64_t requests, bool fixed_lengths, std::int32_t servers) {
  ClusterSetup setup;
  setup.max_contexts = {1 << 20};
  setup.make_router = routers.find("round_robin")->make;
  PoolSetup pool;
  pool.limits.max_sequences = servers;
  pool.limits.max_batched_tokens = 16;
  pool.limits.max_chunk = 16;
  pool.limits.blocks = 1 << 20;
  pool.cost = linear_cost(kIteration, 0, 0, 16, servers);
  pool.make_scheduler = schedulers.find("chunked")->make;
  setup.pools.push_back(std::move(pool));
  Poisson source(rate, requests, fixed_lengths);
  MeanStay stay;
  Cluster cluster(std::move(setup), source, stay);
  while (cluster.run(1u << 30)) {
  }
  return stay.mean();
}

void check_against(const std::string& queue, double stay, double theory) {
  note_accuracy("mean time in an " + queue + " queue against theory, loads 0.3, 0.7, 0.9", "test_analytic",
                std::abs(stay / theory - 1));
  CHECK(stay == Approx(theory).epsilon(0.01));
}

std::int64_t requests_for(double load) {
  return load > 0.8 ? 24'000'000 : load > 0.5 ? 3'000'000 : 600'000;
}

// Probability of waiting with c servers (Erlang C), offered load a = c * rho.
double erlang_c(int servers, double offered) {
  double sum = 0, term = 1;
  for (int k = 0; k < servers; ++k) {
    sum += term;
    term *= offered / (k + 1);
  }
  const double rho = offered / servers;
  return term / (1 - rho) / (sum + term / (1 - rho));
}

TEST_CASE("one sequence at a time with geometric lengths is an M/M/1 queue within 1%") {
  const double load = GENERATE(0.3, 0.7, 0.9);
  const double theory = 1 / (1 - load);  // mean service 1 s
  check_against("M/M/1", simulated_stay(load, requests_for(load), false, 1), theory);
}

TEST_CASE("one sequence at a time with fixed lengths is an M/D/1 queue within 1%") {
  const double load = GENERATE(0.3, 0.7, 0.9);
  const double theory = 1 + load / (2 * (1 - load));
  check_against("M/D/1", simulated_stay(load, requests_for(load), true, 1), theory);
}

TEST_CASE("four sequences in iterations of one length are an M/M/4 queue within 1%") {
  const double load = GENERATE(0.3, 0.7, 0.9);
  const double theory = 1 + erlang_c(4, 4 * load) / (4 * (1 - load));
  check_against("M/M/4", simulated_stay(4 * load, requests_for(load), false, 4), theory);
}

}  // namespace
}  // namespace silicast::testing
