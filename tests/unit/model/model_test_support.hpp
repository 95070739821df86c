// A model small enough to count by hand, and where the tests find configs and measured data.
#pragma once

#include <string>

#include "sim/io/config_reader.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/model/parallel_plan.hpp"
#include "tests/support/measured_data.hpp"

namespace silicast::test {

// 2 layers of width 8: 4 query heads and 2 KV heads of 3, MLP of 16, 100 words (128 padded).
inline ModelSpec tiny_model() {
  ModelSpec model;
  model.name = "tiny";
  model.hidden = 8;
  model.vocabulary = 100;
  model.max_context = 10;
  AttentionSpec& attention = model.attentions.emplace_back();
  attention.heads = 4;
  attention.kv_heads = 2;
  attention.head_size = attention.value_size = 3;
  model.feed_forwards.emplace_back().intermediate = 16;
  model.layers.resize(2);
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

using testing::data_dir;

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
