"""Files that are no plain files, and places where no result may be written: an exact message, exit status 2, nothing touched."""
import os
import pathlib
import random
import resource
import shutil
import socket
import subprocess
import sys
import unittest

import h5py

import cli_support
from cli_support import CALM, CONFIGS, CliTest, main

ALREADY = "exists and is not a result of silicast; give another name"
NO_FILE = "is not a regular file; give another name"
SAVE_IT = "is not a regular file; save it to a file first"
NOBODY = 65534


class Files(CliTest):
    def error(self, *arguments, **how):
        """Runs the command, which must end with status 2, say one line on standard error and leave the folder as it was."""
        before = self.listing()
        done = subprocess.run([cli_support.SILICAST, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "SILICAST_CONFIGS": str(CONFIGS)}, **how)
        self.assertEqual((done.returncode, done.stdout, self.listing()), (2, "", before), done.stderr)
        self.assertRegex(done.stderr, r"\Aerror: [^\n]*\n\Z")
        return done.stderr[len("error: "):-1]

    def listing(self):
        return {path.name: (os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else path.lstat().st_mode)
                for path in self.folder.iterdir()}

    def out(self, name):
        """The message when a run is to write there, behind the place that names it."""
        message = self.error("run", "calm.yaml", "--out", name)
        start = f"--out {name}: output.file: "
        self.assertTrue(message.startswith(start), message)
        return message[len(start):]

    def setUp(self):
        super().setUp()
        self.write("calm.yaml", CALM)

    def test_a_result_replaces_an_earlier_one_and_an_empty_file(self):
        (self.folder / "out.h5").touch()
        self.silicast("run", "calm.yaml", "--out", "out.h5")
        first = (self.folder / "out.h5").read_bytes()
        self.silicast("run", "calm.yaml", "--out", "out.h5")
        self.assertEqual((self.folder / "out.h5").read_bytes(), first)
        os.symlink("out.h5", self.folder / "link.h5")
        self.silicast("run", "calm.yaml", "--out", "link.h5")

    def test_a_result_never_replaces_an_input_by_whatever_name(self):
        self.write("lengths.csv", "value,weight\n50,1\n")
        self.write("calm.yaml", CALM.replace("{distribution: lognormal, mean: 100, cv: 1.0, max: 1000}", "{distribution: histogram, file: lengths.csv}"))
        os.link(self.folder / "lengths.csv", self.folder / "hard.h5")
        os.symlink("lengths.csv", self.folder / "soft.h5")
        for name in ("calm.yaml", "./calm.yaml", "lengths.csv", "hard.h5", "soft.h5", str(self.folder / "calm.yaml")):
            self.assertEqual(self.out(name), f"{name}: {ALREADY}")

    def test_a_result_is_not_written_onto_what_is_no_plain_file(self):
        os.mkfifo(self.folder / "fifo.h5")
        os.symlink("fifo.h5", self.folder / "to_fifo.h5")
        os.symlink("nothing", self.folder / "broken.h5")
        os.symlink("loop.h5", self.folder / "loop.h5")
        (self.folder / "folder.h5").mkdir()
        os.mkfifo(self.folder / "new.h5.part")
        os.symlink("nothing", self.folder / "other.h5.part")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(self.folder / "socket.h5"))
        for name in ("fifo.h5", "to_fifo.h5", "socket.h5", "/dev/null"):
            self.assertEqual(self.out(name), f"{name}: {NO_FILE}")
        self.assertEqual(self.out("broken.h5"), "broken.h5: is a link to nothing; give another name")
        self.assertEqual(self.out("loop.h5"), "loop.h5: cannot create: Too many levels of symbolic links")
        self.assertEqual(self.out("folder.h5"), "folder.h5: is a directory")
        self.assertEqual(self.out("new.h5"), f"new.h5.part: {NO_FILE}")
        self.assertEqual(self.out("other.h5"), "other.h5.part: is a link to nothing; give another name")
        self.assertTrue(pathlib.Path("/dev/null").is_char_device())

    def test_a_name_that_is_too_long_is_refused(self):
        name = "x" * 300
        self.assertEqual(self.out(name), f"{name}: cannot create: File name too long")
        name = "x" * 253  # its part is too long
        self.assertEqual(self.out(name), f"{name}.part: cannot create: File name too long")

    def test_the_part_of_a_killed_run_is_kept_and_that_of_a_running_one_is_told_apart(self):
        self.write("long.yaml", CALM.replace("requests: 2000", "requests: 3000000"))
        running = subprocess.Popen([cli_support.SILICAST, "run", "long.yaml", "--out", "out.h5"], cwd=self.folder, stderr=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, env={**os.environ, "SILICAST_CONFIGS": str(CONFIGS)})
        part = self.folder / "out.h5.part"
        while not part.exists() or part.stat().st_size < 100_000:
            self.assertIsNone(running.poll())
        # The part grows meanwhile, so that the folder cannot be compared.
        done = subprocess.run([cli_support.SILICAST, "run", "calm.yaml", "--out", "out.h5"], cwd=self.folder, capture_output=True, text=True,
                              env={**os.environ, "SILICAST_CONFIGS": str(CONFIGS)})
        running.kill()
        running.wait()
        self.assertEqual(done.stderr, "error: --out out.h5: output.file: out.h5.part: is being written by another run; give another name\n")
        self.assertEqual(self.out("out.h5"), "out.h5.part: was left by a run that did not end; read it by 'silicast recover out.h5.part' or remove it")
        self.silicast("recover", "out.h5.part")

    def test_inputs_that_are_no_plain_files_are_refused(self):
        os.mkfifo(self.folder / "fifo")
        self.assertEqual(self.error("check", "fifo"), f"fifo: {SAVE_IT}")
        self.assertEqual(self.error("run", "/dev/stdin", stdin=subprocess.PIPE), f"/dev/stdin: {SAVE_IT}")
        self.assertEqual(self.error("check", "/dev/zero"), f"/dev/zero: {SAVE_IT}")
        for workload, place in (("trace: {format: azure, file: fifo}", "4:32: workload.trace.file"),
                                ("closed_loop: {concurrency: 1, requests: 1}\n  prompt: {distribution: histogram, file: fifo}\n"
                                 "  output: {distribution: fixed, tokens: 9}", "5:43: workload.prompt.file")):
            head, _, tail = CALM[1:].partition("workload:\n")
            self.write("odd.yaml", f"{head}workload:\n  {workload}\n{tail[tail.index('cluster:'):]}")
            self.assertEqual(self.error("run", "odd.yaml"), f"odd.yaml:{place}: 'fifo' {SAVE_IT}")
        self.write("odd.yaml", CALM[1:].replace("model: llama-3.1-8b", "model: {huggingface: fifo}"))
        self.assertEqual(self.error("run", "odd.yaml"), f"odd.yaml:2:22: model.huggingface: 'fifo' {SAVE_IT}")
        self.assertEqual(self.error("recover", "fifo"), "fifo: is not a regular file")
        self.assertEqual(self.error("compare", "fifo"), "fifo: is not a regular file")

    def test_an_error_of_the_disk_is_told_as_such(self):
        self.assertEqual(self.error("check", "/proc/self/mem"), "/proc/self/mem: cannot be read: Input/output error")
        self.write("odd.yaml", CALM[1:].replace("{process: poisson, rate: 12 /s, requests: 2000}", "").replace("  arrivals: ", "  trace: {format: azure, file: /proc/self/mem}"))
        lines = (self.folder / "odd.yaml").read_text().split("\n")
        self.write("odd.yaml", "\n".join(line for line in lines if not line.startswith(("  prompt", "  output"))))
        self.assertEqual(self.error("run", "odd.yaml"), "/proc/self/mem: cannot be read: Input/output error")

    @unittest.skipIf(os.getuid() != 0, "only root can become somebody else")
    def test_what_may_not_be_read_or_written_says_so(self):
        os.chmod(self.folder, 0o755)
        secret = self.write("secret.yaml", "x: 1")
        os.chmod(secret, 0)
        inner = self.folder / "inner"
        inner.mkdir()
        os.chmod(inner, 0o700)
        program = shutil.copy(cli_support.SILICAST, self.folder / "silicast")
        configs = shutil.copytree(CONFIGS, self.folder / "configs")
        for path in (configs, *configs.rglob("*")):
            os.chmod(path, 0o755)

        def error(*arguments):
            done = subprocess.run([program, *arguments], cwd=self.folder, capture_output=True, text=True, user=NOBODY, group=NOBODY, extra_groups=[],
                                  env={"SILICAST_CONFIGS": str(configs)})
            self.assertEqual(done.returncode, 2, done.stderr)
            return done.stderr
        self.assertEqual(error("check", "secret.yaml"), "error: secret.yaml: cannot be read: Permission denied\n")
        self.assertEqual(error("check", "inner/a.yaml"), "error: inner/a.yaml: cannot be read: Permission denied\n")
        self.assertEqual(error("run", "calm.yaml", "--out", "inner/a.h5"),
                         "error: --out inner/a.h5: output.file: inner/a.h5: cannot create: Permission denied\n")
        self.assertEqual(error("run", "calm.yaml", "--out", "a.h5"),
                         "error: --out a.h5: output.file: a.h5.part: cannot create: Permission denied\n")

    def test_a_full_disk_keeps_the_rows_before(self):
        self.write("long.yaml", CALM.replace("requests: 2000", "requests: 300000"))
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
        done = subprocess.run([cli_support.SILICAST, "run", "long.yaml", "--out", "out.h5"], cwd=self.folder, capture_output=True, text=True,
                              env={**os.environ, "SILICAST_CONFIGS": str(CONFIGS)}, preexec_fn=limit)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr, "error: out.h5.part: cannot write: File too large; 'silicast recover out.h5.part' reads the rows before\n")
        self.assertFalse((self.folder / "out.h5").exists())
        self.silicast("recover", "out.h5.part")
        with h5py.File(self.folder / "out.recovered.h5") as file:
            self.assertGreaterEqual(len(file["requests/index"]), 65_536)

    def test_a_damaged_part_is_recovered_or_refused_and_never_crashes(self):
        self.write("long.yaml", CALM.replace("requests: 2000", "requests: 150000"))
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_200_000, 2_200_000))
        subprocess.run([cli_support.SILICAST, "run", "long.yaml", "--out", "out.h5"], cwd=self.folder, capture_output=True,
                       env={**os.environ, "SILICAST_CONFIGS": str(CONFIGS)}, preexec_fn=limit)
        part = self.folder / "out.h5.part"
        whole = part.read_bytes()
        random.seed(5)
        refused = 0
        for trial in range(60):
            damaged = bytearray(whole)
            # Where the structure lies: half of the places in the first 32 KiB, the others anywhere.
            for _ in range(1 + trial % 8):
                place = random.randrange(1 << 15 if trial % 2 else len(whole))
                damaged[place] ^= random.randrange(1, 256)
            part.write_bytes(damaged)
            done = subprocess.run([cli_support.SILICAST, "recover", "out.h5.part"], cwd=self.folder, capture_output=True, text=True, timeout=60)
            self.assertIn(done.returncode, (0, 2), f"{trial}: {done.stderr}")
            self.assertEqual(part.read_bytes(), damaged)
            left = ["long.yaml", "calm.yaml", "out.h5.part"] + ([] if done.returncode else ["out.recovered.h5"])
            self.assertEqual(sorted(path.name for path in self.folder.iterdir()), sorted(left), f"{trial}: {done.stderr}")
            if done.returncode:
                refused += 1
                self.assertRegex(done.stderr, r"\Aerror: out\.h5\.part: [^\n]+\n\Z")
            else:
                (self.folder / "out.recovered.h5").unlink()
        self.assertGreater(refused, 5)

    def test_a_disk_that_is_full_from_the_start_leaves_nothing(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        self.assertRegex(self.error("run", "calm.yaml", "--out", "out.h5", preexec_fn=limit), r"out\.h5\.part: cannot (create|write)")


if __name__ == "__main__":
    main()
