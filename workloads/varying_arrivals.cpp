// Poisson arrivals whose rate moves with time: a sinusoid by thinning, pieces by a change of time.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "workloads/arrival_process.hpp"
#include "workloads/limits.hpp"

namespace silicast {
namespace {

// Lewis and Shedler, Simulation of nonhomogeneous Poisson processes by thinning, 1979: candidates come at the
// peak rate, each stays with probability rate(t) / peak.
class DiurnalArrivals final : public ArrivalProcess {
 public:
  DiurnalArrivals(double mean, double swing, double period, double phase, RandomStream stream, ConfigValue at)
      : mean_(mean), swing_(swing), period_(period), phase_(phase), stream_(stream), at_(std::move(at)) {}

  std::optional<SimTime> next() override {
    double share = 0;
    do {
      now_ = later(now_, stream_.exponential() / (mean_ * (1 + swing_)), at_);
      share = 1 + swing_ * std::sin(2 * std::numbers::pi * std::fmod((now_.seconds() + phase_) / period_, 1.0));
    } while (stream_.uniform() * (1 + swing_) >= share);
    return now_;
  }
  double mean_rate() const override { return mean_; }

 private:
  double mean_, swing_, period_, phase_;
  RandomStream stream_;
  SimTime now_;
  ConfigValue at_;
};

struct Piece {
  SimTime end;
  double rate = 0;
};

// A unit Poisson process, stretched: each gap of it is a number of expected requests, used up at the rate of
// the pieces it spans.
class PiecewiseArrivals final : public ArrivalProcess {
 public:
  PiecewiseArrivals(std::vector<Piece> pieces, RandomStream stream, ConfigValue at)
      : pieces_(std::move(pieces)), stream_(stream), at_(std::move(at)) {}

  std::optional<SimTime> next() override {
    double left = stream_.exponential();
    for (; index_ < pieces_.size(); ++index_) {
      const Piece& piece = pieces_[index_];
      if (piece.end == SimTime::never()) return now_ = later(now_, left / piece.rate, at_);
      const double expected = (piece.end - now_).value() * piece.rate;
      if (left < expected) {
        // Rounding must not carry the arrival to the end of its piece, which belongs to the next.
        const SimTime arrival = now_ + Seconds(left / piece.rate);
        return now_ = std::min(arrival, SimTime{piece.end.ns - 1});
      }
      left -= expected;
      now_ = piece.end;
    }
    return std::nullopt;
  }

  double mean_rate() const override {
    if (!end()) return pieces_.back().rate;
    double expected = 0;
    SimTime start;
    for (const Piece& piece : pieces_) {
      expected += (piece.end - start).value() * piece.rate;
      start = piece.end;
    }
    return expected / end()->value();
  }

  std::optional<Seconds> end() const override {
    if (pieces_.back().end == SimTime::never()) return std::nullopt;
    return Seconds(pieces_.back().end.seconds());
  }

 private:
  std::vector<Piece> pieces_;
  RandomStream stream_;
  std::size_t index_ = 0;
  SimTime now_;
  ConfigValue at_;
};

constexpr Bounds kSpanBounds{1e-6, kLastArrivalSeconds};

Piece read_piece(const ConfigValue& value, SimTime start, bool last) {
  ConfigMap map = value.map();
  Piece piece;
  const auto until = map.optional("until"), duration = map.optional("duration");
  const ConfigValue rate = map.required("rate");
  if (rate.quantity(Dimension::kEventRate, kNonNegative) > 0) piece.rate = rate_of(rate);
  map.done();
  if (until && duration) until->fail("'until' and 'duration' exclude each other");
  if (!until && !duration) {
    if (!last) value.fail("needs one of 'until' and 'duration'; only the last piece may be open");
    if (piece.rate == 0) value.fail("an open piece needs a rate over zero");
    piece.end = SimTime::never();
    return piece;
  }
  const ConfigValue& given = until ? *until : *duration;
  const double seconds = given.quantity(Dimension::kTime, kSpanBounds);
  piece.end = until ? SimTime{} + Seconds(seconds) : start + Seconds(seconds);
  if (piece.end <= start)
    given.fail(
        fmt::format("must be over the end of the piece ahead, {}", format_quantity(start.seconds(), Dimension::kTime)));
  if (piece.end > kLastArrival) given.fail("the piece ends past 63 years");
  return piece;
}

}  // namespace

std::unique_ptr<ArrivalProcess> make_diurnal_arrivals(ConfigMap& map, RandomStream stream) {
  const double mean = rate_of(map.required("rate"));
  // A sinusoid with a peak over twice its mean would fall below zero.
  const double peak = map.required("peak_to_mean").number({1, 2});
  const double period = map.required("period").quantity(Dimension::kTime, kSpanBounds);
  const auto phase = map.optional("phase");
  const double shift = phase ? phase->quantity(Dimension::kTime, {0, period}) : 0;
  return std::make_unique<DiurnalArrivals>(mean, peak - 1, period, shift, stream, map.value());
}

std::unique_ptr<ArrivalProcess> make_piecewise_arrivals(ConfigMap& map, RandomStream stream) {
  const ConfigValue list = map.required("pieces");
  const std::vector<ConfigValue> items = list.list();
  if (items.empty()) list.fail("an empty list");
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < items.size(); ++i)
    pieces.push_back(read_piece(items[i], i == 0 ? SimTime{} : pieces.back().end, i + 1 == items.size()));
  const bool some = std::any_of(pieces.begin(), pieces.end(), [](const Piece& piece) { return piece.rate > 0; });
  if (!some) list.fail("no piece has a rate over zero");
  return std::make_unique<PiecewiseArrivals>(std::move(pieces), stream, map.value());
}

}  // namespace silicast
