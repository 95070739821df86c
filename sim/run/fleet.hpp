// Several models in one scenario: which class of requests asks for which, and which pools serve it.
#pragma once

#include "sim/run/scenario.hpp"

namespace silicast {

// classes: {NAME: {model: MODEL, targets: {...}}}, both optional; without `classes` there is one, called all. A class
// asks for its model, else for the scenario's; pools say what they serve by a `model` of their own, and by
// `overflow_after: 24` that they get requests only when the other pools of their model have 24 for each replica. Fills
// in models, classes and the pools' numbers of models; the pools are read already. Errors (InputError): a model that no
// pool serves, pools of a model that are all there for what others leave, overflow of a pool that others prefill for.
void read_classes(ConfigMap& map, const std::string& configs_dir, Scenario& scenario);

// Prompt and output together, of requests for a model.
std::int32_t max_context_of(const Scenario& scenario, const ModelSpec& model);

}  // namespace silicast
