// What the CSV reader takes and refuses, and that its memory does not grow with the file.
#include "sim/io/csv_reader.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <sstream>

namespace silicast {
namespace {

CsvReader csv_of(const std::string& text) {
  return CsvReader(std::make_unique<std::istringstream>(text), "t.csv");
}

// Every record, fields joined by '|'.
std::vector<std::string> records(const std::string& text) {
  CsvReader csv = csv_of(text);
  std::vector<std::string> all;
  while (csv.next()) {
    std::string joined;
    for (std::size_t i = 0; i < csv.header().size(); ++i) {
      if (i > 0) joined += '|';
      joined += csv.field(i);
    }
    all.push_back(joined);
  }
  return all;
}

std::string error_of(const std::string& text) {
  try {
    records(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

using Rows = std::vector<std::string>;

TEST_CASE("a csv without a newline at its end gives its last record") {
  CHECK(records("a,b\n1,2\n3,4") == Rows{"1|2", "3|4"});
}

TEST_CASE("crlf line ends, a byte order mark and empty lines are not data") {
  CHECK(records("\xef\xbb\xbf"
                "a,b\r\n1,2\r\n\r\n3,4\r\n\n") == Rows{"1|2", "3|4"});
  CHECK(csv_of("\xef\xbb\xbf"
               "a,b\n")
            .header() == Rows{"a", "b"});
}

TEST_CASE("quoted fields may hold commas, doubled quotes and line breaks") {
  CHECK(records("a,b\n\"1,5\",\"say \"\"x\"\"\"\n") == Rows{"1,5|say \"x\""});
  CHECK(records("a,b\n\"one\ntwo\",3\n4,5\n") == Rows{"one\ntwo|3", "4|5"});
  CHECK(records("a,b\n\"\",\"\"\n") == Rows{"|"});
}

TEST_CASE("blanks around unquoted fields are cut, those within quotes stay") {
  CHECK(records("a, b\n 1 ,\t2\n \" 3 \" ,4\n") == Rows{"1|2", " 3 |4"});
}

TEST_CASE("a csv field knows its line and column, behind a record of several lines too") {
  CsvReader csv = csv_of("a,b\n\"x\ny\",1\n22,333\n");
  REQUIRE(csv.next());
  CHECK(csv.line() == 2);
  REQUIRE(csv.next());
  CHECK(csv.mark(1).line == 4);
  CHECK(csv.mark(1).column == 4);
}

TEST_CASE("a csv says exactly what is wrong with it") {
  CHECK(error_of("") == "t.csv: empty file; a header line is due");
  CHECK(error_of("\n\n") == "t.csv: empty file; a header line is due");
  CHECK(error_of("a,b\n1\n") == "t.csv:2: 1 field where the header has 2; is the line cut off?");
  CHECK(error_of("a,b\n1,2\n1,2,3\n") == "t.csv:3: 3 fields where the header has 2");
  CHECK(error_of("a,b\n\"1,2\n") == "t.csv:2:1: a quote that never closes; is the line cut off?");
  CHECK(error_of("a,b\n\"1\"x,2\n") == "t.csv:2:4: 'x,2' behind a closing quote");
  CHECK(error_of(std::string("a,b\n1,\0\n", 8)) == "t.csv:2:3: not a text file (byte 0x00)");
  CHECK(error_of("\x7f"
                 "ELF\x02\x01") == "t.csv:1:1: not a text file (byte 0x7f)");
  CHECK(error_of("\x1f\x8b\x08") == "t.csv: is compressed with gzip; decompress it first");
}

TEST_CASE("a missing csv column is named with the nearest that is there") {
  CsvReader csv = csv_of("time,prompt_tokens,x,x\n");
  CHECK(csv.column("prompt_tokens") == 1);
  CHECK_THROWS_WITH(csv.column("prompt_token"),
                    "t.csv:1: no column 'prompt_token' in the header; did you mean 'prompt_tokens'? (known: "
                    "time, prompt_tokens, x, x)");
  CHECK_THROWS_WITH(csv.column("x"), "t.csv:1: the header has column 'x' twice");
}

TEST_CASE("a csv line of 1 MiB is read and a longer one refused") {
  const std::string most(LineReader::kMaxLine - 2, '7');
  CHECK(records("a,b\n" + most + ",1\n") == Rows{most + "|1"});
  CHECK(error_of("a,b\n" + most + ",12\n") == "t.csv:2:1: a line over 1 MiB");
  CHECK(error_of("a,b\n" + std::string(3 << 20, 'x')) == "t.csv:2:1: a line over 1 MiB");
  std::string quoted = "a,b\n\"";
  while (quoted.size() < (3u << 20)) quoted += "many short lines\n";
  CHECK(error_of(quoted) == "t.csv:2:1: a record over 1 MiB; is a quote missing?");
}

// Gives `rows` records without ever holding them, and counts how far ahead it was read.
class EndlessRows : public std::streambuf {
 public:
  explicit EndlessRows(std::int64_t rows) : rows_(rows) {}
  std::int64_t given = 0;

 protected:
  int_type underflow() override {
    if (given > rows_) return traits_type::eof();
    text_ = given == 0 ? "a,b\n" : fmt::format("{},7\n", given);
    ++given;
    setg(text_.data(), text_.data(), text_.data() + text_.size());
    return traits_type::to_int_type(text_[0]);
  }

 private:
  std::int64_t rows_;
  std::string text_;
};

class EndlessStream : public std::istream {
 public:
  explicit EndlessStream(std::int64_t count) : std::istream(nullptr), rows(count) { rdbuf(&this->rows); }
  EndlessRows rows;
};

TEST_CASE("the csv reader never reads more than a buffer ahead of its record") {
  auto stream = std::make_unique<EndlessStream>(1'000'000);
  EndlessStream& source = *stream;
  CsvReader csv(std::move(stream), "t.csv");
  std::int64_t count = 0, wrong = 0, furthest_ahead = 0;
  while (csv.next()) {
    ++count;
    wrong += csv.field(0) != fmt::format_int(count).str();
    furthest_ahead = std::max(furthest_ahead, source.rows.given - count);
  }
  CHECK(count == 1'000'000);
  CHECK(wrong == 0);
  CHECK(furthest_ahead < 65536 / 4 + 2);  // the shortest row has 4 bytes
}

// A line that does not end, as a device or a damaged file may give it.
class EndlessLine : public std::streambuf {
 public:
  static inline constexpr std::int64_t kPlenty = 64 << 20;
  std::int64_t* given = nullptr;

 protected:
  int_type underflow() override {
    if (*given >= kPlenty) return traits_type::eof();
    *given += static_cast<std::int64_t>(text_.size());
    setg(text_.data(), text_.data(), text_.data() + text_.size());
    return traits_type::to_int_type(text_[0]);
  }

 private:
  std::string text_ = std::string(4096, 'x');
};

TEST_CASE("a line without an end is given up soon after 1 MiB") {
  EndlessLine line;
  std::int64_t given = 0;
  line.given = &given;
  CHECK_THROWS_WITH(CsvReader(std::make_unique<std::istream>(&line), "t.csv"), "t.csv:1:1: a line over 1 MiB");
  CHECK(given <= 4 << 20);
}

}  // namespace
}  // namespace silicast
