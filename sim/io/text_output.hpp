// A text file written piece by piece that is there whole or not at all.
#pragma once

#include <fstream>
#include <string>
#include <string_view>

namespace silicast {

class TextOutput {
 public:
  // Starts PATH.part. Error (InputError) that names the path: PATH or its part is there already; the system's refusal.
  explicit TextOutput(const std::string& path);
  ~TextOutput();  // not finished: nothing stays
  TextOutput(const TextOutput&) = delete;
  TextOutput& operator=(const TextOutput&) = delete;

  const std::string& path() const { return path_; }
  void write(std::string_view text);  // Error (InputError): the disk refuses it
  void finish();                      // PATH is complete and takes its name; the same errors

 private:
  [[noreturn]] void fail() const;

  std::string path_, part_;
  std::ofstream file_;
  bool open_ = false;
};

}  // namespace silicast
