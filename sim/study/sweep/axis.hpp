// What a sweep varies: an axis is a key of the scenario, or several that go together, with its values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/io/config_reader.hpp"

namespace silicast {

struct AxisValue {
  std::string label;                  // "4", "1.41 TB/s", "tp4"
  std::vector<std::string> settings;  // "key.path=YAML", as --set takes them
  double number() const;              // that the label begins with; NaN: none
};

// From low to high, evenly or in even ratios.
struct AxisRange {
  double low = 0, high = 0;
  std::string unit;  // behind both; may be empty
  bool log = false;
  bool whole = false;  // rounded to whole numbers
  std::int64_t points = 0;
};

class Axis {
 public:
  // {key, name, values: [...]}; {key, name, linear | log: [low, high], points, whole}; {name, cases: {label: {key:
  // value}}}. `name` is the key where it is left out. Errors (InputError): as of the reader; an empty list; a range
  // that is none.
  static Axis read(const ConfigValue& value);

  const std::string& name() const { return name_; }
  std::string column() const;  // of the file: names may be paths of keys, where a slash would make a group
  const std::vector<AxisValue>& grid() const { return grid_; }  // of a range without `points`: empty
  AxisValue at(double share) const;  // the value below which that share of the axis lies, 0 <= share < 1

 private:
  AxisValue value_of(double low, double high, double share) const;

  std::string name_, key_;
  std::vector<AxisValue> grid_;
  std::optional<AxisRange> range_;
};

}  // namespace silicast
