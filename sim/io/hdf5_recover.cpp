// What a killed writer left, made whole: opened as a SWMR reader (which a killed SWMR writer never corrupts; an ordinary
// open refuses it), copied object by object, cut to the rows that all columns of a group have.
#include <sys/stat.h>

#include <algorithm>
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
  std::string group;                 // being listed, with a slash at the end
  std::vector<std::string> groups;   // found in it
  std::vector<Column> columns;       // found in it
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

// A writer killed while it added its summary left the ordinary "open for writing" mark, which no reader accepts; the rows
// are all there. HDF5 takes the mark off a copy when asked by this property (it is what its h5clear tool does).
Hdf5Id open_unmarked_copy(const std::string& path, const std::string& copy) {
  std::error_code error;
  std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing, error);
  if (error) hdf5_failed(copy, fmt::format("cannot write: {}", error.message()), 0);
  const Hdf5Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  const hbool_t clear = 1;
  if (H5Pset(access.get(), "clear_status_flags", &clear) < 0) return {};
  return {H5Fopen(copy.c_str(), H5F_ACC_RDWR, access.get()), H5Fclose};
}

Hdf5Id open_part(const std::string& path, const std::string& copy) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) hdf5_failed(path, "cannot open");
  if (S_ISDIR(status.st_mode)) hdf5_failed(path, "is a directory", 0);
  if (H5Fis_hdf5(path.c_str()) <= 0) hdf5_failed(path, "is not an HDF5 file, or was killed before its first rows", 0);
  Hdf5Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, H5P_DEFAULT), H5Fclose);
  // A part that was closed (a run that ended in an error) has no mark and opens as any other file.
  if (!file.ok()) file = Hdf5Id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file.ok()) file = open_unmarked_copy(path, copy);
  if (!file.ok()) hdf5_failed(path, "is damaged beyond recovery", 0);
  return file;
}

// Copies every child of the root; compressed chunks go over as they are.
void copy_children(hid_t from, hid_t to, const std::string& from_path, const std::string& to_path) {
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  hdf5_check(H5Literate(from, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names), from_path,
             "is damaged beyond recovery");
  for (const std::string& name : names) {
    errno = 0;
    if (H5Ocopy(from, name.c_str(), to, name.c_str(), H5P_DEFAULT, H5P_DEFAULT) < 0)
      hdf5_failed(to_path, fmt::format("cannot copy {} from {}", name, from_path));
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

Recovered recover_hdf5(const std::string& part_path, const std::string& out_path) {
  silence_hdf5();
  if (part_path == out_path) hdf5_failed(out_path, "cannot recover a file onto itself", 0);
  // Declared first, so that the files are closed before they are removed.
  const Temporaries temporary{out_path + ".recovering", out_path + ".unmarked"};
  const Hdf5Id part = open_part(part_path, temporary.copy);
  std::vector<std::vector<Column>> groups;
  if (!list_columns(part.get(), "/", 0, groups)) hdf5_failed(part_path, "is damaged beyond recovery", 0);

  const Hdf5Id creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation.get(), false);
  errno = 0;
  Hdf5Id out(H5Fcreate(temporary.output.c_str(), H5F_ACC_TRUNC, creation.get(), hdf5_access_list().get()), H5Fclose);
  hdf5_check(out.get(), out_path, "cannot create");
  copy_children(part.get(), out.get(), part_path, out_path);
  const Recovered result = cut_groups(out.get(), groups, out_path);
  mark_recovered(out.get(), out_path);
  errno = 0;
  if (H5Fflush(out.get(), H5F_SCOPE_GLOBAL) < 0) hdf5_failed(out_path, "cannot write");
  out = Hdf5Id();
  publish_hdf5(temporary.output, out_path);
  return result;
}

}  // namespace silicast
