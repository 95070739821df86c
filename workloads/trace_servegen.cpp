// ServeGen's statistics of the clients of a service (github.com/alibaba/ServeGen, Apache-2.0; Xiang et al., "ServeGen:
// Workload Characterization and Generation of Large Language Model Serving in Production", 2025), played as requests.
// Two tables: arrivals (client,window_start_s,rate_rps,dist,param1: the shape) and lengths (client,field,value,
// probability, with the fields input_tokens and output_tokens).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "sim/base/random.hpp"
#include "sim/io/csv_reader.hpp"
#include "sim/io/gzip_file.hpp"
#include "sim/io/quantity_text.hpp"
#include "workloads/limits.hpp"
#include "workloads/trace_formats.hpp"
#include "workloads/workload.hpp"

namespace silicast {
namespace {

constexpr std::size_t kMaxTableRows = 10'000'000;

double number_of(const CsvReader& csv, std::size_t column, const Bounds& bounds) {
  double value = 0;
  if (!parse_number(csv.field(column), value) || !(value >= bounds.low && value <= bounds.high))
    throw InputError(
        csv.mark(column), csv.header()[column],
        fmt::format("{} is not a number from {:g} to {:g}", quoted_text(csv.field(column)), bounds.low, bounds.high));
  return value;
}

// Lengths with their probabilities, drawn by inverting their sum.
class Lengths {
 public:
  void add(double tokens, double probability) {
    sum_ += probability;
    values_.push_back(static_cast<std::int32_t>(std::max<long>(1, std::lround(tokens))));
    cumulative_.push_back(sum_);
  }
  bool known() const { return sum_ > 0; }
  std::int32_t draw(RandomStream& stream) const {
    const auto at = std::upper_bound(cumulative_.begin(), cumulative_.end(), stream.uniform() * sum_);
    return values_[static_cast<std::size_t>(std::min(at - cumulative_.begin(), std::ssize(values_) - 1))];
  }

 private:
  std::vector<std::int32_t> values_;
  std::vector<double> cumulative_;
  double sum_ = 0;
};

struct Window {
  double start_s = 0;
  double rate = 0;  // requests/s
  double shape = 1;
  bool weibull = false;
};

// One client. Its gaps are drawn with mean 1 from the distribution of the window in which they begin, and measured in
// requests that are due: the integral of the rate over time. So every window gets its requests on average, however
// bursty it is, and a gap may reach over windows, those without a row too, in which the client is silent.
class Client {
 public:
  Client(const std::string& name, std::uint64_t seed)
      : gaps_(seed, "servegen/" + name + "/arrivals"),
        prompts_(seed, "servegen/" + name + "/prompt"),
        outputs_(seed, "servegen/" + name + "/output") {}

  std::vector<Window> windows;
  Lengths prompt, output;

  double expected(double length_s) const {
    double sum = 0;
    for (const Window& window : windows) sum += window.rate * length_s;
    return sum;
  }

  void start() {
    if (!windows.empty()) now_s_ = windows[0].start_s;
  }
  // Moves on to the next request; false when there is none.
  bool advance(double length_s) {
    if (window_ == windows.size()) return false;
    double due = gap(windows[window_]);
    for (; window_ < windows.size(); ++window_) {
      const Window& window = windows[window_];
      now_s_ = std::max(now_s_, window.start_s);
      const double left = window.rate * std::max(0.0, window.start_s + length_s - now_s_);
      if (due < left) {
        now_s_ += due / window.rate;
        return true;
      }
      due -= left;
    }
    return false;
  }
  double now_s() const { return now_s_; }
  void draw(TraceRow& row) {
    row.prompt_tokens = prompt.draw(prompts_);
    row.output_tokens = output.draw(outputs_);
  }

 private:
  double gap(const Window& window) {
    return window.weibull ? gaps_.weibull(window.shape) / std::tgamma(1 + 1 / window.shape)
                          : gaps_.gamma(window.shape) / window.shape;
  }

  RandomStream gaps_, prompts_, outputs_;
  std::size_t window_ = 0;
  double now_s_ = 0;
};

class ServeGenTrace final : public TraceReader {
 public:
  ServeGenTrace(ConfigMap& trace, std::unique_ptr<std::istream> input, const std::string& name,
                const WorkloadContext& context)
      : name_(name), seed_(context.seed) {
    const ConfigValue lengths = trace.required("lengths");
    if (const auto length = trace.optional("window")) window_s_ = length->quantity(Dimension::kTime, {1, 1e8});
    if (const auto scale = trace.optional("scale")) scale_ = scale->number({1e-9, 1e6});
    if (const auto from = trace.optional("from")) from_s_ = from->quantity(Dimension::kTime);
    if (const auto to = trace.optional("to")) {
      to_s_ = to->quantity(Dimension::kTime);
      if (to_s_ <= from_s_) to->fail("must be over 'from'");
    }
    read_arrivals(std::move(input));
    read_lengths(lengths, context.base_dir);
    keep_known(lengths);
    for (auto& [client, of] : clients_) {
      of.start();
      if (of.advance(window_s_)) waiting_.push_back(&of);
    }
  }

  // The earliest of all clients; of one instant the first by name.
  bool next(TraceRow& row) override {
    if (waiting_.empty()) return false;
    const auto first = std::min_element(waiting_.begin(), waiting_.end(),
                                        [](const Client* a, const Client* b) { return a->now_s() < b->now_s(); });
    Client& client = **first;
    row.stamp_ns = std::llround((client.now_s() - from_s_) * 1e9);
    client.draw(row);
    if (!client.advance(window_s_)) waiting_.erase(first);
    return true;
  }
  Mark mark() const override { return {name_, 0, 0}; }
  std::string_view arrival_name() const override { return "arrival"; }
  bool drawn() const override { return true; }
  std::string note() const override {
    return fmt::format(", {} of {} clients, {:.1f}% of the load; the others have no lengths{}", clients_.size(),
                       all_clients_, 100 * kept_, scale_ == 1 ? "" : fmt::format("; rates times {:g}", scale_));
  }

 private:
  Client& client_of(std::string_view name) {
    const auto found = clients_.find(name);
    if (found != clients_.end()) return found->second;
    const std::string text(name);
    return clients_.emplace(text, Client(text, seed_)).first->second;
  }

  void read_arrivals(std::unique_ptr<std::istream> input) {
    CsvReader csv(std::move(input), name_);
    const std::size_t client = csv.column("client"), start = csv.column("window_start_s"),
                      rate = csv.column("rate_rps"), dist = csv.column("dist"), shape = csv.column("param1");
    std::size_t rows = 0;
    double expected = 0;  // requests
    while (csv.next()) {
      if (++rows > kMaxTableRows) throw InputError(csv.mark(client), "", fmt::format("over {} rows", kMaxTableRows));
      Window window;
      window.start_s = number_of(csv, start, {0, kLastArrivalSeconds});
      window.rate = scale_ * number_of(csv, rate, {0, 1e9});
      if (window.start_s >= from_s_ && window.start_s < to_s_) expected += window.rate * window_s_;
      if (expected > static_cast<double>(kMaxRequests))
        throw InputError(
            csv.mark(rate), "rate_rps",
            fmt::format("over {} requests so far; give a shorter time by 'from' and 'to', or a 'scale'", kMaxRequests));
      std::vector<Window>& windows = client_of(csv.field(client)).windows;
      if (!windows.empty() && window.start_s < windows.back().start_s + window_s_)
        throw InputError(csv.mark(start), "window_start_s",
                         fmt::format("{:g} begins within the client's window before it ({:g} s from {:g}); is 'window' "
                                     "right?",
                                     window.start_s, window_s_, windows.back().start_s));
      window.weibull = csv.field(dist) == "Weibull";
      if (!window.weibull && csv.field(dist) != "Gamma")
        throw InputError(csv.mark(dist), "dist",
                         fmt::format("{} is neither Gamma nor Weibull", quoted_text(csv.field(dist))));
      if (window.rate > 0) window.shape = number_of(csv, shape, {0.01, 1e6});
      if (window.start_s >= from_s_ && window.start_s < to_s_) windows.push_back(window);
    }
  }

  void read_lengths(const ConfigValue& file, const std::string& base_dir) {
    const std::filesystem::path given = file.text();
    const std::string path =
        (given.is_absolute() ? given : std::filesystem::path(base_dir) / given).lexically_normal().string();
    CsvReader csv(open_packed_file(path, file.mark(), file.path()), path);
    const std::size_t client = csv.column("client"), field = csv.column("field"), value = csv.column("value"),
                      probability = csv.column("probability");
    while (csv.next()) {
      const bool prompt = csv.field(field) == "input_tokens";
      if (!prompt && csv.field(field) != "output_tokens") continue;  // reason_ratio and the like
      const auto found = clients_.find(csv.field(client));
      if (found == clients_.end()) continue;
      Lengths& lengths = prompt ? found->second.prompt : found->second.output;
      lengths.add(number_of(csv, value, {0, static_cast<double>(kMaxTokens)}), number_of(csv, probability, {0, 1}));
    }
  }

  // Drops clients whose lengths are not known, which nobody can play.
  void keep_known(const ConfigValue& lengths) {
    double all = 0, kept = 0;
    all_clients_ = clients_.size();
    for (const auto& [name, client] : clients_) all += client.expected(window_s_);
    std::erase_if(clients_, [](const auto& one) { return !one.second.prompt.known() || !one.second.output.known(); });
    for (const auto& [name, client] : clients_) kept += client.expected(window_s_);
    if (clients_.empty()) lengths.fail("has the lengths of none of the clients");
    kept_ = all > 0 ? kept / all : 0;
  }

  std::string name_;
  std::uint64_t seed_;
  double window_s_ = 600;
  double scale_ = 1;
  double from_s_ = 0, to_s_ = kLastArrivalSeconds;
  std::map<std::string, Client, std::less<>> clients_;
  std::vector<Client*> waiting_;
  std::size_t all_clients_ = 0;
  double kept_ = 0;
};

}  // namespace

std::unique_ptr<TraceReader> make_servegen_trace(ConfigMap& trace, std::unique_ptr<std::istream> input,
                                                 const std::string& name, const WorkloadContext& context) {
  return std::make_unique<ServeGenTrace>(trace, std::move(input), name, context);
}

}  // namespace silicast
