// Repositories of weights and the catalogue's models.
#pragma once

#include <string>

#include "sim/run/launch/flags.hpp"

namespace silicast {

// The catalogue's model of a repository ("Qwen/Qwen3-32B", letters of either case), of a folder that is named like one
// ("/models/Qwen3-32B", a Hugging Face cache) or like the catalogue's file. Error (InputError) at `id`: none, with how
// to go on.
std::string model_of(const Said<std::string>& id, const std::string& configs_dir);

// The catalogue's draft with these weights, likewise.
std::string draft_of(const Said<std::string>& id, const std::string& configs_dir);

}  // namespace silicast
