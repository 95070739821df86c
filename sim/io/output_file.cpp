#include "sim/io/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "sim/base/errors.hpp"

namespace silicast {
namespace {

[[noreturn]] void refuse(const std::string& path, std::string_view what) {
  throw InputError(fmt::format("{}: {}", path, what));
}

// Of the file that the path leads to; nullopt when nothing is there.
std::optional<mode_t> mode_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status.st_mode;
  if (errno != ENOENT) refuse(path, fmt::format("cannot create: {}", std::strerror(errno)));
  if (::lstat(path.c_str(), &status) == 0) refuse(path, "is a link to nothing; give another name");
  return std::nullopt;
}

// A regular file that is there already, opened for a look.
class Existing {
 public:
  explicit Existing(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) refuse(path, fmt::format("cannot open: {}", std::strerror(errno)));
    size_ = ::pread(descriptor_, head_, sizeof head_, 0);
  }
  ~Existing() { ::close(descriptor_); }
  Existing(const Existing&) = delete;
  Existing& operator=(const Existing&) = delete;

  bool empty() const { return size_ == 0; }
  bool is_hdf5() const { return size_ == sizeof head_ && std::memcmp(head_, "\x89HDF\r\n\x1a\n", 8) == 0; }
  // Its writer holds a lock while it lives (Hdf5Writer::start_rows).
  bool is_being_written() const { return ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; }

 private:
  int descriptor_;
  char head_[8] = {};
  ssize_t size_ = 0;
};

void check_target(const std::string& path) {
  const std::optional<mode_t> mode = mode_of(path);
  if (!mode) return;
  if (S_ISDIR(*mode)) refuse(path, "is a directory");
  if (!S_ISREG(*mode)) refuse(path, "is not a regular file; give another name");
  const Existing file(path);
  if (!file.empty() && !file.is_hdf5()) refuse(path, "exists and is not a result of silicast; give another name");
}

void check_part(const std::string& path) {
  const std::optional<mode_t> mode = mode_of(path);
  if (!mode) return;
  if (!S_ISREG(*mode)) refuse(path, "is not a regular file; give another name");
  const Existing file(path);
  if (file.is_being_written()) refuse(path, "is being written by another run; give another name");
  if (file.is_hdf5())
    refuse(path,
           fmt::format("was left by a run that did not end; read it by 'silicast recover {}' or remove it", path));
  refuse(path, "exists and is not a result of silicast; remove it or give another name");
}

}  // namespace

void check_output_file(const std::string& path, const std::string& part_path) {
  check_target(path);
  check_part(part_path);
}

void write_text_file(const std::string& path, const std::string& text) {
  namespace fs = std::filesystem;
  const auto check = [&](const std::error_code& error) {
    if (error) refuse(path, fmt::format("cannot create: {}", error.message()));
  };
  std::error_code error;
  const fs::path folder = fs::path(path).parent_path();
  if (!folder.empty()) fs::create_directories(folder, error);
  check(error);
  if (mode_of(path)) refuse(path, "exists already; give another name");
  const std::string part = path + ".part";
  {
    std::ofstream file(part, std::ios::binary);
    file << text << std::flush;
    if (!file) {
      fs::remove(part, error);
      refuse(path, "cannot be written");
    }
  }
  fs::rename(part, path, error);
  check(error);
}

}  // namespace silicast
