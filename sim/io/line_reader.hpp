// Lines of a text stream, one at a time, however long the stream: what CSV and JSONL readers stand on.
// Refuses what is not text (binary bytes, gzip) and lines over 1 MiB, so that memory stays bounded.
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"

namespace silicast {

class LineReader {
 public:
  static constexpr std::size_t kMaxLine = 1u << 20;

  // `name` stands in messages for the file.
  LineReader(std::unique_ptr<std::istream> input, std::string name);

  // The next line without its end ("\n" or "\r\n") and without a leading byte order mark; the view holds
  // until the next call. False at the end of the stream. InputError: a control byte, gzip, over 1 MiB.
  bool next(std::string_view& line);

  const std::string& name() const { return name_; }
  std::int64_t number() const { return number_; }  // of the last line, from 1
  // Byte `offset` of line `number`, for errors.
  Mark mark_at(std::int64_t number, std::size_t offset) const;
  Mark mark(std::size_t offset = 0) const { return mark_at(number_, offset); }

 private:
  bool fill();
  void check_text(std::string_view line) const;

  std::unique_ptr<std::istream> input_;
  std::string name_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // unread bytes are [begin_, end_)
  std::size_t end_ = 0;
  std::int64_t number_ = 0;
};

// Opens a file for reading; InputError at `mark` and `key` (where the path was written) when it cannot be.
std::unique_ptr<std::istream> open_text_file(const std::string& path, const Mark& mark, std::string_view key);

// Text from a file as a message may show it: at most 40 bytes, quoted, with odd bytes as \xNN.
std::string quoted_text(std::string_view text);

}  // namespace silicast
