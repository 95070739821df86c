// Small tables and case files, read against the repository's own catalogue.
#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "sim/base/errors.hpp"
#include "sim/study/validation/readers.hpp"
#include "tests/support/temp_folder.hpp"

namespace silicast::testing {

inline const std::string kConfigs = SILICAST_SOURCE_DIR "/configs";

inline const ReadContext& context() {
  static const ReadContext kContext{Names::read(kConfigs), kConfigs};
  return kContext;
}

inline std::string write(const TempFolder& folder, const std::string& name, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(folder / name).parent_path());
  std::ofstream(folder / name, std::ios::binary) << text;
  return folder / name;
}

// The message of reading this text as that file, without the folder's name.
inline std::string message_of(CaseReader* reader, const std::string& name, const std::string& text) {
  const TempFolder folder;
  const std::string path = write(folder, name, text);
  try {
    reader(path, context());
  } catch (const InputError& error) {
    const std::string message = error.what();
    const std::string root = folder / "";
    return message.starts_with(root) ? message.substr(root.size()) : message;
  }
  return "no error";
}

inline std::vector<ValidationCase> cases_of(CaseReader* reader, const std::string& name, const std::string& text) {
  const TempFolder folder;
  return reader(write(folder, name, text), context());
}

inline double measured(const ValidationCase& one, const std::string& metric) {
  for (const Measurement& measurement : one.measured)
    if (measurement.metric == metric) return measurement.value;
  FAIL(metric << " is not measured");
  return 0;
}

}  // namespace silicast::testing
