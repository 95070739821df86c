"""`cmake --install` gives a program that finds its catalogue and runs from anywhere."""
import shutil
import subprocess

import cli_support
from cli_support import CONFIGS, CliTest, main


class Install(CliTest):
    def test_an_installed_program_finds_its_catalogue_from_another_folder(self):
        prefix, elsewhere = self.folder / "prefix", self.folder / "elsewhere"
        elsewhere.mkdir()
        subprocess.run(["cmake", "--install", cli_support.BUILD, "--prefix", prefix], check=True, capture_output=True)
        program = prefix / "bin/silicast"

        def run(*arguments):
            done = subprocess.run([program, *arguments], cwd=elsewhere, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout

        self.assertIn("ascend-950dt-96", run("list", "chips"))
        self.assertIn("written: out.h5", run("run", "azure-chat-70b", "--set", "workload.arrivals.requests=100", "--out", "out.h5"))
        self.assertTrue((elsewhere / "out.h5").exists())
        installed = {path.relative_to(prefix / "share/silicast/configs") for path in (prefix / "share/silicast/configs").rglob("*.yaml")}
        self.assertEqual(installed, {path.relative_to(CONFIGS) for path in CONFIGS.rglob("*.yaml")})

    def test_a_program_without_a_catalogue_says_so(self):
        lonely = self.folder / "silicast"
        shutil.copyfile(cli_support.SILICAST, lonely)
        lonely.chmod(0o755)
        done = subprocess.run([lonely, "list", "chips"], env={}, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--configs DIR", done.stderr)


if __name__ == "__main__":
    main()
