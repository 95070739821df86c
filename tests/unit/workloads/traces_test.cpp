// Traces of each format: what they mean, and the exact message for each way to be wrong.
#include <catch2/catch.hpp>

#include "workload_test_support.hpp"
#include "workloads/trace_reader.hpp"

namespace silicast {
namespace {

constexpr char kCsv[] =
    "trace: {format: csv, file: t.csv, columns: {arrival: ts, prompt: n_in, output: n_out}, units: {arrival: "
    "s}}";
constexpr char kJsonl[] =
    "trace: {format: jsonl, file: t.jsonl, columns: {arrival: ts, prompt: n_in, output: n_out}, units: "
    "{arrival: ms}}";
constexpr char kAzure[] = "trace: {format: azure, file: t.csv}";
constexpr char kAzureHeader[] = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

std::vector<RequestSpec> play(const std::string& yaml, const std::string& text) {
  TestFolder folder;
  folder.write("t.csv", text);
  folder.write("t.jsonl", text);
  return requests_of(yaml, context_of(folder.path()));
}

std::string error_of(const std::string& yaml, const std::string& text) {
  TestFolder folder;
  folder.write("t.csv", text);
  folder.write("t.jsonl", text);
  WorkloadContext context = context_of(folder.path());
  context.class_names = {"chat", "batch"};
  return message_of([&] { requests_of(yaml, context); }, folder.path());
}

TEST_CASE("times of a trace count from its first request") {
  const auto requests =
      play(kAzure,
           std::string(kAzureHeader) + "2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.9951690,396,109\r\n");
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].arrival.ns == 0);
  CHECK(requests[0].prompt_tokens == 374);
  CHECK(requests[0].output_tokens == 44);
  CHECK(requests[1].arrival.ns == 4'314'579'000);
  CHECK(requests[1].prompt_tokens == 396);
  CHECK(requests[1].output_tokens == 109);
  CHECK(requests[1].max_output_tokens == 0);
  CHECK(requests[1].deadline == SimTime::never());
}

TEST_CASE("an azure trace may mix stamps with and without a zone") {
  const auto requests =
      play(kAzure, std::string(kAzureHeader) + "2024-05-10 00:00:00.009930+00:00,10,1\n2024-05-10 00:00:01,20,2\n");
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].arrival.ns == 990'070'000);
}

TEST_CASE("a csv trace finds its columns by name, in any order") {
  const auto requests = play(kCsv, "id,n_out,ts,n_in\na,5,10.25,100\nb,6,10.25,200\nc,7,11,300");
  REQUIRE(requests.size() == 3);
  CHECK(requests[1].arrival.ns == 0);
  CHECK(requests[2].arrival.ns == 750'000'000);
  CHECK(requests[2].prompt_tokens == 300);
  CHECK(requests[2].output_tokens == 7);
}

TEST_CASE("a jsonl trace reads its keys and passes over the rest") {
  const auto requests = play(kJsonl,
                             "{\"ts\": 3, \"n_in\": 10, \"n_out\": 2, \"hash_ids\": [1, 2]}\n{\"n_out\": 3, "
                             "\"ts\": 4.5, \"n_in\": 20}\n");
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].arrival.ns == 1'500'000);
  CHECK(requests[1].prompt_tokens == 20);
  CHECK(requests[1].output_tokens == 3);
}

TEST_CASE("each unit of time scales a trace's arrivals exactly") {
  for (const auto& [unit, ns] :
       {std::pair<std::string, std::int64_t>{"s", 2'500'000'000}, {"ms", 2'500'000}, {"us", 2'500}, {"ns", 3}}) {
    INFO(unit);
    const auto requests =
        play("trace: {format: csv, file: t.csv, columns: {arrival: t, prompt: p, output: o}, units: {arrival: " + unit +
                 "}}",
             "t,p,o\n0,1,1\n2.5,1,1\n");
    CHECK(requests.at(1).arrival.ns == ns);
  }
  const auto requests = play(
      "trace: {format: csv, file: t.csv, columns: {arrival: t, prompt: p, output: o}, units: {arrival: "
      "datetime}}",
      "t,p,o\n2024-05-10T00:00:00Z,1,1\n2024-05-10T00:00:01.5Z,1,1\n");
  CHECK(requests.at(1).arrival.ns == 1'500'000'000);
}

TEST_CASE("a class column gives requests their class") {
  TestFolder folder;
  folder.write("t.csv", "t,p,o,tier\n0,1,1,batch\n1,1,1,chat\n");
  WorkloadContext context = context_of(folder.path());
  context.class_names = {"chat", "batch"};
  const auto requests = requests_of(
      "trace: {format: csv, file: t.csv, columns: {arrival: t, prompt: p, output: o, class: tier}, units: "
      "{arrival: s}}",
      context);
  CHECK(requests.at(0).request_class == ClassId{1});
  CHECK(requests.at(1).request_class == ClassId{0});
}

TEST_CASE("every broken azure trace is told by line, column and field") {
  const std::string good = std::string(kAzureHeader) + "2023-11-16 18:15:46.68,374,44\n";
  CHECK(error_of(kAzure, "") == "DIR/t.csv: empty file; a header line is due");
  CHECK(error_of(kAzure, kAzureHeader) == "DIR/t.csv: holds no request");
  CHECK(error_of(kAzure, "TIMESTAMP,ContextToken,GeneratedTokens\n") ==
        "DIR/t.csv:1: no column 'ContextTokens' in the header; did you mean 'ContextToken'? (known: "
        "TIMESTAMP, ContextToken, GeneratedTokens)");
  CHECK(error_of(kAzure, good + "2023-11-16 18:15:5") ==
        "DIR/t.csv:3: 1 field where the header has 3; is the line cut off?");
  CHECK(error_of(kAzure, good + "2023-11-16 18:15:5,3,4") ==
        "DIR/t.csv:3:1: TIMESTAMP: '2023-11-16 18:15:5' is not a time stamp such as 2023-11-16 "
        "18:15:46.6805900");
  CHECK(error_of(kAzure, good + "2023-11-16 18:15:50,,4") == "DIR/t.csv:3:21: ContextTokens: is empty");
  CHECK(error_of(kAzure, good + "2023-11-16 18:15:50,12,NaN") ==
        "DIR/t.csv:3:24: GeneratedTokens: 'NaN' is not a whole number");
  CHECK(error_of(kAzure, good + "2023-11-16 18:15:50,0,1") ==
        "DIR/t.csv:3:21: ContextTokens: '0' must be from 1 to 100000000 tokens");
  CHECK(error_of(kAzure, good + "2023-11-16 18:15:50,12,-1") ==
        "DIR/t.csv:3:24: GeneratedTokens: '-1' must be from 1 to 100000000 tokens");
  CHECK(error_of(kAzure, good + "2023-11-16 18:15:50,12,1e30") ==
        "DIR/t.csv:3:24: GeneratedTokens: '1e30' is not a whole number");
  CHECK(error_of(kAzure, good + "2023-11-16 18:15:45.9,12,1") ==
        "DIR/t.csv:3:1: TIMESTAMP: out of order: '2023-11-16 18:15:45.9' comes behind '2023-11-16 "
        "18:15:46.68'; sort the trace by time");
  CHECK(error_of(kAzure, good + "2123-11-16 18:15:45.9,12,1") ==
        "DIR/t.csv:3:1: TIMESTAMP: '2123-11-16 18:15:45.9' is over 63 years behind the trace's first "
        "request; is the unit right?");
  CHECK(error_of(kAzure, std::string("\x00\x01\x02garbage", 10)) == "DIR/t.csv:1:1: not a text file (byte 0x00)");
  CHECK(error_of(kAzure, good + "\x89PNG\r\n\x1a\n") ==
        "DIR/t.csv:3: 1 field where the header has 3; is the line cut off?");
  CHECK(error_of(kAzure, good + std::string(2 << 20, '1')) == "DIR/t.csv:3:1: a line over 1 MiB");
}

TEST_CASE("every broken csv trace is told by line, column and field") {
  CHECK(error_of(kCsv, "time,n_in,n_out\n") == "DIR/t.csv:1: no column 'ts' in the header (known: time, n_in, n_out)");
  CHECK(error_of(kCsv, "ts,n_in,n_out\n-1,1,1\n") == "DIR/t.csv:2:1: ts: '-1' is negative");
  CHECK(error_of(kCsv, "ts,n_in,n_out\nnan,1,1\n") == "DIR/t.csv:2:1: ts: 'nan' is not a number");
  CHECK(error_of(kCsv, "ts,n_in,n_out\n1e99,1,1\n") == "DIR/t.csv:2:1: ts: '1e99' is too large a time");
  CHECK(error_of(kCsv, "ts,n_in,n_out\n2,1,1\n1.5,1,1\n") ==
        "DIR/t.csv:3:1: ts: out of order: '1.5' comes behind '2'; sort the trace by time");
  CHECK(error_of("trace: {format: csv, file: t.csv, columns: {arrival: t, prompt: p, output: o, class: c}, "
                 "units: {arrival: s}}",
                 "t,p,o,c\n1,1,1,chat\n1,1,1,bach\n") ==
        "DIR/t.csv:3:7: c: unknown class 'bach'; did you mean 'batch'? (known: chat, batch)");
}

TEST_CASE("every broken jsonl trace is told by line and key") {
  CHECK(error_of(kJsonl, "") == "DIR/t.jsonl: holds no request");
  CHECK(error_of(kJsonl, "{\"ts\": 1, \"n_in\": 1}\n") ==
        "DIR/t.jsonl:1: no key 'n_out' in the object (known: ts, n_in)");
  CHECK(error_of(kJsonl, "{\"ts\": 1, \"n_in\": 1.5, \"n_out\": 2}\n") ==
        "DIR/t.jsonl:1: n_in: '1.5' is not a whole number");
  CHECK(error_of(kJsonl, "{\"ts\": -1, \"n_in\": 1, \"n_out\": 2}\n") == "DIR/t.jsonl:1: ts: '-1' is negative");
  CHECK(error_of(kJsonl, "{\"ts\": \"1\", \"n_in\": 1, \"n_out\": 2}\n") ==
        "DIR/t.jsonl:1: ts: the text '1' where a number is due");
  CHECK(error_of(kJsonl, "{\"ts\": null, \"n_in\": 1, \"n_out\": 2}\n") == "DIR/t.jsonl:1: ts: is null");
  CHECK(error_of(kJsonl, "{\"ts\": 1, \"n_in\": true, \"n_out\": 2}\n") ==
        "DIR/t.jsonl:1: n_in: true or false where a number is due");
  CHECK(error_of(kJsonl, "{\"ts\": 1, \"n_in\": [1], \"n_out\": 2}\n") ==
        "DIR/t.jsonl:1: n_in: a list or an object where a number is due");
  CHECK(error_of(kJsonl, "{\"ts\": 9, \"n_in\": 1, \"n_out\": 2}\n{\"ts\": 8, \"n_in\": 1, \"n_out\": 2}\n") ==
        "DIR/t.jsonl:2: ts: out of order: '8' comes behind '9'; sort the trace by time");
}

TEST_CASE("every broken trace mapping is told by its place in the config") {
  const std::string data = "ts,n_in,n_out\n1,1,1\n";
  CHECK(error_of("trace: {format: azzure, file: t.csv}", data) ==
        "w.yaml:1:17: trace.format: unknown trace format 'azzure'; did you mean 'azure'? (known: azure, "
        "burstgpt, csv, hdf5, jsonl, llmservingsim, mooncake, servegen, sglang_bench, vllm_bench)");
  CHECK(error_of("trace: {format: azure}", data) == "w.yaml:1:8: trace: missing key 'file'");
  CHECK(error_of("trace: {format: azure, file: none.csv}", data) ==
        "w.yaml:1:30: trace.file: 'DIR/none.csv' cannot be read; does it exist?");
  CHECK(error_of("trace: {format: azure, file: .}", data) == "w.yaml:1:30: trace.file: 'DIR/' is a folder, not a file");
  CHECK(error_of("trace: {format: csv, file: t.csv, columns: {arrival: ts, prompt: n_in, output: n_out}}", data) ==
        "w.yaml:1:8: trace: missing key 'units'");
  CHECK(error_of("trace: {format: csv, file: t.csv, columns: {arrival: ts, promt: n_in, output: n_out}, "
                 "units: {arrival: s}}",
                 data) == "w.yaml:1:44: trace.columns: missing key 'prompt'; is it the key 'promt'?");
  CHECK(error_of("trace: {format: csv, file: t.csv, columns: {arrival: ts, prompt: n_in, output: n_out}, "
                 "units: {arrival: sec}}",
                 data) ==
        "w.yaml:1:105: trace.units.arrival: unknown unit of time 'sec' (known: ns, us, ms, s, datetime)");
  CHECK(error_of("trace: {format: azure, file: t.csv, columns: {arrival: ts}}",
                 std::string(kAzureHeader) + "2023-11-16 18:15:46,1,1\n") ==
        "w.yaml:1:37: trace.columns: unknown key (known: file, format, replay)");
}

TEST_CASE("a trace is checked to its end before the run, unless told not to") {
  TestFolder folder;
  folder.write("t.csv", "ts,n_in,n_out\n1,1,1\n2,1,1\n3,oops,1\n");
  WorkloadContext context = context_of(folder.path());
  CHECK(message_of([&] { workload_of(kCsv, context); }, folder.path()) ==
        "DIR/t.csv:4:3: n_in: 'oops' is not a whole number");
  context.scan_traces = false;
  Workload workload = workload_of(kCsv, context);
  CHECK_FALSE(workload.info.requests.has_value());
  workload.source->take();
  workload.source->take();
  CHECK(message_of([&] { workload.source->next_time(); }, folder.path()) ==
        "DIR/t.csv:4:3: n_in: 'oops' is not a whole number");
}

TEST_CASE("what a trace holds is known before the run") {
  TestFolder folder;
  folder.write("t.csv", "ts,n_in,n_out\n10,100,10\n12,200,20\n14,600,30\n");
  const Workload workload = workload_of(std::string(kCsv) + "\nspeed: 2\nmax_output: 20\n", context_of(folder.path()));
  CHECK(workload.info.open_loop);
  CHECK_FALSE(workload.info.generated);
  CHECK(workload.info.requests == 3);
  CHECK(workload.info.mean_rate == 1.0);
  CHECK(workload.info.mean_prompt == 300.0);
  CHECK(workload.info.mean_output == Approx(50.0 / 3));
  CHECK(workload.info.description == "csv trace t.csv, speed 2, output at most 20");
}

TEST_CASE("each trace format has a line of help") {
  CHECK(trace_formats().names() == std::vector<std::string>{"azure", "burstgpt", "csv", "hdf5", "jsonl",
                                                            "llmservingsim", "mooncake", "servegen", "sglang_bench",
                                                            "vllm_bench"});
  for (const auto& entry : trace_formats().entries()) CHECK(entry.summary.size() > 10);
}

}  // namespace
}  // namespace silicast
