// The few words of Slurm that a sweep needs, by its commands: no library of it is linked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace silicast {

struct SlurmScript {
  std::string name;                  // of the job
  std::string folder;                // logs go here
  std::vector<std::string> command;  // of one element; its number is appended
  std::vector<std::string> options;  // of sbatch, as the user gave them ("--partition=gpu")
  std::size_t cpus = 1;              // of an element
  std::size_t elements = 1;
};

// One packed array: elements are requeued when their node dies, and append to their logs.
std::string batch_script(const SlurmScript& script);

// The id of the job. Error (InputError): sbatch is not there, or refuses; its words are in the message.
std::string submit(const std::string& script_file);

enum class SlurmJob { kQueued, kGone, kNoAnswer };
// Whether any element waits or runs. kNoAnswer: the controller does not answer, which says nothing of the job.
SlurmJob ask(const std::string& job);

void cancel(const std::string& job);

}  // namespace silicast
