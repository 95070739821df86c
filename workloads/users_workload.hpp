// A workload given in users, `{users: 20000, use_case: chat}`, as the arrivals and lengths that it stands for.
#pragma once

#include <string>

#include "sim/base/ids.hpp"
#include "sim/io/config_reader.hpp"
#include "workloads/use_case.hpp"

namespace silicast {

// Users of one kind and what they ask in their busiest hour, before a workload's edits (speed, slice, ...).
struct UseCaseLoad {
  double users = 0;
  UseCase use_case;
  Evidence rate;             // requests/s: users x peak_rate_per_user()
  ClassId request_class{0};  // of their requests
};

struct UsersWorkload {
  UseCaseLoad load;
  ConfigValue workload;  // {arrivals, prompt, output}: the schema of a workload that is made up
};

// Asks the mapping for users, use_case, requests and duration. Arrivals are a gamma process of the burstiness (fixed at
// 0, Poisson at 1) at the values' rate; without requests and duration as many as come in ten minutes, 20,000 at least
// and 2 million at most. Errors: InputError at the key; prompt or output beside users.
UsersWorkload resolve_users(ConfigMap& map, const std::string& configs_dir);

}  // namespace silicast
