// Measured data become cases: one reader per format (README.md describes them). A new format is one reader and one
// entry in the table of readers.cpp.
#pragma once

#include <string>
#include <vector>

#include "sim/study/validation/names.hpp"
#include "sim/study/validation/validation_case.hpp"

namespace silicast {

struct ReadContext {
  Names names;
  std::string configs_dir;
};

// Each takes the path of a table, a case file, or the folder of a run. Errors: InputError at the cell or key. A row
// that cannot be asked is a case with the reason.
using CaseReader = std::vector<ValidationCase>(const std::string& path, const ReadContext& context);
CaseReader read_case_file, read_closed_loop, read_drafting, read_sweep, read_request_run, read_multi_turn,
    read_ascend_rows, read_forward_passes, read_reference_points, read_memory_starts, read_profile;

struct CaseFiles {
  std::vector<ValidationCase> cases;  // in the order of the files' names
  std::vector<std::string> files;     // that held some
  std::vector<std::string> not_read;  // of no known format
};

// A file, or all files of a folder and below. A table is known by one column of its header, a case file by its key
// `measured`, a run by its files. InputError: a file given by name that is of no known format, a folder that does not
// exist, and what the readers refuse.
void read_cases(const std::string& path, const ReadContext& context, CaseFiles& into);

}  // namespace silicast
