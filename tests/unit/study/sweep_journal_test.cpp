// The journal of a sweep: what was written comes back, what was damaged costs itself alone.
#include <rapidcheck.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "sim/study/sweep/journal.hpp"
#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

namespace fs = std::filesystem;

PointResult done(std::uint64_t key) {
  PointResult result;
  result.key = key, result.state = PointState::kDone, result.fingerprint = key * 0x9E3779B97F4A7C15ULL;
  result.unstable = key % 2 == 1;
  for (std::size_t i = 0; i < summary_columns().size(); ++i)
    result.summary.push_back(static_cast<double>(i) / 7 + static_cast<double>(key));
  return result;
}

PointResult failed(std::uint64_t key, const std::string& message) {
  PointResult result;
  result.key = key, result.state = PointState::kFailed, result.message = message;
  return result;
}

std::string written(const TempFolder& folder, const std::vector<PointResult>& results) {
  const std::string path = folder / "j";
  Journal journal(path);
  for (const PointResult& result : results) journal.append(result);
  return path;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string> all_bytes(const std::vector<PointResult>& results) {
  std::vector<std::string> bytes;
  for (const PointResult& result : results) bytes.push_back(to_bytes(result));
  return bytes;
}

TEST_CASE("a result comes back from its bytes bit for bit, whatever its numbers and its message") {
  PointResult result = done(~std::uint64_t{0});
  result.message = std::string("tabs\t, zeros\0, ends\n", 20);
  const std::uint64_t odd[] = {0x7FF8000000000001, 0xFFF8000000000000, 0x8000000000000000, 1, 0x7FF0000000000000};
  for (std::size_t i = 0; i < std::size(odd); ++i) result.summary[i] = std::bit_cast<double>(odd[i]);
  PointResult back;
  REQUIRE(from_bytes(to_bytes(result), back));
  CHECK(back.key == result.key);
  CHECK(back.state == result.state);
  CHECK(back.unstable == result.unstable);
  CHECK(back.fingerprint == result.fingerprint);
  CHECK(back.message == result.message);
  REQUIRE(back.summary.size() == result.summary.size());
  for (std::size_t i = 0; i < back.summary.size(); ++i)
    CHECK(std::bit_cast<std::uint64_t>(back.summary[i]) == std::bit_cast<std::uint64_t>(result.summary[i]));
  CHECK(std::isnan(back.summary[0]));
}

TEST_CASE("bytes that to_bytes does not give are told from those that it gives") {
  const std::string bytes = to_bytes(failed(3, "no"));
  PointResult back;
  for (std::size_t length = 0; length < bytes.size(); ++length) CHECK_FALSE(from_bytes(bytes.substr(0, length), back));
  CHECK_FALSE(from_bytes(bytes + "x", back));
  CHECK(from_bytes(bytes, back));
  std::string state = bytes, count = bytes;
  state[8] = 4;
  CHECK_FALSE(from_bytes(state, back));
  count.replace(22, 4, "\xFF\xFF\xFF\xFF");  // as many summaries as nobody has the memory for
  CHECK_FALSE(from_bytes(count, back));
  PointResult bare = done(1);
  bare.summary.pop_back();
  CHECK_FALSE(from_bytes(to_bytes(bare), back));
}

TEST_CASE("a journal gives back what was appended, in that order, at one opening or several") {
  const TempFolder folder;
  std::vector<PointResult> results = {done(1), failed(2, "x"), done(1)};
  written(folder, {results[0]});
  const JournalContents contents = read_journal(written(folder, {results[1], results[2]}));
  CHECK(all_bytes(contents.results) == all_bytes(results));
  CHECK(contents.damaged == 0);
}

TEST_CASE("a journal that is not there is empty, and so is one of no bytes") {
  const TempFolder folder;
  CHECK(read_journal(folder / "j").results.empty());
  write(folder, "j", "");
  CHECK(read_journal(folder / "j").damaged == 0);
}

TEST_CASE("a record that was cut off at any length loses itself alone, also where more was appended behind it") {
  const TempFolder folder;
  const PointResult first = done(1), cut = failed(2, "cut off"), next = done(3);
  const std::string path = written(folder, {first});
  const std::string whole = bytes_of(path), both = bytes_of(written(folder, {cut}));
  REQUIRE(both.size() > whole.size() + 20);
  for (std::size_t length = whole.size(); length < both.size(); ++length) {
    write(folder, "j", both.substr(0, length));
    const JournalContents alone = read_journal(path);
    CHECK(all_bytes(alone.results) == all_bytes({first}));
    CHECK(alone.damaged == (length > whole.size() ? 1 : 0));
    written(folder, {next});
    const JournalContents more = read_journal(path);
    CHECK(all_bytes(more.results) == all_bytes({first, next}));
    CHECK(more.damaged == alone.damaged);
  }
}

TEST_CASE("of a damaged journal all that is not damaged comes back, and nothing that was never written") {
  CHECK(rc::check([] {
    const TempFolder folder;
    std::vector<PointResult> results;
    std::vector<std::size_t> ends;  // of each record in the file
    const auto count = *rc::gen::inRange<std::size_t>(1, 12);
    Journal journal(folder / "j");
    for (std::size_t i = 0; i < count; ++i) {
      results.push_back(*rc::gen::element(true, false) ? done(i) : failed(i, *rc::gen::string<std::string>()));
      journal.append(results.back());
      ends.push_back(fs::file_size(folder / "j"));
    }
    std::string bytes = bytes_of(folder / "j");
    std::vector<bool> damaged(count);
    for (int hits = *rc::gen::inRange(0, 6); hits > 0; --hits) {
      const auto from = *rc::gen::inRange<std::size_t>(0, bytes.size());
      const auto size = *rc::gen::inRange<std::size_t>(1, 40);
      const int change = *rc::gen::inRange(1, 256);
      for (std::size_t at = from; at < std::min(from + size, bytes.size()); ++at) {
        bytes[at] = static_cast<char>(bytes[at] + change);
        damaged[static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), at) - ends.begin())] = true;
      }
    }
    std::vector<PointResult> left;
    for (std::size_t i = 0; i < count; ++i)
      if (!damaged[i]) left.push_back(results[i]);
    write(folder, "j", bytes);
    const JournalContents contents = read_journal(folder / "j");
    // A byte that was hit twice may be what it was.
    if (all_bytes(contents.results).size() == count) RC_DISCARD("nothing is damaged");
    RC_ASSERT(all_bytes(contents.results) == all_bytes(left));
    RC_ASSERT(contents.damaged > 0);
  }));
}

TEST_CASE("a journal that another has open is refused, and free when that is closed") {
  const TempFolder folder;
  const std::string path = folder / "j";
  {
    const Journal first(path);
    try {
      const Journal second(path);
      FAIL("two writers of one journal");
    } catch (const InputError& error) {
      CHECK(error.what() == path + ": another sweep is writing it; give another --out");
    }
  }
  CHECK_NOTHROW(Journal(path));
}

TEST_CASE("a journal makes its folder, and says where it cannot") {
  const TempFolder folder;
  { Journal(folder / "a/b/j").append(done(1)); }
  CHECK(read_journal(folder / "a/b/j").results.size() == 1);
  write(folder, "file", "");
  try {
    const Journal journal(folder / "file/j");
    FAIL("a journal below a file");
  } catch (const InputError& error) {
    CHECK(error.what() == folder / "file/j" + ": cannot create: Not a directory");
  }
}

TEST_CASE("a journal of no results leaves no file, one of some does until it is removed") {
  const TempFolder folder;
  { const Journal journal(folder / "j"); }
  CHECK_FALSE(fs::exists(folder / "j"));
  written(folder, {done(1)});
  { const Journal journal(folder / "j"); }
  CHECK(fs::exists(folder / "j"));
  Journal(folder / "j").remove();
  CHECK_FALSE(fs::exists(folder / "j"));
}

}  // namespace
}  // namespace silicast::testing
