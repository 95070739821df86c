// HDF5 files: what is written is read back, equal contents give equal bytes, and no half-written file has a
// final name.
#include "sim/io/hdf5_file.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "sim/base/errors.hpp"
#include "sim/base/random.hpp"
#include "sim/io/hdf5_shuffle.hpp"
#include "tests/support/temp_folder.hpp"

using namespace silicast;
namespace fs = std::filesystem;

// The HDF5 library leaks a little when it meets damage; that is not ours to fail on under the address
// sanitizer.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhdf5";
}

namespace {

using Folder = testing::TempFolder;

std::string bytes_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "(no error)";
}

// `rows` rows in four columns, one of each type, with a summary.
void write_sample(const std::string& path, std::int64_t rows) {
  Hdf5Writer writer(path);
  writer.set_text("/scenario", "yaml", "name: größe\nseed: 1\n");
  auto& time = writer.add_column<std::int64_t>("/requests/arrival", "ns", "arrival");
  auto& tokens = writer.add_column<std::int32_t>("/requests/tokens", "tokens", "tokens");
  auto& state = writer.add_column<std::uint8_t>("/requests/state", "1", "state");
  auto& watts = writer.add_column<double>("/series/a/watts", "W", "power");
  writer.start_rows();
  RandomStream random(1, "rows");
  for (std::int64_t i = 0; i < rows; ++i) {
    time.append(i * 1'000'000'007 - 5);
    tokens.append(static_cast<std::int32_t>(random.below(1000)) - 500);
    state.append(static_cast<std::uint8_t>(i % 251));
    if (i % 2 == 0) watts.append(0.1 * static_cast<double>(i));
  }
  writer.end_rows();
  writer.set_number("/summary", "ttft_p99_s", 0.25);
  writer.set_integer("/summary", "requests", rows);
  writer.set_flag("/summary", "unstable", true);
  const std::vector<double> edges = {1, 2, 4};
  writer.add_array("/histograms/ttft/low", edges, "s", "edges");
  writer.finish();
}

}  // namespace

TEST_CASE("shuffle puts the k-th bytes of all values together, for any size and count") {
  RandomStream random(2, "bytes");
  for (const std::size_t size : {1, 2, 4, 8, 12})
    for (const std::size_t count : {0, 1, 7, 8, 9, 64, 1001}) {
      std::vector<unsigned char> in(size * count), out(size * count), expected(size * count);
      for (auto& byte : in) byte = static_cast<unsigned char>(random.next());
      for (std::size_t i = 0; i < count; ++i)
        for (std::size_t byte = 0; byte < size; ++byte) expected[byte * count + i] = in[i * size + byte];
      shuffle_bytes(in.data(), count, size, out.data());
      REQUIRE(out == expected);
    }
}

TEST_CASE("columns of every type and length come back as they were written") {
  const Folder folder;
  for (const std::int64_t rows : {std::int64_t{0}, std::int64_t{1}, kHdf5ChunkRows - 1, kHdf5ChunkRows,
                                  kHdf5ChunkRows + 1, 3 * kHdf5ChunkRows + 17}) {
    const std::string path = folder / "rows.h5";
    write_sample(path, rows);
    const Hdf5Reader reader(path);
    INFO(rows << " rows");
    REQUIRE(reader.rows("/requests/arrival") == rows);
    const auto time = reader.integers("/requests/arrival"), tokens = reader.integers("/requests/tokens"),
               state = reader.integers("/requests/state");
    const auto watts = reader.doubles("/series/a/watts");
    REQUIRE(watts.size() == static_cast<std::size_t>((rows + 1) / 2));
    RandomStream random(1, "rows");
    bool same = true;
    for (std::int64_t i = 0; i < rows; ++i) {
      const auto k = static_cast<std::size_t>(i);
      same = same && time[k] == i * 1'000'000'007 - 5 &&
             tokens[k] == static_cast<std::int64_t>(random.below(1000)) - 500 && state[k] == i % 251 &&
             (i % 2 != 0 || watts[k / 2] == 0.1 * static_cast<double>(i));
    }
    REQUIRE(same);
  }
}

TEST_CASE("attributes and names come back as they were written") {
  const Folder folder;
  const std::string path = folder / "a.h5";
  write_sample(path, 10);
  const Hdf5Reader reader(path);
  CHECK(reader.text("/scenario", "yaml") == "name: größe\nseed: 1\n");
  CHECK(reader.text("/requests/arrival", "unit") == "ns");
  CHECK(reader.text("/requests/arrival", "description") == "arrival");
  CHECK(reader.number("/summary", "ttft_p99_s") == 0.25);
  CHECK(reader.number("/summary", "requests") == 10);
  CHECK(reader.number("/summary", "unstable") == 1);
  CHECK_FALSE(reader.number("/summary", "absent"));
  CHECK_FALSE(reader.number("/scenario", "yaml"));
  CHECK_FALSE(reader.text("/nowhere", "yaml"));
  CHECK(reader.attribute_names("/summary") == std::vector<std::string>{"requests", "ttft_p99_s", "unstable"});
  CHECK(reader.children("/") == std::vector<std::string>{"histograms", "requests", "scenario", "series", "summary"});
  CHECK(reader.doubles("/histograms/ttft/low") == std::vector<double>{1, 2, 4});
  CHECK(reader.has("/series/a/watts"));
  CHECK_FALSE(reader.has("/series/b/watts"));
}

TEST_CASE("equal contents give equal bytes") {
  const Folder folder;
  write_sample(folder / "a.h5", 70'000);
  write_sample(folder / "b.h5", 70'000);
  REQUIRE(bytes_of_file(folder / "a.h5") == bytes_of_file(folder / "b.h5"));
  REQUIRE(bytes_of_file(folder / "a.h5").size() > 100'000);
}

TEST_CASE("an attribute larger than HDF5's compact limit is kept whole") {
  const Folder folder;
  const std::string text(300'000, 'x');
  {
    Hdf5Writer writer(folder / "a.h5");
    writer.set_text("/scenario", "yaml", text);
    writer.start_rows();
    writer.end_rows();
    writer.finish();
  }
  REQUIRE(Hdf5Reader(folder / "a.h5").text("/scenario", "yaml") == text);
}

TEST_CASE("setting an attribute again replaces it") {
  const Folder folder;
  {
    Hdf5Writer writer(folder / "a.h5");
    writer.set_number("/summary", "x", 1);
    writer.set_text("/summary", "x", "two");
    writer.finish();
  }
  const Hdf5Reader reader(folder / "a.h5");
  CHECK(reader.text("/summary", "x") == "two");
}

TEST_CASE("the final name appears at the end, over what was there before") {
  const Folder folder;
  const std::string path = folder / "a.h5";
  const std::string older = "\x89HDF\r\n\x1a\nan older result";
  std::ofstream(path) << older;
  {
    Hdf5Writer writer(path);
    writer.set_number("/summary", "x", 1);
    writer.start_rows();
    writer.end_rows();
    REQUIRE(bytes_of_file(path) == older);
    writer.finish();
  }
  REQUIRE(Hdf5Reader(path).number("/summary", "x") == 1);
  REQUIRE(folder.files() == 1);
}

TEST_CASE("an abandoned file leaves nothing, an unfinished one its part") {
  const Folder folder;
  {
    Hdf5Writer writer(folder / "a.h5");
    writer.add_column<double>("/x", "1", "x").append(1.0);
    writer.start_rows();
    writer.abandon();
  }
  REQUIRE(folder.files() == 0);
  {
    Hdf5Writer writer(folder / "a.h5");
    writer.start_rows();
  }
  REQUIRE(folder.files() == 1);
  REQUIRE(fs::exists(folder / "a.h5.part"));
}

TEST_CASE("a file that cannot be created is the user's mistake with the system's reason") {
  const Folder folder;
  const std::string missing = folder / "missing/a.h5";
  CHECK(message_of([&] { Hdf5Writer writer(missing); }) == missing + ".part: cannot create: No such file or directory");
  fs::create_directory(folder / "b.h5");
  CHECK(message_of([&] { Hdf5Writer writer(folder / "b.h5"); }) == folder / "b.h5" + ": is a directory");
}

TEST_CASE("reading what is not a complete HDF5 file says what it is") {
  const Folder folder;
  const std::string path = folder / "a.h5";
  CHECK(message_of([&] { Hdf5Reader reader(path); }) == path + ": cannot open: No such file or directory");
  std::ofstream(path) << "name: not a result\n";
  CHECK(message_of([&] { Hdf5Reader reader(path); }) == path + ": is not an HDF5 file");
  std::ofstream(path, std::ios::trunc).close();
  CHECK(message_of([&] { Hdf5Reader reader(path); }) == path + ": is not an HDF5 file");
  write_sample(path, 100'000);
  fs::resize_file(path, fs::file_size(path) / 2);
  CHECK(message_of([&] { Hdf5Reader reader(path); }) ==
        path + ": cannot be read: it is damaged, or still being written");
}

TEST_CASE("asking for a column that is not there or is not numbers is an error that names it") {
  const Folder folder;
  const std::string path = folder / "a.h5";
  write_sample(path, 10);
  const Hdf5Reader reader(path);
  CHECK(message_of([&] { reader.integers("/requests/none"); }) == path + ": has no column /requests/none");
  CHECK(message_of([&] { reader.integers("/requests"); }) == path + ": has no column /requests");
}

TEST_CASE("a file with flipped bytes is read, or refused with an error, and never crashes") {
  const Folder folder;
  const std::string path = folder / "a.h5";
  write_sample(path, 200);
  const std::string original = bytes_of_file(path);
  RandomStream random(11, "flips");
  int refused = 0;
  for (int trial = 0; trial < 300; ++trial) {
    std::string damaged = original;
    for (int flips = 0; flips < 4; ++flips)
      damaged[random.below(std::min<std::size_t>(damaged.size(), 8192))] ^= static_cast<char>(1 + random.below(255));
    std::ofstream(path, std::ios::binary | std::ios::trunc) << damaged;
    try {
      const Hdf5Reader reader(path);
      for (const std::string& name : reader.attribute_names("/summary")) (void)reader.number("/summary", name);
      if (reader.has("/requests/arrival")) (void)reader.integers("/requests/arrival");
    } catch (const InputError&) {
      ++refused;
    }
  }
  REQUIRE(refused > 50);
}

TEST_CASE("rows of a long column are read piece by piece, whole numbers of 64 bits to the last one") {
  const Folder folder;
  const std::int64_t rows = 2 * kHdf5ChunkRows + 77;
  {
    Hdf5Writer writer(folder / "a.h5");
    auto& column = writer.add_column<std::uint64_t>("/g/id", "", "ids");
    writer.start_rows();
    for (std::int64_t i = 0; i < rows; ++i) column.append(~std::uint64_t{0} - static_cast<std::uint64_t>(i));
    writer.end_rows();
    writer.finish();
  }
  const Hdf5Reader reader(folder / "a.h5");
  CHECK(reader.type("/g/id") == ColumnType::kUint64);
  std::vector<std::uint64_t> values(100);
  reader.read_rows("/g/id", kHdf5ChunkRows - 50, std::span<std::uint64_t>(values));
  for (std::uint64_t i = 0; i < 100; ++i) REQUIRE(values[i] == ~std::uint64_t{0} - (kHdf5ChunkRows - 50) - i);
  CHECK_THROWS_WITH(reader.read_rows("/g/id", rows - 99, std::span<std::uint64_t>(values)),
                    (folder / "a.h5") + ": cannot read /g/id (damaged, or not written by silicast)");
}
