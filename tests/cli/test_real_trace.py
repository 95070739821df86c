"""The 19,366 requests of Azure's conversation trace of 2023 on each node of the quickstart. The trace is not in this
repository: SILICAST_DATA names a folder that holds traces/azure_llm_2023_conv.csv (default: ../shared/data)."""
import csv
import os
import pathlib
import sys

import recomputed
from cli_support import SKIPPED, SOURCE, CliTest, Results, fingerprint_of, main
from test_statistics import QUICKSTART_NODES

TRACE = pathlib.Path(os.environ.get("SILICAST_DATA", SOURCE / "../shared/data")).resolve() / "traces/azure_llm_2023_conv.csv"


class RealTrace(CliTest):
    def play(self, node, file, *more):
        return self.silicast("run", "azure-chat-70b", "--set", f"cluster.pools.0.node={node}", "--set", "name=azure-2023",
                             "--set", f"workload={{trace: {{format: azure, file: '{TRACE}'}}}}", "--out", file, *more)

    def test_each_node_serves_the_whole_trace_and_accounts_for_it(self):
        with open(TRACE) as text:
            trace = [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(text)]
        self.assertEqual(len(trace), 19366)
        for node in QUICKSTART_NODES:
            with self.subTest(node=node):
                first = self.play(node, "a.h5")
                again, step = self.play(node, "b.h5"), self.play(node, "c.h5", "--no-leap")
                self.assertEqual(fingerprint_of(first), fingerprint_of(again))
                self.assertEqual(fingerprint_of(first), fingerprint_of(step))
                self.check(Results(self.folder / "a.h5"), trace)

    def check(self, results, trace):
        rows, summary = results.rows, results.summary
        self.assertEqual(list(rows["index"]), list(range(len(trace))))
        self.assertTrue(rows.state.isin(range(len(results.states))).all())
        self.assertEqual(sum(summary[f"requests_{state}"] for state in results.states), len(trace))
        self.assertEqual(list(rows.prompt_tokens), [prompt for prompt, _ in trace])
        done = rows.state == 0
        self.assertEqual(list(rows.output_tokens[done]), [output for (_, output), kept in zip(trace, done) if kept])
        counted = recomputed.time_average_in_system(rows, summary["run_s"])
        for law in ("little_time_average", "little_rate_times_stay"):
            self.assertLess(abs(summary[law] / counted - 1), 1e-6)
        if not summary["unstable"]:
            for key, value in recomputed.summary(results, {"ttft": 2, "tpot": 0.05}).items():
                self.assertAlmostEqual(summary[key], value, delta=1e-9 * abs(value) + 1e-12, msg=key)


if __name__ == "__main__":
    if not TRACE.exists():
        print(f"SKIPPED: there is no {TRACE}; set SILICAST_DATA to a folder that holds traces/azure_llm_2023_conv.csv")
        sys.exit(SKIPPED)
    main()
