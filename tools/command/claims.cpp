// silicast claims: what is said of chips, on the workloads that it may mean: where true, where not, why.
#include "sim/study/claims/claims.hpp"

#include <fmt/format.h>

#include <iostream>

#include "sim/base/errors.hpp"
#include "sim/study/claims/claim_report.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {

int claims(const std::vector<std::string>& arguments) {
  using Texts = std::vector<std::string>;
  options::options_description visible("options");
  visible.add_options()("only", options::value<Texts>()->value_name("PATTERN"),
                        "claims whose name matches, e.g. 'c1*'; may be repeated")(
      "format", options::value<std::string>()->value_name("table|json")->default_value("table"), "of the report")(
      "cells", "one line per pair of systems, workload, load and precision")(
      "threads", options::value<int>()->value_name("N"), "default: one per core");
  add_configs_option(visible);
  const auto given =
      parse(arguments,
            "usage: silicast claims [--only PATTERN ...] [--cells] [--format table|json] [--threads N]\n"
            "Runs the claims of configs/validation/claims. Ratios are of typical software stacks, at all loads of a "
            "workload. A claim holds whatever the stacks' maturity; typically: with typical stacks; "
            "partly: at some loads; rarely: with unlike stacks only; or fails.",
            visible, {}, {});
  if (!given) return 0;
  const std::string format = (*given)["format"].as<std::string>();
  if (format != "table" && format != "json")
    throw InputError(fmt::format("--format '{}': must be table or json", format));
  ClaimOptions asked;
  asked.configs_dir = find_configs(*given);
  if (given->count("only") > 0) asked.only = (*given)["only"].as<Texts>();
  asked.threads = threads_of(*given);
  const std::vector<ClaimResult> results = run_claims(choose_claims(asked), asked);
  if (format == "json") {
    std::cout << claims_json(results);
    return 0;
  }
  for (const ReportTable& table : claim_tables(results, given->count("cells") > 0))
    std::cout << table.title << "\n\n" << aligned(table.columns, table.rows) << "\n";
  return 0;
}

}  // namespace silicast::command
