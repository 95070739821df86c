// Time stamps and token counts are read exactly, or refused with the reason.
#include "workloads/stamp_text.hpp"

#include <catch2/catch.hpp>

namespace silicast {
namespace {

std::int64_t datetime(std::string_view text) {
  const ParsedInteger parsed = parse_datetime(text);
  CHECK(parsed.error == "");
  return parsed.ok ? parsed.value : -1;
}
std::int64_t time_in(std::string_view text, int exponent) {
  const ParsedInteger parsed = parse_time(text, exponent);
  CHECK(parsed.error == "");
  return parsed.ok ? parsed.value : -1;
}

TEST_CASE("stamps of Azure 2023 and 2024 are exact to 100 ns and 1 us") {
  // 1700158546 and 1715299200 are `date -u +%s` of these instants.
  CHECK(datetime("2023-11-16 18:15:46.6805900") == 1'700'158'546'680'590'000);
  CHECK(datetime("2023-11-16 18:15:46.6805901") == 1'700'158'546'680'590'100);
  CHECK(datetime("2024-05-10 00:00:00.009930+00:00") == 1'715'299'200'009'930'000);
  CHECK(datetime("2024-05-10 00:00:00") == 1'715'299'200'000'000'000);
}

TEST_CASE("zones move a stamp to UTC") {
  CHECK(datetime("1970-01-01T08:00:00+08:00") == 0);
  CHECK(datetime("1970-01-01T08:30:00.5+0830") == 500'000'000);
  CHECK(datetime("1970-01-01 00:00:00-05") == 5 * 3600 * std::int64_t{1'000'000'000});
}

TEST_CASE("leap days exist in leap years alone") {
  CHECK(datetime("2024-03-01 00:00:00") - datetime("2024-02-29 00:00:00") == 86400 * std::int64_t{1'000'000'000});
  CHECK(datetime("2000-03-01 00:00:00") - datetime("2000-02-28 00:00:00") == 2 * 86400 * std::int64_t{1'000'000'000});
  CHECK_FALSE(parse_datetime("2023-02-29 00:00:00").ok);
  CHECK_FALSE(parse_datetime("2100-02-29 00:00:00").ok);
}

TEST_CASE("what is no time stamp is refused") {
  for (const char* text :
       {"", "yesterday", "2023-11-16", "2023-11-16 18:15", "2023-13-01 00:00:00", "2023-00-01 00:00:00",
        "2023-11-31 00:00:00", "2023-11-16 24:00:00", "2023-11-16 18:60:00", "2023-11-16 18:15:60",
        "2023-11-16 18:15:46.", "2023-11-16 18:15:46.1234567890", "2023-11-16 18:15:46 UTC", "2023-11-16 18:15:46+8",
        "2023-11-16 18:15:46+99:00", "2023/11/16 18:15:46", "1969-12-31 23:59:59", "2262-01-01 00:00:00",
        "-2023-11-16 18:15:46"}) {
    INFO(text);
    CHECK_FALSE(parse_datetime(text).ok);
  }
  CHECK(parse_datetime("1700158546.68").error ==
        "'1700158546.68' is not a time stamp such as 2023-11-16 18:15:46.6805900");
  CHECK(parse_datetime("2262-01-01 00:00:00").error == "'2262-01-01 00:00:00' is not between the years 1970 and 2261");
}

TEST_CASE("decimal times keep every digit a double would lose") {
  CHECK(time_in("1700158546.123456789", 9) == 1'700'158'546'123'456'789);
  CHECK(time_in("9223372036854775799", 0) == 9'223'372'036'854'775'799);
  CHECK(time_in("0.1", 9) == 100'000'000);
  CHECK(time_in("12", 6) == 12'000'000);
  CHECK(time_in("1.5", 3) == 1500);
  CHECK(time_in(".25", 9) == 250'000'000);
  CHECK(time_in("3.", 0) == 3);
  CHECK(time_in("+7", 0) == 7);
}

TEST_CASE("decimal times below a nanosecond round to the nearest, halves up") {
  CHECK(time_in("0.0000000004", 9) == 0);
  CHECK(time_in("0.0000000005", 9) == 1);
  CHECK(time_in("1.4999999999999", 0) == 1);
  CHECK(time_in("0.99999999951", 9) == 1'000'000'000);
}

TEST_CASE("decimal times take an exponent as Python writes it") {
  CHECK(time_in("1.5e-05", 9) == 15'000);
  CHECK(time_in("1.7e9", 9) == 1'700'000'000'000'000'000);
  CHECK(time_in("2E+3", 6) == 2'000'000'000);
  CHECK(time_in("5e-9999", 9) == 0);
  CHECK(time_in("0e9999", 9) == 0);
}

TEST_CASE("what is no time is refused with the reason") {
  const auto error = [](std::string_view text) { return parse_time(text, 9).error; };
  CHECK(error("") == "is empty");
  CHECK(error("NaN") == "'NaN' is not a number");
  CHECK(error("inf") == "'inf' is not a number");
  CHECK(error("0x10") == "'0x10' is not a number");
  CHECK(error("1.2.3") == "'1.2.3' is not a number");
  CHECK(error(".") == "'.' is not a number");
  CHECK(error("1e") == "'1e' is not a number");
  CHECK(error("1e99999") == "'1e99999' is not a number");
  CHECK(error("5 s") == "'5 s' is not a number");
  CHECK(error("-1") == "'-1' is negative");
  CHECK(error("9223372037") == "'9223372037' is too large a time");
  CHECK(error("1e300") == "'1e300' is too large a time");
}

TEST_CASE("token counts are whole numbers from one up") {
  CHECK(parse_tokens("374").value == 374);
  CHECK(parse_tokens("100000000").value == 100'000'000);
  const auto error = [](std::string_view text) { return parse_tokens(text).error; };
  CHECK(error("") == "is empty");
  CHECK(error("0") == "'0' must be from 1 to 100000000 tokens");
  CHECK(error("-3") == "'-3' must be from 1 to 100000000 tokens");
  CHECK(error("100000001") == "'100000001' must be from 1 to 100000000 tokens");
  CHECK(error("99999999999999999999999") == "'99999999999999999999999' must be from 1 to 100000000 tokens");
  CHECK(error("12.0") == "'12.0' is not a whole number");
  CHECK(error("nan") == "'nan' is not a whole number");
  CHECK(error("\x01\xff") == "'\\x01\\xff' is not a whole number");
}

}  // namespace
}  // namespace silicast
