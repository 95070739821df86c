"""`silicast validate`: tables and JSON that agree, bounds and exit status, settings, measured data where they are at hand."""
import json
import os
import pathlib
import re
import statistics
import time

from cli_support import SOURCE, CliTest, main

DATA = pathlib.Path(os.environ.get("SILICAST_DATA", SOURCE / "../shared/data")).resolve()

CASE = """
name: case
model: llama-3.1-8b
workload:
  closed_loop: {{concurrency: {clients}, requests: 40}}
  prompt: {{distribution: fixed, tokens: 200}}
  output: {{distribution: fixed, tokens: 20}}
cluster:
  pools:
    - {{name: main, node: hgx-h100, replicas: 1, engine: {{base: vllm}}}}
source: "made up"
group: {group}
measured: {{ttft_mean: {ttft}, tpot_mean: 8 ms}}
{more}
"""
OURS = ("--only", "case_file,case-*")


class Validate(CliTest):
    def case(self, name, clients=4, group="one", ttft="40 ms", more=""):
        return self.write(f"cases/{name}.yaml", CASE.format(clients=clients, group=group, ttft=ttft, more=more))

    def report(self, *arguments, status=0):
        return json.loads(self.silicast("validate", "--format", "json", *arguments, status=status))

    def test_rows_tables_and_json_agree(self):
        for clients in (1, 2, 3):
            self.case(f"case-{clients}", clients, "small")
        self.case("case-9", 9, "large")
        report = self.report("--data", "cases", *OURS)
        self.assertEqual([case["id"] for case in report["cases"]], [f"case-{i}.yaml" for i in (1, 2, 3, 9)])
        by_group = {}
        for case in report["cases"]:
            for metric in case["metrics"]:
                self.assertAlmostEqual(metric["error"], metric["predicted"] / metric["measured"] - 1)
            by_group.setdefault(case["group"], []).append(case["metrics"][0]["error"])
        ttft = [row for row in report["errors"]["overall"] if row["metric"] == "TTFT"]
        self.assertEqual([(row["n"], row["groups"], row["calibrates"]) for row in ttft], [(4, 2, False)])
        medians = [statistics.median(map(abs, errors)) for errors in by_group.values()]
        self.assertAlmostEqual(ttft[0]["median"], statistics.median(medians))
        table = self.silicast("validate", "--data", "cases", "--rows", *OURS)
        self.assertEqual(len(re.findall(r"^case-\d\.yaml +h100 +llama-3.1-8b +vllm +bf16/bf16/bf16 +\w+ +(?:ttft|tpot)_mean ", table, re.M)), 8)
        self.assertIn(f"{100 * ttft[0]['median']:.1f}%", table)
        self.assertNotIn("case-1.yaml", self.silicast("validate", "--data", "cases", *OURS))

    def synthetic(self, setting):
        """Cases of two models, measured by silicast itself under a setting."""
        for model in ("llama-3.1-8b", "qwen3-8b"):
            for clients in (2, 8):
                text = CASE.format(clients=clients, group=model, ttft="1 s", more="").replace("llama-3.1-8b", model)
                self.write(f"cases/case-{model}-{clients}.yaml", text)
        for case in self.report("--data", "cases", "--set", setting, *OURS)["cases"]:
            of = {metric["metric"]: metric["predicted"] for metric in case["metrics"]}
            path = self.folder / "cases" / case["id"]
            path.write_text(re.sub("measured:.*", f"measured: {{ttft_mean: {of['ttft_mean']} s, tpot_mean: {of['tpot_mean']} s}}", path.read_text()))

    def tpot_errors(self, report):
        return {case["id"]: metric["error"] for case in report["cases"] for metric in case["metrics"] if metric["metric"] == "tpot_mean"}

    def test_a_model_left_out_is_predicted_with_what_the_others_show_of_the_engine(self):
        self.synthetic("cluster.pools.0.engine.host.per_iteration=1500us")
        before = self.tpot_errors(self.report("--data", "cases", *OURS))
        report = self.report("--data", "cases", "--leave-out", "model", *OURS)
        after = self.tpot_errors(report)
        self.assertEqual(before.keys(), after.keys())
        for case, error in before.items():
            self.assertLess(error, -0.05, case)
            self.assertLess(abs(after[case]), 0.6 * abs(error), case)
        self.assertEqual([(one["name"], one["cases"]) for one in report["left_out"]], [("llama-3.1-8b", 2), ("qwen3-8b", 2)])

    def test_what_is_left_out_does_not_tell_of_itself(self):
        """All cases of one model: nothing is left to fit to, whatever they measured."""
        predicted = []
        for tpot in ("8 ms", "16 ms"):
            self.case("case-1", more="").write_text(CASE.format(clients=4, group="one", ttft="40 ms", more="").replace("8 ms", tpot))
            report = self.report("--data", "cases", "--leave-out", "model", *OURS)
            predicted.append([metric["predicted"] for metric in report["cases"][0]["metrics"]])
        self.assertEqual(predicted[0], predicted[1])

    def test_a_chip_left_out_has_a_range_that_holds_its_prediction(self):
        self.case("case-1")
        report = self.report("--data", "cases", "--leave-out", "chip", *OURS)
        self.assertEqual([one["name"] for one in report["left_out"]], ["h200"])
        for metric in report["cases"][0]["metrics"]:
            self.assertLess(metric["low"], metric["predicted"])
            self.assertLess(metric["predicted"], metric["high"])

    def test_a_broken_bound_ends_with_status_1_and_is_named(self):
        self.case("case-good", more="bounds: {tpot_mean: 5}")
        self.silicast("validate", "--data", "cases", *OURS)
        self.case("case-bad", more="bounds: {ttft_mean: 0.0001}", ttft="9 s")
        self.assertRegex(self.silicast("validate", "--data", "cases", *OURS, status=1), r"case-bad.yaml: ttft_mean +error +1 +0.0% +\S+% +BROKEN")

    def test_settings_and_only_reach_the_cases(self):
        self.case("case-1")
        self.case("case-2")
        slow = self.report("--data", "cases", "--only", "case-2*", "--set", "cluster.pools.0.engine.host.per_iteration=80ms")
        self.assertEqual([case["id"] for case in slow["cases"]], ["case-2.yaml"])
        self.assertGreater(slow["cases"][0]["metrics"][1]["predicted"], 0.08)

    def test_threads_change_nothing(self):
        for clients in range(1, 8):
            self.case(f"case-{clients}", clients)
        texts = {self.silicast("validate", "--format", "json", "--data", "cases", "--threads", threads, *OURS) for threads in (1, 2, 5)}
        self.assertEqual(len(texts), 1)

    def test_calibrating_cases_stand_apart(self):
        self.case("case-1")
        self.case("case-2", more="calibrates: true")
        rows = [(row["calibrates"], row["n"]) for row in self.report("--data", "cases", *OURS)["errors"]["overall"] if row["metric"] == "TTFT"]
        self.assertEqual(sorted(rows), [(False, 1), (True, 1)])

    def test_the_cases_that_ship_are_at_most_forty_and_compared(self):
        report = self.report(status=None)
        self.assertEqual({case["part"] for case in report["cases"]}, {"case_file", "profile"})
        self.assertLessEqual(sum(case["part"] == "case_file" for case in report["cases"]), 40)
        for case in report["cases"]:
            self.assertIsNone(case["unsupported"], case["id"])

    def test_drafts_pay_where_they_were_measured_to_pay_and_no_further(self):
        table = DATA / "serving/gh200_llama31_8b_eagle3_sglang.csv"
        if not table.exists():
            self.skipTest(f"no {table}")
        rows = table.read_text().splitlines()
        head = rows[0].split(",")
        at = {name: head.index(name) for name in ("concurrency", "draft_k")}
        rates = {}
        for case in self.report("--data", table, "--only", "drafting", status=None)["cases"]:
            row = rows[int(case["id"].split(":")[1]) - 1].split(",")
            rates.setdefault(row[at["concurrency"]], {})[int(row[at["draft_k"]])] = case["metrics"][0]
        self.assertEqual(len(rates), 3)
        for clients, by_drafts in rates.items():
            pays = [max(m[figure] for drafts, m in by_drafts.items() if drafts) > by_drafts[0][figure] for figure in ("measured", "predicted")]
            self.assertEqual(pays[0], pays[1], f"{clients} clients")

    def test_what_is_supported_is_told_from_what_was_compared(self):
        self.case("case-1")
        rows = {(row["model"], row["chip"], row["precision"]): row for row in self.report("--data", "cases", "--support", *OURS)["support"]}
        self.assertEqual(rows["llama-3.1-8b", "h100", "bf16/bf16/bf16"]["support"], "measured")
        self.assertEqual(rows["llama-3.1-8b", "h100", "fp8/fp8/fp8"]["support"], "calibrated")
        self.assertEqual(rows["llama-3.1-8b", "h20-96", "bf16/bf16/bf16"]["support"], "estimated")
        refused = [row for row in rows.values() if row["support"] == "unsupported"]
        self.assertTrue(all(row["reason"] for row in refused))

    def test_measured_data_are_read_whole_within_two_minutes(self):
        if not (DATA / "serving").exists():
            self.skipTest(f"SKIPPED: there is no {DATA}; set SILICAST_DATA to a folder that holds serving/")
        start = time.monotonic()
        text = self.silicast("validate", "--data", DATA, "--format", "json", status=None)
        self.assertLess(time.monotonic() - start, 120)
        report = json.loads(text)
        parts = {}
        for case in report["cases"]:
            parts.setdefault(case["part"], []).append(case)
            self.assertEqual(case["unsupported"] is None, len(case["metrics"]) > 0, case)
        self.assertEqual(len(parts["closed_loop"]), 877)
        self.assertEqual(len(parts["sweep"]), 72)
        self.assertEqual(len(parts["request_run"]), 4)  # each with rooflines and with its own tables
        self.assertEqual({part: len(parts[part]) for part in ("multi_turn", "ascend", "forward_pass", "memory_start", "reference_point")},
                         {"multi_turn": 5, "ascend": 697, "forward_pass": 12, "memory_start": 26, "reference_point": 430})
        compared = [case for case in parts["closed_loop"] if case["unsupported"] is None]
        self.assertGreaterEqual(len(compared), 500)
        self.assertEqual(len({case["id"] for case in report["cases"]}), len(report["cases"]))


if __name__ == "__main__":
    main()
