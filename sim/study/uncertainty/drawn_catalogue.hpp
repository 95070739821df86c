// The catalogue with some of its numbers replaced: a temporary folder of links to the files that stay, and of files of
// its own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/study/uncertainty/unknown.hpp"

namespace silicast {

class DrawnCatalogue {
 public:
  // Unknowns that are in no file are left out. Error (InputError): the temporary folder cannot be written.
  DrawnCatalogue(const std::string& configs_dir, const std::vector<std::pair<const Unknown*, double>>& values);
  ~DrawnCatalogue();  // removes it
  DrawnCatalogue(const DrawnCatalogue&) = delete;
  DrawnCatalogue& operator=(const DrawnCatalogue&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace silicast
