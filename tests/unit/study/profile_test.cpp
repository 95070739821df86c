// Folders of tools/profile_chip: iterations without a host, priced by the calibration that lies beside them.
#include "sim/run/scenario.hpp"
#include "sim/study/validation/validate.hpp"
#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

constexpr const char* kIterations =
    "decodes,context,chunk,chunk_context,graph_ms,eager_ms\n"
    "8,512,0,0,5.25,9\n"
    "16,1024,256,2048,9.5,11\n";

TEST_CASE("a profiled iteration is its decodes and its chunk, in the chip that measured it") {
  const TempFolder folder;
  write(folder, "p/chip.json", R"({"name": "NVIDIA H200"})");
  write(folder, "p/iterations.csv", kIterations);
  const std::vector<ValidationCase> cases = read_profile(folder / "p", context());
  REQUIRE(cases.size() == 2);
  CHECK(cases[1].labels.chip == "h200");
  CHECK(cases[1].id == "p/iterations.csv:3");
  CHECK(cases[1].measured[0].value == Approx(9.5e-3));
  const auto& batch = std::get<IterationQuestion>(cases[1].question).batch;
  CHECK(batch.decode_sequences == 16);
  CHECK(batch.kv_length == 1024);
  CHECK(batch.prefill_tokens == 256);
  CHECK(batch.prefill_context == 2048);
}

TEST_CASE("a calibration beside the iterations prices them") {
  const TempFolder folder;
  write(folder, "p/chip.json", R"({"name": "NVIDIA H200"})");
  write(folder, "p/iterations.csv", kIterations);
  ValidationOptions options;
  options.configs_dir = kConfigs;
  const auto predicted = [&] {
    const std::vector<ValidationCase> cases = read_profile(folder / "p", context());
    const CaseResult result = run_case(cases[0], options);
    REQUIRE(result.unsupported.empty());
    return result.comparisons[0].predicted;
  };
  const double own = predicted();
  std::ifstream file(kConfigs + "/calibration/h200.yaml");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string memory = "  memory: {value: 0.88, range: [0.80, 0.93]";
  REQUIRE(text.find(memory) != std::string::npos);
  text.replace(text.find(memory), memory.size(), "  memory: {value: 0.44, range: [0.4, 0.5]");
  write(folder, "p/calibration.yaml", text);
  CHECK(predicted() > 1.6 * own);  // weights are most of what so small a batch reads
}

TEST_CASE("a machine that names.yaml does not know leaves the case unasked") {
  const TempFolder folder;
  write(folder, "p/chip.json", R"({"name": "Nobody's chip"})");
  write(folder, "p/iterations.csv", kIterations);
  const std::vector<ValidationCase> cases = read_profile(folder / "p", context());
  CHECK_FALSE(cases[0].unsupported.empty());
}

}  // namespace
}  // namespace silicast::testing
