// What a text must be before a parser sees it. Errors (InputError) name the file and the place.
#pragma once

#include <string>

namespace silicast {

void check_utf8(const std::string& text, const std::string& name);

// yaml-cpp keeps some 200 bytes for every bracket until it knows what it opens; this bounds how many.
// Brackets in comments and in quotes do not count.
void check_brackets(const std::string& text, const std::string& name);

}  // namespace silicast
