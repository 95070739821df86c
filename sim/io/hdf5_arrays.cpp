// Whole columns at once: numbers, texts, and columns made of other files' columns.
#include <numeric>

#include "sim/io/hdf5_file.hpp"
#include "sim/io/hdf5_types.hpp"

namespace silicast {

// Without times. `values` of the memory type; nullptr: none are written.
void Hdf5Writer::write_array(const std::string& path, std::int64_t type, std::int64_t memory, const void* values,
                             std::size_t count, std::int64_t list, const std::string& unit,
                             const std::string& description) {
  open_group(path.substr(0, path.rfind('/')));
  errno = 0;
  const hsize_t extent = count;
  const Hdf5Id space(H5Screate_simple(1, &extent, nullptr), H5Sclose);
  {
    const Hdf5Id dataset(hdf5_check(H5Dcreate2(file_, path.c_str(), type, space.get(), H5P_DEFAULT, list, H5P_DEFAULT),
                                    part_path_, fmt::format("cannot create the column {}", path)),
                         H5Dclose);
    if (count > 0 && values != nullptr)
      hdf5_check(H5Dwrite(dataset.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), part_path_, kCannotWrite);
  }
  set_text(path, "unit", unit);
  set_text(path, "description", description);
}

namespace {

Hdf5Id plain_list() {
  Hdf5Id list(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(list.get(), false);
  return list;
}

}  // namespace

void Hdf5Writer::add_array(const std::string& path, std::span<const double> values, const std::string& unit,
                           const std::string& description) {
  write_array(path, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.data(), values.size(), plain_list().get(), unit,
              description);
}

void Hdf5Writer::add_array(const std::string& path, std::span<const std::int64_t> values, const std::string& unit,
                           const std::string& description) {
  write_array(path, H5T_STD_I64LE, H5T_NATIVE_INT64, values.data(), values.size(), plain_list().get(), unit,
              description);
}

void Hdf5Writer::add_texts(const std::string& path, std::span<const std::string> values,
                           const std::string& description) {
  std::vector<const char*> texts;
  for (const std::string& value : values) texts.push_back(value.c_str());
  const Hdf5Id type = text_type();
  write_array(path, type.get(), type.get(), texts.data(), texts.size(), plain_list().get(), "", description);
}

void Hdf5Writer::add_joined(const std::string& path, ColumnType type, std::span<const JoinedPart> parts,
                            const std::string& unit, const std::string& description) {
  const hsize_t all = std::accumulate(parts.begin(), parts.end(), hsize_t{0}, [](hsize_t sum, const JoinedPart& part) {
    return sum + static_cast<hsize_t>(part.rows);
  });
  const Hdf5Id list = plain_list();
  const Hdf5Id space(H5Screate_simple(1, &all, nullptr), H5Sclose);
  hsize_t from = 0;
  for (const JoinedPart& part : parts) {
    const auto rows = static_cast<hsize_t>(part.rows);
    if (rows == 0) continue;
    const Hdf5Id source(H5Screate_simple(1, &rows, nullptr), H5Sclose);
    hdf5_check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &from, nullptr, &rows, nullptr), part_path_,
               kCannotWrite);
    hdf5_check(H5Pset_virtual(list.get(), space.get(), part.file.c_str(), path.c_str(), source.get()), part_path_,
               kCannotWrite);
    from += rows;
  }
  write_array(path, file_type(type), memory_type(type), nullptr, all, list.get(), unit, description);
}

}  // namespace silicast
