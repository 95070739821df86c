#include "sim/io/line_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>

#include "sim/io/input_file.hpp"

namespace silicast {
namespace {

constexpr std::size_t kFirstBuffer = 1u << 16;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

}  // namespace

LineReader::LineReader(std::unique_ptr<std::istream> input, std::string name)
    : input_(std::move(input)), name_(std::move(name)), buffer_(kFirstBuffer) {}

// Reads more behind the unread bytes; false when the stream is exhausted.
bool LineReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
  const std::size_t got = read_bytes(*input_, buffer_.data() + end_, buffer_.size() - end_, name_);
  end_ += got;
  return got > 0;
}

bool LineReader::next(std::string_view& line) {
  std::size_t searched = 0;  // bytes of the unread ones known to hold no line end
  const char* found = nullptr;
  while (true) {
    const char* start = buffer_.data() + begin_;
    const std::size_t unread = end_ - begin_;
    found = static_cast<const char*>(std::memchr(start + searched, '\n', unread - searched));
    if (found != nullptr) break;
    searched = unread;
    if (searched > kMaxLine + 1 || !fill()) break;
  }
  const char* start = buffer_.data() + begin_;
  std::size_t size = found != nullptr ? static_cast<std::size_t>(found - start) : end_ - begin_;
  if (size == 0 && found == nullptr) return false;
  ++number_;
  begin_ += size + (found != nullptr ? 1 : 0);
  if (size > 0 && start[size - 1] == '\r') --size;
  if (size > kMaxLine) throw InputError(mark(), "", "a line over 1 MiB");
  line = std::string_view(start, size);
  if (number_ == 1) {
    if (line.starts_with("\x1f\x8b"))
      throw InputError({name_, 0, 0}, "", "is compressed with gzip; decompress it first");
    if (line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  }
  check_text(line);
  return true;
}

void LineReader::check_text(std::string_view line) const {
  bool bad = false;
  for (const char c : line) bad |= is_control(c);
  if (!bad) return;
  const auto at = static_cast<std::size_t>(std::find_if(line.begin(), line.end(), is_control) - line.begin());
  throw InputError(mark(at), "", fmt::format("not a text file (byte 0x{:02x})", static_cast<unsigned char>(line[at])));
}

Mark LineReader::mark_at(std::int64_t number, std::size_t offset) const {
  const std::int64_t shown = std::min<std::int64_t>(number, std::numeric_limits<int>::max());
  return {name_, static_cast<int>(shown), static_cast<int>(offset) + 1};
}

std::unique_ptr<std::istream> open_text_file(const std::string& path, const Mark& mark, std::string_view key) {
  if (const std::string problem = input_problem(path); !problem.empty())
    throw InputError(mark, key, fmt::format("'{}' {}", path, problem));
  return std::make_unique<std::ifstream>(path, std::ios::binary);
}

std::string quoted_text(std::string_view text) {
  constexpr std::size_t kShown = 40;
  std::string shown = "'";
  for (const char c : text.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f)
      shown += fmt::format("\\x{:02x}", byte);
    else
      shown += c;
  }
  return shown + (text.size() > kShown ? "...'" : "'");
}

}  // namespace silicast
