// Owning handles of the HDF5 C API and the one way in which its errors become ours. Private to sim/io.
#pragma once

#include <fmt/format.h>
#include <hdf5.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "sim/base/errors.hpp"

namespace silicast {

// Closes an HDF5 id with the function that its kind needs.
class Hdf5Id {
 public:
  using Close = herr_t (*)(hid_t);
  Hdf5Id() = default;
  Hdf5Id(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Id(Hdf5Id&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Hdf5Id& operator=(Hdf5Id&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Hdf5Id() {
    if (id_ >= 0) close_(id_);
  }
  hid_t get() const { return id_; }
  bool ok() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

// HDF5 prints its error stack unless told not to; the setting is per thread. When the program ends it closes
// what is still open, which crashes on a file that met a full disk; ours are closed by then, or lost.
inline void silence_hdf5() {
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

// "PATH: cannot write: No space left on device".
[[noreturn]] inline void hdf5_failed(const std::string& path, std::string_view what, int error = errno) {
  throw InputError(error == 0 ? fmt::format("{}: {}", path, what)
                              : fmt::format("{}: {}: {}", path, what, std::strerror(error)));
}

// Checks a result of the C API (ids and herr_t are negative on failure).
template <class Result>
Result hdf5_check(Result result, const std::string& path, std::string_view what) {
  if (result < 0) hdf5_failed(path, what);
  return result;
}

// File access in the format of version 1.10, which SWMR needs; closing the file closes all that is open in
// it.
Hdf5Id hdf5_access_list();

// Syncs the closed file `from` to disk and renames it to `to`.
void publish_hdf5(const std::string& from, const std::string& to);

}  // namespace silicast
