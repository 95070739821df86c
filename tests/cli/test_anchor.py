"""`silicast anchor`: a run of silicast's own with shifted scales comes back, and badges say what an answer rests on."""
import json
import re

import h5py

from cli_support import CliTest, main

SCENARIO = """
name: own
model: llama-3.1-8b
workload:
  closed_loop: {concurrency: CLIENTS, requests: 64}
  prompt: {distribution: fixed, tokens: 1000}
  output: {distribution: fixed, tokens: 100}
warmup: none
cluster:
  pools:
    - {name: main, node: hgx-h20-96, replicas: 1, engine: vllm}
"""


class Anchors(CliTest):
    def setUp(self):
        super().setUp()
        self.write("s.yaml", SCENARIO.replace("CLIENTS", "8"))

    def measured(self, *settings):
        """A result of vLLM's client, of silicast under other settings."""
        arguments = [text for setting in settings for text in ("--set", setting)]
        run = self.run_json("s.yaml", *arguments)["summary"]
        return self.write("run.json", json.dumps({
            "date": "20261127-120000", "num_prompts": 64, "completed": 64, "max_concurrency": 8, "request_rate": "inf",
            "mean_ttft_ms": 1e3 * run["ttft_mean_s"], "mean_tpot_ms": 1e3 * run["tpot_mean_s"], "mean_e2el_ms": 1e3 * run["e2e_mean_s"],
            "output_throughput": run["output_tokens_per_s"], "total_input_tokens": 64000, "total_output_tokens": 6400}))

    def test_added_listed_applied_and_badged(self):
        self.measured("cluster.pools.0.maturity=0.85")
        text = self.silicast("anchor", "add", "run.json", "--scenario", "s.yaml", "--name", "mine")
        self.assertIn("written: anchors/mine.yaml", text)
        maturity = float(re.search(r"^maturity +0.500 +(\S+)", text, re.M)[1])
        self.assertAlmostEqual(maturity, 0.85, delta=0.03)
        self.assertRegex(text, r"per_iteration +- +- +stays: ")  # hidden behind the chips
        self.assertRegex(text, r"tpot_mean +\S+ +\S+ \(\+1\d\.\d%\) +\S+ \([+-]0\.\d%\)")
        self.assertRegex(self.silicast("anchor", "list"), r"mine +2026-11-27 +h20-96 +vllm +llama-3.1-8b .*run.json [0-9a-f]{16}")
        self.assertIn("a valid anchor", self.silicast("check", "anchors/mine.yaml"))
        before = self.run_json("s.yaml")
        after = self.run_json("s.yaml", "--set", "anchors=anchors")
        truth = self.run_json("s.yaml", "--set", "cluster.pools.0.maturity=0.85")
        self.assertAlmostEqual(after["summary"]["tpot_mean_s"], truth["summary"]["tpot_mean_s"], delta=0.01 * truth["summary"]["tpot_mean_s"])
        self.assertEqual([run["pools"][0]["badge"] for run in (before, after, truth)], ["estimated", "measured", "estimated"])
        self.assertEqual(after["pools"][0]["badge_reason"], "by anchor mine of 2026-11-27")

    def test_badges_in_tables_files_and_explain(self):
        self.measured("cluster.pools.0.maturity=0.3")
        self.silicast("anchor", "add", "run.json", "--scenario", "s.yaml", "--out", "kept", "--name", "a")
        keys = ("--set", "anchors=kept", "--set", "workload.closed_loop.concurrency=20")
        table = self.silicast("run", "s.yaml", *keys, "--out", "r.h5")
        self.assertRegex(table, r"badge +anchored")
        self.assertIn("pool main: anchored, by anchor a of 2026-11-27", table)
        with h5py.File(self.folder / "r.h5") as file:
            self.assertEqual(file["summary/pools/main"].attrs["badge"], "anchored")
        self.assertIn("anchored: by anchor a of 2026-11-27", self.silicast("explain", "s.yaml", *keys))
        self.silicast("run", "s.yaml", "--out", "plain.h5")
        self.assertRegex(self.silicast("compare", "r.h5", "plain.h5"), r"badge +anchored +estimated")

    def test_beyond_its_domain_it_says_why_and_changes_nothing(self):
        self.measured("cluster.pools.0.maturity=0.3")
        self.silicast("anchor", "add", "run.json", "--scenario", "s.yaml")
        far = ("--set", "workload.closed_loop.concurrency=60")
        plain, anchored = self.run_json("s.yaml", *far), self.run_json("s.yaml", *far, "--set", "anchors=anchors/run.yaml")
        self.assertEqual(plain["fingerprint"], anchored["fingerprint"])
        self.assertRegex(anchored["pools"][0]["badge_reason"], r"anchor run: 60 requests at once on a replica, beyond its ")
        self.assertIn("without effect: anchors: none is for a pool of this scenario", anchored["notes"])

    def test_an_anchor_is_not_overwritten(self):
        self.measured("cluster.pools.0.maturity=0.3")
        self.silicast("anchor", "add", "run.json", "--scenario", "s.yaml")
        self.silicast("anchor", "add", "run.json", "--scenario", "s.yaml", status=2)

    def test_a_broken_line_of_json_lines_is_named(self):
        run = json.dumps(json.loads(self.measured().read_text()))
        self.write("runs.jsonl", f"{run}\n\n{run[:-1]}\n")
        self.assertIn("runs.jsonl:3:", self.refused("anchor", "add", "runs.jsonl", "--run", "2", "--scenario", "s.yaml"))


if __name__ == "__main__":
    main()
