// What measurements call models, machines, engines and number formats, in the words of the catalogue:
// configs/validation/names.yaml. Nothing is guessed: a name that is not there makes a case unsupported.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sim/io/config_reader.hpp"

namespace silicast {

struct HardwareName {
  std::string node;
  std::string chip;             // of the node
  std::int32_t node_chips = 1;  // of it
  std::int32_t devices = 1;     // what the source counts for each chip: dies
};

// Degrees of parallelism in a source's devices, which may be dies.
struct Layout {
  std::int64_t tensor = 1;
  std::int64_t data = 1;  // of attention
  std::int64_t pipeline = 1;
  std::int64_t expert = 1;
  std::int64_t redundant_experts = 0;

  std::int64_t devices() const { return tensor * data * pipeline; }
};

struct EngineName {
  std::string engine;
  std::string maturity;  // of the chip's software, where the source's own kernels are better than what others get
};

struct PrecisionName {
  std::string weights, activations, kv;
  std::string yaml() const;   // "{weights: fp8, ...}"
  std::string label() const;  // "fp8/fp8/bf16"
};

class Names {
 public:
  // models: {source: catalogue}; hardware: {source: node | {node, devices}}; engines: {source: catalogue |
  // {engine, maturity}}; precisions: {source: [weights, activations, kv]}; layouts: {source: {tensor, data, pipeline,
  // expert, redundant_experts}}. Errors (InputError): as of the reader; a node that does not load.
  static Names read(const std::string& configs_dir);
  static Names of(const ConfigValue& root, const std::string& configs_dir);

  // nullptr for a name that is not in the file.
  const std::string* model(std::string_view source) const { return find(models_, source); }
  const EngineName* engine(std::string_view source) const { return find(engines_, source); }
  const HardwareName* hardware(std::string_view source) const { return find(hardware_, source); }
  const Layout* layout(std::string_view source) const { return find(layouts_, source); }
  const PrecisionName* precision(std::string_view source) const { return find(precisions_, source); }

 private:
  template <class T>
  using Table = std::map<std::string, T, std::less<>>;
  template <class T>
  static const T* find(const Table<T>& table, std::string_view source) {
    const auto found = table.find(source);
    return found == table.end() ? nullptr : &found->second;
  }

  Table<std::string> models_;
  Table<EngineName> engines_;
  Table<HardwareName> hardware_;
  Table<PrecisionName> precisions_;
  Table<Layout> layouts_;
};

}  // namespace silicast
