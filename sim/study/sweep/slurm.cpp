#include "sim/study/sweep/slurm.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdio>

#include "sim/base/errors.hpp"
#include "sim/run/launch/shell_text.hpp"

namespace silicast {
namespace {

struct CommandOutput {
  int status = -1;
  std::string text;  // both streams
};

CommandOutput output_of(const std::string& command) {
  CommandOutput output;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "re");
  if (pipe == nullptr) return output;
  char bytes[4096];
  while (const std::size_t got = std::fread(bytes, 1, sizeof bytes, pipe)) output.text.append(bytes, got);
  const int status = ::pclose(pipe);
  output.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  while (!output.text.empty() && output.text.back() == '\n') output.text.pop_back();
  return output;
}

}  // namespace

std::string batch_script(const SlurmScript& script) {
  std::string text = "#!/bin/sh\n";
  const auto option = [&](const std::string& one) { text += "#SBATCH " + one + "\n"; };
  option("--job-name=" + script.name);
  option(fmt::format("--array=0-{}", script.elements - 1));
  option(fmt::format("--cpus-per-task={}", script.cpus));
  option("--nodes=1 --ntasks=1");
  option("--requeue");
  option("--open-mode=append");
  option(fmt::format("--output={}/element-%a.log", script.folder));
  for (const std::string& one : script.options) option(one);
  text += "exec";
  for (const std::string& word : script.command) text += " " + shell_word(word);
  return text + " \"$SLURM_ARRAY_TASK_ID\"\n";
}

std::string submit(const std::string& script_file) {
  const CommandOutput output = output_of("sbatch --parsable " + shell_word(script_file));
  if (output.status == 127) throw InputError("--on slurm: there is no sbatch here; submit from a node that has Slurm");
  if (output.status != 0) throw InputError(fmt::format("--on slurm: sbatch refuses: {}", output.text));
  return output.text.substr(0, output.text.find(';'));  // "ID;cluster"
}

SlurmJob ask(const std::string& job) {
  const CommandOutput output = output_of("squeue --noheader --format=%T --job " + shell_word(job));
  if (output.status == 0) return output.text.empty() ? SlurmJob::kGone : SlurmJob::kQueued;
  return output.text.find("Invalid job id") != std::string::npos ? SlurmJob::kGone : SlurmJob::kNoAnswer;
}

void cancel(const std::string& job) {
  output_of("scancel " + shell_word(job));
}

}  // namespace silicast
