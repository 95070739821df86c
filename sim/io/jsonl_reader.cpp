#include "sim/io/jsonl_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace silicast {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kOthersKept = 20;
constexpr int kNumberOutOfRange = 406;  // nlohmann's number of that error

// Receives the parser's events. Only the values of the outermost object count; what lies deeper is passed
// over.
class FieldHandler {
 public:
  FieldHandler(const std::vector<std::string>& keys, std::size_t first_list, std::vector<JsonField>& fields,
               std::vector<std::string>& others)
      : keys_(keys), first_list_(first_list), fields_(fields), others_(others) {}

  bool null() { return scalar(JsonField::Kind::kNull, "null"); }
  bool boolean(bool value) { return scalar(JsonField::Kind::kBoolean, value ? "true" : "false"); }
  bool number_integer(Json::number_integer_t value) { return integer(value); }
  bool number_unsigned(Json::number_unsigned_t value) {
    if (depth_ == 2 && list_ != nullptr) return list_->numbers.push_back(value), true;
    return integer(value);
  }
  bool number_float(Json::number_float_t, const std::string& text) { return scalar(JsonField::Kind::kNumber, text); }
  bool string(std::string& text) { return scalar(JsonField::Kind::kText, text); }
  bool binary(Json::binary_t&) { return false; }  // not in JSON text
  bool start_object(std::size_t) { return open(true); }
  bool start_array(std::size_t) { return open(false); }
  bool end_object() { return --depth_, true; }
  bool end_array() { return --depth_, true; }

  bool key(std::string& key) {
    if (depth_ != 1) return true;
    target_ = list_ = nullptr;
    const auto found = std::find(keys_.begin(), keys_.end(), key);
    if (found == keys_.end()) {
      if (others_.size() < kOthersKept) others_.push_back(key);
      return true;
    }
    const auto index = static_cast<std::size_t>(found - keys_.begin());
    target_ = &fields_[index];
    if (index >= first_list_) list_ = target_;
    if (target_->kind != JsonField::Kind::kAbsent) twice_ = key;
    return twice_.empty();
  }

  bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception& error) {
    error_at_ = position;
    if (error.id == kNumberOutOfRange) huge_ = token;
    return false;
  }

  bool is_object() const { return is_object_; }
  std::size_t error_at() const { return error_at_; }  // 1 + the offset of the offending byte; 0: no error
  const std::string& twice() const { return twice_; }
  const std::string& huge() const { return huge_; }  // a number no double can hold, as written

 private:
  bool scalar(JsonField::Kind kind, std::string_view text) {
    if (depth_ == 1 && target_ != nullptr) {
      target_->kind = kind;
      target_->text = text;
    } else if (depth_ == 2 && list_ != nullptr && list_->text.empty()) {
      list_->text = kind == JsonField::Kind::kContainer ? "a list or an object within it" : quoted_text(text);
    }
    return true;
  }
  template <class Integer>
  bool integer(Integer value) {
    if (depth_ > 2 || target_ == nullptr) return true;
    const fmt::format_int text(value);
    return scalar(JsonField::Kind::kNumber, {text.data(), text.size()});
  }
  bool open(bool object) {
    if (depth_ == 0) is_object_ = object;
    scalar(JsonField::Kind::kContainer, {});
    if (depth_ == 1 && list_ != nullptr) {
      list_->is_list = !object;
      list_->numbers.clear();
    }
    ++depth_;
    return true;
  }

  const std::vector<std::string>& keys_;
  const std::size_t first_list_;
  std::vector<JsonField>& fields_;
  std::vector<std::string>& others_;
  JsonField* target_ = nullptr;
  JsonField* list_ = nullptr;  // the same where a list is due
  int depth_ = 0;
  bool is_object_ = false;
  std::size_t error_at_ = 0;
  std::string twice_;
  std::string huge_;
};

bool is_empty(std::string_view line) {
  return line.find_first_not_of(" \t") == std::string_view::npos;
}

}  // namespace

JsonlReader::JsonlReader(std::unique_ptr<std::istream> input, std::string name, std::vector<std::string> keys,
                         const std::vector<std::string>& lists)
    : lines_(std::move(input), std::move(name)), keys_(std::move(keys)), first_list_(keys_.size()) {
  keys_.insert(keys_.end(), lists.begin(), lists.end());
  fields_.resize(keys_.size());
}

bool JsonlReader::next() {
  std::string_view line;
  do {
    if (!lines_.next(line)) return false;
  } while (is_empty(line));
  for (JsonField& field : fields_) field.kind = JsonField::Kind::kAbsent;
  others_.clear();
  FieldHandler handler(keys_, first_list_, fields_, others_);
  const bool good = Json::sax_parse(line.begin(), line.end(), &handler);
  if (!handler.twice().empty()) throw InputError(mark(), handler.twice(), "the key is there twice");
  if (!handler.huge().empty())
    throw InputError(mark(), "", fmt::format("the number {} is out of range", quoted_text(handler.huge())));
  if (!good) {
    const std::size_t at = std::max<std::size_t>(handler.error_at(), 1) - 1;
    if (at >= line.size())
      throw InputError(lines_.mark(line.size()), "", "not valid JSON: the line ends too early; is it cut off?");
    throw InputError(lines_.mark(at), "", fmt::format("not valid JSON at {}", quoted_text(line.substr(at))));
  }
  if (!handler.is_object())
    throw InputError(mark(), "", fmt::format("{} where a JSON object is due", quoted_text(line)));
  return true;
}

const JsonField& JsonlReader::field(std::size_t index) const {
  const JsonField& field = fields_[index];
  if (field.kind != JsonField::Kind::kAbsent) return field;
  std::vector<std::string> known;
  for (std::size_t i = 0; i < keys_.size(); ++i)
    if (fields_[i].kind != JsonField::Kind::kAbsent) known.push_back(keys_[i]);
  for (const std::string& key : others_) {
    const std::string shown = quoted_text(key);
    known.push_back(shown.substr(1, shown.size() - 2));
  }
  throw InputError(mark(), "",
                   fmt::format("no key '{}' in the object{}", keys_[index], suggestion(keys_[index], known)));
}

const std::vector<std::uint64_t>& JsonlReader::list(std::size_t index) const {
  const JsonField& list = field(index);
  if (list.kind != JsonField::Kind::kContainer || !list.is_list)
    throw InputError(mark(), keys_[index], "is no list of whole numbers");
  if (!list.text.empty())
    throw InputError(mark(), keys_[index], fmt::format("holds {}; whole numbers from 0 are due", list.text));
  return list.numbers;
}

Mark JsonlReader::mark() const {
  return {lines_.name(), lines_.mark().line, 0};
}

}  // namespace silicast
