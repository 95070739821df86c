#include "sim/io/input_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ios>

#include "sim/base/errors.hpp"

namespace silicast {

std::string input_problem(const std::string& path) {
  if (path.empty()) return "the name of a file is due, not empty text";
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return errno == ENOENT ? "cannot be read; does it exist?" : fmt::format("cannot be read: {}", std::strerror(errno));
  if (S_ISDIR(status.st_mode)) return "is a folder, not a file";
  // A pipe or a device may never end, and nothing in it can be read twice.
  if (!S_ISREG(status.st_mode)) return "is not a regular file; save it to a file first";
  if (::access(path.c_str(), R_OK) != 0) return fmt::format("cannot be read: {}", std::strerror(errno));
  return "";
}

std::size_t read_bytes(std::istream& input, char* to, std::size_t size, const std::string& name) {
  try {
    // Not input.read(), which takes an error for the end of the file.
    return static_cast<std::size_t>(
        std::max<std::streamsize>(input.rdbuf()->sgetn(to, static_cast<std::streamsize>(size)), 0));
  } catch (const std::ios_base::failure& error) {
    throw InputError({name, 0, 0}, "", fmt::format("cannot be read: {}", error.code().message()));
  }
}

}  // namespace silicast
