// A sweep on this machine: what is missing is computed on worker processes, what is there already is kept.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/study/sweep/journal.hpp"
#include "sim/study/sweep/sweep_table.hpp"

namespace silicast {

struct SweepOptions {
  std::string out;
  std::size_t workers = 1;
  std::function<void(const SweepProgress&)> progress = [](const SweepProgress&) {};
  std::function<bool()> stopped = [] { return false; };
};

// "HOST.PID": of files that no other process writes, on any machine that shares them.
std::string process_name();

// Runs these points of the table; every result goes to the journal, then to the table.
void compute_points(SweepTable& table, const std::vector<std::int32_t>& points, Journal& journal,
                    const SweepOptions& options, const std::function<void()>& tick);

// Writes the file of a table, at once when asked, else as often as that costs little.
class SweepFileWriter {
 public:
  SweepFileWriter(const SweepTable& table, std::string out);
  void now();
  void when_due();

 private:
  const SweepTable& table_;
  std::string out_;
  std::int64_t due_ns_;  // of the steady clock
};

struct SweepOutcome {
  std::int64_t damaged = 0;  // records of journals that could not be read
  bool interrupted = false;
};

// Fills the table and writes `out`, now and then while it runs and at its end; OUT.journal is there until all points
// are. Points of an earlier `out` or journal whose keys are the same are kept, but for those that failed. Errors
// (InputError): of the sweep; another process writes `out`; the disk is full (the same call goes on from there).
SweepOutcome run_sweep(SweepTable& table, const SweepOptions& options);

// Results of an earlier start that still hold: of `out` and of these journals. Returns how many records were damaged.
std::int64_t keep_earlier(SweepTable& table, const std::string& out, const std::vector<std::string>& journals);

}  // namespace silicast
