// A model small enough to count by hand, and where the tests find configs and measured data.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "sim/io/config_reader.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/model/parallel_plan.hpp"

namespace silicast::test {

// 2 layers of width 8: 4 query heads and 2 KV heads of 3, MLP of 16, 100 words (128 padded).
inline ModelSpec tiny_model() {
  ModelSpec model;
  model.name = "tiny";
  model.layers = 2;
  model.hidden = 8;
  model.heads = 4;
  model.kv_heads = 2;
  model.head_size = 3;
  model.intermediate = 16;
  model.vocabulary = 100;
  model.max_context = 10;
  return model;
}

inline ParallelPlan plan_of(const std::string& layout, const ModelSpec& model) {
  return read_parallel_plan(ConfigValue::from_text(layout, "layout.yaml"), model);
}

inline std::string configs_dir() {
  return std::string(SILICAST_SOURCE_DIR) + "/configs";
}

inline ModelSpec catalogue_model(const std::string& name) {
  return read_model(ConfigValue::from_text(name, "scenario.yaml"), configs_dir());
}

// The folder of measured data: SILICAST_DATA, or shared/data beside the checkout; nothing where there is
// none.
inline std::optional<std::string> data_dir() {
  const char* given = std::getenv("SILICAST_DATA");
  const std::string folder = given != nullptr ? given : std::string(SILICAST_SOURCE_DIR) + "/../shared/data";
  if (std::filesystem::is_directory(folder)) return folder;
  return std::nullopt;
}

// The message that `call` fails with, or "" when it does not fail.
template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace silicast::test
