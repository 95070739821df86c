// Commands out of shell texts, and what cannot be read of a shell.
#include "sim/run/launch/shell_text.hpp"

#include <catch2/catch.hpp>

namespace silicast::testing {
namespace {

std::vector<std::vector<std::string>> words_of(const std::string& text) {
  std::vector<std::vector<std::string>> result;
  for (const ShellCommand& command : read_shell_text(text, "s.sh").commands) {
    result.emplace_back();
    for (const ShellWord& word : command.words) result.back().push_back(word.text);
  }
  return result;
}

using Words = std::vector<std::vector<std::string>>;

std::string message(const std::string& text) {
  try {
    read_shell_text(text, "s.sh");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("words end at blanks, commands at line ends and operators") {
  CHECK(words_of("a b\tc\n d; e && f | g & h") == Words{{"a", "b", "c"}, {"d"}, {"e"}, {"f"}, {"g"}, {"h"}});
  CHECK(words_of("").empty());
  CHECK(words_of("\n\n # nothing\n").empty());
  CHECK(words_of("a\r\nb\r\n") == Words{{"a"}, {"b"}});
}

TEST_CASE("a backslash continues a line, whichever way it ends") {
  CHECK(words_of("a \\\n  b \\\r\n c") == Words{{"a", "b", "c"}});
  CHECK(words_of("a\\ b c\\") == Words{{"a b", "c"}});
}

TEST_CASE("quotes keep blanks, operators and each other") {
  CHECK(words_of(R"(a 'b; "c" \' "d 'e' \" \n" f'g'"h" '' "")") ==
        Words{{"a", R"(b; "c" \)", R"(d 'e' " \n)", "fgh", "", ""}});
  CHECK(words_of("--x='{\"a\": 1}'") == Words{{"--x={\"a\": 1}"}});
}

TEST_CASE("a number sign begins a comment only where a word would begin") {
  const ShellText text = read_shell_text("a b#c # d e\n#f\n", "s.sh");
  REQUIRE(text.commands.size() == 1);
  CHECK(text.commands[0].words[1].text == "b#c");
  REQUIRE(text.comments.size() == 2);
  CHECK(text.comments[0].text == " d e");
  CHECK(text.comments[0].mark.column == 8);
  CHECK(text.comments[1].mark.line == 2);
}

TEST_CASE("variables that the text sets are put in, and their blanks part words outside quotes") {
  CHECK(words_of("M=x/y\nexport T=4 U\nf $M --t=${T} \"$M $T\" '$M' ${N:-7} $") ==
        Words{{"f", "x/y", "--t=4", "x/y 4", "$M", "7", "$"}});
  CHECK(words_of("A='--a 1  --b'\nf $A \"$A\"") == Words{{"f", "--a", "1", "--b", "--a 1  --b"}});
}

TEST_CASE("the environment of a command is what stands before it and what the text has set") {
  const ShellText text = read_shell_text("export A=1\nB=2\nC=3 D= f E=4\n", "s.sh");
  REQUIRE(text.commands.size() == 1);
  CHECK(text.commands[0].environment.size() == 4);
  CHECK(text.commands[0].environment.at("C").text == "3");
  CHECK(text.commands[0].words[1].text == "E=4");
}

TEST_CASE("redirections are no arguments") {
  CHECK(words_of("f a > log 2>&1 < in b &> all c >>x") == Words{{"f", "a", "b", "c"}});
}

TEST_CASE("words know where they stand") {
  const ShellText text = read_shell_text("f \\\n  --a 'b c'\n", "s.sh");
  CHECK(text.commands[0].words[1].mark.line == 2);
  CHECK(text.commands[0].words[1].mark.column == 3);
  CHECK(text.commands[0].words[2].mark.column == 7);
}

TEST_CASE("what needs a shell is refused where it stands") {
  CHECK(message("f \\\n 'a\nb") == "s.sh:2:2: a ' that never closes; is the text cut off?");
  CHECK(message("f \"a") == "s.sh:1:3: a \" that never closes; is the text cut off?");
  CHECK(message("f a \\ \n b") == "s.sh:1:5: a blank behind the backslash ends the command here; remove the blank");
  CHECK(message("f $X") == "s.sh:1:3: $X is not set in this text; put in its value, or X=... on a line above");
  CHECK(message("f $(date)") == "s.sh:1:3: a command within $(...) cannot be run here; put in what it gives");
  CHECK(message("f `date`") == "s.sh:1:3: a command within backquotes cannot be run here; put in what it gives");
  CHECK(message("f \"`date`\"") == "s.sh:1:4: a command within backquotes cannot be run here; put in what it gives");
  CHECK(message("f ${X#a}") == "s.sh:1:3: of ${...} only ${NAME} and ${NAME:-default} are read; put in its value");
  CHECK(message("f << E") == "s.sh:1:3: here-documents are not read; save what they hold to a file");
}

TEST_CASE("a quoted text is one word again") {
  for (const std::string text : {"plain", "a b", "it's", "", "$X `y` \"z\" \\", "{\"a\": 1}", "#"})
    CHECK(words_of("f " + shell_word(text)) == Words{{"f", text}});
}

}  // namespace
}  // namespace silicast::testing
