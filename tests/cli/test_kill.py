"""A run killed by SIGKILL in its middle: what is lost, what `silicast recover` gives back."""
import os
import pty
import re
import signal
import subprocess

import h5py
import numpy as np

import cli_support
from cli_support import CALM, CONFIGS, CliTest, main

CHUNK = 65_536  # rows that are written at once
REQUESTS = 600_000


class Kill(CliTest):
    def kill_once(self, more_than):
        """Starts the run on a terminal and kills it once its progress line counts that many ended requests; gives the count
        of the last line seen, which the rows in memory and on disk together have passed."""
        master, terminal = pty.openpty()
        running = subprocess.Popen([cli_support.SILICAST, "run", "long.yaml", "--out", "long.h5"], cwd=self.folder, stderr=terminal,
                                   stdout=subprocess.DEVNULL, env={**os.environ, "SILICAST_CONFIGS": str(CONFIGS)})
        os.close(terminal)
        ended = 0
        try:
            while ended <= more_than:
                line = os.read(master, 4096).decode()
                for arrived, inside in re.findall(r"(\d+) requests, (\d+) in the system", line):
                    ended = int(arrived) - int(inside)
        finally:
            if (self.folder / "long.h5.part").exists() and ended > more_than > 0:
                self.silicast("recover", "long.h5.part", "--out", "live.h5", status=2)  # its run is still writing it
            running.send_signal(signal.SIGKILL)
            status = running.wait()
            os.close(master)
        self.assertEqual(status, -signal.SIGKILL, "the run ended before it was killed")
        return ended

    def test_a_killed_run_loses_at_most_the_rows_of_the_unwritten_chunk(self):
        self.write("long.yaml", CALM.replace("requests: 2000", f"requests: {REQUESTS}"))
        self.silicast("run", "long.yaml", "--out", "whole.h5")
        with h5py.File(self.folder / "whole.h5") as file:
            whole = {name: column[:] for name, column in file["requests"].items()}
        self.assertEqual(len(whole["index"]), REQUESTS)
        for more_than in (0, 100_000, 250_000):
            with self.subTest(more_than=more_than):
                ended = self.kill_once(more_than)
                self.assertFalse((self.folder / "long.h5").exists())
                self.assertRegex(self.silicast("recover", "long.h5.part"), r"^written: long\.recovered\.h5 \(\d+ rows")
                with h5py.File(self.folder / "long.recovered.h5") as file:
                    rows = {name: column[:] for name, column in file["requests"].items()}
                kept = len(rows["index"])
                self.assertGreaterEqual(kept, ended - CHUNK)
                for name, column in rows.items():
                    self.assertTrue(np.array_equal(column, whole[name][:kept]), f"{name}: not the rows of an undisturbed run")
                (self.folder / "long.h5.part").unlink()
                (self.folder / "long.recovered.h5").unlink()

    def test_a_killed_run_leaves_an_earlier_result_alone(self):
        self.write("long.yaml", CALM.replace("requests: 2000", f"requests: {REQUESTS}"))
        earlier = b"\x89HDF\r\n\x1a\nof an earlier run"
        (self.folder / "long.h5").write_bytes(earlier)
        self.kill_once(0)
        self.assertEqual((self.folder / "long.h5").read_bytes(), earlier)


if __name__ == "__main__":
    main()
