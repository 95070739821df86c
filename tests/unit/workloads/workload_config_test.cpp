// The workload mapping as a whole: which source it names, presets and what changes them, nesting.
#include <catch2/catch.hpp>

#include "workload_test_support.hpp"

namespace silicast {
namespace {

constexpr char kPreset[] =
    "description: d\nsource: s\narrivals: {process: gamma, rate: 5 /s, cv: 2, requests: 100}\n"
    "prompt: {distribution: lognormal, mean: 1000, cv: 1, max: 8000}\noutput: {distribution: histogram, "
    "file: out.csv}\nspeed: 2\n";

class PresetFixture {
 public:
  PresetFixture() {
    folder.write("configs/workloads/one.yaml", kPreset);
    folder.write("configs/workloads/two.yaml", "preset: one\n");
    folder.write("configs/workloads/loop.yaml", "merge: [{preset: loop}]\n");
    folder.write("configs/workloads/README.md", "not a preset\n");
    folder.write("configs/workloads/out.csv", "value,weight\n42,1\n");
    folder.write("scenario/out.csv", "value,weight\n7,1\n");
    folder.write("scenario/t.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,3,4\n");
    context = context_of(folder.path() + "/scenario");
    context.configs_dir = folder.path() + "/configs";
  }
  std::vector<RequestSpec> play(const std::string& yaml) const { return requests_of(yaml, context); }
  std::string error_of(const std::string& yaml) const {
    return message_of([&] { workload_of(yaml, context); }, folder.path());
  }

  TestFolder folder;
  WorkloadContext context;
};

TEST_CASE_METHOD(PresetFixture, "a preset is a workload with its own files beside it") {
  CHECK(play("preset: one").size() == 100);
  CHECK(play("preset: one")[0].output_tokens == 42);
  CHECK(workload_presets(context.configs_dir) == std::vector<std::string>{"loop", "one", "two"});
}

TEST_CASE_METHOD(PresetFixture, "keys beside a preset change it key by key") {
  const Workload changed = workload_of("{preset: one, arrivals: {requests: 7}, speed: 4}", context);
  CHECK(changed.info.requests == 7);
  CHECK(*changed.info.mean_rate == Approx(20));
  CHECK(drain(*changed.source).size() == 7);
}

TEST_CASE_METHOD(PresetFixture, "a process or distribution of one's own replaces the preset's whole") {
  CHECK(play("{preset: one, arrivals: {process: fixed, rate: 1 /s, requests: 3}}").size() == 3);
  CHECK(play("{preset: one, output: {distribution: fixed, tokens: 9}}")[0].output_tokens == 9);
}

TEST_CASE_METHOD(PresetFixture, "files that a scenario names beside a preset lie with the scenario") {
  CHECK(play("{preset: one, output: {distribution: histogram, file: out.csv}}")[0].output_tokens == 7);
}

TEST_CASE_METHOD(PresetFixture, "a closed loop beside a preset keeps the preset's lengths") {
  folder.write("configs/workloads/plain.yaml",
               "arrivals: {process: fixed, rate: 1 /s, requests: 1}\nprompt: {distribution: fixed, tokens: "
               "5}\noutput: {distribution: fixed, tokens: 6}\n");
  const Workload workload = workload_of("{preset: plain, closed_loop: {concurrency: 2, requests: 5}}", context);
  CHECK_FALSE(workload.info.open_loop);
  CHECK(workload.source->take().prompt_tokens == 5);
}

TEST_CASE_METHOD(PresetFixture, "a trace beside a preset keeps its edits alone") {
  const Workload workload = workload_of("{preset: one, trace: {format: azure, file: t.csv}}", context);
  CHECK(workload.info.requests == 1);
  CHECK(workload.info.description == "azure trace t.csv, speed 2");
}

TEST_CASE_METHOD(PresetFixture, "broken presets are told exactly, in the file that is wrong") {
  CHECK(error_of("preset: on") ==
        "w.yaml:1:9: preset: unknown preset 'on'; did you mean 'one'? (known: loop, one, two)");
  CHECK(error_of("preset: ../x") == "w.yaml:1:9: preset: unknown preset '../x' (known: loop, one, two)");
  CHECK(error_of("preset: two") == "DIR/configs/workloads/two.yaml:1:1: preset: a preset cannot build on another");
  CHECK(error_of("{preset: one, arrivals: {cvv: 3}}") ==
        "w.yaml:1:26: arrivals.cvv: unknown key; did you mean 'cv'? (known: cv, duration, process, rate, "
        "requests)");
  CHECK(error_of("{preset: one, sped: 3}") ==
        "w.yaml:1:15: sped: unknown key; did you mean 'speed'? (known: abort, arrivals, class, description, "
        "max_output, output, prompt, slice, source, speed, timeout, token_scale)");
  folder.write("configs/workloads/bad.yaml", "arrivals: {process: fixed, rate: 1 /s, requests: x}\n");
  CHECK(error_of("preset: bad") == "DIR/configs/workloads/bad.yaml:1:50: arrivals.requests: 'x' is not a whole number");
  folder.write("configs/workloads/list.yaml", "[1]\n");
  CHECK(error_of("preset: list") == "DIR/configs/workloads/list.yaml:1:1: a preset must be a mapping");
  context.configs_dir = folder.path() + "/none";
  CHECK(error_of("preset: one") == "DIR/none/workloads: cannot read this folder: No such file or directory");
}

TEST_CASE_METHOD(PresetFixture, "a preset that merges itself ends in an error, not in a crash") {
  CHECK(error_of("preset: loop").find("nested over 16 levels") != std::string::npos);
}

TEST_CASE("a workload names exactly one source of requests") {
  const auto error = [](const std::string& yaml) { return message_of([&] { workload_of(yaml); }); };
  CHECK(error("speed: 2") ==
        "w.yaml:1:1: needs a source of requests: arrivals, closed_loop, merge, preset, sessions, trace, users");
  CHECK(error("arrival: {process: poisson}") ==
        "w.yaml:1:1: needs a source of requests: arrivals, closed_loop, merge, preset, sessions, trace, users; is "
        "'arrival' "
        "meant to be 'arrivals'?");
  CHECK(error("{arrivals: {process: poisson}, trace: {format: azure}}") ==
        "w.yaml:1:39: trace: 'arrivals' and 'trace' exclude each other");
  CHECK(error("poisson") == "w.yaml:1:1: a plain value where a mapping is due");
  CHECK(error("merge: []") == "w.yaml:1:8: merge: an empty list");
  CHECK(error("merge: {speed: 2}") == "w.yaml:1:8: merge: a mapping where a list is due");
  CHECK(
      error("merge: [{speed: 2}]") ==
      "w.yaml:1:9: merge[0]: needs a source of requests: arrivals, closed_loop, merge, preset, sessions, trace, users");
  CHECK(error("arrivals: {process: poisson, rate: 1 /s, requests: 1}") == "w.yaml:1:1: missing key 'prompt'");
}

TEST_CASE("lengths beside a trace are an unknown key") {
  TestFolder folder;
  folder.write("t.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,3,4\n");
  CHECK(message_of([&] {
          workload_of("trace: {format: azure, file: t.csv}\nprompt: {distribution: fixed, tokens: 1}",
                      context_of(folder.path()));
        }) ==
        "w.yaml:2:1: prompt: unknown key (known: abort, class, description, max_output, slice, source, "
        "speed, timeout, token_scale, trace)");
}

TEST_CASE("what a generator will give is known before the run") {
  const Workload workload = workload_of(
      "arrivals: {process: poisson, rate: 192 /s, requests: 2000000}\nprompt: {distribution: lognormal, "
      "mean: 1000, cv: 1.0}\noutput: {distribution: lognormal, mean: 200, cv: 1.0}\n");
  CHECK(workload.info.open_loop);
  CHECK(workload.info.generated);
  CHECK(workload.info.requests == 2000000);
  CHECK(workload.info.mean_rate == 192);
  CHECK(*workload.info.mean_prompt == Approx(1000).epsilon(1e-4));
  CHECK(*workload.info.mean_output == Approx(200).epsilon(1e-3));
  CHECK(workload.info.description == "poisson arrivals at 192 requests/s, prompt mean 1000, output mean 200 tokens");
}

}  // namespace
}  // namespace silicast
