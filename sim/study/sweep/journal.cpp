#include "sim/study/sweep/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "sim/base/errors.hpp"
#include "sim/base/fingerprint.hpp"

namespace silicast {
namespace {

// A record: magic, length of the payload, payload, checksum.
constexpr std::string_view kMagic = "\xF5SilicastPoint\n";
constexpr std::size_t kHead = kMagic.size() + sizeof(std::uint32_t);
constexpr std::uint32_t kLongest = 1 << 24;

std::uint64_t checksum(std::string_view bytes) {
  Fingerprint hash;
  hash.add_text(bytes);
  return hash.value();
}

std::string record_of(const PointResult& result) {
  const std::string payload = to_bytes(result);
  const auto length = static_cast<std::uint32_t>(payload.size());
  const std::uint64_t sum = checksum(payload);
  std::string record(kMagic);
  record.append(reinterpret_cast<const char*>(&length), sizeof length);
  record += payload;
  record.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  return record;
}

// Bytes of the record at the start of `bytes`; 0: there is none.
std::size_t record_at(std::string_view bytes, PointResult& result) {
  if (!bytes.starts_with(kMagic) || bytes.size() < kHead) return 0;
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data() + kMagic.size(), sizeof length);
  std::uint64_t sum = 0;
  if (length > kLongest || bytes.size() < kHead + length + sizeof sum) return 0;
  const std::string_view payload = bytes.substr(kHead, length);
  std::memcpy(&sum, bytes.data() + kHead + length, sizeof sum);
  if (sum != checksum(payload) || !from_bytes(payload, result)) return 0;
  return kHead + length + sizeof sum;
}

}  // namespace

JournalContents read_journal(const std::string& path) {
  JournalContents contents;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (std::filesystem::exists(path)) throw InputError(fmt::format("{}: cannot be read", path));
    return contents;
  }
  const std::string text(std::istreambuf_iterator<char>(file), {});
  for (std::string_view rest = text; !rest.empty();) {
    PointResult result;
    if (const std::size_t bytes = record_at(rest, result)) {
      contents.results.push_back(std::move(result));
      rest.remove_prefix(bytes);
      continue;
    }
    ++contents.damaged;
    const std::size_t next = rest.find(kMagic, 1);
    rest.remove_prefix(next == std::string_view::npos ? rest.size() : next);
  }
  return contents;
}

Journal::Journal(const std::string& path) : path_(path) {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  file_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) throw InputError(fmt::format("{}: cannot create: {}", path, std::strerror(errno)));
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(file_);
    throw InputError(fmt::format("{}: another sweep is writing it; give another --out", path));
  }
}

Journal::~Journal() {
  if (::lseek(file_, 0, SEEK_END) == 0) remove();
  ::close(file_);
}

void Journal::append(const PointResult& result) {
  const std::string record = record_of(result);
  std::string_view rest = record;
  while (!rest.empty()) {
    const ssize_t written = ::write(file_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      throw OutputError(
          fmt::format("{}: cannot write: {}; the same command goes on from here", path_, std::strerror(errno)));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Journal::remove() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace silicast
