// A run's HDF5 file: read back, compared request by request, and opened by h5py and pandas.
#include "sim/report/result_file.hpp"

#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "sim/base/random.hpp"
#include "sim/report/run_file.hpp"
#include "tests/support/temp_folder.hpp"

using namespace silicast;
namespace fs = std::filesystem;

namespace {

using Folder = testing::TempFolder;

SimTime at(double seconds) {
  return SimTime{} + Seconds(seconds);
}

struct Options {
  int requests = 3000;
  double ttft = 0.2;
  double first_arrival = 0;
  std::int32_t prompt = 100;
  bool rows = true;
  std::uint64_t seed = 1;  // of the service, not of the arrivals
};

RunFacts facts() {
  RunFacts facts;
  facts.name = "sample";
  facts.pools.resize(1);
  facts.pools[0].name = "chat/east";
  facts.pools[0].chip = "chip";
  facts.pools[0].tdp = {400, 400, 400, Grade::kVendor, ""};
  facts.classes.resize(1);
  facts.classes[0].name = "all";
  facts.window.mode = MeasureWindow::Mode::kNone;
  return facts;
}

Summary write_run(const std::string& path, const Options& options) {
  Recorder recorder(facts());
  ResultFile file(path, {"run of " + fs::path(path).stem().string(), "name: sample\n", 7, "0.1", "abc"}, facts(),
                  {options.rows, true});
  RandomStream random(options.seed, "service");
  PoolSample sample;
  sample.pool = PoolId{0};
  sample.kv_blocks_total = 100;
  double last = 0;
  for (int i = 0; i < options.requests; ++i) {
    const double arrival = options.first_arrival + i;
    recorder.request_arrived(at(arrival), 1);
    RequestRecord record;
    record.index = i;
    record.arrival = at(arrival);
    record.scheduled = at(arrival + 0.01);
    record.first_token = at(arrival + options.ttft * (0.9 + 0.2 * random.uniform()));
    record.output_tokens = 1 + i % 30;
    record.end = record.first_token + Seconds(0.01 * (record.output_tokens - 1));
    record.prompt_tokens = options.prompt;
    record.pool = PoolId{0};
    record.replica = ReplicaId{0};
    record.request_class = ClassId{0};
    if (i % 100 == 99) {
      record.state = EndState::kTimedOut;
      record.reason = EndReason::kClientTimeout;
      record.scheduled = record.first_token = SimTime::never();
    }
    last = record.end.seconds();
    recorder.request_ended(record);
    file.request_ended(record);
    sample.busy_time += Seconds(0.5);
    sample.output_tokens += 10;
    file.sampled(at(arrival + 0.5), {&sample, 1});
  }
  recorder.arrivals_ended(at(options.first_arrival + options.requests - 1));
  const Summary summary = recorder.summarize(at(last));
  file.finish(summary, recorder.histograms(), 0xABCDEF);
  return summary;
}

std::string bytes_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("a result file gives back its summary, rows and identity") {
  const Folder folder;
  const Summary summary = write_run(folder / "a.h5", {});
  const RunFile run(folder / "a.h5");
  CHECK(run.summary().title == "run of a");
  CHECK(run.scenario_yaml() == "name: sample\n");
  CHECK(run.fingerprint() == "0000000000abcdef");
  CHECK(run.summary().values.at("ttft_p99_s") == summary.total.ttft.p99);
  CHECK(run.summary().values.at("requests_timed_out") == 30);
  CHECK(run.summary().texts.at("chip") == "chip");
  const auto rows = run.requests();
  REQUIRE(rows.size() == 3000);
  CHECK(rows[99].first_token == -1);
  CHECK_FALSE(rows[99].completed);
  CHECK(rows[5].arrival == 5'000'000'000);
}

TEST_CASE("the table of files equals the table of the summaries that they hold") {
  const Folder folder;
  Summary summary = write_run(folder / "a.h5", {});
  summary.name = "run of a";
  const TableColumn columns[] = {column_of(summary)};
  const RunFile runs[] = {RunFile(folder / "a.h5")};
  CHECK(comparison(runs) == table_of(columns, metric_catalogue()));
}

TEST_CASE("series hold rates between samples and watts by busy time") {
  const Folder folder;
  write_run(folder / "a.h5", {});
  const Hdf5Reader file(folder / "a.h5");
  const auto rate = file.doubles("/series/chat_east/output_tokens"), watts = file.doubles("/series/chat_east/watts");
  REQUIRE(rate.size() == 3000);
  CHECK(rate[100] == Approx(10));
  CHECK(watts[100] == Approx(1.8 * 400 * (0.5 * 0.25 + 0.5 * 0.65)));
}

TEST_CASE("a target without a verdict has a NaN value and no 'met' in the file") {
  const Folder folder;
  Summary summary;
  summary.unstable = true;
  summary.total.goodput.targets = {{"ttft_p99", 2, kNoValue, {}, true}, {"tpot_p99", 2, 1, true}};
  ResultFile file(folder / "a.h5", {"a", "name: a\n", 7, "0.1", "abc"}, facts(), {false, false});
  file.finish(summary, {}, 0);
  const Hdf5Reader read(folder / "a.h5");
  CHECK(std::isnan(read.number("/summary/targets/ttft_p99", "value_s").value()));
  CHECK_FALSE(read.number("/summary/targets/ttft_p99", "met"));
  CHECK(read.number("/summary/targets/tpot_p99", "met") == 1);
}

TEST_CASE("units stand beside the summary under the same keys") {
  const Folder folder;
  write_run(folder / "a.h5", {});
  const Hdf5Reader file(folder / "a.h5");
  CHECK(file.text("/summary/units", "ttft_p99_s") == "s");
  CHECK(file.text("/summary/units", "ttft_p99_s_low") == "s");
  CHECK(file.text("/summary/units", "tpot_mean_s") == "s");
  CHECK(file.text("/summary/units", "power_w") == "W");
  CHECK(file.text("/summary/units", "busy_share") == "1");
}

TEST_CASE("equal runs give equal files") {
  const Folder folder;
  write_run(folder / "a.h5", {});
  const std::string first = bytes_of_file(folder / "a.h5");
  write_run(folder / "a.h5", {});
  CHECK(bytes_of_file(folder / "a.h5") == first);
}

TEST_CASE("runs of the same requests are compared pair by pair") {
  const Folder folder;
  Options slower;
  slower.ttft = 0.3;
  slower.seed = 2;
  write_run(folder / "a.h5", {});
  write_run(folder / "b.h5", slower);
  const PairedDifference pair = paired_difference(RunFile(folder / "a.h5"), RunFile(folder / "b.h5"));
  REQUIRE(pair.comparable);
  REQUIRE(pair.metrics.size() == 3);
  const PairedMetric& ttft = pair.metrics[0];
  CHECK(ttft.requests == 2970);
  CHECK(ttft.mean_difference == Approx(0.1).epsilon(0.02));
  CHECK(ttft.interval.low < 0.1);
  CHECK(ttft.interval.high > 0.1);
  CHECK(ttft.interval.high - ttft.interval.low < 0.01);
  CHECK(ttft.share_faster == 0);
  CHECK(pair.metrics[1].mean_difference == Approx(0).margin(1e-9));
}

TEST_CASE("runs of other requests are not compared, and the reason is given") {
  const Folder folder;
  write_run(folder / "a.h5", {});
  const auto why_not = [&](const Options& options) {
    write_run(folder / "b.h5", options);
    return paired_difference(RunFile(folder / "a.h5"), RunFile(folder / "b.h5")).why_not;
  };
  Options fewer, later, longer, without;
  fewer.requests = 2999;
  later.first_arrival = 0.5;
  longer.prompt = 101;
  without.rows = false;
  CHECK(why_not(fewer) == "3000 requests against 2999");
  CHECK(why_not(later) == "request 0 arrives at 0 s against 0.5 s");
  CHECK(why_not(longer) == "request 0 has 100 prompt tokens against 101");
  CHECK(why_not(without) == "a file has no rows of requests (output.requests: none)");
}

TEST_CASE("an HDF5 file of something else is not taken for a run") {
  const Folder folder;
  const std::string path = folder / "other.h5";
  {
    Hdf5Writer writer(path);
    writer.set_number("/data", "x", 1);
    writer.finish();
  }
  REQUIRE_THROWS_WITH(RunFile(path), path + ": is an HDF5 file, but not of a silicast run (no /scenario)");
}

TEST_CASE("a recovered file is compared by what it has") {
  const Folder folder;
  { ResultFile file(folder / "a.h5", {"killed", "name: x\n", 1, "0.1", ""}, facts(), {true, false}); }
  recover_hdf5(folder / "a.h5.part", folder / "a.h5");
  const RunFile run(folder / "a.h5");
  CHECK(run.recovered());
  CHECK(run.requests().empty());
}

TEST_CASE("h5py and pandas open the file and find what the summary says") {
  const Folder folder;
  write_run(folder / "a.h5", {});
  const std::string command =
      "/usr/bin/python3 " SILICAST_SOURCE_DIR "/tests/python/check_hdf5.py " + (folder / "a.h5") + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, n);
  const int status = ::pclose(pipe);
  INFO(output);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
}
