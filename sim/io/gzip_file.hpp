// Text files that may be packed by gzip (".gz"), as measured tables are handed round.
#pragma once

#include <istream>
#include <memory>
#include <string>

#include "sim/base/errors.hpp"

namespace silicast {

// Opens a plain text file, or unpacks a whole one whose name ends in ".gz" (at most 256 MiB of text). InputError at
// `mark` and `key` when it cannot be read, and at the file itself when it is damaged.
std::unique_ptr<std::istream> open_packed_file(const std::string& path, const Mark& mark = {},
                                               std::string_view key = {});

// The same of bytes in memory; `name` stands in messages for the file.
std::string unpack_gzip(const std::string& packed, const std::string& name);

}  // namespace silicast
