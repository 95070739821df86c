"""The plots that tools/ draws of what `silicast validate` and `silicast trace info` print."""
import importlib.util
import sys

if importlib.util.find_spec("matplotlib") is None:
    print("SKIPPED: no matplotlib (Debian: python3-matplotlib)", file=sys.stderr)
    sys.exit(77)

import subprocess

from cli_support import SOURCE, CliTest, main

CASE = """
name: case
model: llama-3.1-8b
workload:
  closed_loop: {concurrency: 4, requests: 40}
  prompt: {distribution: fixed, tokens: 200}
  output: {distribution: fixed, tokens: 20}
cluster: {pools: [{name: main, node: hgx-h100, replicas: 1, engine: {base: vllm}}]}
source: "made up"
group: one
measured: {ttft_mean: 40 ms, tpot_mean: 8 ms}
"""

TRACE = "arrival_ns,prompt_tokens,output_tokens,blocks\n" + "".join(
    f"{i * 500_000_000},{64 + 16 * (i % 7)},{5 + i % 11},{' '.join(str(100 * (i % 3) + b) for b in range(4))}\n" for i in range(200))


class Plots(CliTest):
    def draws(self, tool, name, out, start):
        subprocess.run([SOURCE / "tools" / tool, name, "--out", out], cwd=self.folder, check=True)
        self.assertTrue((self.folder / out).read_bytes().startswith(start))

    def test_a_report_of_comparisons_is_drawn(self):
        self.write("cases/case-1.yaml", CASE)
        self.write("report.json", self.silicast("validate", "--format", "json", "--data", "cases", "--only", "case_file,case-*"))
        self.draws("validation_plot", "report.json", "plot.png", b"\x89PNG")

    def test_curves_of_a_trace_are_drawn(self):
        self.write("t.csv", TRACE)
        self.write("t.json", self.silicast("trace", "info", "csv:t.csv", "--set", "block_tokens=16", "--curves"))
        self.draws("trace_plot", "t.json", "t.png", b"\x89PNG")
        self.draws("trace_plot", "t.json", "t.svg", b"<?xml")


if __name__ == "__main__":
    main()
