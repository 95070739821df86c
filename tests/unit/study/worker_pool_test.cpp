// Jobs on worker processes: each is done once, whatever becomes of those who do it.
#include "sim/study/sweep/worker_pool.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <map>
#include <numeric>
#include <set>

#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

struct Outcome {
  std::map<std::int32_t, std::vector<std::string>> done, died;
  int ticks = 0;
};

std::vector<std::int32_t> jobs_to(std::int32_t count) {
  std::vector<std::int32_t> jobs(static_cast<std::size_t>(count));
  std::iota(jobs.begin(), jobs.end(), 0);
  return jobs;
}

WorkerPoolCalls calls_of(Outcome& outcome, std::function<std::string(std::int32_t)> work) {
  WorkerPoolCalls calls;
  calls.work = std::move(work);
  calls.done = [&](std::int32_t job, std::string bytes) { outcome.done[job].push_back(std::move(bytes)); };
  calls.died = [&](std::int32_t job, const std::string& why) { outcome.died[job].push_back(why); };
  calls.tick = [&] { ++outcome.ticks; };
  calls.stopped = [] { return false; };
  return calls;
}

Outcome outcome_of(std::int32_t jobs, std::size_t workers, std::function<std::string(std::int32_t)> work) {
  Outcome outcome;
  run_in_workers(jobs_to(jobs), workers, calls_of(outcome, std::move(work)));
  return outcome;
}

bool no_child_is_left() {
  return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
}

std::string size_and_name(std::int32_t job) {
  return fmt::format("{}:", job) + std::string(static_cast<std::size_t>(job) * 1000, 'x');
}

// Tries of a job over all processes: lines of a file.
class Tries {
 public:
  void note(std::int32_t job) const {
    std::ofstream(folder_ / "tries", std::ios::app) << fmt::format("{}\n", job) << std::flush;
  }
  int of(std::int32_t job) const {
    std::ifstream file(folder_ / "tries");
    int tries = 0;
    for (std::int32_t one = 0; file >> one;) tries += one == job ? 1 : 0;
    return tries;
  }

 private:
  TempFolder folder_;
};

TEST_CASE("each job is worked once at any number of workers, and its bytes come back") {
  for (const std::size_t workers : {1, 2, 5, 60}) {
    const Tries tries;
    const Outcome outcome = outcome_of(50, workers, [&](std::int32_t job) {
      tries.note(job);
      return size_and_name(job);
    });
    CHECK(outcome.died.empty());
    REQUIRE(outcome.done.size() == 50);
    for (const auto& [job, results] : outcome.done) {
      CHECK(results == std::vector<std::string>{size_and_name(job)});
      CHECK(tries.of(job) == 1);
    }
    CHECK(no_child_is_left());
  }
}

TEST_CASE("work is done in as many processes as there are workers, none of them the caller's") {
  std::set<std::string> processes;
  for (const auto& [job, results] : outcome_of(12, 3, [](std::int32_t) {
                                      ::usleep(20'000);
                                      return std::to_string(::getpid());
                                    }).done)
    processes.insert(results.begin(), results.end());
  CHECK(processes.size() == 3);
  CHECK(processes.count(std::to_string(::getpid())) == 0);
}

TEST_CASE("one worker takes the jobs in their order") {
  std::vector<std::int32_t> order;
  Outcome ignored;
  WorkerPoolCalls calls = calls_of(ignored, size_and_name);
  calls.done = [&](std::int32_t job, const std::string&) { order.push_back(job); };
  run_in_workers({5, 3, 9}, 1, calls);
  CHECK(order == std::vector<std::int32_t>{5, 3, 9});
}

TEST_CASE("results of many megabytes and of no byte come back") {
  const Outcome outcome = outcome_of(4, 2, [](std::int32_t job) {
    return std::string(job == 2 ? std::size_t{20'000'003} : 0, static_cast<char>('a' + job));
  });
  REQUIRE(outcome.done.size() == 4);
  CHECK(outcome.done.at(0).at(0).empty());
  CHECK((outcome.done.at(2).at(0) == std::string(20'000'003, 'c')));
}

TEST_CASE("no jobs are no work") {
  CHECK(outcome_of(0, 3, size_and_name).done.empty());
  CHECK(no_child_is_left());
}

TEST_CASE("a job that kills its worker is tried twice and then told, and all others are done") {
  for (const std::size_t workers : {1, 2, 5}) {
    const Tries tries;
    const Outcome outcome = outcome_of(20, workers, [&](std::int32_t job) {
      tries.note(job);
      if (job == 7) ::raise(SIGKILL);
      return size_and_name(job);
    });
    CHECK(tries.of(7) == 2);
    CHECK((outcome.died == std::map<std::int32_t, std::vector<std::string>>{{7, {"killed by signal 9 (Killed)"}}}));
    CHECK(outcome.done.size() == 19);
    for (const auto& [job, results] : outcome.done) {
      CHECK(results == std::vector<std::string>{size_and_name(job)});
      CHECK(tries.of(job) == 1);
    }
    CHECK(no_child_is_left());
  }
}

TEST_CASE("a job whose first worker was killed is done by the second") {
  const Tries tries;
  const Outcome outcome = outcome_of(10, 2, [&](std::int32_t job) {
    tries.note(job);
    if (job % 3 == 0 && tries.of(job) == 1) ::raise(SIGKILL);
    return size_and_name(job);
  });
  CHECK(outcome.died.empty());
  CHECK(outcome.done.size() == 10);
  CHECK(tries.of(3) == 2);
}

TEST_CASE("work that ends its process is told with its status") {
  const Outcome outcome = outcome_of(5, 2, [](std::int32_t job) {
    if (job == 4) ::_exit(3);
    return size_and_name(job);
  });
  CHECK((outcome.died == std::map<std::int32_t, std::vector<std::string>>{{4, {"ended with status 3"}}}));
  CHECK(outcome.done.size() == 4);
}

TEST_CASE("jobs that all kill their workers end too") {
  const Outcome outcome = outcome_of(6, 3, [](std::int32_t) -> std::string { ::raise(SIGKILL), ::_exit(0); });
  CHECK(outcome.done.empty());
  CHECK(outcome.died.size() == 6);
  CHECK(no_child_is_left());
}

TEST_CASE("a pool that is stopped ends at once, also in the middle of long work") {
  const auto begin = std::chrono::steady_clock::now();
  Outcome outcome;
  WorkerPoolCalls calls = calls_of(outcome, [](std::int32_t job) {
    if (job > 0) ::sleep(60);
    return size_and_name(job);
  });
  calls.stopped = [&] { return !outcome.done.empty(); };
  run_in_workers(jobs_to(9), 3, calls);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  CHECK(outcome.done.size() == 1);
  CHECK(outcome.died.empty());
  CHECK(no_child_is_left());
}

TEST_CASE("while work is long the caller's tick goes on") {
  CHECK(outcome_of(1, 1, [](std::int32_t) {
          ::usleep(700'000);
          return std::string();
        }).ticks >= 3);
}

TEST_CASE("what done throws ends the workers and is thrown on") {
  for (const std::size_t workers : {1, 4}) {
    Outcome outcome;
    WorkerPoolCalls calls = calls_of(outcome, size_and_name);
    calls.done = [](std::int32_t, const std::string&) { throw InputError("the disk is full"); };
    CHECK_THROWS_WITH(run_in_workers(jobs_to(30), workers, calls), "the disk is full");
    CHECK(no_child_is_left());
  }
}

TEST_CASE("what the caller did on a broken pipe it does after the pool as before") {
  for (const bool throws : {false, true}) {
    const auto before = std::signal(SIGPIPE, SIG_DFL);
    Outcome outcome;
    WorkerPoolCalls calls = calls_of(outcome, size_and_name);
    if (throws) calls.done = [](std::int32_t, const std::string&) { throw InputError("no"); };
    try {
      run_in_workers(jobs_to(2), 1, calls);
    } catch (const InputError&) {
      CHECK(throws);
    }
    CHECK(std::signal(SIGPIPE, before) == SIG_DFL);
  }
}

}  // namespace
}  // namespace silicast::testing
