// Where a result may be written: where nothing stands, or an earlier result.
#pragma once

#include <string>

namespace silicast {

// Error (InputError) that names the path: `path` is there and neither empty nor HDF5 (so no input of any run,
// all of which are text), or leads to no regular file; `part_path` is there at all; the system's refusal.
void check_output_file(const std::string& path, const std::string& part_path);

// A new text file, whole or not at all; its folder is made where it is missing. Error (InputError) that names the path:
// it is there already; the system's refusal.
void write_text_file(const std::string& path, const std::string& text);

}  // namespace silicast
