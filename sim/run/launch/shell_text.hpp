// The simple commands of a shell text, as far as launch scripts need a shell: quotes, continued lines, comments,
// variables that the text itself sets, and what separates commands.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/base/errors.hpp"

namespace silicast {

struct ShellWord {
  std::string text;  // unquoted, variables put in
  Mark mark;
};

struct ShellCommand {
  std::map<std::string, ShellWord> environment;  // NAME=value before the program, and of `export` above
  std::vector<ShellWord> words;
};

struct ShellText {
  std::vector<ShellCommand> commands;
  std::vector<ShellWord> comments;  // behind their '#', up to the end of the line
};

// Redirections are left out. Errors (InputError with line and column): a quote that never closes, a blank behind the
// backslash that should continue a line, $NAME that the text does not set, $(...), backquotes, here-documents.
ShellText read_shell_text(const std::string& text, const std::string& name);

// `text` as one word of a shell command.
std::string shell_word(const std::string& text);

}  // namespace silicast
