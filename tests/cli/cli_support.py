"""Shared by the end-to-end tests: the command under test, a folder of one's own, small scenarios, result files read back.
Each test file is run as `python3 test_TOPIC.py SILICAST [BUILD_FOLDER]`."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import h5py
import pandas as pd

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CONFIGS = SOURCE / "configs"
SKIPPED = 77  # ctest's SKIP_RETURN_CODE

# Two chips of unlike speed, few KV blocks (preemption), an impatient client, a prompt limit that some exceed.
ROUGH = """
name: rough
seed: 7
model: llama-3.1-8b
max_context: 4096
workload:
  arrivals: {process: gamma, rate: 24 /s, cv: 2, requests: 3000}
  prompt: {distribution: lognormal, mean: 700, cv: 1.2, max: 6000}
  output: {distribution: lognormal, mean: 150, cv: 1.0, max: 2000}
  timeout: 25 s
cluster:
  pools:
    - {name: fast, node: hgx-h100, replicas: 1, kv_blocks: 900, engine: vllm}
    - {name: slow, node: atlas-800-a2, replicas: 2, kv_blocks: 300, engine: vllm}
router: two_choices
targets: {ttft_p99: 2 s, tpot_p90: 60 ms}
warmup: none
prices: china-2026
output: {series: 1 s}
"""

# Everything is served, on one pool.
CALM = """
name: calm
model: llama-3.1-8b
workload:
  arrivals: {process: poisson, rate: 12 /s, requests: 2000}
  prompt: {distribution: lognormal, mean: 500, cv: 1.0, max: 4000}
  output: {distribution: lognormal, mean: 100, cv: 1.0, max: 1000}
cluster:
  pools:
    - {name: main, node: hgx-h20-96, replicas: 2, engine: vllm}
router: least_loaded
targets: {ttft: 1 s, tpot: 50 ms}
warmup: none
prices: china-2026
"""

SILICAST = ""
BUILD = None


class CliTest(unittest.TestCase):
    """A test with a temporary folder, `self.folder`, in which the command runs."""

    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="silicast-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def silicast(self, *arguments, status=0, cwd=None, configs=CONFIGS):
        """Runs the command; returns its standard output. Fails on another exit status (None: whatever it is)."""
        environment = dict(os.environ)
        environment.pop("SILICAST_CONFIGS", None)
        if configs is not None:
            environment["SILICAST_CONFIGS"] = str(configs)
        done = subprocess.run([SILICAST, *map(str, arguments)], cwd=cwd or self.folder, env=environment,
                              capture_output=True, text=True, timeout=120)
        if status is not None:
            self.assertEqual(done.returncode, status, f"silicast {' '.join(map(str, arguments))}\n{done.stdout[-2000:]}{done.stderr}")
        return done.stdout

    def refused(self, *arguments):
        """What the command, which must exit with 2, says against it."""
        environment = dict(os.environ, SILICAST_CONFIGS=str(CONFIGS))
        done = subprocess.run([SILICAST, *map(str, arguments)], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        return done.stderr

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run_json(self, *arguments):
        return json.loads(self.silicast("run", *arguments, "--format", "json"))["runs"][0]


class Results:
    """A result file, read as the README says, with its latencies in seconds; rows in order of arrival."""

    def __init__(self, path):
        with h5py.File(path, "r") as file:
            self.rows = pd.DataFrame({name: column[:] for name, column in file["requests"].items()}).sort_values("index")
            self.states = file["requests/state"].attrs["names"].split(",")
            self.reasons = file["requests/reason"].attrs["names"].split(",")
            self.summary = dict(file["summary"].attrs)
            self.pools = {name: dict(group.attrs) for name, group in file["summary/pools"].items()}
            self.cost = dict(file["cost"].attrs) if "cost" in file else {}
            self.fingerprint = file["scenario"].attrs["fingerprint"]
            self.yaml = file["scenario"].attrs["yaml"]
        rows = self.rows
        self.done = done = rows[rows.state == 0].copy()
        done["ttft"] = (done.first_token - done.arrival) * 1e-9
        done["e2e"] = (done.completion - done.arrival) * 1e-9
        done["queue"] = (done.scheduled - done.arrival) * 1e-9
        done["tpot"] = ((done.completion - done.first_token) * 1e-9 / (done.output_tokens - 1)).where(done.output_tokens > 1)


def note_accuracy(claim, shown_by, error):
    """One case of a claim of the README's accuracy table, see tests/support/measured_data.hpp."""
    if "SILICAST_ACCURACY" in os.environ:
        with open(os.environ["SILICAST_ACCURACY"], "a") as file:
            file.write(f"{claim}|{shown_by}|{error}\n")


def fingerprint_of(table):
    return table.split("\nfingerprint ")[1].split()[0]


def main():
    global SILICAST, BUILD
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} SILICAST [BUILD_FOLDER]")
    SILICAST = str(pathlib.Path(sys.argv[1]).resolve())
    BUILD = sys.argv[2] if len(sys.argv) > 2 else None
    result = unittest.main(module="__main__", argv=[sys.argv[0]], exit=False).result
    sys.exit(1 if not result.wasSuccessful() else SKIPPED if result.skipped else 0)
