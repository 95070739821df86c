// The HDF5 file of one run: rows of requests and time series stream out while it runs, the summary follows at
// the end. METRICS.md describes the groups; sim/io/hdf5_file.hpp what a crash leaves.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/io/hdf5_file.hpp"
#include "sim/report/recorder.hpp"
#include "sim/report/summary.hpp"
#include "sim/serving/observer.hpp"

namespace silicast {

struct RunIdentity {
  std::string name;
  std::string scenario_yaml;  // resolved
  std::uint64_t seed = 0;
  std::string version;
  std::string git_hash;  // "" when not known
};

struct ResultFileOptions {
  bool requests = true;  // a row per request
  bool series = true;    // a row per pool and sample
};

class ResultFile : public ServingObserver {
 public:
  // Creates PATH.part. Errors of this and of every other member: InputError (see Hdf5Writer).
  ResultFile(const std::string& path, const RunIdentity& identity, const RunFacts& facts,
             const ResultFileOptions& options);
  // Unless finished, leaves PATH.part as it is.
  ~ResultFile() override;

  void request_ended(const RequestRecord& record) override;
  void sampled(SimTime now, std::span<const PoolSample> pools) override;

  // Writes the summary and gives the file its name. `fingerprint` is that of the run.
  void finish(const Summary& summary, const Histograms& histograms, std::uint64_t fingerprint);
  void abandon();  // removes PATH.part

 private:
  struct RequestColumns;
  struct PoolColumns;

  void add_request_columns(const RunFacts& facts);
  void add_series_columns();

  std::vector<PoolFacts> pools_;
  Hdf5Writer file_;
  std::unique_ptr<RequestColumns> requests_;          // absent without rows
  std::vector<std::unique_ptr<PoolColumns>> series_;  // by pool; empty without series
};

}  // namespace silicast
