// silicast recover FILE.h5.part: makes a readable file of what a killed run left.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>

#include "sim/base/check.hpp"
#include "sim/base/errors.hpp"
#include "sim/io/hdf5_file.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {
namespace {

std::string read_to_end(int pipe) {
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = ::read(pipe, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

// Runs `work` in a child process and gives the text that it returns; an InputError in it is thrown here. nullopt when
// the child dies, as HDF5 1.10 does on some damaged files.
std::optional<std::string> in_child(const std::function<std::string()>& work) {
  int ends[2];
  SILICAST_CHECK(::pipe(ends) == 0, "no pipe");
  const pid_t child = ::fork();
  SILICAST_CHECK(child >= 0, "no process");
  if (child == 0) {
    std::string said;
    try {
      said = "+" + work();
    } catch (const InputError& error) {
      said = std::string("-") + error.what();
    } catch (const std::exception&) {
      ::_exit(1);  // no memory for what a damaged size asks
    }
    const bool whole = ::write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size());
    ::_exit(whole ? 0 : 1);
  }
  ::close(ends[1]);
  const std::string said = read_to_end(ends[0]);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0 || said.empty()) return std::nullopt;
  if (said[0] == '-') throw InputError(said.substr(1));
  return said.substr(1);
}

std::string recovered_text(const std::string& part, const std::string& out) {
  const Recovered recovered = recover_hdf5(part, out, "/scenario");
  return fmt::format("written: {} ({} rows; {} incomplete ones dropped; no summary, since the run did not end)\n", out,
                     recovered.rows, recovered.dropped);
}

// A link counts as well, wherever it leads.
void refuse_existing(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored)))
    throw InputError(fmt::format("{}: exists already; give another name by --out", path));
}

}  // namespace

int recover(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  visible.add_options()("out", options::value<std::string>()->value_name("FILE"),
                        "recovered file; default: FILE.recovered.h5 beside it");
  hidden.add_options()("file", options::value<std::string>());
  options::positional_options_description positional;
  positional.add("file", 1);
  const auto given = parse(arguments, "usage: silicast recover FILE.h5.part [--out FILE]", visible, positional, hidden);
  if (!given) return 0;
  if (given->count("file") == 0) throw InputError("recover what? give the .part file of a killed run");
  const std::string part = (*given)["file"].as<std::string>();
  std::string out = part;
  if (given->count("out") > 0) {
    out = (*given)["out"].as<std::string>();
    if (out.empty()) throw InputError("--out needs the name of a file");
  } else {
    if (out.ends_with(".part")) out.resize(out.size() - 5);
    if (out.ends_with(".h5")) out.resize(out.size() - 3);
    out += ".recovered.h5";
  }
  refuse_existing(out);
  for (const std::string& half : recovery_files(out)) refuse_existing(half);
  const auto text = in_child([&] { return recovered_text(part, out); });
  if (!text) {
    for (const std::string& half : recovery_files(out)) std::remove(half.c_str());
    throw InputError(fmt::format("{}: is damaged beyond what the HDF5 library can read", part));
  }
  std::cout << *text;
  return 0;
}

}  // namespace silicast::command
