"""`silicast claims`: tables and JSON that agree, ratios and verdicts recomputed, within two minutes."""
import json
import re
import time

from cli_support import CONFIGS, CliTest, main


class Claims(CliTest):
    def claims(self, *arguments):
        return json.loads(self.silicast("claims", "--format", "json", *arguments))["claims"]

    def test_all_that_ship_run_within_two_minutes_and_add_up(self):
        start = time.monotonic()
        claims = self.claims()
        self.assertLess(time.monotonic() - start, 120)
        files = sorted(path.stem for path in (CONFIGS / "validation/claims").glob("*.yaml") if path.stem != "workloads")
        self.assertEqual([claim["name"] for claim in claims], files)
        for claim in claims:
            low, high = claim["claimed_low"], claim["claimed_high"]
            self.assertTrue(claim["cells"])
            for cell in claim["cells"]:
                if cell["verdict"] == "impossible":
                    self.assertTrue(cell["impossible"], cell)
                    continue
                self.assertLessEqual(cell["low"], cell["ratio"] * (1 + 1e-12))
                self.assertGreaterEqual(cell["high"], cell["ratio"] * (1 - 1e-12))
                other = cell["of_against"]["figure"] if cell["against"] else 1
                self.assertAlmostEqual(cell["ratio"], cell["of_system"]["figure"] / other, delta=1e-9 * cell["ratio"])
                inside = low <= cell["low"] and cell["high"] <= high
                outside = cell["high"] < low or cell["low"] > high
                self.assertEqual(cell["verdict"], "holds" if inside else "fails" if outside else "depends")
                self.assertEqual(cell["typically"], low <= cell["ratio"] <= high)
                for side in ("of_system", "of_against"):
                    if "bounds" in cell.get(side, {}):
                        self.assertAlmostEqual(sum(cell[side]["bounds"].values()), 1, places=6)

    def test_physics_of_the_pairs(self):
        cells = {(c["system"], c["against"], c["workload"], c["precision"], c["load"]): c for c in self.claims("--only", "c1-950", "--only", "c2")[0]["cells"]}
        one = lambda system, workload, load, precision="8bit", against="H20-96": cells[system, against, workload, precision, load]["ratio"]
        # The same 4.0 TB/s: a lone sequence cannot be half again as fast; 1.6 of them are slower in any case.
        self.assertLess(one("950DT-96", "D1", "context 4096"), 1.5)
        self.assertLess(one("950PR", "D1", "context 4096"), 0.75)
        self.assertGreater(one("950DT-96", "P", "8192 tokens"), one("950DT-96", "D1", "context 4096"))
        # Fewer bytes of weights, and a slower rival.
        self.assertGreater(one("950DT-96", "D1", "context 1024", "MXFP4"), 1.3 * one("950DT-96", "D1", "context 1024"))
        self.assertGreater(one("950DT-96", "D1", "context 4096"), one("950DT-96", "D1", "context 4096", against="H20-141"))

    def test_tables_are_the_same_and_threads_change_nothing(self):
        table = self.silicast("claims", "--only", "c1b", "--cells", "--threads", 1)
        self.assertEqual(table, self.silicast("claims", "--only", "c1b", "--cells", "--threads", 3))
        for cell in self.claims("--only", "c1b")[0]["cells"]:
            row = rf"^{re.escape(cell['workload'])} .*  {cell['ratio']:.3g} +{cell['low']:.3g} +{cell['high']:.3g} +{cell['verdict']} "
            self.assertRegex(table, re.compile(row, re.M))
        summary = self.silicast("claims", "--only", "c1b")
        self.assertIn("said by: Huawei", summary)
        self.assertRegex(summary, r"950PR-350 +8bit +2.87 holds +2.55 fails ")

    def test_a_pattern_chooses(self):
        self.assertEqual([claim["name"] for claim in self.claims("--only", "c1b", "--only", "c9-o*")], ["c1b", "c9-open"])

    def test_check_reads_every_file(self):
        for path in sorted((CONFIGS / "validation/claims").glob("*.yaml")):
            self.assertIn("valid", self.silicast("check", path))

    def test_a_misspelt_precision_is_refused_where_it_stands(self):
        text = (CONFIGS / "validation/claims/c1b.yaml").read_text()
        for wrong, message in [("system: 8bitt", "did you mean '8bit'?"), ("system: {weights: int9}", "'int9'"),
                               ("system: {wieghts: int8}", "did you mean 'weights'?")]:
            with self.subTest(wrong=wrong):
                self.write("c.yaml", text.replace("system: 8bit", wrong, 1))
                self.assertRegex(self.refused("check", "c.yaml"), rf"c.yaml:\d+:\d+: .*{re.escape(message)}")


if __name__ == "__main__":
    main()
