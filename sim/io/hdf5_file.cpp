// Writing HDF5: setup, rows under SWMR, summary, rename.
#include "sim/io/hdf5_file.hpp"

#include <fcntl.h>
#include <libdeflate.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>

#include "sim/base/check.hpp"
#include "sim/io/hdf5_handle.hpp"
#include "sim/io/hdf5_shuffle.hpp"
#include "sim/io/hdf5_types.hpp"
#include "sim/io/output_file.hpp"

namespace silicast {
namespace {

Hdf5Id scalar_space() {
  return {H5Screate(H5S_SCALAR), H5Sclose};
}

// Chunked, shuffled, deflated, without times.
Hdf5Id column_list(hsize_t chunk) {
  Hdf5Id list(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(list.get(), false);
  H5Pset_chunk(list.get(), 1, &chunk);
  H5Pset_shuffle(list.get());
  H5Pset_deflate(list.get(), 1);
  return list;
}

void set_attribute(hid_t file, const std::string& path, const std::string& object, const std::string& name, hid_t type,
                   hid_t memory, const void* value) {
  errno = 0;
  const Hdf5Id owner(hdf5_check(H5Oopen(file, object.c_str(), H5P_DEFAULT), path, kCannotWrite), H5Oclose);
  if (H5Aexists(owner.get(), name.c_str()) > 0) H5Adelete(owner.get(), name.c_str());
  const Hdf5Id space = scalar_space();
  const Hdf5Id attribute(H5Acreate2(owner.get(), name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  hdf5_check(attribute.get(), path, kCannotWrite);
  hdf5_check(H5Awrite(attribute.get(), memory, value), path, kCannotWrite);
}

}  // namespace

Hdf5Id hdf5_access_list() {
  Hdf5Id list(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_libver_bounds(list.get(), H5F_LIBVER_V110, H5F_LIBVER_V110);
  H5Pset_fclose_degree(list.get(), H5F_CLOSE_STRONG);
  return list;
}

void publish_hdf5(const std::string& from, const std::string& to) {
  const int descriptor = ::open(from.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) hdf5_failed(from, "cannot open");
  const int synced = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (synced != 0) hdf5_failed(from, kCannotWrite, error);
  if (std::rename(from.c_str(), to.c_str()) != 0) hdf5_failed(from, fmt::format("cannot rename to {}", to));
}

struct Hdf5Writer::Compressor {
  Compressor() : state(libdeflate_alloc_compressor(1)) { SILICAST_CHECK(state != nullptr); }
  ~Compressor() { libdeflate_free_compressor(state); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // The bytes of one chunk as HDF5's own shuffle and deflate filters would leave them.
  std::span<const unsigned char> operator()(const unsigned char* values, std::size_t size) {
    const std::size_t bytes = static_cast<std::size_t>(kHdf5ChunkRows) * size;
    shuffled.resize(bytes);
    shuffle_bytes(values, static_cast<std::size_t>(kHdf5ChunkRows), size, shuffled.data());
    packed.resize(libdeflate_zlib_compress_bound(state, bytes));
    const std::size_t length = libdeflate_zlib_compress(state, shuffled.data(), bytes, packed.data(), packed.size());
    SILICAST_CHECK(length > 0);
    return {packed.data(), length};
  }

  libdeflate_compressor* state;
  std::vector<unsigned char> shuffled;
  std::vector<unsigned char> packed;
};

Hdf5Writer::Hdf5Writer(const std::string& path)
    : path_(path), part_path_(path + ".part"), compressor_(std::make_unique<Compressor>()) {
  silence_hdf5();
  check_output_file(path_, part_path_);
  const Hdf5Id creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation.get(), false);
  errno = 0;
  file_ = hdf5_check(H5Fcreate(part_path_.c_str(), H5F_ACC_EXCL, creation.get(), hdf5_access_list().get()), part_path_,
                     "cannot create");
}

Hdf5Writer::~Hdf5Writer() {
  if (file_ >= 0 && !started_) abandon();
  close_columns();
  close_file();
}

void Hdf5Writer::close_columns() noexcept {
  for (auto& column : columns_)
    if (column->dataset_ >= 0) H5Dclose(std::exchange(column->dataset_, -1));
}

void Hdf5Writer::close_file() noexcept {
  if (file_ >= 0) H5Fclose(std::exchange(file_, -1));
}

void Hdf5Writer::open_group(const std::string& path) {
  SILICAST_CHECK(!rows_ && file_ >= 0, "{} outside setup and summary", path);
  const Hdf5Id creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
  H5Pset_obj_track_times(creation.get(), false);
  for (std::size_t end = path.find('/', 1); path.size() > 1; end = path.find('/', end + 1)) {
    const std::string parent = path.substr(0, end);
    if (H5Lexists(file_, parent.c_str(), H5P_DEFAULT) <= 0)
      Hdf5Id(hdf5_check(H5Gcreate2(file_, parent.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), part_path_,
                        kCannotWrite),
             H5Gclose);
    if (end == std::string::npos) break;
  }
}

void Hdf5Writer::set_text(const std::string& object, const std::string& name, const std::string& text) {
  open_group(object);
  const char* value = text.c_str();
  const Hdf5Id type = text_type();
  set_attribute(file_, part_path_, object, name, type.get(), type.get(), &value);
}

void Hdf5Writer::set_number(const std::string& object, const std::string& name, double value) {
  open_group(object);
  set_attribute(file_, part_path_, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

void Hdf5Writer::set_integer(const std::string& object, const std::string& name, std::int64_t value) {
  open_group(object);
  set_attribute(file_, part_path_, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

void Hdf5Writer::set_flag(const std::string& object, const std::string& name, bool value) {
  open_group(object);
  const std::uint8_t byte = value;
  set_attribute(file_, part_path_, object, name, H5T_STD_U8LE, H5T_NATIVE_UINT8, &byte);
}

Hdf5Writer::Column& Hdf5Writer::new_column(const std::string& path, ColumnType type, const std::string& unit,
                                           const std::string& description) {
  open_group(path.substr(0, path.rfind('/')));
  errno = 0;
  const hsize_t none = 0, unlimited = H5S_UNLIMITED;
  const Hdf5Id space(H5Screate_simple(1, &none, &unlimited), H5Sclose);
  const Hdf5Id list = column_list(static_cast<hsize_t>(kHdf5ChunkRows));
  auto column = std::make_unique<Column>();
  column->owner_ = this;
  column->size_ = H5Tget_size(memory_type(type));
  column->buffer_ = std::make_unique<unsigned char[]>(static_cast<std::size_t>(kHdf5ChunkRows) * column->size_);
  column->dataset_ =
      hdf5_check(H5Dcreate2(file_, path.c_str(), file_type(type), space.get(), H5P_DEFAULT, list.get(), H5P_DEFAULT),
                 part_path_, fmt::format("cannot create the column {}", path));
  columns_.push_back(std::move(column));
  set_text(path, "unit", unit);
  set_text(path, "description", description);
  return *columns_.back();
}

void Hdf5Writer::start_rows() {
  SILICAST_CHECK(!rows_);
  errno = 0;
  hdf5_check(H5Fstart_swmr_write(file_), part_path_, kCannotWrite);
  lock_part();
  rows_ = started_ = true;
}

// HDF5 gives up its own lock when SWMR starts. This one leaves readers alone and tells other writers that the
// part is not a dead run's.
void Hdf5Writer::lock_part() {
  void* descriptor = nullptr;
  if (H5Fget_vfd_handle(file_, H5P_DEFAULT, &descriptor) >= 0)
    ::flock(*static_cast<int*>(descriptor),
            LOCK_SH | LOCK_NB);  // where the file system has no locks: without
}

// Always a whole chunk; the column's extent says how many of its rows count.
void Hdf5Writer::write_chunk(Column& column) {
  SILICAST_CHECK(rows_);
  errno = 0;
  const std::size_t used = static_cast<std::size_t>(column.rows_) * column.size_;
  const std::size_t whole = static_cast<std::size_t>(kHdf5ChunkRows) * column.size_;
  std::memset(column.buffer_.get() + used, 0, whole - used);
  const auto packed = (*compressor_)(column.buffer_.get(), column.size_);
  const hsize_t offset = static_cast<hsize_t>(column.written_);
  const hsize_t extent = offset + static_cast<hsize_t>(column.rows_);
  if (H5Dset_extent(column.dataset_, &extent) < 0 ||
      H5Dwrite_chunk(column.dataset_, H5P_DEFAULT, 0, &offset, packed.size(), packed.data()) < 0 ||
      H5Dflush(column.dataset_) < 0)
    throw OutputError(fmt::format("{}: {}: {}; 'silicast recover {}' reads the rows before", part_path_, kCannotWrite,
                                  std::strerror(errno), part_path_));
  column.written_ += column.rows_;
  column.rows_ = 0;
}

void Hdf5Writer::end_rows() {
  SILICAST_CHECK(rows_);
  for (auto& column : columns_)
    if (column->rows_ > 0) write_chunk(*column);
  rows_ = false;
  errno = 0;
  for (auto& column : columns_) hdf5_check(H5Dclose(std::exchange(column->dataset_, -1)), part_path_, kCannotWrite);
  hdf5_check(H5Fclose(std::exchange(file_, -1)), part_path_, kCannotWrite);
  file_ = hdf5_check(H5Fopen(part_path_.c_str(), H5F_ACC_RDWR, hdf5_access_list().get()), part_path_, "cannot reopen");
}

void Hdf5Writer::finish() {
  SILICAST_CHECK(!rows_ && file_ >= 0);
  close_columns();
  errno = 0;
  hdf5_check(H5Fclose(std::exchange(file_, -1)), part_path_, kCannotWrite);
  publish_hdf5(part_path_, path_);
}

void Hdf5Writer::abandon() {
  rows_ = false;
  close_columns();
  close_file();
  std::remove(part_path_.c_str());
}

}  // namespace silicast
