// What a killed writer left, made whole: opened as a SWMR reader (which a killed SWMR writer never corrupts;
// an ordinary open refuses it), copied object by object, cut to the rows that all columns of a group have.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "sim/io/hdf5_file.hpp"
#include "sim/io/hdf5_handle.hpp"

namespace silicast {
namespace {

struct Column {
  std::string path;
  hsize_t rows = 0;      // at its start, whose chunks are in the file
  bool growing = false;  // chunked without limit; what is not, is whole
};

struct Walk {
  hid_t file = -1;
  std::string group;                // being listed, with a slash at the end
  std::vector<std::string> groups;  // found in it
  std::vector<Column> columns;      // found in it
};

Column column_of(hid_t dataset, const std::string& path) {
  const Hdf5Id space(H5Dget_space(dataset), H5Sclose);
  hsize_t extent = 0, limit = 0;
  if (H5Sget_simple_extent_ndims(space.get()) != 1) return {path, 0, false};
  H5Sget_simple_extent_dims(space.get(), &extent, &limit);
  if (limit != H5S_UNLIMITED) return {path, extent, false};
  const hsize_t chunk = static_cast<hsize_t>(kHdf5ChunkRows);
  // The extent grows before its chunk is indexed.
  for (hsize_t offset = 0; offset < extent; offset += chunk) {
    unsigned mask = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t size = 0;
    if (H5Dget_chunk_info_by_coord(dataset, &offset, &mask, &address, &size) < 0 || address == HADDR_UNDEF || size == 0)
      return {path, offset, true};
  }
  return {path, extent, true};
}

herr_t visit(hid_t, const char* name, const H5L_info_t*, void* data) {
  Walk& walk = *static_cast<Walk*>(data);
  const std::string path = walk.group + name;
  const Hdf5Id object(H5Oopen(walk.file, path.c_str(), H5P_DEFAULT), H5Oclose);
  if (!object.ok()) return -1;
  const H5I_type_t kind = H5Iget_type(object.get());
  if (kind == H5I_GROUP) walk.groups.push_back(path);
  if (kind == H5I_DATASET) walk.columns.push_back(column_of(object.get(), path));
  return 0;
}

// All groups of growing columns, depth first.
bool list_columns(hid_t file, const std::string& group, int depth, std::vector<std::vector<Column>>& found) {
  Walk walk;
  walk.file = file;
  walk.group = group;
  const Hdf5Id owner(H5Gopen2(file, group.c_str(), H5P_DEFAULT), H5Gclose);
  if (!owner.ok() || depth > 8) return false;
  if (H5Literate(owner.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &walk) < 0) return false;
  if (!walk.columns.empty()) found.push_back(walk.columns);
  for (const std::string& child : walk.groups)
    if (!list_columns(file, child + "/", depth + 1, found)) return false;
  return true;
}

void cut(hid_t file, const Column& column, hsize_t rows, const std::string& path) {
  const Hdf5Id dataset(hdf5_check(H5Dopen2(file, column.path.c_str(), H5P_DEFAULT), path, "cannot write"), H5Dclose);
  hdf5_check(H5Dset_extent(dataset.get(), &rows), path, "cannot write");
}

// The end of the file as its superblock (version 2 or 3) states it; 0 when there is no such superblock.
std::uint64_t stated_end(const std::string& path) {
  unsigned char head[48] = {};
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return 0;
  const bool whole = std::fread(head, 1, sizeof head, file) == sizeof head;
  std::fclose(file);
  const bool known = head[8] >= 2 && head[9] == 8;  // version, bytes of an address
  std::uint64_t end = 0;
  for (int i = 7; i >= 0; --i) end = end << 8 | head[28 + i];
  return whole && known ? end : 0;
}

// Two marks make HDF5 refuse a file whose rows are all there: a writer killed while it added its summary left
// "open for writing", and one that met a full disk states an end that the file does not reach. Both are taken
// off a copy, as HDF5's own h5clear tool does it.
Hdf5Id open_unmarked_copy(const std::string& path, const std::string& copy) {
  constexpr std::uint64_t kMostMissing = std::uint64_t{1} << 26;  // many chunks; more is damage
  std::error_code error;
  std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing, error);
  const std::uint64_t size = error ? 0 : std::filesystem::file_size(copy, error), end = stated_end(path);
  if (!error && end > size && end - size < kMostMissing) std::filesystem::resize_file(copy, end, error);
  if (error) hdf5_failed(copy, fmt::format("cannot write: {}", error.message()), 0);
  const Hdf5Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  const hbool_t clear = 1;
  if (H5Pset(access.get(), "clear_status_flags", &clear) < 0) return {};
  return {H5Fopen(copy.c_str(), H5F_ACC_RDWR, access.get()), H5Fclose};
}

// A running writer holds a lock (Hdf5Writer::start_rows).
bool is_being_written(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool locked = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return locked;
}

Hdf5Id open_part(const std::string& path, const std::string& copy) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) hdf5_failed(path, "cannot open");
  if (S_ISDIR(status.st_mode)) hdf5_failed(path, "is a directory", 0);
  if (!S_ISREG(status.st_mode)) hdf5_failed(path, "is not a regular file", 0);
  if (is_being_written(path)) hdf5_failed(path, "is being written by a run; wait until it ends", 0);
  if (H5Fis_hdf5(path.c_str()) <= 0) hdf5_failed(path, "is not an HDF5 file, or was killed before its first rows", 0);
  const Hdf5Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  // Nobody writes any more, so what does not fit its checksum stays that way; HDF5 would try for minutes.
  H5Pset_metadata_read_attempts(access.get(), 2);
  Hdf5Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access.get()), H5Fclose);
  // A part that was closed (a run that ended in an error) has no mark and opens as any other file.
  if (!file.ok()) file = Hdf5Id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file.ok()) file = open_unmarked_copy(path, copy);
  if (!file.ok()) hdf5_failed(path, "is damaged beyond recovery", 0);
  return file;
}

// Where objects are copied from and to; the names are for messages.
struct Copying {
  std::string from;
  std::string to;
  [[noreturn]] void fail(const std::string& object) const {
    if (errno != 0) hdf5_failed(to, fmt::format("cannot copy {} from {}", object, from));
    hdf5_failed(from, fmt::format("is damaged beyond recovery, at {}", object), 0);
  }
};

// H5Ocopy of HDF5 1.10 crashes on more than eight attributes of which one is text; so they are copied one by
// one.
void copy_attributes(hid_t from, hid_t to, const std::string& object, const Copying& copying) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 26;
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5A_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  errno = 0;
  if (H5Aiterate2(from, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names) < 0) copying.fail(object);
  for (const std::string& name : names) {
    const Hdf5Id attribute(H5Aopen(from, name.c_str(), H5P_DEFAULT), H5Aclose);
    if (!attribute.ok()) copying.fail(object + "." + name);
    const Hdf5Id type(H5Aget_type(attribute.get()), H5Tclose), space(H5Aget_space(attribute.get()), H5Sclose);
    const hssize_t points = H5Sget_simple_extent_npoints(space.get());
    const std::size_t size = H5Tget_size(type.get());
    if (points < 0 || size == 0 || static_cast<std::size_t>(points) > kMostBytes / size)
      copying.fail(object + "." + name);
    std::vector<unsigned char> bytes(static_cast<std::size_t>(points) * size + 1);
    const Hdf5Id copy(H5Acreate2(to, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    if (!copy.ok() || H5Aread(attribute.get(), type.get(), bytes.data()) < 0) copying.fail(object + "." + name);
    const bool written = H5Awrite(copy.get(), type.get(), bytes.data()) >= 0;
    H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, bytes.data());
    if (!written) copying.fail(object + "." + name);
  }
}

// Copies a group's attributes and what lies below it; compressed chunks go over as they are.
void copy_group(hid_t from, hid_t to, const std::string& group, const Copying& copying) {
  copy_attributes(from, to, group, copying);
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  hdf5_check(H5Literate(from, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names), copying.from,
             "is damaged beyond recovery");
  const Hdf5Id creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose), bare(H5Pcreate(H5P_OBJECT_COPY), H5Pclose);
  H5Pset_obj_track_times(creation.get(), false);
  H5Pset_copy_object(bare.get(), H5O_COPY_WITHOUT_ATTR_FLAG);
  for (const std::string& name : names) {
    const std::string path = group + (group.ends_with('/') ? "" : "/") + name;
    errno = 0;
    const Hdf5Id object(H5Oopen(from, name.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object.ok()) copying.fail(path);
    if (H5Iget_type(object.get()) == H5I_GROUP) {
      const Hdf5Id made(H5Gcreate2(to, name.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), H5Gclose);
      if (!made.ok()) copying.fail(path);
      copy_group(object.get(), made.get(), path, copying);
      continue;
    }
    if (H5Ocopy(from, name.c_str(), to, name.c_str(), bare.get(), H5P_DEFAULT) < 0) copying.fail(path);
    const Hdf5Id made(H5Oopen(to, name.c_str(), H5P_DEFAULT), H5Oclose);
    if (!made.ok()) copying.fail(path);
    copy_attributes(object.get(), made.get(), path, copying);
  }
}

Recovered cut_groups(hid_t file, const std::vector<std::vector<Column>>& groups, const std::string& path) {
  Recovered result;
  for (const std::vector<Column>& columns : groups) {
    hsize_t shortest = H5S_UNLIMITED, longest = 0;
    for (const Column& column : columns) {
      if (!column.growing) continue;
      shortest = std::min(shortest, column.rows);
      longest = std::max(longest, column.rows);
    }
    if (shortest == H5S_UNLIMITED) continue;  // whole arrays only
    for (const Column& column : columns)
      if (column.growing) cut(file, column, shortest, path);
    result.rows = std::max(result.rows, static_cast<std::int64_t>(shortest));
    result.dropped += static_cast<std::int64_t>(longest - shortest);
  }
  return result;
}

void mark_recovered(hid_t file, const std::string& path) {
  const Hdf5Id space(H5Screate(H5S_SCALAR), H5Sclose);
  const std::uint8_t yes = 1;
  if (H5Aexists(file, "recovered") > 0) return;  // a recovered file, recovered again
  const Hdf5Id attribute(H5Acreate2(file, "recovered", H5T_STD_U8LE, space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  hdf5_check(attribute.get(), path, "cannot write");
  hdf5_check(H5Awrite(attribute.get(), H5T_NATIVE_UINT8, &yes), path, "cannot write");
}

// Removes the temporary files of a recovery that did not come to its end.
struct Temporaries {
  ~Temporaries() {
    std::remove(output.c_str());
    std::remove(copy.c_str());
  }
  std::string output;
  std::string copy;
};

}  // namespace

std::vector<std::string> recovery_files(const std::string& out_path) {
  return {out_path + ".recovering", out_path + ".unmarked"};
}

Recovered recover_hdf5(const std::string& part_path, const std::string& out_path, const std::string& due_group) {
  silence_hdf5();
  if (part_path == out_path) hdf5_failed(out_path, "cannot recover a file onto itself", 0);
  // Declared first, so that the files are closed before they are removed.
  const std::vector<std::string> names = recovery_files(out_path);
  const Temporaries temporary{names[0], names[1]};
  const Hdf5Id part = open_part(part_path, temporary.copy);
  if (!due_group.empty() && H5Lexists(part.get(), due_group.c_str(), H5P_DEFAULT) <= 0)
    hdf5_failed(part_path, fmt::format("is an HDF5 file, but not of a silicast run (no {})", due_group), 0);
  std::vector<std::vector<Column>> groups;
  if (!list_columns(part.get(), "/", 0, groups)) hdf5_failed(part_path, "is damaged beyond recovery", 0);

  const Hdf5Id creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation.get(), false);
  errno = 0;
  Hdf5Id out(H5Fcreate(temporary.output.c_str(), H5F_ACC_TRUNC, creation.get(), hdf5_access_list().get()), H5Fclose);
  hdf5_check(out.get(), out_path, "cannot create");
  {
    const Hdf5Id from(H5Gopen2(part.get(), "/", H5P_DEFAULT), H5Gclose),
        to(H5Gopen2(out.get(), "/", H5P_DEFAULT), H5Gclose);
    copy_group(from.get(), to.get(), "/", {part_path, out_path});
  }
  const Recovered result = cut_groups(out.get(), groups, out_path);
  mark_recovered(out.get(), out_path);
  errno = 0;
  if (H5Fflush(out.get(), H5F_SCOPE_GLOBAL) < 0) hdf5_failed(out_path, "cannot write");
  out = Hdf5Id();
  publish_hdf5(temporary.output, out_path);
  return result;
}

}  // namespace silicast
