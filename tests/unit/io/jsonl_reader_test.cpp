// What the JSON Lines reader takes and refuses.
#include "sim/io/jsonl_reader.hpp"

#include <catch2/catch.hpp>
#include <sstream>

namespace silicast {
namespace {

JsonlReader jsonl_of(const std::string& text) {
  return JsonlReader(std::make_unique<std::istringstream>(text), "t.jsonl", {"ts", "n_in"});
}

std::string error_of(const std::string& text) {
  try {
    JsonlReader json = jsonl_of(text);
    while (json.next()) {
      json.field(0);
      json.field(1);
    }
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST_CASE("json numbers stay the text they were, to the last digit") {
  JsonlReader json = jsonl_of(R"({"ts": 1700000000.123456789, "n_in": 9007199254740993})");
  REQUIRE(json.next());
  CHECK(json.field(0).kind == JsonField::Kind::kNumber);
  CHECK(json.field(0).text == "1700000000.123456789");
  CHECK(json.field(1).text == "9007199254740993");
}

TEST_CASE("only keys of the outermost json object count") {
  JsonlReader json = jsonl_of(R"({"a": {"ts": 5, "n_in": [1]}, "ts": 1, "b": [{"ts": 6}], "n_in": 2})");
  REQUIRE(json.next());
  CHECK(json.field(0).text == "1");
  CHECK(json.field(1).text == "2");
}

TEST_CASE("a json field tells text, null, boolean and containers apart") {
  const auto kind = [](const std::string& value) {
    JsonlReader json = jsonl_of("{\"ts\": " + value + ", \"n_in\": 1}");
    REQUIRE(json.next());
    return json.field(0).kind;
  };
  CHECK(kind("\"x\"") == JsonField::Kind::kText);
  CHECK(kind("null") == JsonField::Kind::kNull);
  CHECK(kind("true") == JsonField::Kind::kBoolean);
  CHECK(kind("-1.5e3") == JsonField::Kind::kNumber);
  CHECK(kind("[1, 2]") == JsonField::Kind::kContainer);
  CHECK(kind("{}") == JsonField::Kind::kContainer);
}

TEST_CASE("a key of one json line is not there on the next") {
  JsonlReader json = jsonl_of("{\"ts\": 1, \"n_in\": 2}\n\n{\"ts\": 3}");
  REQUIRE(json.next());
  REQUIRE(json.next());
  CHECK(json.line() == 3);
  CHECK(json.field(0).text == "3");
  CHECK_THROWS_WITH(json.field(1), "t.jsonl:3: no key 'n_in' in the object (known: ts)");
}

TEST_CASE("a json line says exactly what is wrong with it") {
  CHECK(error_of("") == "no error");
  CHECK(error_of("{\"ts\": 1, \"n_im\": 2}\n") ==
        "t.jsonl:1: no key 'n_in' in the object; did you mean 'n_im'? (known: ts, n_im)");
  CHECK(error_of("{\"ts\": NaN, \"n_in\": 2}\n") == "t.jsonl:1:8: not valid JSON at 'NaN, \"n_in\": 2}'");
  CHECK(error_of("{\"ts\": 1, \"n_in\": 2}\n{\"ts\": 1, \"n_i") ==
        "t.jsonl:2:15: not valid JSON: the line ends too early; is it cut off?");
  CHECK(error_of("{\"ts\": 1, \"ts\": 2}") == "t.jsonl:1: ts: the key is there twice");
  CHECK(error_of("[1, 2]") == "t.jsonl:1: '[1, 2]' where a JSON object is due");
  CHECK(error_of("17") == "t.jsonl:1: '17' where a JSON object is due");
  CHECK(error_of("{} {}") == "t.jsonl:1:4: not valid JSON at '{}'");
  CHECK(error_of("ts,n_in\n1,2\n") == "t.jsonl:1:2: not valid JSON at 's,n_in'");
  CHECK(error_of(std::string("{\"ts\": \0}", 9)) == "t.jsonl:1:8: not a text file (byte 0x00)");
  CHECK(error_of("{\"ts\": \"\xff\"}") == "t.jsonl:1:9: not valid JSON at '\\xff\"}'");
  CHECK(error_of("{\"ts\": 1e999, \"n_in\": 1}") == "t.jsonl:1: the number '1e999' is out of range");
}

TEST_CASE("a json line nested a million deep is refused without harm") {
  CHECK(error_of(std::string(1 << 20, '[')) ==
        "t.jsonl:1:1048577: not valid JSON: the line ends too early; is it cut off?");
  CHECK(error_of(std::string((1 << 20) + 1, '[')) == "t.jsonl:1:1: a line over 1 MiB");
}

TEST_CASE("lists of whole numbers are kept where they are asked for") {
  JsonlReader json(
      std::make_unique<std::istringstream>(
          "{\"other\": [9], \"ids\": [0, 18446744073709551615], \"n\": 1}\n{\"n\": 2, \"ids\": []}\n{\"n\": 3}\n"),
      "t.jsonl", {"n"}, {"ids"});
  REQUIRE(json.next());
  CHECK(json.list(1) == std::vector<std::uint64_t>{0, ~std::uint64_t{0}});
  CHECK(json.field(0).text == "1");
  REQUIRE(json.next());
  CHECK(json.has(1));
  CHECK(json.list(1).empty());
  REQUIRE(json.next());
  CHECK_FALSE(json.has(1));
  CHECK_THROWS_WITH(json.list(1), "t.jsonl:3: no key 'ids' in the object (known: n)");
}

TEST_CASE("a list of anything but whole numbers from 0 is told by what it holds") {
  const auto error = [](const std::string& list) -> std::string {
    JsonlReader json(std::make_unique<std::istringstream>("{\"ids\": " + list + "}"), "t.jsonl", {}, {"ids"});
    try {
      json.next();
      json.list(0);
    } catch (const InputError& found) {
      return found.what();
    }
    return "no error";
  };
  CHECK(error("[1, -1, 2]") == "t.jsonl:1: ids: holds '-1'; whole numbers from 0 are due");
  CHECK(error("[1.0]") == "t.jsonl:1: ids: holds '1.0'; whole numbers from 0 are due");
  CHECK(error("[[1]]") == "t.jsonl:1: ids: holds a list or an object within it; whole numbers from 0 are due");
  CHECK(error("[true]") == "t.jsonl:1: ids: holds 'true'; whole numbers from 0 are due");
  CHECK(error("{}") == "t.jsonl:1: ids: is no list of whole numbers");
  CHECK(error("null") == "t.jsonl:1: ids: is no list of whole numbers");
}

}  // namespace
}  // namespace silicast
