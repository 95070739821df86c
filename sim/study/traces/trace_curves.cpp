#include "sim/study/traces/trace_curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "workloads/block_ids.hpp"

namespace silicast {
namespace {

constexpr double kBinsPerDecade = 20;
constexpr std::size_t kMostBins = 400;  // of the rate

std::string list(const std::string& items) {
  return "[" + items.substr(0, items.empty() ? 0 : items.size() - 2) + "]";
}

// All of a few lengths, else a hundred of many.
std::string shares(const std::map<std::int32_t, std::int64_t>& counts, std::int64_t all) {
  std::string items;
  std::int64_t below = 0;
  double last = -1;
  for (const auto& [tokens, count] : counts) {
    below += count;
    const double share = static_cast<double>(below) / static_cast<double>(all);
    if (share - last < 0.005 && below < all) continue;
    items += fmt::format("[{}, {:.6g}], ", tokens, last = share);
  }
  return list(items);
}

}  // namespace

std::int32_t RatioBins::bin_of(double value) {
  return static_cast<std::int32_t>(std::ceil(kBinsPerDecade * std::log10(value)));
}

std::string RatioBins::cumulative(std::int64_t all, std::int64_t smaller) const {
  std::string items;
  std::int64_t below = smaller;
  for (const auto& [bin, count] : counts_) {
    below += count;
    items += fmt::format("[{:.6g}, {:.6g}], ", std::pow(10, bin / kBinsPerDecade),
                         static_cast<double>(below) / static_cast<double>(std::max<std::int64_t>(all, 1)));
  }
  return list(items);
}

void TraceCurves::add(const RequestSpec& request, std::span<const std::uint64_t> blocks) {
  if (requests_++ == 0) {
    first_ = request.arrival;
  } else if (request.arrival > last_) {
    gaps_.add((request.arrival - last_).value());
  } else {
    ++zero_gaps_;
  }
  last_ = request.arrival;
  add_rate(request.arrival);
  ++prompts_[request.prompt_tokens];
  ++outputs_[request.output_tokens];
  if (block_tokens_ == 0) return;
  const std::size_t of_prompt = blocks_of_prompt(blocks, request.prompt_tokens, block_tokens_).size();
  for (std::size_t i = 0; i < blocks.size(); ++i) look_up(blocks[i], request.arrival, i < of_prompt);
}

void TraceCurves::add_rate(SimTime arrival) {
  auto bin = static_cast<std::size_t>((arrival - first_).value() / bin_s_);
  while (bin >= kMostBins) {
    for (std::size_t i = 0; i < rate_.size(); i += 2)
      rate_[i / 2] = rate_[i] + (i + 1 < rate_.size() ? rate_[i + 1] : 0);
    rate_.resize((rate_.size() + 1) / 2);
    bin_s_ *= 2;
    bin = static_cast<std::size_t>((arrival - first_).value() / bin_s_);
  }
  if (bin >= rate_.size()) rate_.resize(bin + 1);
  ++rate_[bin];
}

// The blocks used since its last use are those that a cache holds ahead of it (Mattson et al., "Evaluation techniques
// for storage hierarchies", IBM Systems Journal 9(2), 1970).
void TraceCurves::look_up(std::uint64_t id, SimTime now, bool of_prompt) {
  const auto number = static_cast<std::int64_t>(tree_.size());
  const auto [found, is_new] = uses_.try_emplace(id, Use{number, now});
  prompt_blocks_ += of_prompt;
  if (!is_new) {
    Use& last = found->second;
    if (of_prompt) {
      caches_.add(static_cast<double>(used_since(last.number) + 1));
      ages_.add(std::max(1e-3, (now - last.time).value()));
    }
    mark(last.number, -1);
    last = {number, now};
  }
  // A new leaf of the tree holds the sum over the leaves that it covers.
  tree_.push_back(0);
  std::int64_t sum = 1;
  for (std::int64_t step = 1; (number & step) == 0; step <<= 1) sum += tree_[static_cast<std::size_t>(number - step)];
  tree_.back() = sum;
}

void TraceCurves::mark(std::int64_t use, std::int64_t change) {
  for (; use < static_cast<std::int64_t>(tree_.size()); use += use & -use)
    tree_[static_cast<std::size_t>(use)] += change;
}

std::int64_t TraceCurves::used_since(std::int64_t use) const {
  std::int64_t up_to = 0;
  for (; use > 0; use -= use & -use) up_to += tree_[static_cast<std::size_t>(use)];
  return static_cast<std::int64_t>(uses_.size()) - up_to;
}

std::string TraceCurves::json() const {
  std::string rate;
  for (std::size_t i = 0; i < rate_.size(); ++i)
    rate += fmt::format("[{:g}, {:.6g}], ", bin_s_ * static_cast<double>(i), static_cast<double>(rate_[i]) / bin_s_);
  std::string text = fmt::format("{{\"rate\": {}, \"gaps\": {}, \"prompt_tokens\": {}, \"output_tokens\": {}",
                                 list(rate), gaps_.cumulative(requests_ - 1, zero_gaps_), shares(prompts_, requests_),
                                 shares(outputs_, requests_));
  if (block_tokens_ > 0)
    text += fmt::format(", \"reuse_by_cache\": {}, \"reuse_by_age\": {}", caches_.cumulative(prompt_blocks_),
                        ages_.cumulative(prompt_blocks_));
  return text + "}";
}

}  // namespace silicast
