"""The plans of configs/plans against exhaustive sweeps: every option of each kind of node on every number of nodes up to the plan's
answer, without rooflines, bisection or halving. The sweep must find the same number of nodes and the same winner."""
import json
import os

import numpy as np

from cli_support import CONFIGS, CliTest, main
from sweep_support import DONE, Points

LIMITS = {"ttft_p99_s": 3.0, "tpot_p99_s": 0.060}  # the targets of these plans: `ttft_p99: 3 s, tpot_p99: 60 ms`


def scenario_of(service):
    return f"""
name: s
model: {service["model"]}
max_context: {service["max_context"]}
workload: {json.dumps(service["workload"])}
cluster: {{pools: [{{name: main, node: hgx-h20-96, nodes: 1}}]}}
router: least_loaded
targets: {json.dumps(service["targets"])}
prices: china-2026
"""


def case_of(option, engine, maturity):
    keys = {"cluster.pools.0.node": option["node"], "cluster.pools.0.layout": option["layout"], "cluster.pools.0.precision": option["precision"]}
    limits = "".join(f", {key}: {option[key]}" for key in ("max_sequences", "max_batched_tokens") if option[key])
    keys["cluster.pools.0.engine"] = f"{{base: {engine}{limits}}}"
    if maturity:
        keys["cluster.pools.0.maturity"] = maturity
    return "{" + ", ".join(f"{key}: {value}" for key, value in keys.items()) + "}"


class Studies(CliTest):
    def fewest(self, name, options, most, engine, maturity):
        """Nodes and RMB/h of the cheapest option that meets the targets on at most `most` nodes, by trying all."""
        cases = "".join(f"      o{i}: {case_of(option, engine, maturity)}\n" for i, option in enumerate(options))
        nodes = ", ".join(map(str, range(1, most + 1)))
        self.write(f"{name}.yaml", f"name: s\nscenario: scenario.yaml\naxes:\n  - name: option\n    cases:\n{cases}"
                                   f"  - {{key: cluster.pools.0.nodes, name: nodes, values: [{nodes}]}}\n")
        self.silicast("sweep", f"{name}.yaml", "--out", f"{name}.h5", status=None)
        points = Points(self.folder / f"{name}.h5")
        self.assertEqual(points.complete, 1)
        met = (points.state == DONE) & (points.columns["unstable"] == 0)
        for metric, limit in LIMITS.items():
            met &= np.nan_to_num(points.summary[metric], nan=np.inf) <= limit
        self.assertTrue(met.any(), f"{name}: no option meets the targets on {most} nodes")
        fewest = points.columns["nodes"][met].min()
        at = met & (points.columns["nodes"] == fewest)
        return int(fewest), points.summary["purchase_per_hour_rmb"][at].min(), len(met)

    def check_plan(self, path, services, engines, maturities):
        answer = json.loads(self.silicast("plan", CONFIGS / "plans" / path, "--format", "json"))
        runs = 0
        for service, found in zip(services, answer["services"], strict=True):
            self.write("scenario.yaml", scenario_of(service))
            best = {one["node"]: one for one in found["best"]}
            cost = {}
            for node, one in best.items():
                options = [line for line in answer["ledger"] if line["node"] == node and line["service"] == found["name"]]
                nodes, _, points = self.fewest(node, options, one["nodes"], engines.get(node, "vllm"), maturities.get(node))
                self.assertEqual(nodes, one["nodes"], f"{path} {node}")
                cost[node] = one["rmb_per_hour"]
                runs += points
            self.assertEqual(min(cost, key=cost.get), found["best"][0]["node"])
            bought = [pool["node"] for pool in answer["mix"]["pools"] if pool["service"] == found["name"]]
            self.assertEqual(bought, [found["best"][0]["node"]])
        print(f"{path}: {runs} runs of the sweep, {answer['runs']} of the plan")

    def test_budget_2026(self):
        self.check_plan("budget-2026/plan.yaml", [self.service("qwen3-32b", 20)],
                        {"atlas-850-950pr": "vllm-ascend", "atlas-850-950dt-96": "vllm-ascend"}, {})

    # The longest of them is for `./tools/test --all`.
    if "SILICAST_ALL" in os.environ:
        def test_h200_or_not(self):
            self.check_plan("h200-or-not/plan.yaml", [self.service("llama-3.1-70b", 20)], {"atlas-850-950dt-96": "vllm-ascend"}, {})

    def test_many_models(self):
        self.check_plan("many-models/plan.yaml", [self.service("qwen3-32b", 20)], {}, {"mlu690-server-5tb": "tuned"})

    @staticmethod
    def service(model, speed):
        return {"model": model, "max_context": 32768, "workload": {"preset": "azure-2023-conversation", "speed": speed},
                "targets": {"ttft_p99": "3 s", "tpot_p99": "60 ms"}}


if __name__ == "__main__":
    main()
