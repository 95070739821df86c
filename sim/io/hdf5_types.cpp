#include "sim/io/hdf5_types.hpp"

namespace silicast {

hid_t memory_type(ColumnType type) {
  switch (type) {
    case ColumnType::kInt64:
      return H5T_NATIVE_INT64;
    case ColumnType::kInt32:
      return H5T_NATIVE_INT32;
    case ColumnType::kUint8:
      return H5T_NATIVE_UINT8;
    case ColumnType::kUint64:
      return H5T_NATIVE_UINT64;
    case ColumnType::kFloat64:
      return H5T_NATIVE_DOUBLE;
  }
  return -1;
}

hid_t file_type(ColumnType type) {
  switch (type) {
    case ColumnType::kInt64:
      return H5T_STD_I64LE;
    case ColumnType::kInt32:
      return H5T_STD_I32LE;
    case ColumnType::kUint8:
      return H5T_STD_U8LE;
    case ColumnType::kUint64:
      return H5T_STD_U64LE;
    case ColumnType::kFloat64:
      return H5T_IEEE_F64LE;
  }
  return -1;
}

Hdf5Id text_type() {
  Hdf5Id type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

}  // namespace silicast
