// JSON documents whose outermost objects hold long lists, of which a few are wanted: results of benchmarks. Holds what
// it keeps, and nothing of the rest, however long that is.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace silicast {

// One wanted key of the object.
struct JsonList {
  bool there = false;
  bool is_list = false;
  std::vector<std::string> items;  // of a list: its numbers as written, anything else as "'text'", "null" or "a list"
  std::string scalar;              // of anything but a list, the same
};

// The lists at `keys` of one of the objects that stand in `input` one behind the other: the `which`-th, from 1; without
// it the only one. Error (InputError) that names `name`: not JSON, no object, no such one, several where `which` is not
// given (the remedy is "give run: N").
std::vector<JsonList> read_json_lists(std::istream& input, const std::string& name,
                                      const std::vector<std::string>& keys, std::optional<std::int64_t> which);

}  // namespace silicast
