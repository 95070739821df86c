#include "sim/io/csv_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace silicast {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

CsvReader::CsvReader(std::unique_ptr<std::istream> input, std::string name)
    : lines_(std::move(input), std::move(name)) {
  if (!read_record()) throw InputError({lines_.name(), 0, 0}, "", "empty file; a header line is due");
  for (const Field& field : fields_) header_.emplace_back(field.text);
}

std::size_t CsvReader::column(std::string_view name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  const Mark mark = lines_.mark_at(1, 0);
  if (found == header_.end()) {
    // A file without a header has data there; the list of what it has is cut to what a message can carry.
    std::vector<std::string> known;
    for (const std::string& column : header_) {
      if (known.size() == 20) break;
      const std::string shown = quoted_text(column);
      known.push_back(shown.substr(1, shown.size() - 2));
    }
    throw InputError({mark.file, 1, 0}, "",
                     fmt::format("no column '{}' in the header{}", name, suggestion(name, known)));
  }
  if (std::find(found + 1, header_.end(), name) != header_.end())
    throw InputError({mark.file, 1, 0}, "", fmt::format("the header has column '{}' twice", name));
  return static_cast<std::size_t>(found - header_.begin());
}

bool CsvReader::next() {
  if (!read_record()) return false;
  if (fields_.size() == header_.size()) return true;
  throw InputError(Mark{lines_.name(), mark(0).line, 0}, "",
                   fmt::format("{} field{} where the header has {}{}", fields_.size(), fields_.size() == 1 ? "" : "s",
                               header_.size(), fields_.size() < header_.size() ? "; is the line cut off?" : ""));
}

bool CsvReader::read_record() {
  std::string_view record;
  do {
    if (!lines_.next(record)) return false;
  } while (trimmed(record).empty());
  line_ = lines_.number();
  fields_.clear();
  if (record.find('"') == std::string_view::npos) {
    split_plain(record);
  } else {
    record_ = record;
    split_quoted();
  }
  return true;
}

void CsvReader::split_plain(std::string_view record) {
  std::size_t start = 0;
  while (true) {
    const std::size_t comma = std::min(record.find(',', start), record.size());
    fields_.push_back({trimmed(record.substr(start, comma - start)), start});
    if (comma == record.size()) return;
    start = comma + 1;
  }
}

// The slow path. Views are set at the end, once neither buffer moves any more.
void CsvReader::split_quoted() {
  struct Piece {
    bool quoted;
    std::size_t begin, size, offset;
  };
  std::vector<Piece> pieces;
  unquoted_.clear();
  std::size_t at = 0;
  while (true) {
    const std::size_t offset = at;
    while (at < record_.size() && is_blank(record_[at])) ++at;
    if (at < record_.size() && record_[at] == '"') {
      const std::size_t begin = unquoted_.size();
      at = take_quoted(at + 1);
      pieces.push_back({true, begin, unquoted_.size() - begin, offset});
      while (at < record_.size() && is_blank(record_[at])) ++at;
      check_quote_end(at);
    } else {
      at = std::min(record_.find(',', offset), record_.size());
      pieces.push_back({false, offset, at - offset, offset});
    }
    if (at >= record_.size()) break;
    ++at;  // the comma
  }
  for (const Piece& piece : pieces) {
    const std::string_view text = std::string_view(piece.quoted ? unquoted_ : record_).substr(piece.begin, piece.size);
    fields_.push_back({piece.quoted ? text : trimmed(text), piece.offset});
  }
}

// Appends the quoted field that starts at `at` to unquoted_, reading on when a line break is in it; gives the
// position behind its closing quote.
std::size_t CsvReader::take_quoted(std::size_t at) {
  while (true) {
    const std::size_t quote = record_.find('"', at);
    if (quote == std::string::npos) {
      std::string_view more;
      if (record_.size() > LineReader::kMaxLine)
        throw InputError(lines_.mark_at(line_, 0), "", "a record over 1 MiB; is a quote missing?");
      unquoted_.append(record_, at);
      unquoted_ += '\n';
      at = record_.size() + 1;
      if (!lines_.next(more))
        throw InputError(lines_.mark_at(line_, 0), "", "a quote that never closes; is the line cut off?");
      record_ += '\n';
      record_ += more;
      continue;
    }
    unquoted_.append(record_, at, quote - at);
    if (quote + 1 >= record_.size() || record_[quote + 1] != '"') return quote + 1;
    unquoted_ += '"';
    at = quote + 2;
  }
}

void CsvReader::check_quote_end(std::size_t at) const {
  if (at < record_.size() && record_[at] != ',')
    throw InputError(lines_.mark_at(line_, at), "",
                     fmt::format("{} behind a closing quote", quoted_text(record_.substr(at))));
}

}  // namespace silicast
