"""The summary against an independent computation from the rows, and the figures that must hang together."""
import pathlib
import re
import subprocess
import sys

import numpy as np

import recomputed
from cli_support import CALM, CONFIGS, ROUGH, SOURCE, CliTest, Results, main

QUICKSTART_NODES = next(line.split('"')[1].split() for line in (SOURCE / "tools/quickstart").read_text().splitlines()
                        if line.startswith("nodes="))

# Prompts of many chunks and few KV blocks: requests lose them again and again before their first token.
THRASHING = """
name: thrashing
model: llama-3.1-8b
max_context: 8192
workload:
  arrivals: {process: poisson, rate: 0.7 /s, requests: 600}
  prompt: {distribution: lognormal, mean: 3000, cv: 0.5, max: 7000}
  output: {distribution: lognormal, mean: 300, cv: 1.0, max: 1000}
cluster:
  pools:
    - {name: main, node: hgx-h100, replicas: 1, kv_blocks: 900, engine: {base: vllm, max_batched_tokens: 512, max_sequences: 128}}
router: least_loaded
warmup: none
"""


def catalogued(file, key):
    """The value of `key: {value: 1.2 unit, ...}` in a catalogue file."""
    return float(re.search(rf"^\s*{key}: {{value: ([\d.]+)", (CONFIGS / file).read_text(), re.MULTILINE)[1])


class Statistics(CliTest):
    def results_of(self, text, *arguments):
        self.write("scenario.yaml", text)
        self.silicast("run", "scenario.yaml", "--out", "out.h5", *arguments)
        return Results(self.folder / "out.h5")

    def assert_close(self, expected, actual, relative=1e-9):
        for key, value in expected.items():
            self.assertTrue(np.isclose(actual[key], value, rtol=relative, atol=1e-12), f"{key}: summary {actual[key]}, rows give {value}")

    def assert_one_end_each(self, results, requests):
        rows = results.rows
        self.assertEqual(list(rows["index"]), list(range(requests)))
        self.assertTrue((rows.arrival.diff().dropna() >= 0).all())
        self.assertEqual(sum(results.summary[f"requests_{state}"] for state in results.states), requests)
        self.assertTrue(((rows.reason == 0) == (rows.state == 0)).all())
        self.assertTrue((rows[rows.state == 0].output_tokens >= 1).all())

    def test_a_rough_run_has_every_trouble_that_the_next_test_counts(self):
        rows = self.results_of(ROUGH).rows
        self.assertGreater(rows.preemptions.sum(), 100)
        for state in (1, 2):
            self.assertGreater((rows.state == state).sum(), 10)

    def test_a_rough_run_is_summarised_as_its_rows_say(self):
        results = self.results_of(ROUGH)
        self.assert_one_end_each(results, 3000)
        limits = {"ttft": 2, "tpot": 0.06}
        self.assert_close(recomputed.summary(results, limits), results.summary)
        for position, pool in enumerate(("fast", "slow")):
            expected = recomputed.summary(results, limits, pool=position)
            self.assert_close({key: value for key, value in expected.items() if key in results.pools[pool]}, results.pools[pool])
            self.assertIn("ttft_p99_s", results.pools[pool])

    def test_little_s_law_holds_by_three_ways_of_counting(self):
        for text in (ROUGH, CALM):
            results = self.results_of(text)
            run = results.summary["run_s"]
            stay = ((results.rows.completion - results.rows.arrival).sum() * 1e-9) / run
            self.assert_close({"little_time_average": recomputed.time_average_in_system(results.rows, run), "little_rate_times_stay": stay},
                              results.summary)
            self.assert_close({"little_time_average": results.summary["little_rate_times_stay"]}, results.summary)

    def test_token_gaps_add_up_to_the_decode_time_of_the_rows(self):
        results = self.results_of(CALM)
        done = results.done
        self.assertEqual(len(done), 2000)
        mean = (done.completion - done.first_token).sum() * 1e-9 / (done.output_tokens - 1).sum()
        self.assert_close({"itl_mean_s": mean}, results.summary, 1e-6)

    def test_the_parts_of_the_mean_ttft_are_those_of_the_rows(self):
        for text, preempts in ((CALM, False), (THRASHING, True)):
            results = self.results_of(text)
            self.assertFalse(results.summary["unstable"])
            parts = recomputed.ttft_parts(results)
            preemption = results.summary["ttft_preemption_mean_s"]
            self.assert_close({"ttft_queue_mean_s": parts["queue"], "ttft_prefill_mean_s": parts["after_queue"] - preemption}, results.summary)
            # Only requests that lost their blocks wait again, and after their first iteration.
            self.assertEqual(preemption > 0, preempts)
            self.assertLessEqual(preemption, parts["after_queue_of_preempted"] * (1 + 1e-9))

    def test_cost_and_energy_follow_from_their_parts(self):
        results = self.results_of(ROUGH)
        summary, cost = results.summary, results.cost
        parts = sum(cost[f"{part}_per_hour_rmb"] for part in ("capital", "electricity", "site", "staff", "porting", "licence"))
        tokens = summary["tokens_per_s"] * 3600 / 1e6
        good = summary["good_requests_per_s"] * 3600
        self.assert_close({"purchase_per_hour_rmb": parts, "purchase_per_million_tokens_rmb": parts / tokens,
                           "purchase_per_good_request_rmb": parts / good}, cost)
        for basis in ("purchase", "rent"):
            split = (cost[f"{basis}_per_million_input_tokens_rmb"] * summary["prompt_tokens_per_s"]
                     + cost[f"{basis}_per_million_output_tokens_rmb"] * summary["output_tokens_per_s"]) * 3600 / 1e6
            self.assert_close({f"{basis}_per_hour_rmb": split}, cost)
        for key in ("per_million_input_tokens_rmb", "per_million_tokens_usd", "per_good_request_rmb"):
            self.assert_close({f"rent_day_{key}": cost[f"rent_{key}"] / cost["load_factor"]}, cost)
        of_day = parts - cost["electricity_per_hour_rmb"] + cost["electricity_day_per_hour_rmb"]
        self.assert_close({"purchase_day_per_million_tokens_rmb": of_day / tokens / cost["load_factor"]}, cost)
        self.assert_close({"energy_per_token_j": summary["power_w"] / summary["tokens_per_s"],
                           "energy_per_output_token_j": summary["power_w"] / summary["output_tokens_per_s"]}, summary)
        for key, value in {**summary, **cost}.items():
            if f"{key}_low" in summary or f"{key}_low" in cost:
                low, high = ({**summary, **cost}[f"{key}_{end}"] for end in ("low", "high"))
                self.assertTrue(np.isnan(value) or np.isnan(low) or low <= value <= high, key)

    def test_electricity_and_carbon_are_those_of_the_power_with_the_chips_that_no_replica_uses(self):
        results = self.results_of(ROUGH)
        summary, cost = results.summary, results.cost
        unused = {name: pool["unused_chips"] for name, pool in results.pools.items()}
        self.assertEqual(unused, {"fast": 7, "slow": 6})
        pue, off, factor, tariff, carbon = (catalogued("prices/china-2026.yaml", key)
                                            for key in ("pue", "off", "server_power", "west", "carbon"))
        for name, chip in (("fast", "h100"), ("slow", "ascend-910b")):
            pool = results.pools[name]
            unused_watts = unused[name] * off * catalogued(f"chips/{chip}.yaml", "tdp") * factor
            self.assert_close({"pool_w": pool["chips"] * pool["server_per_chip_w"] + unused_watts}, pool)
        kilowatts = summary["power_w"] / 1000 * pue
        million_tokens_per_hour = summary["tokens_per_s"] * 3600 / 1e6
        self.assert_close({"power_w": sum(pool["pool_w"] for pool in results.pools.values())}, summary)
        self.assert_close({"electricity_per_hour_rmb": kilowatts * tariff,
                           "co2_per_million_tokens_g": kilowatts * carbon / million_tokens_per_hour}, cost)

    def test_overload_that_ever_larger_batches_absorb_is_unstable_and_nine_tenths_of_capacity_are_not(self):
        self.write("scenario.yaml", CALM.replace("replicas: 2", "replicas: 1").replace("requests: 2000", "requests: 5000"))
        def run(rate):
            return self.run_json("scenario.yaml", "--set", f"workload.arrivals.rate={rate:.3f} /s")
        capacity = run(1000)["summary"]["requests_per_s"]
        overloaded = run(1.1 * capacity)
        self.assertTrue(overloaded["unstable"])
        self.assertIsNone(overloaded["summary"]["ttft_p99_s"])
        self.assertFalse(run(0.9 * capacity)["unstable"])

    def test_the_file_is_what_a_user_expects(self):
        for text in (ROUGH, CALM):
            self.results_of(text)
            checked = subprocess.run([sys.executable, SOURCE / "tests/python/check_hdf5.py", self.folder / "out.h5"], capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)


class Quickstart(CliTest):
    """The shipped scenario on the nodes that tools/quickstart runs it on."""

    def test_the_quickstart_serves_azure_like_chat_on_six_nodes(self):
        self.assertEqual(len(QUICKSTART_NODES), 6)
        results = {}
        for node in QUICKSTART_NODES:
            self.silicast("run", "azure-chat-70b", "--set", f"name={node}", "--set", f"cluster.pools.0.node={node}", "--out", f"{node}.h5")
            results[node] = one = Results(self.folder / f"{node}.h5")
            self.assertEqual(one.summary["requests_completed"], 19366, node)
            expected = recomputed.summary(one, {"ttft": 2, "tpot": 0.05})
            for key, value in expected.items():
                self.assertTrue(np.isclose(one.summary[key], value, rtol=1e-9), f"{node} {key}: summary {one.summary[key]}, rows give {value}")
        table = self.silicast("compare", *[f"{node}.h5" for node in QUICKSTART_NODES])
        for node in QUICKSTART_NODES:
            self.assertIn(node, table.splitlines()[0])
        self.assertEqual(table.count(" of 19366 requests faster"), 3 * 5)
        self.workload_is_azure_like(results["hgx-h200"].rows)
        self.faster_parts_are_faster({node: one.summary for node, one in results.items()})

    def workload_is_azure_like(self, rows):
        gaps = rows.arrival.diff().dropna() * 1e-9
        for what, value, published, tolerance in (
                ("requests/s", 1 / gaps.mean(), 5.53, 0.03), ("cv of gaps", gaps.std() / gaps.mean(), 1.09, 0.03),
                ("prompt mean", rows.prompt_tokens.mean(), 1155, 0.02), ("prompt p50", rows.prompt_tokens.median(), 1020, 0.03),
                ("prompt p99", rows.prompt_tokens.quantile(0.99), 4142, 0.03), ("output mean", rows.output_tokens.mean(), 211, 0.03),
                ("output p50", rows.output_tokens.median(), 129, 0.03), ("output p99", rows.output_tokens.quantile(0.99), 601, 0.05)):
            self.assertAlmostEqual(value / published, 1, delta=tolerance, msg=what)

    def faster_parts_are_faster(self, summary):
        # The 950DT is the 950PR with 2.5 times the memory bandwidth; the H200 has over six times the compute of the H20.
        self.assertLess(summary["atlas-850-950dt-96"]["tpot_p50_s"], summary["atlas-850-950pr"]["tpot_p50_s"])
        self.assertLess(summary["hgx-h200"]["ttft_p50_s"], summary["hgx-h20-96"]["ttft_p50_s"] / 3)


if __name__ == "__main__":
    main()
