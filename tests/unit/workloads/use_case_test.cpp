// Workloads in users: the rate by hand, what a case's numbers become, and what a scenario changes of them.
#include "workloads/use_case.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "sim/io/config_catalogue.hpp"
#include "workload_test_support.hpp"

namespace silicast {
namespace {

const std::string kOnline =
    "name: desk\ndescription: d\nuser: u\n"
    "active_share: {value: 0.1, range: [0.05, 0.2], grade: estimate, source: s1}\n"
    "requests_per_active_minute: {value: 0.6, range: [0.3, 1.2], grade: vendor, source: s2}\n"
    "peak_factor: {value: 2, range: [1.25, 4], grade: measured, source: s3}\nburstiness: 2\n"
    "prompt: {mean: 1000, cv: 1, max: 8000}\noutput: {mean: 200, cv: 0.5, max: 900}\n"
    "targets: {ttft_p99: {value: 2 s, range: [1 s, 4 s], grade: estimate, source: s4}}\n";
const std::string kDaily =
    "name: night\ndescription: d\nuser: u\nrequests_per_user_day: 24\npeak_factor: 3\nburstiness: 0\n"
    "prompt: {mean: 1000, cv: 1, max: 8000}\noutput: {mean: 200, cv: 0.5, max: 900}\n";

class UseCases {
 public:
  UseCases() {
    folder.write("configs/use_cases/desk.yaml", kOnline);
    folder.write("configs/use_cases/night.yaml", kDaily);
    folder.write("configs/workloads/desks.yaml", "users: 500\nuse_case: desk\n");
    folder.write("configs/workloads/plain.yaml",
                 "arrivals: {process: fixed, rate: 1 /s, requests: 1}\nprompt: {distribution: fixed, tokens: 5}\n"
                 "output: {distribution: fixed, tokens: 6}\nspeed: 2\n");
    context = context_of(folder.path());
    context.configs_dir = folder.path() + "/configs";
    context.class_names = {"all", "night"};
  }
  WorkloadInfo info_of(const std::string& yaml) const { return workload_of(yaml, context).info; }
  const UseCaseLoad load_of(const std::string& yaml) const {
    const WorkloadInfo info = info_of(yaml);
    REQUIRE(info.use_cases.size() == 1);
    return info.use_cases[0];
  }
  std::string error_of(const std::string& yaml) const {
    return message_of([&] { workload_of(yaml, context); }, folder.path());
  }

  TestFolder folder;
  WorkloadContext context;
};

TEST_CASE_METHOD(UseCases, "users x active share x requests per active minute x peak factor is the rate") {
  const UseCaseLoad load = load_of("{users: 1000, use_case: desk}");
  // 1000 x 0.1 x 0.6/60 x 2
  CHECK(load.rate.value == Approx(2));
  CHECK(load.rate.low == Approx(1000 * 0.05 * 0.3 / 60 * 1.25));
  CHECK(load.rate.high == Approx(1000 * 0.2 * 1.2 / 60 * 4));
  CHECK(load.rate.grade == Grade::kEstimate);
  CHECK(load.users == 1000);
  CHECK(*info_of("{users: 1000, use_case: desk}").mean_rate == Approx(2));
}

TEST_CASE_METHOD(UseCases, "a day's quota is spread over the part of the day that the peak factor leaves") {
  // 100 x 24 in 24 h, three times as dense: 0.0833.../s
  CHECK(load_of("{users: 100, use_case: night}").rate.value == Approx(100 * 24 / 86400.0 * 3));
}

TEST_CASE_METHOD(UseCases, "the load factor of a day is what the peak factor leaves of its average") {
  const Evidence factor = load_of("{users: 1, use_case: desk}").use_case.load_factor();
  CHECK(factor.value == Approx(0.5));
  CHECK(factor.low == Approx(0.25));
  CHECK(factor.high == Approx(0.8));
  CHECK(factor.grade == Grade::kMeasured);
}

TEST_CASE_METHOD(UseCases, "a workload in users is the one that gives its rate and lengths, request by request") {
  const auto in_users = requests_of("{users: 1000, use_case: desk, requests: 300}", context);
  const auto given = requests_of(
      "arrivals: {process: gamma, rate: 2 /s, cv: 2, requests: 300}\n"
      "prompt: {distribution: lognormal, mean: 1000, cv: 1, max: 8000}\n"
      "output: {distribution: lognormal, mean: 200, cv: 0.5, max: 900}\n",
      context);
  REQUIRE(in_users.size() == 300);
  REQUIRE(given.size() == 300);
  for (std::size_t i = 0; i < 300; ++i) {
    CHECK(in_users[i].arrival == given[i].arrival);
    CHECK(in_users[i].prompt_tokens == given[i].prompt_tokens);
    CHECK(in_users[i].output_tokens == given[i].output_tokens);
  }
}

TEST_CASE_METHOD(UseCases, "no burstiness is an even pace, a burstiness of one Poisson") {
  CHECK(info_of("{users: 100, use_case: night}").description ==
        "100 users of night: fixed arrivals at 0.08333 requests/s, prompt mean 995.6, output mean 200 tokens");
  CHECK(info_of("{users: 100, use_case: {base: night, burstiness: 1}}").description.find("poisson") !=
        std::string::npos);
}

TEST_CASE_METHOD(UseCases, "as many requests as make ten minutes, at least 20,000, unless they or the time are given") {
  CHECK(info_of("{users: 1000, use_case: desk}").requests == 20'000);
  CHECK(info_of("{users: 1000000, use_case: desk}").requests == 1'200'000);  // 2,000/s
  CHECK(info_of("{users: 1000000000, use_case: desk}").requests == 2'000'000);
  CHECK(info_of("{users: 1000, use_case: desk, requests: 7}").requests == 7);
  CHECK(info_of("{users: 1000, use_case: desk, duration: 50 s}").requests == 100);
}

TEST_CASE_METHOD(UseCases, "a number that a scenario gives replaces the case's and says what it stands for") {
  const UseCaseLoad load = load_of(
      "{users: 1000, use_case: {base: desk, active_share: 0.5, prompt: {mean: 3000}, "
      "targets: {ttft_p99: 1 s, tpot: 50 ms}}}");
  CHECK(load.rate.value == Approx(10));
  CHECK(load.use_case.active_share.low == 0.5);
  CHECK(load.use_case.active_share.source == "set in w.yaml in place of 0.1 (0.05 to 0.2)");
  CHECK(load.use_case.prompt.mean.value == 3000);
  CHECK(load.use_case.prompt.max.value == 8000);
  REQUIRE(load.use_case.targets.size() == 2);
  CHECK(load.use_case.targets[0].limit.value == 1);
  CHECK(load.use_case.targets[1].name == "tpot");
}

TEST_CASE_METHOD(UseCases, "a quota may replace active people, and people a quota if all of their numbers are given") {
  const UseCaseLoad quota = load_of("{users: 100, use_case: {base: desk, requests_per_user_day: 24}}");
  CHECK(quota.rate.value == Approx(100 * 24 / 86400.0 * 2));
  const std::string people = "{base: night, active_share: 0.1, requests_per_active_minute: 6}";
  CHECK(load_of("{users: 100, use_case: " + people + "}").rate.value == Approx(100 * 0.1 * 0.1 * 3));
  CHECK(error_of("{users: 100, use_case: {base: night, active_share: 0.1}}") ==
        "w.yaml:1:24: use_case: missing key 'requests_per_active_minute'");
}

TEST_CASE_METHOD(UseCases, "more users ask in proportion, and of the same lengths") {
  const auto few = requests_of("{users: 1000, use_case: desk, requests: 50}", context);
  const auto many = requests_of("{users: 4000, use_case: desk, requests: 50}", context);
  for (std::size_t i = 0; i < 50; ++i) {
    CHECK(many[i].arrival.seconds() * 4 == Approx(few[i].arrival.seconds()).margin(1e-6));
    CHECK(many[i].prompt_tokens == few[i].prompt_tokens);
  }
}

TEST_CASE_METHOD(UseCases, "merged use cases keep their classes and say when other requests are among them") {
  const std::string two = "{users: 100, use_case: desk}, {users: 100, use_case: night, class: night}";
  const WorkloadInfo info = info_of("merge: [" + two + "]");
  REQUIRE(info.use_cases.size() == 2);
  CHECK(info.only_use_cases);
  CHECK(info.use_cases[0].request_class == ClassId{0});
  CHECK(info.use_cases[1].request_class == ClassId{1});
  CHECK_FALSE(info_of("merge: [{preset: plain}, " + two + "]").only_use_cases);
  CHECK_FALSE(info_of("preset: plain").only_use_cases);
}

TEST_CASE_METHOD(UseCases, "a preset may be in users, and users may replace what a preset makes up") {
  CHECK(load_of("{preset: desks, users: 1000}").rate.value == Approx(2));
  const WorkloadInfo replaced = info_of("{preset: plain, users: 1000, use_case: desk}");
  CHECK(*replaced.mean_rate == Approx(4));  // the preset's speed stays
  CHECK(info_of("{preset: desks, arrivals: {process: fixed, rate: 1 /s, requests: 4}, prompt: {distribution: fixed, "
                "tokens: 1}, output: {distribution: fixed, tokens: 1}}")
            .use_cases.empty());
}

TEST_CASE_METHOD(UseCases, "mistakes in users are told exactly") {
  CHECK(error_of("{users: 10, use_case: desc}") ==
        "w.yaml:1:23: use_case: unknown use case 'desc'; did you mean 'desk'? (known: desk, night)");
  CHECK(error_of("{users: 0, use_case: desk}") ==
        "w.yaml:1:9: users: '0' must be a whole number from 1 to 100000000000");
  CHECK(error_of("{users: -5, use_case: desk}") ==
        "w.yaml:1:9: users: '-5' must be a whole number from 1 to 100000000000");
  CHECK(error_of("{users: 10}") == "w.yaml:1:1: missing key 'use_case'");
  CHECK(error_of("{use_case: desk}") == "w.yaml:1:1: missing key 'users'");
  CHECK(error_of("{users: 1, use_case: desk, trace: {format: azure, file: t.csv}}") ==
        "w.yaml:1:9: users: 'trace' and 'users' exclude each other");
  CHECK(error_of("{users: 1, use_case: desk, arrivals: {process: fixed}}") ==
        "w.yaml:1:9: users: 'arrivals' and 'users' exclude each other");
  CHECK(error_of("{users: 1, use_case: desk, prompt: {distribution: fixed, tokens: 1}}") ==
        "w.yaml:1:36: prompt: stands in the use case; change it there: use_case: {base: desk, prompt: {mean: ...}}");
  CHECK(error_of("{users: 1, use_case: {base: desk, active_share: 1.2}}") ==
        "w.yaml:1:49: use_case.active_share: '1.2' must be over 0 and at most 1");
  CHECK(error_of("{users: 1, use_case: {base: desk, peak_factor: 0.5}}") ==
        "w.yaml:1:48: use_case.peak_factor: '0.5' must be at least 1 and at most 100");
  CHECK(error_of("{users: 1, use_case: {base: desk, prompt: {mean: 0}}}") ==
        "w.yaml:1:50: use_case.prompt.mean: '0' must be at least 1 and at most 1e+08");
  CHECK(error_of("{users: 1, use_case: {base: desk, name: x}}") ==
        "w.yaml:1:35: use_case.name: unknown key (known: active_share, base, burstiness, description, output, "
        "peak_factor, prompt, requests_per_active_minute, targets, user)");
  CHECK(error_of("{users: 1, use_case: {base: desk, active_share: 0.1, requests_per_user_day: 3}}") ==
        "w.yaml:1:49: use_case.active_share: excludes 'requests_per_user_day': people are active, or a day's quota "
        "is worked off");
  CHECK(error_of("{users: 1, use_case: {base: night, requests_per_user_day: 0.001}}") ==
        "w.yaml:1:9: users: 1 users of night ask 3.47e-08 requests/s; must be from 1e-6 to 1e9");
}

TEST_CASE(
    "every shipped use case is read, has targets, and asks something between a request a month and one a minute") {
  const std::string configs = std::string(SILICAST_SOURCE_DIR) + "/configs";
  const std::vector<std::string> names = config_names(configs + "/use_cases");
  CHECK(names == std::vector<std::string>{"batch", "chat", "code-agent", "code-completion", "long-document", "rag",
                                          "reasoning", "summarisation", "translation"});
  for (const std::string& name : names) {
    INFO(name);
    const UseCase use_case = read_use_case(load_entry(configs, "use_cases", name));
    CHECK(use_case.name == name);
    CHECK_FALSE(use_case.targets.empty());
    CHECK(use_case.peak_rate_per_user().low > 1 / (30 * 86400.0));
    CHECK(use_case.peak_rate_per_user().high < 2);
    for (const UseCaseFigure& figure : figures_of(use_case)) {
      INFO(figure.key);
      CHECK(figure.evidence.low < figure.evidence.high);
      CHECK(figure.evidence.source.size() > 5);
    }
  }
}

}  // namespace
}  // namespace silicast
