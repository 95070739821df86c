// What a writer leaves that is killed, fails or fills the disk, and what recovery makes of it.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "sim/base/errors.hpp"
#include "sim/io/hdf5_file.hpp"
#include "tests/support/temp_folder.hpp"

using namespace silicast;
namespace fs = std::filesystem;

namespace {

using Folder = testing::TempFolder;

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "(no error)";
}

std::int64_t scrambled(std::int64_t i) {
  return i * 0x9E3779B97F4A7C15 % 1'000'000'007;
}

// Two row columns and a shorter series, for ever; tells through the pipe each time that a chunk of rows is
// complete.
void write_for_ever(const std::string& path, int pipe) {
  Hdf5Writer writer(path);
  writer.set_text("/scenario", "yaml", "name: killed\n");
  auto& a = writer.add_column<std::int64_t>("/requests/a", "1", "a");
  auto& b = writer.add_column<std::int32_t>("/requests/b", "1", "b");
  auto& series = writer.add_column<double>("/series/p/x", "1", "x");
  writer.start_rows();
  for (std::int64_t i = 0;; ++i) {
    a.append(scrambled(i));
    b.append(static_cast<std::int32_t>(scrambled(i) % 1000));
    if (i % 16 == 0) series.append(static_cast<double>(i));
    if ((i + 1) % kHdf5ChunkRows == 0 && ::write(pipe, "x", 1) != 1) ::_exit(3);
  }
}

// Runs `action(pipe)` in a child process; kills it after `chunks` messages and `more_us` microseconds.
void run_and_kill(const auto& action, int chunks, int more_us) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    action(ends[1]);
    ::_exit(0);
  }
  ::close(ends[1]);
  char byte;
  for (int i = 0; i < chunks; ++i) REQUIRE(::read(ends[0], &byte, 1) == 1);
  std::this_thread::sleep_for(std::chrono::microseconds(more_us));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(ends[0]);
  REQUIRE(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("kill -9 in mid-write loses at most the unwritten chunk and leaves no final file") {
  for (int trial = 0; trial < 8; ++trial) {
    const Folder folder;
    const std::string path = folder / "run.h5";
    const int chunks = 1 + trial;
    run_and_kill([&](int pipe) { write_for_ever(path, pipe); }, chunks, 700 * trial);
    REQUIRE_FALSE(fs::exists(path));
    const Recovered recovered = recover_hdf5(path + ".part", path);
    INFO("trial " << trial << ", " << recovered.rows << " rows");
    REQUIRE(recovered.rows >= chunks * kHdf5ChunkRows);
    REQUIRE(recovered.rows % kHdf5ChunkRows == 0);
    const Hdf5Reader reader(path);
    REQUIRE(reader.number("/", "recovered") == 1);
    REQUIRE(reader.text("/scenario", "yaml") == "name: killed\n");
    const auto a = reader.integers("/requests/a"), b = reader.integers("/requests/b");
    REQUIRE(a.size() == static_cast<std::size_t>(recovered.rows));
    REQUIRE(b.size() == a.size());
    bool same = true;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const std::int64_t value = scrambled(static_cast<std::int64_t>(i));
      same = same && a[i] == value && b[i] == value % 1000;
    }
    REQUIRE(same);
    REQUIRE(fs::exists(path + ".part"));
    REQUIRE_FALSE(fs::exists(path + ".recovering"));
  }
}

TEST_CASE("kill -9 while the summary is added loses no row") {
  const Folder folder;
  const std::string path = folder / "run.h5";
  run_and_kill(
      [&](int pipe) {
        Hdf5Writer writer(path);
        auto& a = writer.add_column<std::int64_t>("/requests/a", "1", "a");
        writer.start_rows();
        for (std::int64_t i = 0; i < 100'000; ++i) a.append(i);
        writer.end_rows();
        writer.set_number("/summary", "x", 1);
        if (::write(pipe, "x", 1) == 1) ::pause();
      },
      1, 0);
  REQUIRE_FALSE(fs::exists(path));
  const Recovered recovered = recover_hdf5(path + ".part", path);
  REQUIRE(recovered.rows == 100'000);
  const auto a = Hdf5Reader(path).integers("/requests/a");
  REQUIRE(a.size() == 100'000);
  REQUIRE(a.back() == 99'999);
}

TEST_CASE("a part that was closed without a summary is recovered with its written chunks") {
  const Folder folder;
  const std::string path = folder / "run.h5";
  {
    Hdf5Writer writer(path);
    auto& a = writer.add_column<std::int64_t>("/requests/a", "1", "a");
    auto& b = writer.add_column<std::int64_t>("/requests/b", "1", "b");
    writer.start_rows();
    for (std::int64_t i = 0; i < 2 * kHdf5ChunkRows; ++i) a.append(i);
    for (std::int64_t i = 0; i < kHdf5ChunkRows; ++i) b.append(i);
  }
  CHECK(message_of([&] { Hdf5Reader reader(path); }) == path + ": cannot open: No such file or directory");
  const Recovered recovered = recover_hdf5(path + ".part", path);
  CHECK(recovered.rows == kHdf5ChunkRows);
  CHECK(recovered.dropped == kHdf5ChunkRows);
  CHECK(Hdf5Reader(path).rows("/requests/a") == kHdf5ChunkRows);
}

TEST_CASE("a part that is still open is refused by the reader and named as such") {
  const Folder folder;
  const std::string path = folder / "run.h5";
  run_and_kill([&](int pipe) { write_for_ever(path, pipe); }, 1, 0);
  CHECK(message_of([&] { Hdf5Reader reader(path + ".part"); }) ==
        path + ".part: is what an unfinished run has written; 'silicast recover' makes a complete file of it");
}

TEST_CASE("recovery refuses what is not there or not HDF5, and touches no output file") {
  const Folder folder;
  const std::string part = folder / "run.h5.part", out = folder / "run.h5";
  std::ofstream(out) << "older";
  CHECK(message_of([&] { recover_hdf5(part, out); }) == part + ": cannot open: No such file or directory");
  std::ofstream(part) << "not HDF5";
  CHECK(message_of([&] { recover_hdf5(part, out); }) ==
        part + ": is not an HDF5 file, or was killed before its first rows");
  CHECK(message_of([&] { recover_hdf5(part, part); }) == part + ": cannot recover a file onto itself");
  std::string text;
  std::ifstream(out) >> text;
  CHECK(text == "older");
  CHECK_FALSE(fs::exists(out + ".recovering"));
}

TEST_CASE("a full disk is an error with the system's reason, leaves no final file, and the part is recoverable") {
  const Folder folder;
  const std::string path = folder / "run.h5";
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    // The system's limit on file size fails as a full disk does, without filling one.
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{2'000'000, 2'000'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::string message = "(no error)";
    try {
      Hdf5Writer writer(path);
      auto& a = writer.add_column<std::int64_t>("/requests/a", "1", "a");
      writer.start_rows();
      for (std::int64_t i = 0; i < 100 * kHdf5ChunkRows; ++i) a.append(scrambled(i));
    } catch (const InputError& error) {
      message = error.what();
    }
    const bool written = ::write(ends[1], message.data(), message.size()) == static_cast<ssize_t>(message.size());
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  char buffer[1000];
  const ssize_t length = ::read(ends[0], buffer, sizeof buffer);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(length > 0);
  CHECK(std::string(buffer, static_cast<std::size_t>(length)) ==
        path + ".part: cannot write: File too large; 'silicast recover " + path + ".part' reads the rows before");
  CHECK_FALSE(fs::exists(path));
  CHECK(recover_hdf5(path + ".part", path).rows >= kHdf5ChunkRows);
}
