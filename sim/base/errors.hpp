// The user's mistake: one type, thrown by whoever reads the input, caught once in tools/ (exit 2).
// Our own mistakes are CHECKs (check.hpp); what is merely expected is a value.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace silicast {

// Where in an input file something stands. Line and column count from 1; 0 means "not known".
struct Mark {
  std::string file;
  int line = 0;
  int column = 0;
};

// "file:line:column: key: what", with the parts that are unknown left out.
class InputError : public std::runtime_error {
 public:
  InputError(const Mark& mark, std::string_view key, std::string_view what);
  explicit InputError(std::string_view what);
};

// A result that cannot be written any further; what is written of it so far stays.
class OutputError : public InputError {
 public:
  using InputError::InputError;
};

// The candidate most like `word`, or "" when none is near (edit distance above a third of its length).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// "; did you mean 'x'? (known: a, b, x)", or only the list when nothing is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace silicast
