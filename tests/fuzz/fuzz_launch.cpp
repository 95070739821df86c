// Feeds arbitrary bytes through the reader of launch commands, which must make a scenario that is read again, or refuse:
// InputError is fine, anything else a crash.
#include <cstddef>
#include <cstdint>
#include <string>

#include "sim/base/errors.hpp"
#include "sim/run/launch/launch.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace silicast;
  const std::string configs = SILICAST_SOURCE_DIR "/configs";
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::string yaml;
  try {
    yaml = read_launch(text, "fuzz.sh", {configs, "hgx-h200"});
  } catch (const InputError&) {
    return 0;
  }
  read_scenario(parse_config(yaml, "back.yaml"), "back.yaml", {configs, {}}, Fit::kReported);
  return 0;
}
