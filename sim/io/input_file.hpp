// Files that a run reads: regular ones, with the system's reason when one cannot be read.
#pragma once

#include <cstddef>
#include <istream>
#include <string>

namespace silicast {

// What speaks against reading this file, as a message says it behind the file's name; "" when nothing does.
std::string input_problem(const std::string& path);

// Reads up to `size` bytes, fewer only at the end. Error (InputError) that names the file: the system fails.
std::size_t read_bytes(std::istream& input, char* to, std::size_t size, const std::string& name);

}  // namespace silicast
