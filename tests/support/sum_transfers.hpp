// Transfers of the sum mode, by the book: bytes and rates as doubles, all rates filled anew whenever a flow comes or goes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "sim/serving/kv_transfers.hpp"

namespace silicast::testing {

class SumTransfers {
 public:
  explicit SumTransfers(const TransferSetup& setup) : setup_(setup), paths_(setup.paths) {}

  bool by_layers() const { return setup_.by_layers; }

  void expect(std::int64_t index, std::int32_t from, std::int32_t to, const KvSize& size) {
    Transfer transfer;
    const auto links = paths_.links(from, to);
    transfer.links.assign(links.begin(), links.end());
    transfer.wait = setup_.start.value() + paths_.latency(links).value();
    transfer.size = size;
    transfers_.emplace(index, transfer);
  }
  // Chips have a context of so many tokens computed at `then`.
  void computing(std::int64_t index, std::int64_t tokens, double then, double now) {
    Transfer& transfer = transfers_.at(index);
    transfer.available = std::floor(transfer.size.per_token.value() * static_cast<double>(tokens) *
                                    (transfer.size.layers - 1) / transfer.size.layers);
    transfer.then = then;
    go_on(transfer, now);
  }
  void computed(std::int64_t index, std::int64_t tokens, double now) {
    Transfer& transfer = transfers_.at(index);
    transfer.available = static_cast<double>(transfer.size.of(tokens));
    transfer.then = now;
    transfer.all = true;
    go_on(transfer, now);
  }
  void memory(std::int64_t index, bool taken, double now) {
    Transfer& transfer = transfers_.at(index);
    transfer.memory = taken;
    if (!taken) {
      transfer.begun = false;
      transfer.moved = transfer.moving = 0;
      transfer.starts = kNever;
    }
    go_on(transfer, now);
  }

  double next_instant() const {
    double next = kNever;
    for (const auto& [index, transfer] : transfers_) next = std::min({next, transfer.starts, transfer.ends});
    return next;
  }

  // Moves on to that instant; returns who has arrived, in the order in which their last flows began.
  std::vector<std::int64_t> advance(double now) {
    std::vector<std::int64_t> arrived;
    bool ended = false;
    for (auto& [index, transfer] : transfers_) {
      if (transfer.moving > 0) transfer.left -= transfer.rate * (now - since_);
      if (transfer.ends <= now) {
        ended = true;
        transfer.moved += transfer.moving;
        transfer.moving = 0;
        transfer.ends = kNever;
        go_on(transfer, now);
        if (transfer.moving == 0 && transfer.all) arrived.push_back(index);
      }
      if (transfer.starts <= now) begin(transfer, now);
    }
    since_ = now;
    std::sort(arrived.begin(), arrived.end(),
              [&](std::int64_t a, std::int64_t b) { return transfers_.at(a).sequence < transfers_.at(b).sequence; });
    for (const std::int64_t index : arrived) transfers_.erase(index);
    if (ended) settle(now);  // plans of this instant find them gone
    return arrived;
  }

  // Of the links by which a place reaches others in a tier, what transfers took of the fuller direction when they were
  // settled last.
  double taken(std::int32_t place, Tier tier) const {
    const TransferPaths::Exits exits = paths_.exits(place, tier);
    double most = 0;
    for (const std::int32_t link : {exits.out, exits.in})
      if (link >= 0 && !used_.empty())
        most = std::max(
            most, used_[static_cast<std::size_t>(link)] / paths_.capacities()[static_cast<std::size_t>(link)].value());
    return most;
  }

  // What came and went at that instant is there: everybody gets a fair rate. Progressive filling.
  void settle(double now) {
    std::vector<double> free(paths_.capacities().size());
    for (std::size_t i = 0; i < free.size(); ++i) free[i] = paths_.capacities()[i].value() * setup_.efficiency;
    std::vector<Transfer*> growing;
    for (auto& [index, transfer] : transfers_) {
      transfer.rate = 0;
      if (transfer.moving > 0) growing.push_back(&transfer);
    }
    while (!growing.empty()) {
      std::vector<int> users(free.size());
      for (const Transfer* one : growing)
        for (const std::int32_t link : one->links) ++users[static_cast<std::size_t>(link)];
      double step = kNever;
      for (std::size_t i = 0; i < free.size(); ++i)
        if (users[i] > 0) step = std::min(step, free[i] / users[i]);
      for (const Transfer* one : growing) step = std::min(step, one->cap - one->rate);
      for (Transfer* one : growing) one->rate += step;
      std::vector<char> full(free.size());
      for (std::size_t i = 0; i < free.size(); ++i) {
        free[i] -= step * users[i];
        full[i] = free[i] <= 1e-9 * paths_.capacities()[i].value();
      }
      std::erase_if(growing, [&](const Transfer* one) {
        return one->rate >= one->cap * (1 - 1e-12) ||
               std::any_of(one->links.begin(), one->links.end(),
                           [&](std::int32_t link) { return full[static_cast<std::size_t>(link)] != 0; });
      });
    }
    used_.assign(free.size(), 0);
    for (const auto& [index, transfer] : transfers_)
      for (const std::int32_t link : transfer.links) used_[static_cast<std::size_t>(link)] += transfer.rate;
    for (auto& [index, transfer] : transfers_)
      transfer.ends = transfer.moving > 0 ? now + std::max(0.0, transfer.left) / transfer.rate : kNever;
  }

 private:
  static constexpr double kNever = std::numeric_limits<double>::infinity();
  struct Transfer {
    std::vector<std::int32_t> links;
    KvSize size;
    double wait = 0, available = 0, moved = 0, moving = 0, left = 0, then = 0;
    double cap = kNever, rate = 0, starts = kNever, ends = kNever;
    std::int64_t sequence = 0;
    bool memory = false, begun = false, all = false;
  };

  void go_on(Transfer& transfer, double now) {
    if (!transfer.memory || transfer.moving > 0 || transfer.starts != kNever || transfer.available <= transfer.moved)
      return;
    if (!transfer.begun && transfer.wait > 0) {
      transfer.starts = now + transfer.wait;
      transfer.begun = true;
    } else {
      begin(transfer, now);
    }
  }
  void begin(Transfer& transfer, double now) {
    transfer.sequence = begun_++;
    transfer.begun = true;
    transfer.starts = kNever;
    transfer.left = transfer.moving = transfer.available - transfer.moved;
    transfer.cap = transfer.then > now ? transfer.moving / (transfer.then - now) : kNever;
  }

  const TransferSetup& setup_;
  TransferPaths paths_;
  std::map<std::int64_t, Transfer> transfers_;  // by request
  std::vector<double> used_;                    // by link
  double since_ = 0;
  std::int64_t begun_ = 0;
};

}  // namespace silicast::testing
