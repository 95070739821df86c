#include "sim/study/sweep/worker_pool.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <map>
#include <utility>

#include "sim/base/errors.hpp"

namespace silicast {
namespace {

constexpr int kTickMs = 200;
constexpr int kTries = 2;

bool write_all(int file, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(file, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

bool read_all(int file, void* data, std::size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = ::read(file, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

// A worker's life: a job in, the length and the bytes of its result out, until nobody asks any more.
[[noreturn]] void work_for(int jobs, int results, const WorkerPoolCalls& calls, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  std::signal(SIGINT, SIG_IGN);  // of the terminal: the parent decides
  std::signal(SIGPIPE, SIG_DFL);
  // One job after the other needs the same large tables; giving their pages back each time costs more than the tables.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  std::int32_t job = 0;
  while (read_all(jobs, &job, sizeof job)) {
    const std::string bytes = calls.work(job);
    const auto length = static_cast<std::uint32_t>(bytes.size());
    if (!write_all(results, &length, sizeof length) || !write_all(results, bytes.data(), bytes.size())) break;
  }
  ::_exit(0);
}

struct Worker {
  pid_t process = -1;
  int jobs = -1, results = -1;
  std::int32_t job = -1;  // -1: idle
  std::string buffer;
};

class Pool {
 public:
  Pool(const std::vector<std::int32_t>& jobs, std::size_t workers, const WorkerPoolCalls& calls)
      : calls_(calls), waiting_(jobs.begin(), jobs.end()), workers_(std::min(workers, jobs.size())) {}
  ~Pool() {
    for (Worker& worker : workers_) end(worker, SIGKILL);
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void run() {
    for (Worker& worker : workers_) start(worker);
    for (Worker& worker : workers_) give(worker);
    while (std::any_of(workers_.begin(), workers_.end(), [](const Worker& one) { return one.job >= 0; })) {
      if (calls_.stopped()) return;
      listen();
      calls_.tick();
    }
  }

 private:
  void start(Worker& worker) {
    int jobs[2], results[2];
    if (::pipe(jobs) != 0 || ::pipe(results) != 0)
      throw InputError(fmt::format("cannot start a worker: {}", std::strerror(errno)));
    const pid_t parent = ::getpid(), process = ::fork();
    if (process < 0) throw InputError(fmt::format("cannot start a worker: {}", std::strerror(errno)));
    if (process == 0) {
      for (const Worker& other : workers_)  // or a worker would never see that the parent is gone
        for (const int file : {other.jobs, other.results})
          if (file >= 0) ::close(file);
      ::close(jobs[1]);
      ::close(results[0]);
      work_for(jobs[0], results[1], calls_, parent);
    }
    ::close(jobs[0]);
    ::close(results[1]);
    worker = {process, jobs[1], results[0], -1, {}};
  }

  // How it ended.
  int end(Worker& worker, int signal) {
    if (worker.process < 0) return 0;
    ::close(worker.jobs);
    ::close(worker.results);
    if (signal != 0) ::kill(worker.process, signal);
    int status = 0;
    while (::waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {
    }
    worker = {};
    return status;
  }

  void give(Worker& worker) {
    if (waiting_.empty()) return;
    worker.job = waiting_.front();
    waiting_.pop_front();
    write_all(worker.jobs, &worker.job, sizeof worker.job);  // to one that just died: listen() will see it
  }

  void listen() {
    std::vector<pollfd> polled;
    for (const Worker& worker : workers_) polled.push_back({worker.results, POLLIN, 0});
    if (::poll(polled.data(), polled.size(), kTickMs) <= 0) return;
    for (std::size_t i = 0; i < workers_.size(); ++i)
      if (polled[i].revents != 0) receive(workers_[i]);
  }

  void receive(Worker& worker) {
    char bytes[1 << 16];
    const ssize_t got = ::read(worker.results, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) return;
    if (got <= 0) return bury(worker);
    worker.buffer.append(bytes, static_cast<std::size_t>(got));
    std::uint32_t length = 0;
    if (worker.buffer.size() < sizeof length) return;
    std::memcpy(&length, worker.buffer.data(), sizeof length);
    if (worker.buffer.size() < sizeof length + length) return;
    const std::int32_t job = std::exchange(worker.job, -1);
    std::string result = worker.buffer.substr(sizeof length);
    worker.buffer.clear();
    give(worker);
    calls_.done(job, std::move(result));
  }

  void bury(Worker& worker) {
    const std::int32_t job = worker.job;
    const int status = end(worker, 0);
    const std::string why =
        WIFSIGNALED(status) ? fmt::format("killed by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)))
                            : fmt::format("ended with status {}", WEXITSTATUS(status));
    if (job >= 0 && ++deaths_[job] < kTries)
      waiting_.push_front(job);
    else if (job >= 0)
      calls_.died(job, why);
    start(worker);
    give(worker);
  }

  const WorkerPoolCalls& calls_;
  std::deque<std::int32_t> waiting_;
  std::vector<Worker> workers_;
  std::map<std::int32_t, int> deaths_;
};

}  // namespace

void run_in_workers(const std::vector<std::int32_t>& jobs, std::size_t workers, const WorkerPoolCalls& calls) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // a worker may die before its job reaches it
  try {
    Pool(jobs, workers, calls).run();
  } catch (...) {
    std::signal(SIGPIPE, before);
    throw;
  }
  std::signal(SIGPIPE, before);
}

}  // namespace silicast
