"""`silicast run` and `compare`: outputs that agree with each other, and the same answer every time."""
import re

import numpy as np

from cli_support import CALM, ROUGH, CliTest, Results, fingerprint_of, main


class Run(CliTest):
    def test_the_table_names_the_run_its_metrics_and_its_targets(self):
        self.write("rough.yaml", ROUGH)
        table = self.silicast("run", "rough.yaml")
        for text in ("  TTFT p99 [s]", "  TPOT mean [ms]", "  ITL p50 [ms]", "  goodput [/s]", "  timed_out", "by pool", "target ttft_p99 2 s: ",
                     "cost: prices 'china-2026'", "client_timeout", "\nfingerprint "):
            self.assertIn(text, table)
        self.assertNotIn("written:", table)

    def test_json_and_the_file_hold_the_same_summary(self):
        self.write("rough.yaml", ROUGH)
        run = self.run_json("rough.yaml", "--out", "rough.h5")
        results = Results(self.folder / "rough.h5")
        numbers = {**results.summary, **results.cost}
        self.assertGreater(len(run["summary"]), 100)
        for key, value in run["summary"].items():
            stored = numbers[key]
            self.assertTrue(np.isnan(stored) if value is None else stored == value, f"{key}: JSON {value}, file {stored}")
        self.assertEqual([pool["name"] for pool in run["pools"]], ["fast", "slow"])
        for reason, count in run["end_reasons"].items():
            self.assertEqual(results.summary[f"reason_{reason}"], count)

    def test_the_table_shows_the_numbers_of_the_json(self):
        self.write("calm.yaml", CALM)
        table, summary = self.silicast("run", "calm.yaml"), self.run_json("calm.yaml")["summary"]
        for label, value in {"TTFT mean [s]": summary["ttft_mean_s"], "TPOT p99 [ms]": 1e3 * summary["tpot_p99_s"],
                             "good requests [%]": 100 * summary["good_share"], "run [s]": summary["run_s"]}.items():
            shown = re.search(rf"^  {re.escape(label)} +([\d.,]+)", table, re.MULTILINE)[1]
            self.assertAlmostEqual(float(shown.replace(",", "")) / value, 1, delta=1e-3, msg=label)

    def test_the_same_run_twice_gives_the_same_bytes_and_the_same_fingerprint(self):
        self.write("rough.yaml", ROUGH)
        tables, files = [], []
        for folder in ("a", "b"):
            (self.folder / folder).mkdir()
            tables.append(self.silicast("run", "../rough.yaml", "--out", "rough.h5", cwd=self.folder / folder))
            files.append((self.folder / folder / "rough.h5").read_bytes())
        self.assertEqual(tables[0], tables[1])
        self.assertEqual(files[0], files[1])
        self.assertEqual(Results(self.folder / "a" / "rough.h5").fingerprint, fingerprint_of(tables[0]))

    def test_step_mode_gives_the_same_fingerprint_and_rows(self):
        self.write("rough.yaml", ROUGH)
        leap, step = self.silicast("run", "rough.yaml", "--out", "a.h5"), self.silicast("run", "rough.yaml", "--no-leap", "--out", "b.h5")
        self.assertEqual(fingerprint_of(leap), fingerprint_of(step))
        self.assertTrue(Results(self.folder / "a.h5").rows.equals(Results(self.folder / "b.h5").rows))

    def test_the_json_says_which_run_it_is(self):
        self.write("rough.yaml", ROUGH)
        run = self.run_json("rough.yaml", "--set", "seed=5")
        self.assertEqual((run["seed"], run["fingerprint"]), (5, fingerprint_of(self.silicast("run", "rough.yaml", "--set", "seed=5"))))
        self.assertRegex(run["version"], r"^\d+\.\d+\.\d+$")

    def test_what_latencies_rest_on_is_told_by_their_weakest_figure(self):
        self.write("calm.yaml", CALM)
        self.assertRegex(self.silicast("run", "calm.yaml"), r"latency rests on +estimate")  # the host overheads of every engine
        self.assertEqual(self.run_json("calm.yaml")["latency_weakest_grade"], "estimate")

    def test_another_seed_gives_another_fingerprint(self):
        self.write("rough.yaml", ROUGH)
        prints = {fingerprint_of(self.silicast("run", "rough.yaml", "--set", f"seed={seed}")) for seed in range(3)}
        self.assertEqual(len(prints), 3)

    def test_set_changes_a_key_and_the_file_keeps_what_was_run(self):
        self.write("calm.yaml", CALM)
        self.silicast("run", "calm.yaml", "--set", "workload.arrivals.requests=50", "--out", "out.h5")
        results = Results(self.folder / "out.h5")
        self.assertEqual(len(results.rows), 50)
        self.write("again.yaml", results.yaml)
        self.assertEqual(fingerprint_of(self.silicast("run", "again.yaml")), results.fingerprint)

    def test_a_mistake_touches_no_file(self):
        self.write("calm.yaml", CALM)
        (self.folder / "out.h5").write_text("precious")
        self.silicast("run", "calm.yaml", "--set", "router=best", "--out", "out.h5", status=2)
        self.assertEqual((self.folder / "out.h5").read_text(), "precious")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["calm.yaml", "out.h5"])


class Users(CliTest):
    def setUp(self):
        super().setUp()
        start, end = CALM.index("workload:"), CALM.index("cluster:")
        users = "workload: {users: 3000, use_case: {base: chat, active_share: 0.02}, requests: 400}\n"
        self.write("users.yaml", re.sub("targets: .*\n", "", CALM[:start] + users + CALM[end:]))

    def test_check_and_explain_print_every_assumption(self):
        for command in ("check", "explain"):
            text = self.silicast(command, "users.yaml")
            self.assertIn("3000 users of chat: gamma arrivals at 0.9 requests/s", text)
            for pattern in (r"active share of users +0\.02 +measured: set in users\.yaml in place of 0\.005 \(0\.002 to 0\.05\)",
                            r"busiest hour over average +1\.8 \(1\.4 to 2\.5\) +estimate: .*ServeGen",
                            r"target ttft_p99 +2\.00 s \(500 ms to 5\.00 s\) +third_party: "):
                self.assertRegex(text, pattern)
        self.assertIn("load factor 0.555556 (0.4 to 0.714286) of its use cases", self.silicast("check", "users.yaml"))

    def test_a_run_takes_targets_and_load_factor_of_the_use_case_and_says_so(self):
        run = self.run_json("users.yaml")
        self.assertEqual([target["name"] for target in run["targets"]], ["ttft_p99", "tpot_p99"])
        self.assertAlmostEqual(run["summary"]["load_factor"], 1 / 1.8)
        self.assertTrue(any(note.startswith("3000 users of chat ask 0.9 (") for note in run["notes"]), run["notes"])
        self.assertTrue(any(note.startswith("targets are those of chat: ") for note in run["notes"]), run["notes"])

    def test_users_give_the_run_of_the_rate_and_lengths_that_they_resolve_to(self):
        spelt = CALM[:CALM.index("workload:")] + """workload:
  arrivals: {process: gamma, rate: 0.9 /s, cv: 1.1, requests: 400}
  prompt: {distribution: lognormal, mean: 1155, cv: 0.96, max: 32000}
  output: {distribution: lognormal, mean: 211, cv: 0.77, max: 2000}
""" + CALM[CALM.index("cluster:"):]
        self.write("spelt.yaml", spelt)
        self.assertEqual(fingerprint_of(self.silicast("run", "users.yaml")), fingerprint_of(self.silicast("run", "spelt.yaml")))


class Compare(CliTest):
    def test_paired_differences_are_those_of_the_rows(self):
        self.write("calm.yaml", CALM)
        for node in ("hgx-h20-96", "hgx-h200"):
            self.silicast("run", "calm.yaml", "--set", f"name={node}", "--set", f"cluster.pools.0.node={node}", "--out", f"{node}.h5")
        text = self.silicast("compare", "hgx-h20-96.h5", "hgx-h200.h5")
        self.assertIn("hgx-h200 against hgx-h20-96, request by request", text)
        a, b = (Results(self.folder / f"{node}.h5").done.set_index("index") for node in ("hgx-h20-96", "hgx-h200"))
        for name in ("ttft", "tpot", "e2e"):
            difference = (b[name] - a[name]).dropna()
            line = re.search(rf"  {name.upper()}: mean (-?[\d.]+) s \((-?[\d.]+) to (-?[\d.]+)\), ([\d.]+)% of (\d+) requests faster", text)
            self.assertAlmostEqual(float(line[1]), difference.mean(), delta=1e-3 * abs(difference.mean()))
            self.assertTrue(float(line[2]) < difference.mean() < float(line[3]))
            self.assertAlmostEqual(float(line[4]), 100 * (difference < 0).mean(), delta=0.06)
            self.assertEqual(int(line[5]), len(difference))

    def test_runs_of_one_name_are_told_apart_by_their_files(self):
        self.write("calm.yaml", CALM)
        for file in ("a.h5", "b.h5"):
            self.silicast("run", "calm.yaml", "--out", file)
        self.assertIn("\nb.h5 against a.h5, request by request", self.silicast("compare", "a.h5", "b.h5"))

    def test_porting_is_charged_once_per_stack_however_many_pools_share_it(self):
        pool = "{{name: {}, node: atlas-850-950dt-96, nodes: {}, engine: vllm}}"
        costs = []
        for pools in ([("a", 2)], [("a", 1), ("b", 1)]):
            text = "".join(f"    - {pool.format(*one)}\n" for one in pools)
            self.write("ported.yaml", CALM.replace("    - {name: main, node: hgx-h20-96, replicas: 2, engine: vllm}\n", text))
            self.silicast("run", "ported.yaml", "--out", "ported.h5")
            costs.append(Results(self.folder / "ported.h5").cost["porting_per_hour_rmb"])
        self.assertGreater(costs[0], 0)
        self.assertAlmostEqual(costs[1] / costs[0], 1, delta=1e-12)

    def test_a_porting_delay_makes_every_token_dearer_over_the_life_of_a_chip(self):
        self.write("late.yaml", CALM.replace("node: hgx-h20-96", "node: atlas-850-950dt-96"))
        self.silicast("run", "late.yaml", "--out", "late.h5")
        cost = Results(self.folder / "late.h5").cost
        self.assertGreater(cost["porting_delay_factor"], 1)
        for basis in ("purchase", "rent"):
            for key in ("per_million_output_tokens_rmb", "per_good_request_usd"):
                ratio = cost[f"{basis}_life_{key}"] / cost[f"{basis}_day_{key}"]
                self.assertAlmostEqual(ratio, cost["porting_delay_factor"], delta=1e-12)

    def test_other_arrivals_are_not_paired(self):
        self.write("calm.yaml", CALM)
        self.silicast("run", "calm.yaml", "--out", "a.h5")
        self.silicast("run", "calm.yaml", "--set", "seed=2", "--out", "b.h5")
        self.assertIn("not comparable", self.silicast("compare", "a.h5", "b.h5"))

    def test_what_is_no_result_is_the_users_mistake(self):
        self.write("a.h5", "text")
        self.silicast("compare", "a.h5", status=2)
        self.silicast("compare", "absent.h5", status=2)


if __name__ == "__main__":
    main()
