// A scenario of one replica, or of some that prefill and some that decode, written from what a measurement says of
// itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/io/config_node.hpp"
#include "sim/study/validation/names.hpp"
#include "sim/study/validation/validation_case.hpp"

namespace silicast {

// "TP8 + EP8", "DP2 TP2 EP" (all ranks), "DP8 attention + EP8", "TP1", or what the names have: a layout, or why it is
// none.
std::variant<Layout, std::string> parse_layout(const std::string& text, const Names& names);

// Of a pool: the layout of a replica in chips.
struct DraftPool {
  Layout layout;
  std::int64_t replicas = 1, nodes = 1;

  std::int64_t chips() const { return replicas * layout.devices(); }
};

struct ScenarioDraft : DraftPool {
  std::string model, node, engine, precision;  // of the catalogue; precision as YAML, empty: the model's own
  std::optional<DraftPool> prefill;            // the same in all else; the draft's own pool decodes
  std::string engine_keys;                     // "max_sequences: 128, max_batched_tokens: 2048"
  std::string pool_keys;                       // lines of the pool, as YAML
  std::string keys;                            // lines of the scenario, as YAML
  std::string workload;                        // YAML, one line

  // `origin` ("table.csv:12") stands in messages for the file. The engine is a mapping, so that settings reach into it.
  ConfigNode tree(const std::string& origin) const;
};

// The setting that makes a pool's engine, given by name, a mapping on that base, so that settings reach into it;
// nullopt where it is one.
std::optional<std::string> engine_as_mapping(const ConfigNode& scenario);

// Lengths uniform between `shortest` (a share) and all of `tokens`, as YAML.
std::string uniform_lengths(std::int64_t tokens, double shortest);
// Uniform from `share` below `tokens` to as much above.
std::string lengths_around(std::int64_t tokens, double share);
std::string fixed_lengths(std::int64_t tokens);

// A workload for scenarios of which none is run.
std::string lone_request();

// "5.0x600s;10.0x600s", so many requests/s for so long, as the pieces of piecewise arrivals; empty where it is none.
std::string rate_stages(const std::string& text);

// Looks up what a source calls things; what is missing makes the case unsupported. Labels that the catalogue does not
// know stay in the source's words.
class Lookup {
 public:
  Lookup(const Names& names, ValidationCase& one, ScenarioDraft& draft) : names_(names), case_(one), draft_(draft) {}

  void model(const std::string& source);
  // "vllm 0.12.0" or "vllm of unknown version", else "vllm".
  void engine(const std::string& source, const std::string& version = {});
  void precision(const std::vector<std::string>& sources);  // the first that has an entry
  // A layout in the source's devices on that machine; a chip is never divided.
  void machine(const std::string& source, const Layout& devices, std::int64_t replicas = 1);
  // The same of those that prefill for it; after machine().
  void prefill(const std::string& source, const Layout& devices, std::int64_t replicas);

 private:
  void miss(const char* table, const std::string& source);
  DraftPool pool_of(const HardwareName& name, const Layout& devices, std::int64_t replicas);

  const Names& names_;
  ValidationCase& case_;
  ScenarioDraft& draft_;
};

}  // namespace silicast
