// The lists of what a user can name: complete, readable, with their sources.
#include "sim/run/catalogue.hpp"

#include <algorithm>

#include "scenario_for_tests.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/evidence.hpp"
#include "sim/io/config_catalogue.hpp"

namespace silicast::testing {
namespace {

using Catch::Matchers::Contains;

std::size_t column_of(const CatalogueTable& table, const std::string& name) {
  const auto column = std::find(table.columns.begin(), table.columns.end(), name);
  REQUIRE(column != table.columns.end());
  return static_cast<std::size_t>(column - table.columns.begin());
}

TEST_CASE("every kind lists at least one row, a value under each column") {
  for (const std::string& kind : catalogue_kinds())
    for (bool sources : {false, true}) {
      INFO(kind << (sources ? " with sources" : ""));
      const CatalogueTable table = list_catalogue(kind, kConfigs, sources);
      CHECK_FALSE(table.columns.empty());
      CHECK_FALSE(table.rows.empty());
      CHECK(std::all_of(table.rows.begin(), table.rows.end(),
                        [&](const auto& row) { return row.size() == table.columns.size(); }));
    }
}

TEST_CASE("a folder of the catalogue is listed file by file") {
  for (const char* kind : {"chips", "nodes", "models", "engines", "clusters", "workloads", "use_cases", "scenarios"}) {
    INFO(kind);
    std::vector<std::string> listed;
    for (const auto& row : list_catalogue(kind, kConfigs, false).rows) listed.push_back(row.at(0));
    CHECK(listed == config_names(kConfigs + "/" + kind));
  }
}

TEST_CASE("routers and schedulers are those that a scenario can name") {
  std::vector<std::string> listed;
  for (const auto& row : list_catalogue("routers", kConfigs, false).rows) listed.push_back(row.at(0));
  CHECK(listed == routers.names());
  listed.clear();
  for (const auto& row : list_catalogue("schedulers", kConfigs, false).rows) listed.push_back(row.at(0));
  CHECK(listed == schedulers.names());
}

TEST_CASE("an unknown kind is the user's mistake, with what was meant") {
  CHECK_THROWS_AS(list_catalogue("chip", kConfigs, false), InputError);
  CHECK_THROWS_WITH(list_catalogue("chip", kConfigs, false), Contains("'chip'") && Contains("did you mean 'chips'?"));
  CHECK_THROWS_WITH(list_catalogue("zzzzzzzz", kConfigs, false), !Contains("did you mean") && Contains("routers"));
}

TEST_CASE("every number of a chip, node, engine, fabric, price or use case has a grade and a source") {
  const std::vector<std::string> grades = {std::string(name_of(Grade::kMeasured)), std::string(name_of(Grade::kVendor)),
                                           std::string(name_of(Grade::kThirdParty)),
                                           std::string(name_of(Grade::kEstimate))};
  for (const char* kind : {"chips", "nodes", "engines", "clusters", "prices", "use_cases"}) {
    const CatalogueTable table = list_catalogue(kind, kConfigs, true);
    const std::size_t grade = column_of(table, "grade"), source = column_of(table, "source");
    for (const auto& row : table.rows) {
      INFO(kind << ": " << row.at(0) << ", " << row.at(1));
      CHECK(std::count(grades.begin(), grades.end(), row.at(grade)) == 1);
      CHECK(row.at(source).size() > 3);
    }
  }
}

TEST_CASE("every model says where its shape is from") {
  const CatalogueTable table = list_catalogue("models", kConfigs, true);
  for (const auto& row : table.rows) {
    INFO(row.at(0));
    CHECK(row.at(column_of(table, "source")).size() > 3);
  }
}

TEST_CASE("every chip that is listed appears with its sources") {
  const CatalogueTable sources = list_catalogue("chips", kConfigs, true);
  for (const std::string& chip : config_names(kConfigs + "/chips")) {
    INFO(chip);
    CHECK(std::count_if(sources.rows.begin(), sources.rows.end(), [&](const auto& row) { return row.at(0) == chip; }) >=
          3);
  }
}

}  // namespace
}  // namespace silicast::testing
