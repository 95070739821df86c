// Requests of a benchmark that was run: results of vLLM's and of SGLang's, which say how long each request was. When
// each was sent stands in start_times (seconds of some clock) where the benchmark saves it; where it does not, the
// arrivals are not known, and a rate with a seed of another program's random numbers does not give them back.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "sim/io/json_lists.hpp"
#include "sim/io/line_reader.hpp"
#include "workloads/limits.hpp"
#include "workloads/stamp_text.hpp"
#include "workloads/trace_formats.hpp"
#include "workloads/workload.hpp"

namespace silicast {
namespace {

const std::vector<std::string> kKeys = {"input_lens", "output_lens", "start_times", "request_rate"};

// Held whole, because each quantity is a list of its own, and sorted by time: results are in the order in which
// requests were made, which need not be that in which they were sent.
class BenchTrace final : public TraceReader {
 public:
  BenchTrace(ConfigMap& trace, std::istream& input, const std::string& name, std::string_view remedy) : name_(name) {
    std::optional<std::int64_t> run;
    if (const auto given = trace.optional("run")) run = given->integer(1, kMaxRequests);
    bool keep_failures = false;
    if (const auto failures = trace.optional("failures"))
      keep_failures = failures->choice({"skip", "keep"}, "use of failures") == 1;
    const std::vector<JsonList> lists = read_json_lists(input, name, kKeys, run);
    for (std::size_t i = 0; i < 2; ++i)
      if (!lists[i].there) fail(kKeys[i], fmt::format("is not in the result; {}", remedy));
    if (!lists[2].there) fail(kKeys[2], unknown_arrivals(lists[3], remedy));
    for (std::size_t i = 0; i < 3; ++i)
      if (!lists[i].is_list) fail(kKeys[i], fmt::format("is {} where a list is due", lists[i].scalar));
    for (std::size_t i = 1; i < 3; ++i)
      if (lists[i].items.size() != lists[0].items.size())
        fail(kKeys[i], fmt::format("{} items where input_lens has {}", lists[i].items.size(), lists[0].items.size()));
    for (std::size_t i = 0; i < lists[0].items.size(); ++i) read(lists, i, keep_failures);
    std::stable_sort(requests_.begin(), requests_.end(),
                     [](const Request& a, const Request& b) { return a.start_ns < b.start_ns; });
  }

  bool next(TraceRow& row) override {
    if (next_ == requests_.size()) return false;
    const Request& request = requests_[next_++];
    row.stamp_ns = request.start_ns;
    row.stamp = stamp_ = fmt::format("{:.9g}", 1e-9 * static_cast<double>(request.start_ns));
    row.prompt_tokens = request.prompt_tokens;
    row.output_tokens = request.output_tokens;
    return true;
  }
  Mark mark() const override { return {name_, 0, 0}; }
  std::string_view arrival_name() const override { return kKeys[2]; }
  std::int64_t failures() const override { return failures_; }

 private:
  struct Request {
    std::int64_t start_ns = 0;
    std::int32_t prompt_tokens = 0;
    std::int32_t output_tokens = 0;
  };

  [[noreturn]] void fail(std::string_view key, std::string_view what) const { throw InputError(mark(), key, what); }

  static std::string unknown_arrivals(const JsonList& rate, std::string_view remedy) {
    return fmt::format(
        "is not in the result, so when its requests came is not known, and {}arrivals are not made up; {}, or use a "
        "generator (arrivals:)",
        rate.there ? fmt::format("request_rate {} does not tell; ", rate.scalar) : "", remedy);
  }

  std::int64_t number(std::size_t list, std::size_t item, const ParsedInteger& parsed) const {
    if (!parsed.ok) fail(kKeys[list], fmt::format("item {}: {}", item + 1, parsed.error));
    return parsed.value;
  }

  void read(const std::vector<JsonList>& lists, std::size_t i, bool keep_failures) {
    const bool failed = lists[1].items[i] == "0";  // no token came
    if (failed && !keep_failures) {
      ++failures_;
      return;
    }
    Request request;
    request.prompt_tokens = static_cast<std::int32_t>(number(0, i, parse_tokens(lists[0].items[i])));
    if (!failed) request.output_tokens = static_cast<std::int32_t>(number(1, i, parse_tokens(lists[1].items[i])));
    request.output_tokens = std::max(request.output_tokens, 1);
    request.start_ns = number(2, i, parse_time(lists[2].items[i], 9));
    requests_.push_back(request);
  }

  std::string name_;
  std::vector<Request> requests_;
  std::string stamp_;
  std::size_t next_ = 0;
  std::int64_t failures_ = 0;
};

}  // namespace

std::unique_ptr<TraceReader> make_vllm_bench_trace(ConfigMap& trace, std::unique_ptr<std::istream> input,
                                                   const std::string& name, const WorkloadContext&) {
  return std::make_unique<BenchTrace>(trace, *input, name, "save it with --save-detailed by a vLLM that writes it");
}

std::unique_ptr<TraceReader> make_sglang_bench_trace(ConfigMap& trace, std::unique_ptr<std::istream> input,
                                                     const std::string& name, const WorkloadContext&) {
  return std::make_unique<BenchTrace>(trace, *input, name, "save it with --output-details by an SGLang that writes it");
}

}  // namespace silicast
