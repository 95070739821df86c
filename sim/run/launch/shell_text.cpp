// POSIX.1-2024, Shell Command Language, 2.2 (quoting), 2.3 (tokens), 2.6.2 (parameters); no more than launch scripts
// use.
#include "sim/run/launch/shell_text.hpp"

#include <fmt/format.h>

#include <cctype>
#include <optional>

namespace silicast {
namespace {

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

// Position of the '=' of NAME=value, npos of anything else.
std::size_t assignment(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == 0 || equals == std::string::npos || std::isdigit(static_cast<unsigned char>(word[0])))
    return std::string::npos;
  for (std::size_t i = 0; i < equals; ++i)
    if (!is_name(word[i])) return std::string::npos;
  return equals;
}

class ShellReader {
 public:
  ShellReader(const std::string& text, const std::string& name) : text_(text), name_(name) {}

  ShellText read() {
    while (at_ < text_.size()) step();
    end_command();
    return std::move(result_);
  }

 private:
  bool has(std::string_view what) const { return text_.compare(at_, what.size(), what) == 0; }
  Mark here() const { return {name_, line_, static_cast<int>(at_ - line_start_) + 1}; }
  [[noreturn]] void fail(const Mark& mark, std::string_view what) const { throw InputError(mark, "", what); }

  void next() {
    if (text_[at_] == '\n') {
      ++line_;
      line_start_ = at_ + 1;
    }
    ++at_;
  }

  void add(char c) {
    if (!word_) word_ = ShellWord{"", here()};
    word_->text += c;
  }

  void step() {
    const char c = text_[at_];
    if (c == '\\') return escape();
    if (c == '\'') return single_quotes();
    if (c == '"') return double_quotes();
    if (c == '$') return expand(false);
    if (c == '`') fail(here(), "a command within backquotes cannot be run here; put in what it gives");
    if (c == '#' && !word_) return comment();
    if (c == ' ' || c == '\t' || (c == '\r' && has("\r\n"))) {
      end_word();
      return next();
    }
    if (c == '<' || c == '>') return redirect();
    if (c == '\n' || c == ';' || c == '|' || c == '(' || c == ')') {
      end_command();
      return next();
    }
    if (c == '&') {
      if (has("&>")) {
        end_word();
        next();
        return redirect();
      }
      end_command();
      return next();
    }
    add(c);
    next();
  }

  void escape() {
    const Mark mark = here();
    if (has("\\\n") || has("\\\r\n")) {
      next();
      if (text_[at_] == '\r') next();
      return next();
    }
    std::size_t after = at_ + 1;
    while (after < text_.size() && (text_[after] == ' ' || text_[after] == '\t')) ++after;
    if (after > at_ + 1 && after < text_.size() && (text_[after] == '\n' || text_[after] == '\r'))
      fail(mark, "a blank behind the backslash ends the command here; remove the blank");
    next();
    if (at_ >= text_.size()) return;  // a last backslash continues with nothing
    add(text_[at_]);
    next();
  }

  void single_quotes() {
    const Mark mark = here();
    if (!word_) word_ = ShellWord{"", mark};
    next();
    while (at_ < text_.size() && text_[at_] != '\'') {
      word_->text += text_[at_];
      next();
    }
    if (at_ >= text_.size()) fail(mark, "a ' that never closes; is the text cut off?");
    next();
  }

  void double_quotes() {
    const Mark mark = here();
    if (!word_) word_ = ShellWord{"", mark};
    next();
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '`') fail(here(), "a command within backquotes cannot be run here; put in what it gives");
      if (text_[at_] == '$') {
        expand(true);
        continue;
      }
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        next();
        const char escaped = text_[at_];
        if (escaped != '\n' && escaped != '"' && escaped != '\\' && escaped != '$' && escaped != '`')
          word_->text += '\\';
        if (escaped != '\n') word_->text += escaped;
        next();
        continue;
      }
      word_->text += text_[at_];
      next();
    }
    if (at_ >= text_.size()) fail(mark, "a \" that never closes; is the text cut off?");
    next();
  }

  void expand(bool quoted) {
    const Mark mark = here();
    if (has("$(")) fail(mark, "a command within $(...) cannot be run here; put in what it gives");
    const bool braces = has("${");
    std::size_t end = at_ + (braces ? 2 : 1);
    const std::size_t start = end;
    while (end < text_.size() && is_name(text_[end])) ++end;
    const std::string name = text_.substr(start, end - start);
    std::optional<std::string> otherwise;
    if (braces) {
      const std::size_t close = text_.find('}', end);
      const std::string rest = close == std::string::npos ? "" : text_.substr(end, close - end);
      if (close == std::string::npos || name.empty() || !(rest.empty() || rest.starts_with(":-")))
        fail(mark, "of ${...} only ${NAME} and ${NAME:-default} are read; put in its value");
      if (!rest.empty()) otherwise = rest.substr(2);
      end = close + 1;
    }
    if (name.empty()) {  // a lone dollar
      add('$');
      return next();
    }
    const auto found = variables_.find(name);
    if (found == variables_.end() && !otherwise)
      fail(mark, fmt::format("${} is not set in this text; put in its value, or {}=... on a line above", name, name));
    const std::string value = found != variables_.end() ? found->second : *otherwise;
    if (!word_ && (quoted || !value.empty())) word_ = ShellWord{"", mark};
    for (const char c : value) {
      if (!quoted && (c == ' ' || c == '\t' || c == '\n')) {
        end_word();
      } else {
        if (!word_) word_ = ShellWord{"", mark};
        word_->text += c;
      }
    }
    while (at_ < end) next();
  }

  void comment() {
    next();
    const Mark mark = here();
    std::string text;
    while (at_ < text_.size() && text_[at_] != '\n') {
      text += text_[at_];
      next();
    }
    if (text.ends_with('\r')) text.pop_back();
    result_.comments.push_back({std::move(text), mark});
  }

  // "> file", "2>&1": what stands behind is no argument.
  void redirect() {
    if (has("<<")) fail(here(), "here-documents are not read; save what they hold to a file");
    if (word_ && word_->text.find_first_not_of("0123456789") == std::string::npos) word_.reset();  // 2> is of stream 2
    end_word();
    while (at_ < text_.size() && (text_[at_] == '<' || text_[at_] == '>' || text_[at_] == '&')) next();
    skip_word_ = true;
  }

  void end_word() {
    if (!word_) return;
    if (skip_word_)
      skip_word_ = false;
    else
      command_.words.push_back(std::move(*word_));
    word_.reset();
  }

  void end_command() {
    end_word();
    skip_word_ = false;
    std::vector<ShellWord>& words = command_.words;
    std::size_t own = 0;
    const bool exports = !words.empty() && words[0].text == "export";
    if (exports) ++own;
    std::map<std::string, ShellWord> set;
    for (; own < words.size(); ++own) {
      const std::size_t equals = assignment(words[own].text);
      if (equals == std::string::npos) {
        if (exports) continue;  // export NAME
        break;
      }
      set[words[own].text.substr(0, equals)] = {words[own].text.substr(equals + 1), words[own].mark};
    }
    if (own == words.size()) {  // nothing but assignments: they hold from here on
      for (auto& [name, value] : set) {
        variables_[name] = value.text;
        environment_[name] = value;
      }
    } else {
      words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(own));
      command_.environment = environment_;
      for (auto& [name, value] : set) command_.environment[name] = value;
      result_.commands.push_back(std::move(command_));
    }
    command_ = {};
  }

  const std::string& text_;
  const std::string& name_;
  std::size_t at_ = 0, line_start_ = 0;
  int line_ = 1;
  std::optional<ShellWord> word_;
  bool skip_word_ = false;
  ShellCommand command_;
  std::map<std::string, std::string> variables_;
  std::map<std::string, ShellWord> environment_;
  ShellText result_;
};

}  // namespace

ShellText read_shell_text(const std::string& text, const std::string& name) {
  return ShellReader(text, name).read();
}

std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace silicast
