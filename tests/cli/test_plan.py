"""silicast capacity and silicast plan: what they print, as text and as JSON, and what they say of bad input."""
import json
import math

from cli_support import CALM, CliTest, main

PLAN = """
name: p
model: llama-3.1-8b
workload:
  arrivals: {process: poisson, rate: 40 /s, requests: 300}
  prompt: {distribution: fixed, tokens: 500}
  output: {distribution: fixed, tokens: 100}
targets: {ttft_p99: 2 s, tpot_p99: 50 ms}
candidates:
  - {node: hgx-h20-96, layouts: [{tensor: 1}], limits: [{}]}
  - {node: atlas-850-950dt-96, layouts: [{tensor: 1}], limits: [{}]}
prices: china-2026
"""


class Capacity(CliTest):
    def test_text_and_json_say_the_same(self):
        self.write("c.yaml", CALM.replace("requests: 2000", "requests: 400").replace("{ttft: 1 s, tpot: 50 ms}", "{tpot_p95: 20 ms}"))
        text = self.silicast("capacity", "c.yaml", "--replications", "3")
        answer = json.loads(self.silicast("capacity", "c.yaml", "--replications", "3", "--format", "json"))
        self.assertIn(f"capacity: {answer['load']:.4g} requests/s", text)
        self.assertIn("cost:     RMB/M tokens ", text)
        self.assertEqual(answer["kind"], "found")
        self.assertEqual(len(answer["each"]), 3)
        self.assertLess(answer["low"], answer["load"])
        self.assertTrue(answer["at"]["met"])
        self.assertFalse(answer["beyond"]["met"])
        self.assertGreater(answer["rmb_per_million_tokens"]["bought"], 0)

    def test_a_run_that_ends_before_its_queue_does_is_told(self):
        self.write("c.yaml", CALM.replace("{ttft: 1 s, tpot: 50 ms}", "{tpot_p50: 10 s}"))
        self.assertIn("give the workload more requests", self.silicast("capacity", "c.yaml", "--replications", "1"))


    SPLIT = """
name: split
model: llama-3.1-8b
workload:
  arrivals: {process: poisson, rate: 4 /s, requests: 300}
  prompt: {distribution: fixed, tokens: 3000}
  output: {distribution: fixed, tokens: 20}
cluster:
  fabric: single-switch
  pools:
    - {name: front, role: prefill, node: hgx-h20-96, layout: {tensor: 8}, engine: vllm}
    - {name: back, role: decode, node: hgx-h20-96, nodes: 3, layout: {tensor: 8}, engine: vllm}
targets: {ttft_p90: 2 s}
"""

    def test_the_nodes_are_shared_out_as_they_carry_the_most(self):
        self.write("s.yaml", self.SPLIT)
        text = self.silicast("capacity", "s.yaml", "--ratios", "--replications", "1")
        ratios = json.loads(self.silicast("capacity", "s.yaml", "--ratios", "--replications", "1", "--format", "json"))["ratios"]
        self.assertEqual([(one["prefill_nodes"], one["decode_nodes"]) for one in ratios], [(1, 3), (2, 2), (3, 1)])
        loads = [one["capacity"]["load"] for one in ratios]
        # Long prompts and short answers: prefill is the bottleneck, and carries as much more as it has nodes.
        self.assertAlmostEqual(loads[1] / loads[0], 2, delta=0.5)
        self.assertAlmostEqual(loads[2] / loads[0], 3, delta=0.8)
        self.assertTrue(all(one["capacity"]["why"].startswith("pool front: ") for one in ratios))
        self.assertIn("most with 3 nodes that prefill and 1 that decode:\ncapacity: ", text)
        alone = json.loads(self.silicast("capacity", "s.yaml", "--replications", "1", "--format", "json"))
        self.assertEqual(alone["load"], loads[0])

    def test_ratios_that_cannot_be_are_told(self):
        self.write("s.yaml", self.SPLIT)
        self.assertEqual(self.refused("capacity", "azure-chat-70b", "--ratios").rsplit(": ", 1)[1].strip(), "prefill', not 0")
        why = "does not follow the nodes of --ratios; leave it out\n"
        self.assertEqual(self.refused("capacity", "s.yaml", "--ratios", "--set", "cluster.pools.1.replicas=1"),
                         f"error: --set cluster.pools.1.replicas=1: cluster.pools.1.replicas: {why}")
        self.write("s.yaml", self.SPLIT.replace("role: decode,", "role: decode, placement: [[0, 1, 2, 3, 4, 5, 6, 7]],"))
        self.assertEqual(self.refused("capacity", "s.yaml", "--ratios"), f"error: s.yaml:12:45: cluster.pools.1.placement: {why}")



class Plan(CliTest):
    def setUp(self):
        super().setUp()
        self.write("p.yaml", PLAN)

    def plan(self, *arguments, **more):
        return self.silicast("plan", "p.yaml", *arguments, **more)

    def json_of(self, *arguments):
        return json.loads(self.plan("--format", "json", *arguments))

    def test_json_has_the_mix_and_every_option(self):
        answer = self.json_of()
        self.assertEqual({one["node"] for one in answer["ledger"]}, {"hgx-h20-96", "atlas-850-950dt-96"})
        self.assertTrue(answer["services"][0]["verified"])
        self.assertEqual(answer["mix"]["pools"][0]["node"], answer["services"][0]["best"][0]["node"])
        self.assertNotIn("uncertainty", answer)

    def test_draws_are_in_the_json(self):
        found = self.json_of("--uncertain", "4", "--set", "traffic={value: 1, range: [0.5, 3], grade: estimate, source: guess}", "--set",
                             "growth={per_month: {value: 0.05, range: [0, 0.2], grade: estimate, source: guess}, months: 12}")["uncertainty"]
        self.assertEqual(found["draws"], 4)
        first, second = found["options"]
        self.assertAlmostEqual(first["beats"][second["node"]] + second["beats"][first["node"]], 1)
        for option in found["options"]:
            self.assertLessEqual(option["rmb_per_million_tokens"]["p5"], option["rmb_per_million_tokens"]["p95"])
            self.assertGreaterEqual(option["months_until_full"]["p50"], 0)
        self.assertIn("traffic", [bar["number"] for bar in found["tornado"]])

    def test_more_traffic_takes_more_nodes(self):
        nodes = [self.json_of("--set", f"traffic={factor}")["mix"]["pools"][0]["needed"] for factor in (1, 20)]
        self.assertGreater(nodes[1], nodes[0])

    def test_a_changed_price_changes_the_cost_and_nothing_else(self):
        before = self.json_of()["services"][0]["best"]
        after = self.json_of("--set", "prices={sheet: china-2026, change: {chips: {h20-96: {purchase: 1000000 RMB}}}}")["services"][0]["best"]
        cost = lambda options: {one["node"]: one["rmb_per_hour"] for one in options}
        self.assertGreater(cost(after)["hgx-h20-96"], 2 * cost(before)["hgx-h20-96"])
        self.assertTrue(math.isclose(cost(after)["atlas-850-950dt-96"], cost(before)["atlas-850-950dt-96"]))

    def test_a_changed_price_is_not_drawn(self):
        prices = "prices={sheet: china-2026, change: {pue: 1.3}}"
        bars = [bar["number"] for bar in self.json_of("--uncertain", "2", "--set", prices)["uncertainty"]["tornado"]]
        self.assertNotIn("prices/china-2026 pue", bars)
        self.assertIn("prices/china-2026 site", bars)

    def test_a_chip_without_a_price_is_a_line_of_the_ledger(self):
        answer = self.json_of("--set", "candidates.1={node: hgx-b200, layouts: [{tensor: 1}], limits: [{}]}", "--set", "basis=rent")
        lines = {one["node"]: (one["status"], one["reason"]) for one in answer["ledger"]}
        self.assertEqual(lines["hgx-h20-96"][0], "compliant")
        self.assertEqual(lines["hgx-b200"][0], "unsupported")
        self.assertIn("has no rent of chip b200", lines["hgx-b200"][1])

    def test_bad_input_is_named_with_its_key(self):
        for setting, said in {
            "prices={sheet: china-2026, change: {chip: {}}}": "chip: unknown key; did you mean 'chips'?",
            "prices={sheet: china-2026, change: 3}": "change: a plain value where a mapping is due",
            "prices={sheet: china-2026, change: {pue: 0.5}}": "pue: ",
            "workload.arrivals.rate=0 /s": "workload.arrivals.rate: ",
            "workload={closed_loop: {concurrency: 3, requests: 9}, prompt: {distribution: fixed, tokens: 5}, output: {distribution: fixed, tokens: 5}}":
                "workload: is a closed loop; a plan is sized for a rate",
            "targets={ttft_p101: 1 s}": "targets.ttft_p101: ",
            "model=llama-3.1-9b": "model: unknown model",
            "traffic=0": "traffic: ",
            "traffic={value: 1, range: [2, 3], grade: estimate, source: x}": "traffic.range: must hold the value",
            "growth={per_month: {value: 3}, months: 2}": "growth.per_month.value: ",
        }.items():
            with self.subTest(setting):
                self.assertIn(said, self.refused("plan", "p.yaml", "--set", setting))
        self.assertIn("from 2 to 100000", self.refused("plan", "p.yaml", "--uncertain", "1"))


if __name__ == "__main__":
    main()
