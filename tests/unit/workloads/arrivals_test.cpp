// Each arrival process against its theory: gaps by Kolmogorov-Smirnov, moving rates by the change of time
// that turns them into a Poisson process of rate 1, counts by their bounds.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <numbers>

#include "workload_test_support.hpp"
#include "workloads/arrival_process.hpp"

namespace silicast {
namespace {

constexpr char kLengths[] = "\nprompt: {distribution: fixed, tokens: 1}\noutput: {distribution: fixed, tokens: 1}\n";

std::vector<RequestSpec> play(const std::string& arrivals) {
  return requests_of("arrivals: {" + arrivals + "}" + kLengths);
}

std::vector<double> gaps_of(const std::vector<RequestSpec>& requests) {
  std::vector<double> gaps;
  SimTime last;
  for (const RequestSpec& request : requests) {
    gaps.push_back((request.arrival - last).value());
    last = request.arrival;
  }
  return gaps;
}

std::string error_of(const std::string& arrivals) {
  return message_of([&] { play(arrivals); });
}

double exponential_cdf(double x) {
  return -std::expm1(-x);
}

TEST_CASE("poisson gaps are exponential with the mean of the rate") {
  const auto gaps = gaps_of(play("process: poisson, rate: 192 /s, requests: 100000"));
  CHECK(gaps.size() == 100000);
  CHECK(ks_of(gaps, [](double x) { return exponential_cdf(192 * x); }) < kKsLimit);
  CHECK(moments_of(gaps).cv == Approx(1).margin(0.02));
}

TEST_CASE("the distance test would notice a rate 2% off") {
  const auto gaps = gaps_of(play("process: poisson, rate: 196 /s, requests: 100000"));
  CHECK(ks_of(gaps, [](double x) { return exponential_cdf(192 * x); }) > kKsLimit);
}

TEST_CASE("gamma gaps have the rate and the cv asked for") {
  for (const double cv : {0.3, 1.09, 3.0}) {
    INFO(cv);
    const auto gaps = gaps_of(play(fmt::format("process: gamma, rate: 5 /s, cv: {}, requests: 400000", cv)));
    CHECK(moments_of(gaps).mean == Approx(0.2).epsilon(0.02));
    CHECK(moments_of(gaps).cv == Approx(cv).epsilon(0.02));
  }
}

TEST_CASE("gamma gaps of cv 1/sqrt(2) fit the Erlang distribution of two stages") {
  const auto gaps = gaps_of(play("process: gamma, rate: 5 /s, cv: 0.7071067811865476, requests: 100000"));
  CHECK(ks_of(gaps, [](double x) { return 1 - std::exp(-10 * x) * (1 + 10 * x); }) < kKsLimit);
}

TEST_CASE("weibull gaps of a shape fit the Weibull distribution") {
  for (const double shape : {0.5, 2.0}) {
    const auto gaps = gaps_of(play(fmt::format("process: weibull, rate: 5 /s, shape: {}, requests: 100000", shape)));
    const double scale = 0.2 / std::tgamma(1 + 1 / shape);
    CHECK(ks_of(gaps, [&](double x) { return exponential_cdf(std::pow(x / scale, shape)); }) < kKsLimit);
  }
}

TEST_CASE("weibull gaps have the rate and the cv asked for") {
  for (const double cv : {0.2, 1.0, 2.5}) {
    INFO(cv);
    const auto gaps = gaps_of(play(fmt::format("process: weibull, rate: 5 /s, cv: {}, requests: 400000", cv)));
    CHECK(moments_of(gaps).mean == Approx(0.2).epsilon(0.02));
    CHECK(moments_of(gaps).cv == Approx(cv).epsilon(0.03));
  }
}

TEST_CASE("fixed arrivals come at multiples of the interval and do not drift") {
  const auto requests = play("process: fixed, rate: 3 /s, requests: 3000001");
  CHECK(requests[0].arrival.ns == 0);
  CHECK(requests[1].arrival.ns == 333'333'333);
  CHECK(requests[3].arrival.ns == 1'000'000'000);
  CHECK(requests[3'000'000].arrival.ns == 1'000'000'000'000'000);
}

TEST_CASE("a diurnal process is Poisson of rate 1 once time is changed by its expected count") {
  const double rate = 20, swing = 0.8, period = 1000, phase = 100;
  const auto requests =
      play("process: diurnal, rate: 20 /s, peak_to_mean: 1.8, period: 1000 s, phase: 100 s, requests: 100000");
  const double omega = 2 * std::numbers::pi / period;
  const auto expected = [&](double t) {
    return rate * (t + swing / omega * (std::cos(omega * phase) - std::cos(omega * (t + phase))));
  };
  std::vector<double> gaps;
  double last = 0;
  for (const RequestSpec& request : requests) {
    gaps.push_back(expected(request.arrival.seconds()) - last);
    last = expected(request.arrival.seconds());
  }
  CHECK(ks_of(gaps, exponential_cdf) < kKsLimit);
  // The same without the phase fits no more: the test sees the time of day.
  std::vector<double> shifted;
  for (std::size_t i = 1; i < requests.size(); ++i) {
    const double start = requests[i - 1].arrival.seconds(), end = requests[i].arrival.seconds();
    shifted.push_back(rate * (end - start + swing / omega * (std::cos(omega * start) - std::cos(omega * end))));
  }
  CHECK(ks_of(shifted, exponential_cdf) > kKsLimit);
}

TEST_CASE("a diurnal process peaks a quarter of a period after phase 0") {
  std::vector<double> quarters(4);
  for (const RequestSpec& request :
       play("process: diurnal, rate: 100 /s, peak_to_mean: 2, period: 40 s, duration: 4000 s"))
    ++quarters[static_cast<std::size_t>(std::fmod(request.arrival.seconds() + 5, 40) / 10)];
  CHECK(quarters[1] / 100000 == Approx(1 + 2 * std::sqrt(2.0) / std::numbers::pi).epsilon(0.02));
  CHECK(quarters[3] / 100000 == Approx(1 - 2 * std::sqrt(2.0) / std::numbers::pi).epsilon(0.06));
}

TEST_CASE("a piecewise process is Poisson of rate 1 once time is changed by its expected count") {
  const auto requests = play(
      "process: piecewise, pieces: [{until: 100 s, rate: 50 /s}, {duration: 50 s, rate: 0 /s}, {until: 1000 "
      "s, rate: 10 /s}, {rate: 100 /s}], requests: 100000");
  const auto expected = [](double t) {
    return 50 * std::min(t, 100.0) + 10 * std::clamp(t - 150, 0.0, 850.0) + 100 * std::max(t - 1000, 0.0);
  };
  std::vector<double> gaps;
  double last = 0;
  int in_pause = 0;
  for (const RequestSpec& request : requests) {
    gaps.push_back(expected(request.arrival.seconds()) - last);
    last = expected(request.arrival.seconds());
    in_pause += request.arrival.ns >= 100'000'000'000 && request.arrival.ns < 150'000'000'000;
  }
  CHECK(in_pause == 0);
  CHECK(gaps.size() == 100000);
  CHECK(ks_of(gaps, exponential_cdf) < kKsLimit);
}

TEST_CASE("a piecewise process ends with its last piece and says so") {
  const std::string yaml = std::string(
                               "arrivals: {process: piecewise, pieces: [{until: 100 s, rate: 50 /s}, "
                               "{duration: 100 s, rate: 10 /s}]}") +
                           kLengths;
  const Workload workload = workload_of(yaml);
  CHECK(workload.info.requests == 6000);
  CHECK(workload.info.mean_rate == Approx(30));
  const auto requests = drain(*workload.source);
  CHECK(static_cast<double>(requests.size()) == Approx(6000).margin(300));
  CHECK(requests.back().arrival.ns < 200'000'000'000);
}

TEST_CASE("requests and duration bound a generator, whichever comes first") {
  CHECK(play("process: fixed, rate: 10 /s, duration: 1 s").size() == 10);  // the one at 1 s is outside
  CHECK(play("process: fixed, rate: 10 /s, duration: 1 s, requests: 4").size() == 4);
  CHECK(play("process: fixed, rate: 10 /s, duration: 1 s, requests: 40").size() == 10);
  CHECK(workload_of(std::string("arrivals: {process: poisson, rate: 10 /s, duration: 1 h}") + kLengths).info.requests ==
        36000);
}

TEST_CASE("the first arrivals of each process are pinned") {
  const auto first = [](const std::string& arrivals) {
    std::vector<std::int64_t> times;
    for (const RequestSpec& request : play(arrivals + ", requests: 3")) times.push_back(request.arrival.ns);
    return times;
  };
  using Times = std::vector<std::int64_t>;
  CHECK(first("process: poisson, rate: 1 /s") == Times{1292521707, 2129350887, 2625464863});
  CHECK(first("process: gamma, rate: 1 /s, cv: 2") == Times{60408746, 67287988, 608750435});
  CHECK(first("process: weibull, rate: 1 /s, cv: 2") == Times{922993809, 1337281416, 1495375360});
  CHECK(first("process: diurnal, rate: 1 /s, peak_to_mean: 1.5, period: 60 s") ==
        Times{861681138, 1192423788, 1854061449});
  CHECK(first("process: piecewise, pieces: [{until: 1 s, rate: 2 /s}, {rate: 1 /s}]") ==
        Times{646260853, 1129350886, 1625464862});
}

TEST_CASE("lengths do not shift arrivals, nor prompts outputs") {
  const auto play_with = [](const std::string& prompt) {
    return requests_of("arrivals: {process: poisson, rate: 1 /s, requests: 50}\nprompt: " + prompt +
                       "\noutput: {distribution: geometric, mean: 100}\n");
  };
  const auto a = play_with("{distribution: fixed, tokens: 5}"),
             b = play_with("{distribution: lognormal, mean: 100, cv: 1}");
  for (std::size_t i = 0; i < 50; ++i) {
    CHECK(a[i].arrival == b[i].arrival);
    CHECK(a[i].output_tokens == b[i].output_tokens);
  }
}

TEST_CASE("another seed gives other arrivals, the same seed the same") {
  const std::string yaml = std::string("arrivals: {process: poisson, rate: 1 /s, requests: 5}") + kLengths;
  WorkloadContext other = context_of();
  other.seed = 2;
  CHECK(requests_of(yaml)[4].arrival == requests_of(yaml)[4].arrival);
  CHECK(requests_of(yaml)[4].arrival != requests_of(yaml, other)[4].arrival);
}

TEST_CASE("broken arrivals are told exactly") {
  CHECK(error_of("process: poison, rate: 1 /s, requests: 1") ==
        "w.yaml:1:21: arrivals.process: unknown arrival process 'poison'; did you mean 'poisson'? (known: "
        "poisson, gamma, weibull, fixed, diurnal, piecewise)");
  CHECK(error_of("process: poisson, rate: 1 /s") ==
        "w.yaml:1:11: arrivals: needs an end: give requests, duration or both");
  CHECK(error_of("process: poisson, requests: 1") == "w.yaml:1:11: arrivals: missing key 'rate'");
  CHECK(error_of("process: poisson, rate: 5, requests: 1") ==
        "w.yaml:1:36: arrivals.rate: '5' needs a unit (one of: /s, /min, /h, req/s, requests/s, /d)");
  CHECK(error_of("process: poisson, rate: 0 /s, requests: 1") == "w.yaml:1:36: arrivals.rate: '0 /s' must be positive");
  CHECK(error_of("process: poisson, rate: -1 /s, requests: 1") ==
        "w.yaml:1:36: arrivals.rate: '-1 /s' must be positive");
  CHECK(error_of("process: poisson, rate: 1e10 /s, requests: 1") ==
        "w.yaml:1:36: arrivals.rate: '1e10 /s' must be from 1e-6 /s to 1e9 /s");
  CHECK(error_of("process: piecewise, pieces: [{until: 5 s, rate: -1 /s}]") ==
        "w.yaml:1:60: arrivals.pieces[0].rate: '-1 /s' must be zero or positive");
  CHECK(error_of("process: piecewise, pieces: [{rate: 0 /s}], requests: 1") ==
        "w.yaml:1:41: arrivals.pieces[0]: an open piece needs a rate over zero");
  CHECK(error_of("process: poisson, rate: nan /s, requests: 1") ==
        "w.yaml:1:36: arrivals.rate: 'nan /s' is not a finite number");
  CHECK(error_of("process: poisson, rate: 1 /s, requests: 0") ==
        "w.yaml:1:52: arrivals.requests: '0' must be a whole number from 1 to 1000000000000");
  CHECK(error_of("process: poisson, rate: 1 /s, requests: 1e6") ==
        "w.yaml:1:52: arrivals.requests: '1e6' is not a whole number");
  CHECK(error_of("process: poisson, rate: 1 /s, requests: 1, cv: 2") ==
        "w.yaml:1:55: arrivals.cv: unknown key (known: duration, process, rate, requests)");
  CHECK(error_of("process: poisson, rate: 1 /h, requests: 1000000000") ==
        "w.yaml:1:11: arrivals: this many requests at this rate take over 30 years");
  CHECK(error_of("process: weibull, rate: 1 /s, requests: 1") ==
        "w.yaml:1:11: arrivals: weibull arrivals need one of cv and shape");
  CHECK(error_of("process: gamma, rate: 1 /s, cv: 0, requests: 1") ==
        "w.yaml:1:44: arrivals.cv: '0' must be at least 0.01 and at most 100");
  CHECK(error_of("process: diurnal, rate: 1 /s, peak_to_mean: 3, period: 1 d, requests: 1") ==
        "w.yaml:1:56: arrivals.peak_to_mean: '3' must be at least 1 and at most 2");
  CHECK(error_of("process: piecewise, pieces: [], requests: 1") == "w.yaml:1:40: arrivals.pieces: an empty list");
  CHECK(error_of("process: piecewise, pieces: [{rate: 1 /s}]") ==
        "w.yaml:1:11: arrivals: needs an end: give requests, duration or both");
  CHECK(error_of("process: piecewise, pieces: [{rate: 1 /s}, {until: 2 s, rate: 1 /s}]") ==
        "w.yaml:1:41: arrivals.pieces[0]: needs one of 'until' and 'duration'; only the last piece may be "
        "open");
  CHECK(error_of("process: piecewise, pieces: [{until: 5 s, rate: 1 /s}, {until: 2 s, rate: 1 /s}]") ==
        "w.yaml:1:75: arrivals.pieces[1].until: must be over the end of the piece ahead, 5.00 s");
  CHECK(error_of("process: piecewise, pieces: [{until: 5 s, duration: 5 s, rate: 1 /s}]") ==
        "w.yaml:1:49: arrivals.pieces[0].until: 'until' and 'duration' exclude each other");
  CHECK(error_of("process: piecewise, pieces: [{until: 5 s, rate: 0 /s}]") ==
        "w.yaml:1:40: arrivals.pieces: no piece has a rate over zero");
}

TEST_CASE("arrivals that run past the clock are an error, not an overflow") {
  // 1000 gaps of 11 days on average with a cv of 100 take 32 years on average, and now and then over 63.
  const std::string yaml = std::string("arrivals: {process: gamma, rate: 1e-6 /s, cv: 100, requests: 1000}") + kLengths;
  int past = 0;
  for (WorkloadContext context = context_of(); context.seed <= 50; ++context.seed) {
    const std::string message = message_of([&] {
      const auto requests = requests_of(yaml, context);
      CHECK(std::is_sorted(requests.begin(), requests.end(),
                           [](const auto& a, const auto& b) { return a.arrival < b.arrival; }));
    });
    if (message == "no error") continue;
    CHECK(message == "w.yaml:1:11: arrivals: arrivals run past 63 years; ask for fewer requests or a higher rate");
    ++past;
  }
  CHECK(past > 0);
}

}  // namespace
}  // namespace silicast
