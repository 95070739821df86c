// Packed files: members one after the other, damage, plain files untouched.
#include "sim/io/gzip_file.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "tests/support/temp_folder.hpp"

namespace silicast::testing {
namespace {

// "hello\n", as `printf 'hello\n' | gzip -n` packs it.
const std::string kHello(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x20\x30\x3a\x36\x06\x00\x00\x00", 26);

TEST_CASE("a packed file is unpacked, members one after the other") {
  CHECK(unpack_gzip(kHello, "a.gz") == "hello\n");
  CHECK(unpack_gzip(kHello + kHello, "a.gz") == "hello\nhello\n");
  CHECK(unpack_gzip("", "a.gz").empty());
}

TEST_CASE("a damaged file is named") {
  std::string damaged = kHello;
  damaged[12] ^= 1;
  for (const std::string& bytes : {damaged, kHello.substr(0, 20), std::string("a,b\n")})
    CHECK_THROWS_WITH(unpack_gzip(bytes, "a.gz"), "a.gz: is no gzip file, or a damaged one; test it by 'gzip -t'");
}

TEST_CASE("a file is unpacked by the end of its name") {
  const TempFolder folder;
  const auto text_of = [&](const std::string& name, const std::string& bytes) {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    const auto input = open_packed_file(folder / name);
    return std::string(std::istreambuf_iterator<char>(*input), {});
  };
  CHECK(text_of("a.csv.gz", kHello) == "hello\n");
  CHECK(text_of("a.csv", "a,b\n") == "a,b\n");
}

}  // namespace
}  // namespace silicast::testing
