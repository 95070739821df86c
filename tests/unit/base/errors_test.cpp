// What a message says: the place, the key, what is wrong, what was meant; and that our own mistakes are told apart.
#include "sim/base/errors.hpp"

#include <catch2/catch.hpp>

#include "sim/base/check.hpp"
#include "sim/base/registry.hpp"

namespace silicast {
namespace {

TEST_CASE("a message names file, line, column and key, as far as they are known") {
  CHECK(std::string(InputError({"s.yaml", 3, 7}, "pools[0].node", "unknown node 'x'").what()) ==
        "s.yaml:3:7: pools[0].node: unknown node 'x'");
  CHECK(std::string(InputError({"s.yaml", 3, 0}, "", "broken").what()) == "s.yaml:3: broken");
  CHECK(std::string(InputError({"s.yaml", 0, 0}, "", "broken").what()) == "s.yaml: broken");
  CHECK(std::string(InputError("broken").what()) == "broken");
}

TEST_CASE("the nearest candidate is suggested within a third of the word, and nothing beyond") {
  const std::vector<std::string> known{"least_loaded", "random", "round_robin"};
  CHECK(nearest("least-loaded", known) == "least_loaded");
  CHECK(nearest("randm", known) == "random");
  CHECK(nearest("shortest", known).empty());
  CHECK(nearest("", known).empty());
  CHECK(nearest(std::string(100'000, 'a'), known).empty());
  CHECK(suggestion("randm", known) == "; did you mean 'random'? (known: least_loaded, random, round_robin)");
  CHECK(suggestion("x", {}).empty());
}

TEST_CASE("a broken invariant is an InternalError with its place and figures, in release builds too") {
  const int free = -1;
  CHECK_NOTHROW([&] { SILICAST_CHECK(free < 0); }());
  CHECK_THROWS_WITH([&] { SILICAST_CHECK(free >= 0, "{} blocks", free); }(),
                    Catch::Contains("errors_test.cpp") && Catch::Contains("free >= 0") && Catch::Contains("-1 blocks"));
  CHECK_THROWS_AS([&] { SILICAST_CHECK(free >= 0); }(), InternalError);
}

TEST_CASE("a registry finds an entry by its whole name, case and all") {
  static constexpr RegistryEntry<int()> kEntries[] = {{"one", "the first", nullptr}, {"two", "the second", nullptr}};
  const Registry<int()> registry{"number", kEntries};
  CHECK(registry.find("two")->summary == "the second");
  CHECK(registry.find("Two") == nullptr);
  CHECK(registry.find("tw") == nullptr);
  CHECK(registry.names() == std::vector<std::string>{"one", "two"});
}

}  // namespace
}  // namespace silicast
