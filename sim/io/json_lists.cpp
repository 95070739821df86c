#include "sim/io/json_lists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "sim/base/errors.hpp"
#include "sim/io/line_reader.hpp"

namespace silicast {
namespace {

using Json = nlohmann::json;

// Receives the parser's events; keeps the values at depth 1, and the items at depth 2, of wanted keys.
class ListHandler {
 public:
  ListHandler(const std::vector<std::string>& keys, std::vector<JsonList>& lists) : keys_(keys), lists_(lists) {}

  bool null() { return value("null"); }
  bool boolean(bool is) { return value(is ? "true" : "false"); }
  bool number_integer(Json::number_integer_t number) { return value(fmt::format_int(number).str()); }
  bool number_unsigned(Json::number_unsigned_t number) { return value(fmt::format_int(number).str()); }
  bool number_float(Json::number_float_t, const std::string& text) { return value(text); }
  bool string(std::string& text) { return target_ == nullptr || value(quoted_text(text)); }
  bool binary(Json::binary_t&) { return false; }  // not in JSON text
  bool start_object(std::size_t) { return open("an object", true); }
  bool start_array(std::size_t) { return open("a list", false); }
  bool end_object() { return --depth_, true; }
  bool end_array() { return --depth_, true; }
  bool key(std::string& key) {
    if (depth_ != 1) return true;
    const auto found = std::find(keys_.begin(), keys_.end(), key);
    target_ = found == keys_.end() ? nullptr : &lists_[static_cast<std::size_t>(found - keys_.begin())];
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    error_at_ = position;
    return false;
  }

  bool is_object() const { return is_object_; }
  std::size_t error_at() const { return error_at_; }

 private:
  bool value(std::string_view text) {
    if (target_ == nullptr) return true;
    if (depth_ == 1) {
      target_->there = true;
      target_->scalar = text;
    } else if (depth_ == 2 && target_->is_list) {
      target_->items.emplace_back(text);
    }
    return true;
  }
  bool open(std::string_view what, bool object) {
    if (depth_ == 0) is_object_ = object;
    value(what);
    if (depth_ == 1 && target_ != nullptr) target_->is_list = !object;
    ++depth_;
    return true;
  }

  const std::vector<std::string>& keys_;
  std::vector<JsonList>& lists_;
  JsonList* target_ = nullptr;
  int depth_ = 0;
  bool is_object_ = false;
  std::size_t error_at_ = 0;
};

bool at_end(std::istream& input) {
  return (input >> std::ws).peek() == std::istream::traits_type::eof();
}

}  // namespace

std::vector<JsonList> read_json_lists(std::istream& input, const std::string& name,
                                      const std::vector<std::string>& keys, std::optional<std::int64_t> which) {
  const Mark mark{name, 0, 0};
  for (std::int64_t run = 1;; ++run) {
    if (at_end(input))
      throw InputError(mark, "", run == 1 ? "is empty" : fmt::format("has {} runs, no run {}", run - 1, *which));
    std::vector<JsonList> lists(keys.size());
    ListHandler handler(keys, lists);
    if (!Json::sax_parse(input, &handler, Json::input_format_t::json, false))
      throw InputError(
          mark, "", fmt::format("not valid JSON at byte {} of run {}; is the file cut off?", handler.error_at(), run));
    if (!handler.is_object()) throw InputError(mark, "", "holds no JSON object, which a result is");
    if (which.value_or(1) != run) continue;
    if (!which && !at_end(input)) throw InputError(mark, "", "holds several runs; give run: N, from 1");
    return lists;
  }
}

}  // namespace silicast
