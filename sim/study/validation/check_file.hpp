// `silicast check` of the files of configs/validation.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace silicast {

// What a validation case, the names or the bounds resolve to; nullopt for a file of another kind. Errors: InputError.
std::optional<std::string> check_validation_file(const std::string& path, const std::string& configs_dir,
                                                 const std::vector<std::string>& settings);

}  // namespace silicast
