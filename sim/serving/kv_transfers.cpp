#include "sim/serving/kv_transfers.hpp"

#include <algorithm>

namespace silicast {
namespace {

std::vector<BytesPerSecond> scaled(std::vector<BytesPerSecond> capacities, double by) {
  for (BytesPerSecond& capacity : capacities) capacity = capacity * by;
  return capacities;
}

}  // namespace

KvTransfers::KvTransfers(TransferSetup setup, Engine& engine, TransferHost& host)
    : setup_(std::move(setup)),
      engine_(engine),
      host_(host),
      flows_(scaled(setup_.paths.capacities(), setup_.efficiency), engine, Action::of<&KvTransfers::flows_end>(this),
             Action::of<&KvTransfers::settled>(this)) {}

void KvTransfers::watch(std::int32_t place, Tier tier) {
  const TransferPaths::Exits exits = setup_.paths.exits(place, tier);
  if (exits.out < 0) return;
  watch_of_.resize(setup_.paths.capacities().size(), -1);
  for (const std::int32_t link : {exits.out, exits.in})
    watch_of_[static_cast<std::size_t>(link)] = static_cast<std::int32_t>(watches_.size());
  watches_.push_back({place, exits, 0});
  flows_.network().changed_links();
}

void KvTransfers::tell_taken(bool planned) {
  if (watches_.empty()) return;
  FlowNetwork& network = flows_.network();
  const auto share = [&](std::int32_t link) {  // of the bandwidth that collectives see
    return setup_.efficiency * (network.used(link) / network.capacity(link));
  };
  for (const std::int32_t link : network.changed_links()) {
    const std::int32_t found = watch_of_[static_cast<std::size_t>(link)];
    if (found < 0) continue;
    Watch& one = watches_[static_cast<std::size_t>(found)];
    const double now = std::max(share(one.exits.out), share(one.exits.in));
    if (now == one.share) continue;
    one.share = now;
    host_.links_taken(one.place, now, planned);
  }
}

void KvTransfers::expect(RequestSlot slot, std::int32_t from, std::int32_t to, const KvSize& size) {
  if (transfers_.size() <= slot.index()) transfers_.resize(slot.index() + 1);
  SILICAST_CHECK(!at(slot).known);
  at(slot) = Transfer{};
  at(slot).from = from;
  at(slot).to = to;
  at(slot).size = size;
  at(slot).known = true;
}

// The last layer of a chunk is there only when the chunk is: it moves with the next chunk, or at the end.
void KvTransfers::computing(RequestSlot slot, std::int64_t tokens, SimTime then) {
  Transfer& transfer = at(slot);
  transfer.available = static_cast<std::int64_t>(transfer.size.per_token.value() * static_cast<double>(tokens) *
                                                 (transfer.size.layers - 1) / transfer.size.layers);
  transfer.then = then;
  go_on(slot);
}

void KvTransfers::computed(RequestSlot slot, std::int64_t tokens) {
  Transfer& transfer = at(slot);
  transfer.available = transfer.size.of(tokens);
  transfer.then = engine_.now();
  transfer.all_computed = true;
  go_on(slot);
}

void KvTransfers::memory_taken(RequestSlot slot) {
  at(slot).has_memory = true;
  go_on(slot);
}

void KvTransfers::memory_lost(RequestSlot slot) {
  Transfer& transfer = at(slot);
  stop(transfer);
  transfer.has_memory = transfer.begun = false;
  transfer.moved = 0;
}

void KvTransfers::forget(RequestSlot slot) {
  stop(at(slot));
  at(slot).known = false;
}

void KvTransfers::stop(Transfer& transfer) {
  engine_.cancel(transfer.start);
  if (!flows_.network().in_flight(transfer.flow)) return;
  bytes_asked_ -= transfer.moving - flows_.network().cancel(transfer.flow, engine_.now());
  transfer.moving = 0;
  flows_.rates_change();
}

// Moves what is there and has not moved. One flow at a time: what a chunk adds meanwhile goes with the next.
void KvTransfers::go_on(RequestSlot slot) {
  Transfer& transfer = at(slot);
  if (!transfer.has_memory || transfer.moving > 0 || engine_.pending(transfer.start)) return;
  if (transfer.available > transfer.moved) {
    if (transfer.begun) return begin(slot.value);
    transfer.begun = true;
    const Seconds wait = setup_.start + setup_.paths.latency(setup_.paths.links(transfer.from, transfer.to));
    if (wait.value() == 0) return begin(slot.value);
    transfer.start = engine_.at(engine_.now() + wait, kTransferRank, Action::of<&KvTransfers::begin>(this, slot.value));
  } else if (transfer.all_computed) {
    transfer.known = false;
    host_.kv_arrived(slot);
  }
}

void KvTransfers::begin(std::int64_t slot_number) {
  Transfer& transfer = at({static_cast<std::int32_t>(slot_number)});
  const SimTime now = engine_.now();
  transfer.moving = transfer.available - transfer.moved;
  bytes_asked_ += transfer.moving;
  FlowOptions options;
  options.tag = slot_number;
  // Not before it has been computed.
  if (transfer.then > now)
    options.cap = BytesPerSecond(static_cast<double>(transfer.moving) / (transfer.then - now).value());
  transfer.flow = flows_.network().start(setup_.paths.links(transfer.from, transfer.to), transfer.moving, now, options);
  flows_.rates_change();
}

void KvTransfers::flows_end(std::int64_t) {
  const std::span<const FlowEnd> ends = flows_.network().advance(engine_.now());
  for (const FlowEnd& end : ends) {
    Transfer& transfer = transfers_[static_cast<std::size_t>(end.tag)];
    transfer.moved += transfer.moving;
    transfer.moving = 0;
  }
  for (const FlowEnd& end : ends) go_on({static_cast<std::int32_t>(end.tag)});
  tell_taken(false);  // what has ended is in nobody's way
  flows_.rates_change();
}

}  // namespace silicast
