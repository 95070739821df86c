// The one place where a duration becomes an integer, units that do not mix, and the rolling hash of a run.
#include <catch2/catch.hpp>
#include <type_traits>

#include "sim/base/fingerprint.hpp"
#include "sim/base/ids.hpp"
#include "sim/base/sim_time.hpp"

namespace silicast {
namespace {

TEST_CASE("durations round to the nearest nanosecond, ties to even") {
  CHECK(nanoseconds(Seconds(1.4e-9)) == 1);
  CHECK(nanoseconds(Seconds(1.6e-9)) == 2);
  CHECK(nanoseconds(Seconds(2.5e-9)) == 2);
  CHECK(nanoseconds(Seconds(3.5e-9)) == 4);
  CHECK((SimTime{10} + Seconds(5e-9)).ns == 15);
}

TEST_CASE("instants two centuries apart keep their nanoseconds") {
  const SimTime late{std::int64_t{6'000'000'000} * 1'000'000'000 + 1};
  CHECK((late + Seconds(1e-9)).ns == late.ns + 1);
  CHECK(late < SimTime::never());
  CHECK((late - SimTime{late.ns - 5}).value() == Approx(5e-9));
}

template <class A, class B>
concept CanAdd = requires(A a, B b) {
  a + b;
};

TEST_CASE("quantities of unlike dimensions and ids of unlike tables do not mix") {
  CHECK(CanAdd<Seconds, Seconds>);
  CHECK_FALSE(CanAdd<Seconds, Bytes>);
  CHECK_FALSE(CanAdd<Seconds, double>);
  CHECK_FALSE(std::is_convertible_v<ReplicaId, PoolId>);
  CHECK_FALSE(std::is_convertible_v<double, Seconds>);
  CHECK((Bytes(8e9) / BytesPerSecond(4e9)).value() == 2);
}

TEST_CASE("the fingerprint depends on every word and on their order") {
  const auto of = [](std::initializer_list<std::uint64_t> words) {
    Fingerprint fingerprint;
    for (const std::uint64_t word : words) fingerprint.add(word);
    return fingerprint.value();
  };
  CHECK(of({1, 2}) == of({1, 2}));
  CHECK(of({1, 2}) != of({2, 1}));
  CHECK(of({1, 2}) != of({1, 2, 0}));
  CHECK(of({}) != of({0}));
  CHECK(of({1, std::uint64_t{1} << 63}) != of({1, 0}));
}

}  // namespace
}  // namespace silicast
