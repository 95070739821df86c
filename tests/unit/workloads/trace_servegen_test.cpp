// Requests drawn from ServeGen's statistics of clients: rates, burstiness and lengths are those of the tables.
#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <tuple>

#include "trace_test_support.hpp"

namespace silicast {
namespace {

constexpr char kHeader[] = "client,window_start_s,rate_rps,iat_cv,dist,param1,param2\n";
constexpr char kLengths[] =
    "client,field,value,probability\n1,input_tokens,100,0.25\n1,input_tokens,200,0.75\n1,output_tokens,10,1\n"
    "1,reason_ratio,0.5,1\n2,input_tokens,7,1\n2,output_tokens,0,0.5\n2,output_tokens,3,0.5\n";
constexpr char kTrace[] = "trace: {format: servegen, file: t, lengths: l}";

class ServeGenFixture : public TraceFixture {
 public:
  ServeGenFixture() { folder.write("l", kLengths); }
};

double seconds(const RequestSpec& request) {
  return static_cast<double>(request.arrival.ns) * 1e-9;
}

TEST_CASE_METHOD(ServeGenFixture, "each window of a client has its rate, and none where it has no row") {
  const Played trace =
      play(kTrace, std::string(kHeader) + "1,0,50,1,Gamma,1,1\n1,600,10,1,Gamma,1,1\n1,1800,100,1,Weibull,1,1\n");
  std::array<double, 4> counts{};
  for (const RequestSpec& request : trace.requests) counts.at(static_cast<std::size_t>(seconds(request) / 600)) += 1;
  CHECK(counts[0] == Approx(30000).margin(4 * std::sqrt(30000)));
  CHECK(counts[1] == Approx(6000).margin(4 * std::sqrt(6000)));
  CHECK(counts[2] <= 1);  // time 0 is the first request, not the start of the window
  CHECK(counts[3] == Approx(60000).margin(4 * std::sqrt(60000)));
}

TEST_CASE_METHOD(ServeGenFixture, "gaps have the burstiness of their shape") {
  for (const auto& [dist, shape, cv] : {std::tuple("Gamma", "0.25", 2.0), {"Gamma", "4", 0.5}, {"Weibull", "1", 1.0}}) {
    std::string text = kHeader;
    for (int i = 0; i < 20; ++i) text += "1," + std::to_string(600 * i) + ",10,1," + dist + "," + shape + ",1\n";
    const auto requests = play(kTrace, text).requests;
    std::vector<double> gaps;
    for (std::size_t i = 1; i < requests.size(); ++i) gaps.push_back(seconds(requests[i]) - seconds(requests[i - 1]));
    const Moments moments = moments_of(gaps);
    CHECK(moments.mean == Approx(0.1).epsilon(0.03));
    CHECK(moments.cv == Approx(cv).epsilon(0.03));
  }
}

TEST_CASE_METHOD(ServeGenFixture, "lengths are drawn from the client's own, at least one token") {
  const Played trace = play(kTrace, std::string(kHeader) + "1,0,50,1,Gamma,1,1\n2,0,50,1,Gamma,1,1\n");
  double small = 0, large = 0, one = 0, three = 0;
  for (const RequestSpec& request : trace.requests) {
    small += request.prompt_tokens == 100 && request.output_tokens == 10;
    large += request.prompt_tokens == 200 && request.output_tokens == 10;
    one += request.prompt_tokens == 7 && request.output_tokens == 1;
    three += request.prompt_tokens == 7 && request.output_tokens == 3;
  }
  CHECK(small + large + one + three == static_cast<double>(trace.requests.size()));
  CHECK(large / (small + large) == Approx(0.75).margin(0.01));
  CHECK(one / (one + three) == Approx(0.5).margin(0.01));
}

TEST_CASE_METHOD(ServeGenFixture, "clients without lengths are left out, which the description says") {
  const std::string text = std::string(kHeader) + "1,0,1,1,Gamma,1,1\n9,0,3,1,Gamma,1,1\n";
  const Played trace = play("trace: {format: servegen, file: t, lengths: l, scale: 4}", text);
  CHECK(trace.description ==
        "servegen trace t, 1 of 2 clients, 25.0% of the load; the others have no lengths; rates times 4");
  CHECK(static_cast<double>(trace.requests.size()) == Approx(2400).margin(200));
  CHECK(play(kTrace, text).requests.size() < trace.requests.size());
}

TEST_CASE_METHOD(ServeGenFixture, "the same seed draws the same requests, another one others") {
  const std::string text = std::string(kHeader) + "1,0,1,1,Gamma,1,1\n2,0,3,1,Gamma,1,1\n";
  const auto times = play(kTrace, text).times();
  CHECK(play(kTrace, text).times() == times);
  context.seed = 2;
  CHECK(play(kTrace, text).times() != times);
}

TEST_CASE_METHOD(ServeGenFixture, "windows are kept by their starts") {
  const std::string text = std::string(kHeader) + "1,0,9,1,Gamma,1,1\n1,600,1,1,Gamma,1,1\n1,1200,9,1,Gamma,1,1\n";
  const Played trace = play("trace: {format: servegen, file: t, lengths: l, from: 600 s, to: 1200 s}", text);
  CHECK(static_cast<double>(trace.requests.size()) == Approx(600).margin(100));
  CHECK(seconds(trace.requests.back()) < 600);
}

TEST_CASE_METHOD(ServeGenFixture, "every broken table of clients is told by line, column and field") {
  const auto error = [&](const std::string& row) { return error_of(kTrace, kHeader + row); };
  CHECK(error("1,0,x,1,Gamma,1,1\n") == "DIR/t:2:5: rate_rps: 'x' is not a number from 0 to 1e+09");
  CHECK(error("1,0,1,1,Pareto,1,1\n") == "DIR/t:2:9: dist: 'Pareto' is neither Gamma nor Weibull");
  CHECK(error("1,0,1,1,Gamma,0,1\n") == "DIR/t:2:15: param1: '0' is not a number from 0.01 to 1e+06");
  CHECK(
      error("1,0,1,1,Gamma,1,1\n1,300,1,1,Gamma,1,1\n") ==
      "DIR/t:3:3: window_start_s: 300 begins within the client's window before it (600 s from 0); is 'window' right?");
  CHECK(error("7,0,1,1,Gamma,1,1\n") == "w.yaml:1:45: trace.lengths: has the lengths of none of the clients");
  CHECK(error("1,0,0,1,Gamma,1,1\n") == "DIR/t: holds no request");
  CHECK(error_of("trace: {format: servegen, file: t}", kHeader) == "w.yaml:1:8: trace: missing key 'lengths'");
}

TEST_CASE("ServeGen's day of deepseek-r1 has as many requests as its publishers say") {
  const char* given = std::getenv("SILICAST_DATA");
  const std::string data = given != nullptr ? given : std::string(SILICAST_SOURCE_DIR) + "/../shared/data";
  const std::string stem = data + "/traces/servegen/deepseek-r1_top20_";
  if (!std::filesystem::exists(stem + "arrivals.csv.gz")) {
    WARN("SKIPPED: no " << stem << "arrivals.csv.gz; set SILICAST_DATA to a folder that holds it");
    return;
  }
  const Played trace = played("trace: {format: servegen, file: '" + stem + "arrivals.csv.gz', lengths: '" + stem +
                                  "length_pmf.csv.gz', scale: 0.1}",
                              context_of());
  // A day of 20 clients with 85.5% of 1.38 million requests.
  CHECK(static_cast<double>(trace.requests.size()) == Approx(0.855 * 138'000).epsilon(0.05));
  CHECK(seconds(trace.requests.back()) == Approx(86400).epsilon(0.02));
}

}  // namespace
}  // namespace silicast
