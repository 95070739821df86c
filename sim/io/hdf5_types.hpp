// Our column types in HDF5's words, in memory and in files. Private to sim/io.
#pragma once

#include "sim/io/hdf5_file.hpp"
#include "sim/io/hdf5_handle.hpp"

namespace silicast {

inline constexpr std::string_view kCannotWrite = "cannot write";

hid_t memory_type(ColumnType type);
hid_t file_type(ColumnType type);
Hdf5Id text_type();  // of any length, UTF-8

}  // namespace silicast
