#include "sim/study/traces/trace_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/text_table.hpp"
#include "sim/report/json_text.hpp"
#include "workloads/block_ids.hpp"

namespace silicast {

void TraceCounter::add(const RequestSpec& request, std::span<const std::uint64_t> blocks) {
  if (requests_ == 0) first_ = last_ = request.arrival;
  if (++requests_ > 1) {
    const double gap = (request.arrival - last_).value();
    const double before = gap - gap_mean_;
    gap_mean_ += before / static_cast<double>(requests_ - 1);
    gap_square_ += before * (gap - gap_mean_);
    zero_gaps_ += request.arrival == last_;
  }
  last_ = request.arrival;
  prompt_.add(request.prompt_tokens);
  output_.add(request.output_tokens);
  const std::size_t request_class = request.request_class.index();
  if (request_class >= class_counts_.size()) class_counts_.resize(request_class + 1);
  ++class_counts_[request_class];
  const std::size_t looked_for = of_prompt(request, blocks);
  blocks_ += static_cast<std::int64_t>(looked_for);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const bool is_new = seen_.insert(blocks[i]);
    distinct_blocks_ += is_new && i < looked_for;
  }
}

std::size_t TraceCounter::of_prompt(const RequestSpec& request, std::span<const std::uint64_t> blocks) const {
  return blocks_of_prompt(blocks, request.prompt_tokens, block_tokens_).size();
}

LengthSummary TraceCounter::Lengths::summary() const {
  LengthSummary summary;
  if (counts_.empty()) return summary;
  std::int64_t all = 0;
  double sum = 0;
  for (const auto& [tokens, count] : counts_) {
    all += count;
    sum += static_cast<double>(tokens) * static_cast<double>(count);
  }
  const auto quantile = [&](std::int64_t percent) {
    const std::int64_t due = (all * percent + 99) / 100;
    std::int64_t below = 0;
    for (const auto& [tokens, count] : counts_)
      if ((below += count) >= due) return tokens;
    return counts_.rbegin()->first;
  };
  summary.mean = sum / static_cast<double>(all);
  summary.p50 = quantile(50);
  summary.p99 = quantile(99);
  summary.max = counts_.rbegin()->first;
  return summary;
}

TraceSummary TraceCounter::summary() const {
  TraceSummary summary;
  summary.requests = requests_;
  summary.span_s = (last_ - first_).value();
  const auto gaps = static_cast<double>(requests_ - 1);
  if (summary.span_s > 0) {
    summary.rate = gaps / summary.span_s;
    summary.gap_cv = std::sqrt(gap_square_ / gaps) / gap_mean_;
  }
  if (requests_ > 1) summary.zero_gaps = static_cast<double>(zero_gaps_) / gaps;
  summary.prompt = prompt_.summary();
  summary.output = output_.summary();
  summary.class_counts = class_counts_;
  summary.block_tokens = block_tokens_;
  summary.blocks = blocks_;
  summary.distinct_blocks = distinct_blocks_;
  return summary;
}

std::string trace_summary_text(const TraceSummary& summary, const std::string& description,
                               const std::vector<std::string>& class_names) {
  const auto or_none = [](const std::optional<double>& value) { return value ? fmt::format("{:.4g}", *value) : "-"; };
  std::string text = fmt::format(
      "{}\n\nrequests            {}\nspan                {:.4g} s\nmean rate           {} requests/s\n"
      "burstiness          {} (cv of the gaps between arrivals; Poisson: 1; {:.1f}% of them are 0)\n",
      description, summary.requests, summary.span_s, or_none(summary.rate), or_none(summary.gap_cv),
      100 * summary.zero_gaps);
  if (class_names.size() > 1)
    for (std::size_t i = 0; i < class_names.size(); ++i)
      text += fmt::format("{:<19} {} requests\n", "class " + class_names[i],
                          i < summary.class_counts.size() ? summary.class_counts[i] : 0);
  if (summary.block_tokens > 0)
    text += fmt::format(
        "prefix reuse        {:.4f}: of {} blocks of {} tokens, {} were seen before (a cache without limit; partial "
        "last\n                    blocks counted)\n",
        static_cast<double>(summary.seen_blocks()) / static_cast<double>(std::max<std::int64_t>(summary.blocks, 1)),
        summary.blocks, summary.block_tokens, summary.seen_blocks());
  else
    text += "prefix reuse        not known: the trace names no blocks\n";
  const auto row = [](const char* name, const LengthSummary& of) {
    return std::vector<std::string>{name, fmt::format("{:.4g}", of.mean), fmt::to_string(of.p50),
                                    fmt::to_string(of.p99), fmt::to_string(of.max)};
  };
  return text + "\n" +
         aligned({"tokens", "mean", "p50", "p99", "max"},
                 {row("prompt", summary.prompt), row("output", summary.output)});
}

std::string trace_summary_json(const TraceSummary& summary, const std::string& description,
                               const std::vector<std::string>& class_names, const std::string& curves,
                               const std::string& reuse) {
  const auto or_null = [](const std::optional<double>& value) { return value ? fmt::format("{}", *value) : "null"; };
  const auto lengths = [](const LengthSummary& of) {
    return fmt::format("{{\"mean\": {}, \"p50\": {}, \"p99\": {}, \"max\": {}}}", of.mean, of.p50, of.p99, of.max);
  };
  std::string classes;
  for (std::size_t i = 0; i < class_names.size(); ++i)
    classes += fmt::format("{}{}: {}", i == 0 ? "" : ", ", json_quoted(class_names[i]),
                           i < summary.class_counts.size() ? summary.class_counts[i] : 0);
  return fmt::format(
      "{{\"description\": {}, \"requests\": {}, \"span_s\": {}, \"rate\": {}, \"gap_cv\": {}, \"zero_gaps\": {}, "
      "\"prompt_tokens\": {}, \"output_tokens\": {}, \"classes\": {{{}}}, \"block_tokens\": {}, \"blocks\": {}, "
      "\"seen_blocks\": {}{}{}}}\n",
      json_quoted(description), summary.requests, summary.span_s, or_null(summary.rate), or_null(summary.gap_cv),
      summary.zero_gaps, lengths(summary.prompt), lengths(summary.output), classes, summary.block_tokens,
      summary.blocks, summary.seen_blocks(), curves.empty() ? "" : ", \"curves\": " + curves,
      reuse.empty() ? "" : ", \"reuse\": " + reuse);
}

}  // namespace silicast
