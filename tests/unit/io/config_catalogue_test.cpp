// Finding config files by name or by path.
#include "sim/io/config_catalogue.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>

namespace silicast {
namespace {

namespace fs = std::filesystem;

// A catalogue in a folder of its own: chips/alpha.yaml, chips/beta.yaml, a stray text file, and
// local/mine.yaml.
struct Catalogue {
  Catalogue() : root(fs::temp_directory_path() / ("silicast-catalogue-" + std::to_string(counter()))) {
    fs::create_directories(root / "chips");
    fs::create_directories(root / "local");
    write("chips/beta.yaml", "name: beta\n");
    write("chips/alpha.yaml", "name: alpha\n");
    write("chips/notes.txt", "not a chip\n");
    write("local/mine.yaml", "name: mine\n");
  }
  ~Catalogue() { fs::remove_all(root); }
  Catalogue(const Catalogue&) = delete;
  Catalogue& operator=(const Catalogue&) = delete;

  static unsigned counter() { return std::random_device{}(); }
  void write(const std::string& path, const std::string& text) const { std::ofstream(root / path) << text; }
  // The name that a given key of a scenario file at local/scenario.yaml resolves to.
  std::string load(const std::string& given, const std::string& file) const {
    const ConfigValue name = ConfigValue::from_text(given, file);
    return load_named(root.string(), "chips", name).map().required("name").text();
  }
  std::string scenario() const { return (root / "local" / "scenario.yaml").string(); }

  fs::path root;
};

std::string message(const Catalogue& catalogue, const std::string& given, const std::string& file) {
  try {
    catalogue.load(given, file);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("a folder's names are the stems of its YAML files, sorted") {
  const Catalogue catalogue;
  CHECK(config_names((catalogue.root / "chips").string()) == std::vector<std::string>{"alpha", "beta"});
}

TEST_CASE("a missing folder is an error that names it") {
  CHECK_THROWS_WITH(config_names("/nowhere/chips"),
                    "/nowhere/chips: cannot read this folder: No such file or directory");
}

TEST_CASE("a name is looked up in the catalogue, a path beside the file that gives it") {
  const Catalogue catalogue;
  CHECK(catalogue.load("alpha", catalogue.scenario()) == "alpha");
  CHECK(catalogue.load("mine.yaml", catalogue.scenario()) == "mine");
  CHECK(catalogue.load("../chips/beta.yaml", catalogue.scenario()) == "beta");
  CHECK(catalogue.load((catalogue.root / "local/mine.yaml").string(), "elsewhere/s.yaml") == "mine");
}

TEST_CASE("a path on the command line is relative to the working directory") {
  const Catalogue catalogue;
  const std::string relative = fs::relative(catalogue.root / "local/mine.yaml").string();
  CHECK(catalogue.load(relative, "--set node=" + relative) == "mine");
}

TEST_CASE("an entry of the catalogue is called as its file is; a file given by its path need not be") {
  const Catalogue catalogue;
  catalogue.write("chips/beta.yaml", "vendor: x\nname: gamma\n");
  const std::string file = (catalogue.root / "chips/beta.yaml").string();
  CHECK(message(catalogue, "beta", "s.yaml") ==
        file + ":2:7: name: is 'gamma' in the file of 'beta'; the chip must be called as its file is");
  CHECK(catalogue.load("../chips/beta.yaml", catalogue.scenario()) == "gamma");
}

TEST_CASE("unknown names and paths are errors where they are given") {
  const Catalogue catalogue;
  CHECK(message(catalogue, "alphaa", "s.yaml") ==
        "s.yaml:1:1: unknown chip 'alphaa'; did you mean 'alpha'? (known: alpha, beta)");
  CHECK(message(catalogue, "gamma.yaml", "x/s.yaml") == "x/s.yaml:1:1: 'x/gamma.yaml' cannot be read; does it exist?");
  CHECK(message(catalogue, "[alpha]", "s.yaml") == "s.yaml:1:1: a list where text is due");
}

}  // namespace
}  // namespace silicast
