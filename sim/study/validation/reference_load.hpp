// The load of a reference point, in the words of its table, as far as they are a form that is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace silicast {

// All requests at once; how many stands elsewhere.
struct OfflineLoad {};

struct PoissonLoad {
  double rate = 0;  // requests/s; infinity: all at once
  std::int64_t requests = 0;
};

// Rates one after the other, `seconds` each; one of them counts, or all.
struct StagedLoad {
  std::vector<double> rates;
  double seconds = 0;
  std::optional<std::size_t> counted;
};

// So many requests at once and no others.
struct StaticBatch {
  std::int64_t requests = 0;
};

// One forward pass: prompt tokens or decode sequences of one device, or of all where `global`.
struct PrefillPass {
  std::int64_t tokens = 0;
  bool global = false;
};
struct DecodePass {
  std::int64_t sequences = 0;
  bool global = false;
  std::int64_t drafts = 0;  // tokens beside the one of each sequence
};

using ReferenceLoad =
    std::variant<std::monostate, OfflineLoad, PoissonLoad, StagedLoad, StaticBatch, PrefillPass, DecodePass>;

// monostate for a load of no known form.
ReferenceLoad parse_reference_load(const std::string& text);

// The number of requests of an offline run by its lengths: "30000 (128/128), 3000 (128/2048,1000/1000)".
std::optional<std::int64_t> offline_requests(const std::string& notes, std::int64_t prompt, std::int64_t output);

}  // namespace silicast
