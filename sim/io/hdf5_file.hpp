// HDF5 files of columns and attributes, and the only user of the HDF5 library. A file is complete or absent:
// rows go to `PATH.part` in single-writer-multiple-reader (SWMR) mode, whole chunks at a time, so that a
// killed process leaves a readable part; the final name appears only once all is written. Equal contents give
// equal bytes (no object times).
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace silicast {

inline constexpr std::int64_t kHdf5ChunkRows = 65'536;

enum class ColumnType : std::uint8_t { kInt64, kInt32, kUint8, kUint64, kFloat64 };

template <class T>
constexpr ColumnType column_type_of() {
  static_assert(std::is_same_v<T, std::int64_t> || std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::uint8_t> ||
                std::is_same_v<T, std::uint64_t> || std::is_same_v<T, double>);
  if constexpr (std::is_same_v<T, std::int64_t>) return ColumnType::kInt64;
  if constexpr (std::is_same_v<T, std::int32_t>) return ColumnType::kInt32;
  if constexpr (std::is_same_v<T, std::uint8_t>) return ColumnType::kUint8;
  if constexpr (std::is_same_v<T, std::uint64_t>) return ColumnType::kUint64;
  return ColumnType::kFloat64;
}

// A column of another file.
struct JoinedPart {
  std::string file;
  std::int64_t rows = 0;
};

// Three phases: set up (groups, attributes, columns), rows (start_rows() to end_rows(): only append()), then
// groups, attributes and arrays again, and finish(). Every failure (a directory that is not there, a full
// disk) is an InputError that names the path and the system's reason.
class Hdf5Writer {
 public:
  // One growing column. Values wait in `buffer` until a chunk is full.
  class Column {
   public:
    template <class T>
    void append(T value) {
      std::memcpy(buffer_.get() + static_cast<std::size_t>(rows_) * sizeof(T), &value, sizeof(T));
      if (++rows_ == kHdf5ChunkRows) [[unlikely]]
        owner_->write_chunk(*this);
    }

   private:
    friend class Hdf5Writer;
    Hdf5Writer* owner_ = nullptr;
    std::unique_ptr<unsigned char[]> buffer_;
    std::int64_t rows_ = 0;     // in the buffer
    std::int64_t written_ = 0;  // in the file
    std::size_t size_ = 0;      // bytes of a value
    std::int64_t dataset_ = -1;
  };

  // Creates `path`.part. Refuses what check_output_file() refuses.
  explicit Hdf5Writer(const std::string& path);
  // Not finished: the part stays, as after a crash, closed properly; without start_rows() nothing stays.
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  const std::string& path() const { return path_; }
  const std::string& part_path() const { return part_path_; }

  // Attributes of the group or dataset `object` ("/" is the root); missing groups are created, an attribute
  // that is there is replaced.
  void set_text(const std::string& object, const std::string& name, const std::string& text);
  void set_number(const std::string& object, const std::string& name, double value);
  void set_integer(const std::string& object, const std::string& name, std::int64_t value);
  void set_flag(const std::string& object, const std::string& name, bool value);  // 0 or 1, one byte

  // A growing column, before start_rows(); chunked, shuffle + deflate 1. The reference stays valid.
  template <class T>
  Column& add_column(const std::string& path, const std::string& unit, const std::string& description) {
    return new_column(path, column_type_of<T>(), unit, description);
  }
  void start_rows();  // from here on, append() throws OutputError when the disk refuses a chunk
  // Writes what is buffered, cuts every column to its rows, and opens the file for the last phase.
  void end_rows();

  // A whole column at once, outside the rows phase.
  void add_array(const std::string& path, std::span<const double> values, const std::string& unit,
                 const std::string& description);
  void add_array(const std::string& path, std::span<const std::int64_t> values, const std::string& unit,
                 const std::string& description);

  void add_texts(const std::string& path, std::span<const std::string> values, const std::string& description);

  // A column of the columns `path` of other files, one behind the other, which stay where they are (a virtual dataset).
  // Files are named relative to this one's folder.
  void add_joined(const std::string& path, ColumnType type, std::span<const JoinedPart> parts, const std::string& unit,
                  const std::string& description);

  void finish();   // closes, syncs to disk, renames over the final name
  void abandon();  // closes and removes the part

 private:
  Column& new_column(const std::string& path, ColumnType type, const std::string& unit, const std::string& description);
  void write_array(const std::string& path, std::int64_t type, std::int64_t memory, const void* values,
                   std::size_t count, std::int64_t list, const std::string& unit, const std::string& description);
  void lock_part();
  void write_chunk(Column& column);
  void open_group(const std::string& path);
  void close_columns() noexcept;
  void close_file() noexcept;

  struct Compressor;

  std::string path_;
  std::string part_path_;
  std::int64_t file_ = -1;
  bool rows_ = false;     // between start_rows() and end_rows()
  bool started_ = false;  // start_rows() was called
  std::vector<std::unique_ptr<Column>> columns_;
  std::unique_ptr<Compressor> compressor_;
};

// Reads complete files; parts need recover_hdf5() first. Errors (InputError): not there, not HDF5, damaged,
// not closed.
class Hdf5Reader {
 public:
  explicit Hdf5Reader(const std::string& path);
  ~Hdf5Reader();
  Hdf5Reader(const Hdf5Reader&) = delete;
  Hdf5Reader& operator=(const Hdf5Reader&) = delete;

  const std::string& path() const { return path_; }
  bool has(const std::string& object) const;
  std::vector<std::string> children(const std::string& group) const;          // names, sorted
  std::vector<std::string> attribute_names(const std::string& object) const;  // sorted
  std::optional<std::string> text(const std::string& object, const std::string& attribute) const;
  std::optional<double> number(const std::string& object, const std::string& attribute) const;
  std::int64_t rows(const std::string& column) const;
  ColumnType type(const std::string& column) const;
  std::vector<std::int64_t> integers(const std::string& column) const;
  std::vector<double> doubles(const std::string& column) const;
  // Rows from `first` on into `values`, of a column of whole numbers that has so many; for columns too long to hold.
  // Runs that keep to whole chunks of kHdf5ChunkRows are unpacked once. InputError too: fewer rows, another kind of
  // column.
  void read_rows(const std::string& column, std::int64_t first, std::span<std::int64_t> values) const;
  void read_rows(const std::string& column, std::int64_t first, std::span<std::uint64_t> values) const;

 private:
  std::string path_;
  std::int64_t file_ = -1;
};

struct Recovered {
  std::int64_t rows = 0;     // of the longest group of columns, after the cut
  std::int64_t dropped = 0;  // rows that only some columns of their group had
};

// Makes a complete file of what a killed writer left: the columns of each group are cut to the shortest, counting
// only chunks that reached the file; the root gets the attribute `recovered` = 1. The part stays. `out_path` is
// replaced only at the end. HDF5 1.10 can crash on a damaged part, which leaves recovery_files(). Errors
// (InputError): not there, not HDF5, damaged, without `due_group` ("/scenario"; empty: any file will do).
Recovered recover_hdf5(const std::string& part_path, const std::string& out_path, const std::string& due_group = "");

// The files beside `out_path` that recover_hdf5() uses on the way; removed at its end.
std::vector<std::string> recovery_files(const std::string& out_path);

}  // namespace silicast
