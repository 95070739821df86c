#include "sim/io/text_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "sim/base/errors.hpp"

namespace silicast {

TextOutput::TextOutput(const std::string& path) : path_(path), part_(path + ".part") {
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored)))
    throw InputError(fmt::format("{}: exists already; give another name", path));
  const int descriptor = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0)
    throw InputError(errno == EEXIST ? fmt::format("{}: exists already; remove it or give another name", part_)
                                     : fmt::format("{}: cannot create: {}", path, std::strerror(errno)));
  ::close(descriptor);
  open_ = true;
  errno = 0;
  file_.open(part_, std::ios::binary);
  if (!file_) fail();
}

TextOutput::~TextOutput() {
  if (!open_) return;
  file_.close();
  std::remove(part_.c_str());
}

void TextOutput::fail() const {
  const int error = errno;
  throw InputError(
      fmt::format("{}: cannot write{}{}", path_, error == 0 ? "" : ": ", error == 0 ? "" : std::strerror(error)));
}

void TextOutput::write(std::string_view text) {
  errno = 0;
  file_.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file_) fail();
}

void TextOutput::finish() {
  errno = 0;
  file_.close();
  if (!file_ || std::rename(part_.c_str(), path_.c_str()) != 0) fail();
  open_ = false;
}

}  // namespace silicast
