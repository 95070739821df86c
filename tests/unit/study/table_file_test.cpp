// Tables by column name, gzip or not, and what is said of bad ones.
#include "sim/io/table_file.hpp"

#include <functional>

#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

std::string message(const std::string& text, const std::function<void(TableFile&)>& use) {
  const TempFolder folder;
  const std::string path = write(folder, "t.csv", text);
  try {
    TableFile table(path, {"name", "ms", "n"});
    REQUIRE(table.next());
    use(table);
  } catch (const InputError& error) {
    return std::string(error.what()).substr(path.size());
  }
  return "no error";
}

TEST_CASE("cells are asked for by the name of their column, whatever its place") {
  const TempFolder folder;
  TableFile table(write(folder, "t.csv", "n,other,ms,name\n8.0,x,1.5, a b \n,,,\n"), {"name", "ms", "n"});
  REQUIRE(table.next());
  CHECK(table.text("name") == "a b");
  CHECK(table.number("ms") == 1.5);
  CHECK(table.integer("n", 1, 10) == 8);
  CHECK(table.line() == 2);
  CHECK(table.has("ms"));
  CHECK_FALSE(table.has("other"));
  REQUIRE(table.next());
  CHECK(table.text("name").empty());
  CHECK_FALSE(table.maybe_number("ms"));
  CHECK_FALSE(table.maybe_integer("n", 1, 10));
  CHECK_FALSE(table.next());
}

TEST_CASE("a column that is missing is named, with what it may be") {
  CHECK(message("name,m_s,n\na,1,1\n", [](TableFile&) {}) ==
        ":1: no column 'ms' in the header; did you mean 'm_s'? (known: name, m_s, n)");
}

TEST_CASE("a bad cell is named by file, line, column and key") {
  const std::string header = "name,ms,n\n";
  const auto ms = [](TableFile& table) { table.number("ms"); };
  const auto n = [](TableFile& table) { table.integer("n", 1, 10); };
  CHECK(message(header + "a,fast,1\n", ms) == ":2:3: ms: 'fast' is not a number");
  CHECK(message(header + "a,-3,1\n", ms) == ":2:3: ms: -3 must be over 0");
  CHECK(message(header + "a,nan,1\n", ms) == ":2:3: ms: 'nan' is not a number");
  CHECK(message(header + "a,,1\n", ms) == ":2:3: ms: is empty");
  CHECK(message(header + "a,1,1.5\n", n) == ":2:5: n: '1.5' is not a whole number from 1 to 10");
  CHECK(message(header + "a,1,11\n", n) == ":2:5: n: '11' is not a whole number from 1 to 10");
  CHECK(message(header + "a,1,\n", n) == ":2:5: n: is empty");
  CHECK(message(header + ",1,1\n", [](TableFile& table) { table.required_text("name"); }) == ":2:1: name: is empty");
}

TEST_CASE("the header of no table is empty") {
  const TempFolder folder;
  CHECK(table_header(write(folder, "a.csv", "a,b\n")) == std::vector<std::string>{"a", "b"});
  CHECK(table_header(write(folder, "empty.csv", "")).empty());
  CHECK(table_header(write(folder, "damaged.csv.gz", "a,b\n")).empty());
}

}  // namespace
}  // namespace silicast::testing
