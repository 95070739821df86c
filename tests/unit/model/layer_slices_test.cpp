// Which layers a slice names, and how kinds share the layers of a model.
#include "sim/model/layer_slices.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using test::message_of;
using Layers = std::vector<std::int32_t>;

Layers slices(const std::string& text, std::int32_t count) {
  return read_layer_slices(ConfigValue::from_text(text, "m.yaml"), count);
}

std::string slices_message(const std::string& text, std::int32_t count = 8) {
  return message_of([&] { slices(text, count); });
}

Layers shares(const std::string& text, std::int32_t count = 8) {
  ConfigMap map = ConfigValue::from_text(text, "m.yaml").map();
  return share_layers(map.required("attention"), count);
}

std::string shares_message(const std::string& text) {
  return message_of([&] { shares(text); });
}

TEST_CASE("slices name the layers that Python's would") {
  CHECK(slices("0:3", 8) == Layers{0, 1, 2});
  CHECK(slices("1:8:2", 8) == Layers{1, 3, 5, 7});
  CHECK(slices("::3", 8) == Layers{0, 3, 6});
  CHECK(slices("\":2\"", 8) == Layers{0, 1});
  CHECK(slices("'6:'", 8) == Layers{6, 7});
  CHECK(slices("':'", 3) == Layers{0, 1, 2});
  CHECK(slices("5", 8) == Layers{5});
  CHECK(slices("'7, 0:3,4::2'", 8) == Layers{7, 0, 1, 2, 4, 6});
}

TEST_CASE("slices that name no layers, layers that are not there or one twice are refused") {
  const std::string no_slice = " is no layer or slice of layers (like 5, 0:3 or 1:36:2)";
  for (const std::string text : {"all", "-1", "0-3", "1.5", "0:b", "0:1:2:3", "99999999999", "0:-1"}) {
    INFO(text);
    CHECK(slices_message("'" + text + "'") == "m.yaml:1:1: '" + text + "'" + no_slice);
  }
  CHECK(slices_message("'0:3,'") == "m.yaml:1:1: ''" + no_slice);
  CHECK(slices_message("[0, 1]") == "m.yaml:1:1: a list where text is due");
  CHECK(slices_message("8") == "m.yaml:1:1: '8' reaches beyond the 8 layers, which count from 0");
  CHECK(slices_message("0:9") == "m.yaml:1:1: '0:9' reaches beyond the 8 layers, which count from 0");
  CHECK(slices_message("3:3") == "m.yaml:1:1: '3:3' is empty");
  CHECK(slices_message("0:3:0") == "m.yaml:1:1: '0:3:0' is empty");
  CHECK(slices_message("'0:3,2'") == "m.yaml:1:1: names layer 2 twice");
}

TEST_CASE("one kind has the layers that the others leave") {
  CHECK(shares("attention: {a: {}}") == Layers(8, 0));
  CHECK(shares("attention: {a: {}, b: {layers: '3::4'}}") == Layers{0, 0, 0, 1, 0, 0, 0, 1});
  CHECK(shares("attention: {a: {layers: '0:3'}, b: {layers: 3}, c: {}}") == Layers{0, 0, 0, 1, 2, 2, 2, 2});
  CHECK(shares("attention: {a: {layers: '0:3'}, b: {layers: '3:'}}") == Layers{0, 0, 0, 1, 1, 1, 1, 1});
}

TEST_CASE("layers of two kinds or of none and kinds without layers are refused") {
  CHECK(shares_message("attention: {}") == "m.yaml:1:12: attention: names no kind of layer");
  CHECK(shares_message("attention: {a: 3}") == "m.yaml:1:16: attention.a: a plain value where a mapping is due");
  CHECK(shares_message("attention: {a: {layers: '0:3'}, b: {layers: '2:'}}") ==
        "m.yaml:1:45: attention.b.layers: layer 2 is of the kind 'a' already");
  CHECK(shares_message("attention: {a: {layers: '0:3'}, b: {layers: '4:'}}") ==
        "m.yaml:1:12: attention: layer 3 is of no kind; one kind may leave out 'layers' and has the rest");
  CHECK(shares_message("attention: {a: {}, b: {}}") ==
        "m.yaml:1:23: attention.b: has no 'layers', as 'a'; one kind alone can have the rest");
  CHECK(shares_message("attention: {a: {layers: ':'}, b: {}}") ==
        "m.yaml:1:34: attention.b: has no layers: the other kinds have all of them");
}

}  // namespace
}  // namespace silicast
