"""`silicast sweep --on slurm` against a real Slurm of four nodes on this machine, with nodes, the controller and whoever follows the job
killed in mid-sweep: every point once, the same bytes as on this machine alone."""
import os
import signal
import subprocess
import tempfile
import time

import h5py
import numpy

import cli_support
import slurm_lab
from cli_support import CONFIGS, CliTest, main

SCENARIO = """
name: small
model: llama-3.1-8b
workload:
  arrivals: {process: poisson, rate: 4 /s, requests: 60000}
  prompt: {distribution: fixed, tokens: 300}
  output: {distribution: fixed, tokens: 50}
cluster: {pools: [{name: main, node: hgx-h20-96, replicas: 2, engine: vllm}]}
warmup: none
"""

SWEEP = """
name: small
scenario: ./s.yaml
axes: [{key: workload.arrivals.rate, name: rate, linear: [1 /s, 40 /s], points: 64}]
"""


class Slurm(CliTest):
    @classmethod
    def setUpClass(cls):
        if not slurm_lab.installed():
            raise cli_support.unittest.SkipTest("SKIPPED: no slurmctld, slurmd and sbatch here, or not root (tools/packages names slurm-wlm)")
        cls.lab_folder = tempfile.TemporaryDirectory(prefix="silicast-slurm-")
        cls.lab = slurm_lab.SlurmLab(cls.lab_folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.lab.stop()
        cls.lab_folder.cleanup()

    def setUp(self):
        super().setUp()
        self.lab.all_idle()
        self.write("s.yaml", SCENARIO)
        self.write("sweep.yaml", SWEEP)

    def start(self):
        return subprocess.Popen([cli_support.SILICAST, "sweep", "sweep.yaml", "--out", "slurm.h5", "--on", "slurm"], cwd=self.folder,
                                env=dict(os.environ, SILICAST_CONFIGS=str(CONFIGS)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def wait_for_results(self, running):
        """Until some points are there, while others are not."""
        end = time.monotonic() + 60
        while time.monotonic() < end and running.poll() is None:
            sizes = sum(path.stat().st_size for path in (self.folder / "slurm.h5.shards").glob("*.journal")) if (
                self.folder / "slurm.h5.shards").is_dir() else 0
            if sizes > 0:
                return
            time.sleep(0.05)
        self.fail(f"no results: {running.communicate()[0]}")

    def job(self):
        return (self.folder / "slurm.h5.shards/job").read_text()

    def check_whole(self, running):
        out, _ = running.communicate(timeout=240)
        self.assertEqual(running.returncode, 0, out)
        self.assertIn("64 points: 64 done, 0 refused, 0 failed", out)
        self.silicast("sweep", "sweep.yaml", "--out", "local.h5")
        self.assertEqual((self.folder / "slurm.h5").read_bytes(), (self.folder / "local.h5").read_bytes())
        with h5py.File(self.folder / "slurm.h5") as file:
            self.assertTrue(numpy.array_equal(file["points/point"][:], numpy.arange(64)))
            self.assertEqual(len(set(file["points/key"][:])), 64)
        self.assertFalse((self.folder / "slurm.h5.shards").exists())
        self.assertFalse((self.folder / "slurm.h5.journal").exists())

    def test_an_array_gives_what_one_machine_gives(self):
        self.check_whole(self.start())

    def test_a_node_that_dies_in_mid_sweep_costs_nothing_but_time(self):
        running = self.start()
        self.wait_for_results(running)
        job = self.job()
        node = int(self.lab.words("squeue", "-h", "-t", "R", "-o", "%N")[0].lstrip("n"))
        self.lab.kill_node(node)
        self.lab.wait(lambda: not self.lab.words("squeue", "-h", "-t", "R", "-w", f"n{node}", "-o", "%i"), "requeue")
        # Slurm holds back what it requeued for two minutes.
        while running.poll() is None:
            time.sleep(1)
            subprocess.run(["scontrol", "update", f"jobid={job}", "StartTime=now"], capture_output=True)
        self.check_whole(running)
        self.lab.start_node(node)

    def test_a_controller_that_dies_in_mid_sweep_is_waited_for(self):
        running = self.start()
        self.wait_for_results(running)
        self.lab.wait_for_saved_jobs()
        self.lab.kill_controller()
        time.sleep(2)
        self.lab.start_controller()
        while running.poll() is None:
            time.sleep(1)
            self.lab.resume()
        self.check_whole(running)

    def test_whoever_followed_and_was_killed_follows_again_the_same_job(self):
        running = self.start()
        self.wait_for_results(running)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        job = self.job()
        again = self.start()
        time.sleep(1)
        if (self.folder / "slurm.h5.shards/job").exists():
            self.assertEqual(self.job(), job)
        self.check_whole(again)

    def test_a_corrupt_shard_is_computed_again(self):
        running = self.start()
        self.wait_for_results(running)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        subprocess.run(["scancel", self.job()], check=True)
        self.lab.wait(lambda: not self.lab.words("squeue", "-h", "-o", "%i"), "empty queue")
        shard = max((self.folder / "slurm.h5.shards").glob("*.journal"), key=lambda path: path.stat().st_size)
        damaged = bytearray(shard.read_bytes())
        damaged[len(damaged) // 2] ^= 0x55
        shard.write_bytes(damaged)
        self.check_whole(self.start())

    def test_a_dry_run_prints_the_script_and_submits_nothing(self):
        script = self.silicast("sweep", "sweep.yaml", "--out", "x.h5", "--on", "slurm", "--sbatch=--partition=long", "--dry-run")
        for line in ("#!/bin/sh", "#SBATCH --array=0-7", "#SBATCH --requeue", "#SBATCH --open-mode=append", "#SBATCH --partition=long"):
            self.assertIn(line + "\n", script)
        self.assertEqual(self.lab.words("squeue", "-h", "-o", "%i"), [])
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["s.yaml", "sweep.yaml"])

    def test_what_sbatch_says_against_it_is_passed_on(self):
        self.assertIn("--on slurm: sbatch refuses: sbatch: error: ", self.refused("sweep", "sweep.yaml", "--out", "x.h5", "--on", "slurm", "--sbatch=--partition=none"))


if __name__ == "__main__":
    main()
