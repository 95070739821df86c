"""The catalogue through the command: every file is valid, every number has its evidence, every list prints."""
import yaml_numbers

from cli_support import CONFIGS, CliTest, main

KINDS = ["chips", "nodes", "models", "calibration", "engines", "clusters", "prices", "workloads", "use_cases", "scenarios", "routers",
         "schedulers", "formats", "arrivals", "lengths"]
COMMANDS = ["run", "compare", "check", "list", "explain", "validate", "calibrate", "claims", "anchor", "recover"]


class Catalogue(CliTest):
    def test_every_file_of_the_catalogue_is_valid(self):
        files = sorted(CONFIGS.rglob("*.yaml"))
        self.assertGreater(len(files), 100)
        text = self.silicast("check", *files)
        for file in files:
            self.assertIn(f"{file}: a valid ", text)

    def test_every_number_of_chips_nodes_calibrations_prices_and_use_cases_has_value_range_grade_and_source(self):
        count = 0
        for kind in ("chips", "nodes", "calibration", "prices", "use_cases"):
            for file in sorted((CONFIGS / kind).glob("*.yaml")):
                for problem in yaml_numbers.problems(file.read_text(), file):
                    self.fail(problem)
                count += yaml_numbers.count(file.read_text())
        self.assertGreater(count, 500)

    def test_the_rule_notices_a_bare_number_and_an_incomplete_one(self):
        whole = "a: {value: 3 W, range: [2 W, 4 W], grade: vendor, source: \"x\"}\n"
        self.assertEqual(list(yaml_numbers.problems(whole, "f")), [])
        for broken in ("tdp: 600 W\n", "tdp: 3.5\n", whole.replace(", grade: vendor", ""), whole.replace('"x"', '""'),
                       whole.replace("range: [2 W, 4 W], ", ""), whole.replace("[2 W, 4 W]", "[2 W]")):
            self.assertEqual(len(list(yaml_numbers.problems(broken, "f"))), 1, broken)

    def test_every_chip_has_a_calibration_a_node_and_a_price(self):
        chips = {file.stem for file in (CONFIGS / "chips").glob("*.yaml")}
        self.assertEqual({file.stem for file in (CONFIGS / "calibration").glob("*.yaml")}, chips)
        nodes = "".join(file.read_text() for file in (CONFIGS / "nodes").glob("*.yaml"))
        prices = self.silicast("list", "prices")
        for chip in chips:
            self.assertIn(f"\nchip: {chip}\n", nodes)
            self.assertIn(f" {chip} ", prices)

    def test_every_kind_lists_its_entries_with_and_without_sources(self):
        for kind in KINDS:
            lines = self.silicast("list", kind).splitlines()
            self.assertGreater(len(lines), 2, kind)
            self.assertGreater(len(self.silicast("list", kind, "--sources").splitlines()), 2, kind)
            folder = CONFIGS / kind
            names = {line.split()[0 if kind != "prices" else 1] for line in lines[2:]}
            if folder.is_dir() and kind != "prices":
                self.assertEqual(names, {file.stem for file in folder.glob("*.yaml")})

    def test_list_without_a_kind_names_them_all(self):
        usage = self.silicast("list", "--help")
        for kind in KINDS:
            self.assertIn(kind, usage)
        self.silicast("list", status=2)

    def test_sources_give_every_number_of_a_chip_a_grade_and_a_source(self):
        rows = [line for line in self.silicast("list", "chips", "--sources").splitlines() if line.startswith("h200 ")]
        self.assertGreaterEqual(len(rows), 6)
        for row in rows:
            self.assertRegex(row, r"  (measured|vendor|third_party|estimate)\s+\S")

    def test_help_is_everywhere_and_exits_with_0(self):
        top = self.silicast("--help")
        self.assertEqual(top, self.silicast("help"))
        for command in COMMANDS:
            self.assertIn(f"\n  {command} ", top)
            text = self.silicast(command, "--help")
            self.assertTrue(text.startswith(f"usage: silicast {command} "), text)
            self.assertEqual(text, self.silicast(command, "-h"))
        self.assertRegex(self.silicast("--version"), r"^silicast \d+\.\d+\.\d+ \(.+\)\n$")

    def test_no_command_or_an_unknown_one_is_the_users_mistake(self):
        self.silicast(status=2)
        self.silicast("rum", status=2)


if __name__ == "__main__":
    main()
