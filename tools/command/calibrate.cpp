// silicast calibrate kernels: what a chip reaches, fitted to tables of its kernels. silicast calibrate serving: the
// host overheads of an engine, fitted to measured runs.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iostream>

#include "sim/base/errors.hpp"
#include "sim/io/output_file.hpp"
#include "sim/study/calibration/calibrate_kernels.hpp"
#include "sim/study/calibration/calibrate_serving.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {
namespace {

using Texts = std::vector<std::string>;
using Rows = std::vector<std::vector<std::string>>;

std::string text(const options::variables_map& given, const char* name) {
  return given.count(name) > 0 ? given[name].as<std::string>() : "";
}

std::string required(const options::variables_map& given, const char* name) {
  if (given.count(name) == 0) throw InputError(fmt::format("--{} is missing", name));
  return given[name].as<std::string>();
}

std::string percent(double value) {
  return fmt::format("{:+.1f}%", 100 * value);
}

std::string shown(double value, Dimension dimension) {
  if (dimension == Dimension::kNumber) return fmt::format("{:.3g}", value);
  return value == 0 ? "0" : format_quantity(value, dimension);
}

// Before minutes of fitting: a file of the catalogue is never written over another one.
void check_out(const options::variables_map& given) {
  const std::string out = text(given, "out");
  if (out.empty()) return;
  if (given.count("source") == 0)
    throw InputError("--out needs --source: every number of the catalogue says what it rests on");
  std::error_code ignored;
  if (std::filesystem::exists(out, ignored)) throw InputError(fmt::format("--out {}: is there already", out));
  const std::string name = std::filesystem::path(out).stem().string();
  if (!std::all_of(name.begin(), name.end(),
                   [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '_' || c == '-'; }))
    throw InputError(
        fmt::format("--out {}: the file names what is in it; letters, digits, '.', '_' and '-' only", out));
}

void print_residuals(const std::string& title, const std::vector<ResidualRow>& residuals) {
  Rows rows;
  for (const ResidualRow& one : residuals)
    rows.push_back({one.kernel_class, one.band.empty() ? "all" : one.band, std::to_string(one.rows), percent(one.bias),
                    fmt::format("{:.1f}%", 100 * one.median), fmt::format("{:.1f}%", 100 * one.p90)});
  std::cout << title << "\n\n" << aligned({"kernels", "size", "rows", "bias", "median", "p90"}, rows) << "\n";
}

int kernels(const Texts& arguments) {
  options::options_description visible("options"), hidden;
  const auto tables = [] { return options::value<Texts>()->composing()->multitoken()->value_name("FILE[@KERNEL]"); };
  visible.add_options()("chip", options::value<std::string>()->value_name("CHIP"), "of the catalogue")(
      "gemm", tables(), "tables of matrix products; @KERNEL: of rows whose kernel has that in its name")(
      "attention", tables(), "of attention, prompts and decodes")("moe", tables(), "of routed experts")(
      "collectives", tables(), "of collectives within a node")(
      "node", options::value<std::string>()->value_name("NODE"),
      "whose links they go over; default: the catalogue's first with the chip")(
      "source", options::value<std::string>()->value_name("TEXT"), "of the tables, for the evidence")(
      "out", options::value<std::string>()->value_name("FILE"), "calibration file to write");
  add_configs_option(visible);
  const auto given =
      parse(arguments,
            "usage: silicast calibrate kernels --chip CHIP [--gemm FILE ...] [--attention FILE ...] [--moe "
            "FILE ...] [--collectives FILE ...] [--source TEXT --out FILE]",
            visible, {}, hidden);
  if (!given) return 0;
  check_out(*given);
  const KernelCalibration fitted = calibrate_kernels(
      {find_configs(*given), required(*given, "chip"), text(*given, "node"), texts(*given, "gemm"),
       texts(*given, "attention"), texts(*given, "moe"), texts(*given, "collectives"), text(*given, "source")});
  Rows rows;
  for (const FittedField& one : fitted.fields) {
    const auto quantity = [&](double value) { return shown(value, one.dimension); };
    const bool done = one.undetermined.empty();
    rows.push_back({one.group + "." + one.key, quantity(one.present), done ? quantity(one.value) : "as it is",
                    done ? fmt::format("{} to {}", quantity(one.low), quantity(one.high)) : "", one.undetermined});
  }
  std::cout << "parameters\n\n"
            << aligned({"parameter", "present", "fitted", "without a fifth of the shapes", "not determined"}, rows)
            << "\n";
  print_residuals("errors, fitted", fitted.residuals);
  print_residuals("errors, present file", fitted.present);
  for (const std::string& line : fitted.left_out) std::cout << "left out: " << line << "\n";
  if (const std::string out = text(*given, "out"); !out.empty()) write_text_file(out, calibration_yaml(fitted));
  return 0;
}

int serving(const Texts& arguments) {
  options::options_description visible("options"), hidden;
  visible.add_options()("engine", options::value<std::string>()->value_name("ENGINE"), "of the catalogue")(
      "data", options::value<Texts>()->value_name("PATH"),
      "measurements, beside those that ship: a folder or a file; may be repeated")(
      "only", options::value<Texts>()->value_name("PATTERN"), "cases, as of silicast validate; may be repeated")(
      "set", options::value<Texts>()->value_name("KEY=VALUE"), "change a key of every scenario; may be repeated")(
      "threads", options::value<int>()->value_name("N"), "default: one per core")(
      "source", options::value<std::string>()->value_name("TEXT"), "of the measurements, for the evidence")(
      "out", options::value<std::string>()->value_name("FILE"), "engine file to write, on the base of the engine");
  add_configs_option(visible);
  const auto given = parse(arguments,
                           "usage: silicast calibrate serving --engine ENGINE [--data PATH ...] [--only PATTERN ...] "
                           "[--set key.path=value ...] [--threads N] [--source TEXT --out FILE]",
                           visible, {}, hidden);
  if (!given) return 0;
  check_out(*given);
  const ServingCalibration fitted = calibrate_serving(
      {required(*given, "engine"),
       {find_configs(*given), texts(*given, "data"), texts(*given, "only"), texts(*given, "set"), threads_of(*given)}});
  std::cout << fmt::format("engine {}: host work {}; {} figure{} of {} independent group{}\n\n", fitted.engine,
                           fitted.overlapped ? "beside the chips'" : "before the chips'", fitted.cases.size(),
                           fitted.cases.size() == 1 ? "" : "s", fitted.groups, fitted.groups == 1 ? "" : "s");
  Rows rows;
  for (const FittedOverhead& one : fitted.overheads) {
    const auto time = [](double value) { return shown(value, Dimension::kTime); };
    const bool done = one.undetermined.empty();
    rows.push_back({"host." + one.key, time(one.present), done ? time(one.value) : "as it is",
                    done ? fmt::format("{} to {}", time(one.low), time(one.high)) : "",
                    fmt::format("{:.2f}%", 100 * one.effect), one.undetermined});
  }
  std::cout << "parameters\n\n"
            << aligned({"parameter", "present", "fitted", "without a fifth of the groups", "latencies move if doubled",
                        "not determined"},
                       rows)
            << "\n";
  rows.clear();
  for (const ServingCase& one : fitted.cases)
    rows.push_back({one.id, one.group, one.metric, percent(one.before), percent(one.after)});
  std::cout << "cases\n\n" << aligned({"case", "group", "metric", "error before", "after"}, rows);
  for (const std::string& line : fitted.not_run) std::cout << "not compared: " << line << "\n";
  if (const std::string out = text(*given, "out"); !out.empty())
    write_text_file(out, engine_yaml(fitted, find_configs(*given), std::filesystem::path(out).stem().string(),
                                     text(*given, "source")));
  return 0;
}

}  // namespace

int calibrate(const Texts& arguments) {
  const std::string what = arguments.empty() ? "" : arguments[0];
  const Texts rest(arguments.empty() ? arguments.end() : arguments.begin() + 1, arguments.end());
  if (what == "kernels") return kernels(rest);
  if (what == "serving") return serving(rest);
  const std::string usage =
      "usage: silicast calibrate kernels --chip CHIP ... | silicast calibrate serving --engine ENGINE ...; --help says "
      "more";
  if (what == "--help" || what == "-h") {
    std::cout << usage << "\n";
    return 0;
  }
  throw InputError(what.empty() ? usage : fmt::format("calibrate '{}': must be kernels or serving", what));
}

}  // namespace silicast::command
