// `silicast check` of sweeps and plans.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace silicast {

// What a sweep or a plan resolves to; nullopt for a file of another kind. Errors: InputError.
std::optional<std::string> check_study_file(const std::string& path, const std::string& configs_dir,
                                            const std::vector<std::string>& settings);

}  // namespace silicast
