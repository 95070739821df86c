#include "sim/study/sweep/slurm.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "sim/base/errors.hpp"
#include "sim/run/launch/shell_text.hpp"

namespace silicast {
namespace {

struct CommandOutput {
  int status = -1;
  std::string text;   // standard output
  std::string error;  // the rest: sites let their commands greet and warn
};

std::string without_last_newlines(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

CommandOutput output_of(const std::string& command) {
  CommandOutput output;
  std::string errors = (std::filesystem::temp_directory_path() / "silicast-").string() + std::string(6, 'X');
  const int made = ::mkstemp(errors.data());
  if (made < 0) throw InputError(fmt::format("{}: cannot create: {}", errors, std::strerror(errno)));
  ::close(made);
  if (std::FILE* pipe = ::popen(fmt::format("{} 2>{}", command, shell_word(errors)).c_str(), "re")) {
    char bytes[4096];
    while (const std::size_t got = std::fread(bytes, 1, sizeof bytes, pipe)) output.text.append(bytes, got);
    const int status = ::pclose(pipe);
    output.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::ifstream file(errors);
  output.error.assign(std::istreambuf_iterator<char>(file), {});
  ::unlink(errors.c_str());
  output.text = without_last_newlines(output.text), output.error = without_last_newlines(output.error);
  return output;
}

// What no shell and no Slurm reads as anything else.
std::string job_name(std::string name) {
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.') c = '_';
  return name;
}

}  // namespace

std::string batch_script(const SlurmScript& script) {
  std::string text = "#!/bin/sh\n";
  const auto option = [&](const std::string& one) { text += "#SBATCH " + one + "\n"; };
  option("--job-name=" + job_name(script.name));
  option(fmt::format("--array=0-{}", script.elements - 1));
  option(fmt::format("--cpus-per-task={}", script.cpus));
  option("--nodes=1 --ntasks=1");
  option("--requeue");
  option("--open-mode=append");
  option(fmt::format("--output=\"{}/element-%a.log\"", script.folder));
  for (const std::string& one : script.options) option(one);
  text += "exec";
  for (const std::string& word : script.command) text += " " + shell_word(word);
  return text + " \"$SLURM_ARRAY_TASK_ID\"\n";
}

std::string submit(const std::string& script_file) {
  const CommandOutput output = output_of("sbatch --parsable " + shell_word(script_file));
  if (output.status == 127) throw InputError("--on slurm: there is no sbatch here; submit from a node that has Slurm");
  if (output.status != 0) throw InputError(fmt::format("--on slurm: sbatch refuses: {}", output.error));
  const std::string last = output.text.substr(output.text.rfind('\n') + 1);
  return last.substr(0, last.find(';'));  // "ID;cluster"
}

SlurmJob ask(const std::string& job) {
  const CommandOutput output = output_of("squeue --noheader --format=%T --job " + shell_word(job));
  if (output.status == 0) return output.text.empty() ? SlurmJob::kGone : SlurmJob::kQueued;
  return output.error.find("Invalid job id") != std::string::npos ? SlurmJob::kGone : SlurmJob::kNoAnswer;
}

void cancel(const std::string& job) {
  output_of("scancel " + shell_word(job));
}

}  // namespace silicast
