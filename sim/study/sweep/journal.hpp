// Results as they come, one record each in an append-only file: what a sweep goes on from after it was killed, and what
// its parts on other machines are merged from. A record that was cut off or damaged costs itself alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/study/sweep/point_result.hpp"

namespace silicast {

struct JournalContents {
  std::vector<PointResult> results;  // in the order of the file; a key may come twice
  std::int64_t damaged = 0;          // stretches of bytes that are no record
};

// A file that is not there is empty. Error (InputError): it cannot be read.
JournalContents read_journal(const std::string& path);

class Journal {
 public:
  // Opens it for more; its folder is made where it is missing. Errors (InputError): the system's refusal; another
  // process has it open.
  explicit Journal(const std::string& path);
  ~Journal();  // one of no results leaves no file
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  void append(const PointResult& result);  // throws OutputError where the disk is full and the like
  void remove();                           // the file

 private:
  std::string path_;
  int file_ = -1;
};

}  // namespace silicast
