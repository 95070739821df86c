// The real Azure conversation trace of 2023, where it is at hand, against its published statistics.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "workload_test_support.hpp"

namespace silicast {
namespace {

std::int32_t quantile(std::vector<std::int32_t> values, double p) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(p * static_cast<double>(values.size()))];
}

struct Lengths {
  std::vector<std::int32_t> prompt, output;
  std::vector<double> prompts, outputs;
};

Lengths lengths_of(const std::vector<RequestSpec>& requests) {
  Lengths lengths;
  for (const RequestSpec& request : requests) {
    lengths.prompt.push_back(request.prompt_tokens);
    lengths.output.push_back(request.output_tokens);
    lengths.prompts.push_back(request.prompt_tokens);
    lengths.outputs.push_back(request.output_tokens);
  }
  return lengths;
}

std::vector<double> gaps_of(const std::vector<RequestSpec>& requests) {
  std::vector<double> gaps;
  for (std::size_t i = 1; i < requests.size(); ++i)
    gaps.push_back((requests[i].arrival - requests[i - 1].arrival).value());
  return gaps;
}

TEST_CASE("the Azure conversation trace has the statistics its publishers state") {
  const char* given = std::getenv("SILICAST_DATA");
  const std::string data = given != nullptr ? given : std::string(SILICAST_SOURCE_DIR) + "/../shared/data";
  const std::string file = data + "/traces/azure_llm_2023_conv.csv";
  if (!std::filesystem::exists(file)) {
    WARN("SKIPPED: no " << file << "; set SILICAST_DATA to a folder that holds traces/azure_llm_2023_conv.csv");
    return;
  }
  const Workload workload = workload_of("trace: {format: azure, file: '" + file + "'}");
  const auto requests = drain(*workload.source);
  REQUIRE(requests.size() == 19366);
  CHECK(workload.info.requests == 19366);
  CHECK(requests.front().arrival.ns == 0);
  // 18:15:46.6805900 to 19:14:08.4025270.
  CHECK(requests.back().arrival.ns == 3'501'721'937'000);
  CHECK(*workload.info.mean_rate == Approx(5.53).margin(0.005));
  CHECK(moments_of(gaps_of(requests)).cv == Approx(1.09).margin(0.005));
  const Lengths lengths = lengths_of(requests);
  CHECK(moments_of(lengths.prompts).mean == Approx(1155).margin(0.5));
  CHECK(quantile(lengths.prompt, 0.5) == 1020);
  CHECK(quantile(lengths.prompt, 0.99) == 4142);
  CHECK(moments_of(lengths.outputs).mean == Approx(211).margin(0.5));
  CHECK(quantile(lengths.output, 0.5) == 129);
  CHECK(quantile(lengths.output, 0.99) == 601);
}

TEST_CASE("the preset azure-2023-conversation meets the trace's published statistics within 3%") {
  const Workload workload = workload_of("{preset: azure-2023-conversation, arrivals: {requests: 200000}}");
  const auto requests = drain(*workload.source);
  REQUIRE(requests.size() == 200000);
  const Lengths lengths = lengths_of(requests);
  CHECK(moments_of(lengths.prompts).mean == Approx(1155).epsilon(0.01));
  CHECK(quantile(lengths.prompt, 0.5) == Approx(1020).epsilon(0.03));
  CHECK(quantile(lengths.prompt, 0.99) == Approx(4142).epsilon(0.03));
  CHECK(moments_of(lengths.outputs).mean == Approx(211).epsilon(0.01));
  CHECK(quantile(lengths.output, 0.5) == Approx(129).epsilon(0.03));
  CHECK(quantile(lengths.output, 0.99) == Approx(601).epsilon(0.03));
  const Moments gaps = moments_of(gaps_of(requests));
  CHECK(1 / gaps.mean == Approx(5.53).epsilon(0.02));
  CHECK(gaps.cv == Approx(1.09).epsilon(0.02));
}

TEST_CASE("the preset azure-2023-conversation has as many requests as the trace") {
  const Workload workload = workload_of("preset: azure-2023-conversation");
  CHECK(workload.info.requests == 19366);
  CHECK(workload.info.mean_rate == 5.53);
  CHECK(drain(*workload.source).size() == 19366);
}

}  // namespace
}  // namespace silicast
