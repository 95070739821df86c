#include "sim/io/json_events.hpp"

#include <fmt/format.h>
#include <yaml-cpp/mark.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/base/errors.hpp"
#include "sim/io/line_reader.hpp"

namespace silicast {
namespace {

using Json = nlohmann::json;

// Receives the parser's events, which say nothing of places: follows them through the text, of which each
// one's token is the next. Numbers stay text, as YAML's are.
class Forwarder {
 public:
  Forwarder(const std::string& text, const std::string& name, YAML::EventHandler& to)
      : text_(text), name_(name), to_(to) {}

  bool null() { return plain(); }
  bool boolean(bool) { return plain(); }
  bool number_integer(Json::number_integer_t) { return plain(); }
  bool number_unsigned(Json::number_unsigned_t) { return plain(); }
  bool number_float(Json::number_float_t, const std::string&) { return plain(); }
  bool string(std::string& value) {
    const YAML::Mark mark = next_token();
    while (text_[++at_] != '"')
      if (text_[at_] == '\\') ++at_;
    ++at_;
    to_.OnScalar(mark, "!", 0, value);
    return true;
  }
  bool key(std::string& value) { return string(value); }
  bool binary(Json::binary_t&) { return false; }  // not in JSON text
  bool start_object(std::size_t) {
    to_.OnMapStart(opened(), "?", 0, YAML::EmitterStyle::Flow);
    return true;
  }
  bool start_array(std::size_t) {
    to_.OnSequenceStart(opened(), "?", 0, YAML::EmitterStyle::Flow);
    return true;
  }
  bool end_object() { return to_.OnMapEnd(), true; }
  bool end_array() { return to_.OnSequenceEnd(), true; }

  // `position` counts from 1; that of a text cut off lies behind it.
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    const std::size_t at = std::max<std::size_t>(position, 1) - 1;
    const YAML::Mark mark = mark_at(std::min(at, text_.size()));
    throw InputError({name_, mark.line + 1, mark.column + 1}, "",
                     at >= text_.size()
                         ? "not valid JSON: the text ends too early; is the file cut off?"
                         : fmt::format("not valid JSON at {}",
                                       quoted_text(std::string_view(text_).substr(at, text_.find('\n', at) - at))));
  }

 private:
  // Moves to the next token that begins a key or a value.
  YAML::Mark next_token() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n,:]}", at_), text_.size() - 1);
    return mark_at(at_);
  }
  YAML::Mark opened() {
    const YAML::Mark mark = next_token();
    ++at_;
    return mark;
  }
  bool plain() {
    const YAML::Mark mark = next_token();
    const std::size_t start = at_;
    at_ = std::min(text_.find_first_of(" \t\r\n,:]}", at_), text_.size());
    to_.OnScalar(mark, "?", 0, text_.substr(start, at_ - start));
    return true;
  }
  YAML::Mark mark_at(std::size_t at) {
    for (; counted_ < at; ++counted_) {
      if (text_[counted_] != '\n') continue;
      ++line_;
      line_start_ = counted_ + 1;
    }
    YAML::Mark mark;
    mark.pos = static_cast<int>(at);
    mark.line = line_;
    mark.column = static_cast<int>(at - line_start_);
    return mark;
  }

  const std::string& text_;
  const std::string& name_;
  YAML::EventHandler& to_;
  std::size_t at_ = 0;       // behind the last token
  std::size_t counted_ = 0;  // line ends before this are in line_
  std::size_t line_start_ = 0;
  int line_ = 0;
};

}  // namespace

void send_json_events(const std::string& text, const std::string& name, YAML::EventHandler& to) {
  Forwarder forwarder(text, name, to);
  Json::sax_parse(text, &forwarder);
}

}  // namespace silicast
