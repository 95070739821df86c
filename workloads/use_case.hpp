// What the users of one kind of service ask of it: how often, how much, how evenly, how soon they want it. Most of
// these numbers are guesses that a planner must see and may replace, so every one is evidence.
#pragma once

#include <string>
#include <vector>

#include "sim/base/evidence.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

// Tokens of a log-normal, `mean` and `cv` before they are cut to 1 and `max`.
struct UseCaseLengths {
  Evidence mean, cv, max;
};

// "ttft_p99" and its limit in seconds; which names there are is up to read_targets().
struct UseCaseTarget {
  std::string name;
  Evidence limit;
  Mark mark;  // where the limit stands
};

// Who sets the pace of requests.
enum class Pace {
  kOnline,  // people at work: active_share of them, requests_per_active_minute each
  kDaily,   // a quota that is worked off: requests_per_user_day
};

struct UseCase {
  std::string name;  // of the file, changed or not
  std::string description;
  std::string user;  // who counts as one
  Pace pace = Pace::kOnline;
  Evidence active_share;                // of all users, those who are active at an average moment of a day
  Evidence requests_per_active_minute;  // of one of these
  Evidence requests_per_user_day;       // kDaily only
  Evidence peak_factor;                 // requests in the busiest hour of a day over those in its average hour
  Evidence burstiness;                  // coefficient of variation of the gaps between requests within that hour
  UseCaseLengths prompt, output;
  std::vector<UseCaseTarget> targets;  // none: nothing is promised

  // Requests/s of one user in the busiest hour.
  Evidence peak_rate_per_user() const;
  // Mean load of a day over that of its busiest hour: 1 / peak_factor.
  Evidence load_factor() const;
};

// One number of a use case, named as people read it.
struct UseCaseFigure {
  std::string key;  // "active_share", "prompt.mean", "targets.ttft_p99"
  std::string label;
  Evidence evidence;
  Dimension dimension = Dimension::kNumber;
};

// In the order of the file: the pace, the peak, lengths, targets.
std::vector<UseCaseFigure> figures_of(const UseCase& use_case);

// A catalogue file (configs/use_cases/NAME.yaml). Schema (EVIDENCE as in read_chip):
//   name, description, user: text
//   active_share: EVIDENCE (over 0, to 1) and requests_per_active_minute: EVIDENCE, or requests_per_user_day: EVIDENCE
//   peak_factor: EVIDENCE (1 to 100); burstiness: EVIDENCE (0 to 100; 0: even, 1: Poisson)
//   prompt, output: {mean, cv, max: EVIDENCE}         # tokens
//   targets: {ttft_p99: EVIDENCE, tpot: ..., ...}     # times; optional; names as in a scenario's targets
// Errors: InputError at the key.
UseCase read_use_case(const ConfigValue& file);

// NAME of the catalogue, the path of such a file, or {base: NAME, active_share: 0.1, prompt: {mean: 3000}, ...}: any
// key of the schema but name replaces that of the base; a bare number is taken as certain. Errors: InputError at the
// key.
UseCase find_use_case(const ConfigValue& value, const std::string& configs_dir);

}  // namespace silicast
