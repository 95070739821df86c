"""A sweep that is killed, interrupted, robbed of its workers, of its disk or of a part of its journal goes on to the same bytes."""
import os
import pathlib
import resource
import signal
import subprocess
import time

import numpy as np

import cli_support
from cli_support import CALM, CONFIGS, main
from sweep_support import DONE, RATES, Points, SweepTest, sweep_of

LONGER = CALM.replace("requests: 2000", "requests: 4000")


class SweepResume(SweepTest):
    whole = None

    def start(self, *arguments):
        return subprocess.Popen([cli_support.SILICAST, "sweep", "s.yaml", *arguments], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env={**os.environ, "SILICAST_CONFIGS": str(CONFIGS)})

    def wait_for_journal(self, running, name="a.h5.journal", at_least=8000):
        path = self.folder / name
        while not path.exists() or path.stat().st_size < at_least:
            self.assertIsNone(running.poll(), "the sweep ended before it was disturbed")
            time.sleep(0.002)

    def children_of(self, process):
        children = []
        for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == process and fields[0] != "Z":
                children.append(int(entry.parent.name))
        return children

    def whole_points(self):
        """Writes a sweep of 60 points; gives the bytes of its file after an undisturbed run, of which there is one for all tests."""
        self.write("s.yaml", sweep_of(RATES % 60))
        if SweepResume.whole is None:
            self.assertIn("60 points: 60 done, 0 refused, 0 failed\n", self.sweep("--out", "whole.h5"))
            SweepResume.whole = self.bytes_of("whole.h5")
        return SweepResume.whole

    def resumed(self, whole):
        """Goes on; some points must be there, and the file be that of an undisturbed run. Gives what is said."""
        said = self.sweep("--out", "a.h5")
        self.assertRegex(said, r"; [1-9]\d* were there already\n")
        self.assertNotIn("; 60 were there", said)
        self.assertEqual(self.bytes_of("a.h5"), whole)
        self.assertFalse((self.folder / "a.h5.journal").exists())
        return said

    def full(self, folder, limit):
        environment = {**os.environ, "SILICAST_CONFIGS": str(CONFIGS)}
        done = subprocess.run([cli_support.SILICAST, "sweep", "s.yaml", "--out", f"{folder}/a.h5"], cwd=self.folder, env=environment, capture_output=True,
                              text=True, timeout=60, preexec_fn=limit)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        return done.stderr

    def test_a_killed_sweep_leaves_no_worker_and_goes_on_to_the_same_bytes(self):
        whole = self.whole_points()
        running = self.start("--out", "a.h5", "--workers", "2")
        self.wait_for_journal(running)
        workers = self.children_of(running.pid)
        self.assertEqual(len(workers), 2)
        running.kill()
        running.communicate()
        deadline = time.monotonic() + 5
        while any(pathlib.Path(f"/proc/{worker}").exists() and self.children_of(1).count(worker) for worker in workers):
            self.assertLess(time.monotonic(), deadline, "workers outlive their sweep")
            time.sleep(0.01)
        self.resumed(whole)

    def test_an_interrupted_sweep_says_so_exits_with_130_and_goes_on(self):
        whole = self.whole_points()
        running = self.start("--out", "a.h5", "--workers", "2")
        self.wait_for_journal(running)
        running.send_signal(signal.SIGINT)
        said, complaints = running.communicate(timeout=20)
        self.assertEqual((running.returncode, complaints), (130, ""))
        self.assertTrue(said.endswith("interrupted; the same command goes on from here\n"), said)
        points = Points(self.folder / "a.h5")
        self.assertEqual(points.complete, 0)
        self.assertEqual(set(points.state), {0, DONE})
        self.resumed(whole)

    def test_killed_workers_cost_no_point(self):
        whole = self.whole_points()
        running = self.start("--out", "a.h5", "--workers", "2")
        killed = set()
        for size in (2000, 20000, 40000):
            self.wait_for_journal(running, at_least=size)
            children = self.children_of(running.pid)
            os.kill(children[0], signal.SIGKILL)
            killed.add(children[0])
        said = running.communicate(timeout=60)[0]
        self.assertEqual(len(killed), 3)
        self.assertEqual(running.returncode, 0)
        self.assertIn("60 points: 60 done, 0 refused, 0 failed\n", said)
        self.assertEqual(self.bytes_of("a.h5"), whole)

    def test_a_damaged_journal_is_told_and_what_it_lost_is_computed_again(self):
        whole = self.whole_points()
        running = self.start("--out", "a.h5", "--workers", "2")
        self.wait_for_journal(running)
        running.kill()
        running.communicate()
        journal = bytearray(self.bytes_of("a.h5.journal"))
        journal[len(journal) // 2] ^= 255
        (self.folder / "a.h5.journal").write_bytes(journal)
        (self.folder / "a.h5").unlink(missing_ok=True)
        self.assertIn("\n1 damaged records of the journal\n", self.resumed(whole))

    def test_a_file_that_may_not_grow_stops_the_sweep_with_the_reason_and_with_space_it_goes_on(self):
        whole = self.whole_points()
        said = self.full(".", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)))
        self.assertEqual(said, "error: ./a.h5.journal: cannot write: File too large; the same command goes on from here\n")
        self.resumed(whole)

    def test_a_full_disk_stops_the_sweep_with_the_reason_and_with_space_it_goes_on(self):
        whole = self.whole_points()
        disk = self.folder / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], capture_output=True).returncode != 0:
            self.skipTest("no small disk can be mounted here (needs root)")
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        said = self.full("disk", None)
        self.assertRegex(said, r"^error: disk/a\.h5\S*: .*No space left on device")
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        self.assertRegex(self.sweep("--out", "disk/a.h5"), r"60 done, 0 refused, 0 failed; [1-9]\d* were there already\n")
        self.assertEqual(self.bytes_of("disk/a.h5"), whole)

    def test_rows_that_find_no_space_are_no_fault_of_the_scenario(self):
        self.write("s.yaml", sweep_of(RATES % 3, more="rows: true\n"))
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))  # the journal's records have space
        environment = {**os.environ, "SILICAST_CONFIGS": str(CONFIGS)}
        subprocess.run([cli_support.SILICAST, "sweep", "s.yaml", "--out", "a.h5"], cwd=self.folder, env=environment, capture_output=True, preexec_fn=limit)
        self.assertTrue((self.folder / "a.h5.journal").exists())
        self.assertIn("3 points: 3 done, 0 refused, 0 failed\n", self.sweep("--out", "a.h5"))

    def test_the_file_can_be_read_while_it_is_written_and_is_complete_at_the_end(self):
        self.write("small.yaml", LONGER)
        self.write("s.yaml", sweep_of("  - {key: seed, values: [%s]}\n" % ", ".join(map(str, range(200)))))
        running = self.start("--out", "a.h5", "--workers", "1")
        seen = []
        while running.poll() is None and not seen:
            if (self.folder / "a.h5").exists():
                points = Points(self.folder / "a.h5")
                if not seen or seen[-1][1] != (points.state == DONE).sum():
                    seen.append((points.complete, (points.state == DONE).sum()))
                    self.assertEqual(np.isfinite(points.summary["ttft_mean_s"]).sum(), seen[-1][1])
            time.sleep(0.02)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=20)
        self.assertGreaterEqual(len(seen), 1, "the sweep ended before its first file")
        self.assertEqual(seen[0][0], 0)
        self.assertTrue(0 < seen[0][1] < 200, seen)
        self.write("s.yaml", sweep_of("  - {key: seed, values: [0, 1]}\n"))
        self.assertIn("; 2 were there already", self.sweep("--out", "a.h5"))
        self.assertEqual(Points(self.folder / "a.h5").complete, 1)

    def test_a_second_sweep_into_the_same_file_is_refused(self):
        whole = self.whole_points()
        running = self.start("--out", "a.h5", "--workers", "1")
        self.wait_for_journal(running, at_least=1)
        self.assertEqual(self.refused("sweep", "s.yaml", "--out", "a.h5"), "error: a.h5.journal: another sweep is writing it; give another --out\n")
        running.communicate(timeout=60)
        self.assertEqual(running.returncode, 0)
        self.assertEqual(self.bytes_of("a.h5"), whole)


if __name__ == "__main__":
    main()
