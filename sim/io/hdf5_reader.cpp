// Reading complete HDF5 files; every size is checked before memory is taken, because files may come from
// anywhere.
#include <sys/stat.h>

#include <algorithm>
#include <new>

#include "sim/io/hdf5_file.hpp"
#include "sim/io/hdf5_handle.hpp"

namespace silicast {
namespace {

constexpr hsize_t kMaxRows = hsize_t{1} << 32;       // 32 GiB in one column of ours; more is damage
constexpr hsize_t kMaxTextBytes = hsize_t{1} << 26;  // of one fixed-size text attribute

[[noreturn]] void damaged(const std::string& path, const std::string& object) {
  hdf5_failed(path, fmt::format("cannot read {} (damaged, or not written by silicast)", object), 0);
}

std::size_t rows_of(const Hdf5Id& dataset, const std::string& path, const std::string& column) {
  const Hdf5Id space(H5Dget_space(dataset.get()), H5Sclose);
  hsize_t extent = 0;
  if (!space.ok() || H5Sget_simple_extent_ndims(space.get()) != 1 ||
      H5Sget_simple_extent_dims(space.get(), &extent, nullptr) != 1 || extent > kMaxRows)
    damaged(path, column);
  return static_cast<std::size_t>(extent);
}

Hdf5Id open_column(hid_t file, const std::string& path, const std::string& column) {
  Hdf5Id dataset(H5Dopen2(file, column.c_str(), H5P_DEFAULT), H5Dclose);
  if (!dataset.ok()) hdf5_failed(path, fmt::format("has no column {}", column), 0);
  return dataset;
}

template <class T>
std::vector<T> read_column(hid_t file, const std::string& path, const std::string& column, hid_t memory) {
  const Hdf5Id dataset = open_column(file, path, column);
  const Hdf5Id type(H5Dget_type(dataset.get()), H5Tclose);
  const H5T_class_t kind = H5Tget_class(type.get());
  if (kind != H5T_INTEGER && kind != H5T_FLOAT) damaged(path, column);
  const std::size_t rows = rows_of(dataset, path, column);
  try {
    std::vector<T> values(rows);
    if (rows > 0 && H5Dread(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
      damaged(path, column);
    return values;
  } catch (const std::bad_alloc&) {
    hdf5_failed(path, fmt::format("{} has {} rows, too many for the memory", column, rows), 0);
  }
}

void read_part(hid_t file, const std::string& path, const std::string& column, std::int64_t first, hid_t memory,
               void* values, std::size_t count) {
  if (count == 0) return;
  const Hdf5Id dataset = open_column(file, path, column);
  const Hdf5Id type(H5Dget_type(dataset.get()), H5Tclose);
  const std::size_t rows = rows_of(dataset, path, column);
  const auto from = static_cast<hsize_t>(first), size = static_cast<hsize_t>(count);
  if (H5Tget_class(type.get()) != H5T_INTEGER || first < 0 || from + size > rows) damaged(path, column);
  const Hdf5Id space(H5Dget_space(dataset.get()), H5Sclose), part(H5Screate_simple(1, &size, nullptr), H5Sclose);
  if (H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &from, nullptr, &size, nullptr) < 0 ||
      H5Dread(dataset.get(), memory, part.get(), space.get(), H5P_DEFAULT, values) < 0)
    damaged(path, column);
}

Hdf5Id open_attribute(hid_t file, const std::string& object, const std::string& name) {
  const Hdf5Id owner(H5Oopen(file, object.c_str(), H5P_DEFAULT), H5Oclose);
  if (!owner.ok() || H5Aexists(owner.get(), name.c_str()) <= 0) return {};
  return {H5Aopen(owner.get(), name.c_str(), H5P_DEFAULT), H5Aclose};
}

bool is_scalar(const Hdf5Id& attribute) {
  const Hdf5Id space(H5Aget_space(attribute.get()), H5Sclose);
  return space.ok() && H5Sget_simple_extent_npoints(space.get()) == 1;
}

}  // namespace

Hdf5Reader::Hdf5Reader(const std::string& path) : path_(path) {
  silence_hdf5();
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) hdf5_failed(path, "cannot open");
  if (S_ISDIR(status.st_mode)) hdf5_failed(path, "is a directory", 0);
  if (!S_ISREG(status.st_mode)) hdf5_failed(path, "is not a regular file", 0);
  errno = 0;
  file_ = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file_ >= 0) return;
  if (errno == EACCES) hdf5_failed(path, "cannot open");
  if (H5Fis_hdf5(path.c_str()) <= 0) hdf5_failed(path, "is not an HDF5 file", 0);
  if (path.ends_with(".part"))
    hdf5_failed(path, "is what an unfinished run has written; 'silicast recover' makes a complete file of it", 0);
  hdf5_failed(path, "cannot be read: it is damaged, or still being written", 0);
}

Hdf5Reader::~Hdf5Reader() {
  if (file_ >= 0) H5Fclose(file_);
}

bool Hdf5Reader::has(const std::string& object) const {
  for (std::size_t end = object.find('/', 1);; end = object.find('/', end + 1)) {
    if (object == "/") return true;
    if (H5Lexists(file_, object.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
    if (end == std::string::npos) return true;
  }
}

std::vector<std::string> Hdf5Reader::children(const std::string& group) const {
  std::vector<std::string> names;
  const Hdf5Id owner(H5Gopen2(file_, group.c_str(), H5P_DEFAULT), H5Gclose);
  if (!owner.ok()) return names;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  if (H5Literate(owner.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names) < 0) damaged(path_, group);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> Hdf5Reader::attribute_names(const std::string& object) const {
  std::vector<std::string> names;
  const Hdf5Id owner(H5Oopen(file_, object.c_str(), H5P_DEFAULT), H5Oclose);
  if (!owner.ok()) return names;
  const auto collect = [](hid_t, const char* name, const H5A_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  if (H5Aiterate2(owner.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names) < 0) damaged(path_, object);
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::string> Hdf5Reader::text(const std::string& object, const std::string& attribute) const {
  const Hdf5Id found = open_attribute(file_, object, attribute);
  if (!found.ok()) return std::nullopt;
  const Hdf5Id type(H5Aget_type(found.get()), H5Tclose);
  if (H5Tget_class(type.get()) != H5T_STRING || !is_scalar(found)) return std::nullopt;
  if (H5Tis_variable_str(type.get()) > 0) {
    char* value = nullptr;
    if (H5Aread(found.get(), type.get(), &value) < 0) damaged(path_, object + "." + attribute);
    const std::string text = value == nullptr ? "" : value;
    H5free_memory(value);
    return text;
  }
  const std::size_t size = H5Tget_size(type.get());
  if (size > kMaxTextBytes) damaged(path_, object + "." + attribute);
  std::string text(size, '\0');
  if (H5Aread(found.get(), type.get(), text.data()) < 0) damaged(path_, object + "." + attribute);
  text.resize(std::min(text.size(), text.find('\0')));
  return text;
}

std::optional<double> Hdf5Reader::number(const std::string& object, const std::string& attribute) const {
  const Hdf5Id found = open_attribute(file_, object, attribute);
  if (!found.ok() || !is_scalar(found)) return std::nullopt;
  const Hdf5Id type(H5Aget_type(found.get()), H5Tclose);
  const H5T_class_t kind = H5Tget_class(type.get());
  if (kind != H5T_INTEGER && kind != H5T_FLOAT) return std::nullopt;
  double value = 0;
  if (H5Aread(found.get(), H5T_NATIVE_DOUBLE, &value) < 0) damaged(path_, object + "." + attribute);
  return value;
}

std::int64_t Hdf5Reader::rows(const std::string& column) const {
  return static_cast<std::int64_t>(rows_of(open_column(file_, path_, column), path_, column));
}

ColumnType Hdf5Reader::type(const std::string& column) const {
  const Hdf5Id dataset = open_column(file_, path_, column);
  const Hdf5Id type(H5Dget_type(dataset.get()), H5Tclose);
  if (H5Tget_class(type.get()) == H5T_FLOAT) return ColumnType::kFloat64;
  const std::size_t bytes = H5Tget_size(type.get());
  if (bytes == 8 && H5Tget_sign(type.get()) == H5T_SGN_NONE) return ColumnType::kUint64;
  return bytes == 1 ? ColumnType::kUint8 : bytes == 4 ? ColumnType::kInt32 : ColumnType::kInt64;
}

std::vector<std::int64_t> Hdf5Reader::integers(const std::string& column) const {
  return read_column<std::int64_t>(file_, path_, column, H5T_NATIVE_INT64);
}

void Hdf5Reader::read_rows(const std::string& column, std::int64_t first, std::span<std::int64_t> values) const {
  read_part(file_, path_, column, first, H5T_NATIVE_INT64, values.data(), values.size());
}

void Hdf5Reader::read_rows(const std::string& column, std::int64_t first, std::span<std::uint64_t> values) const {
  read_part(file_, path_, column, first, H5T_NATIVE_UINT64, values.data(), values.size());
}

std::vector<double> Hdf5Reader::doubles(const std::string& column) const {
  return read_column<double>(file_, path_, column, H5T_NATIVE_DOUBLE);
}

}  // namespace silicast
