"""What README.md shows works as it stands there: its commands, its scenario, its Python, its links, its claims of tests."""
import contextlib
import io
import os
import re
import subprocess

import cli_support
from cli_support import SOURCE, CliTest, main

README = (SOURCE / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


class Readme(CliTest):
    def setUp(self):
        super().setUp()
        (self.folder / "build").mkdir()
        (self.folder / "build/silicast").symlink_to(cli_support.SILICAST)
        (self.folder / "configs").symlink_to(SOURCE / "configs")

    def shell(self, command):
        done = subprocess.run(["bash", "-c", command], cwd=self.folder, capture_output=True, text=True, timeout=120,
                              env={"PATH": os.environ["PATH"], "SILICAST_CONFIGS": str(SOURCE / "configs")})
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stderr}")
        return done.stdout

    def test_its_commands_run(self):
        lines = [line for block in blocks("sh") for line in block.splitlines()]
        self.assertGreater(len(lines), 5)
        for line in lines:
            with self.subTest(line=line):
                self.assertTrue(self.shell(line).strip())

    def test_its_scenario_runs_and_no_key_of_it_is_without_effect(self):
        (scenario,) = blocks("yaml")
        self.write("my-first.yaml", scenario)
        table = self.shell("./build/silicast run my-first.yaml")
        self.assertIn("written: my-first.h5", table)
        self.assertNotIn("without effect", table)

    def test_its_python_reads_the_result_of_its_command(self):
        (recipe,) = blocks("python")
        self.shell("./build/silicast run azure-chat-70b --set cluster.pools.0.node=hgx-h200 --out h200.h5")
        printed = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(printed):
            exec(recipe, {})
        self.assertRegex(printed.getvalue(), r"count .*\d")

    def test_the_files_that_the_readmes_name_exist(self):
        for readme in [SOURCE / "README.md", *SOURCE.glob("[a-z]*/**/README.md")]:
            if "build" in readme.relative_to(SOURCE).parts:
                continue
            for target in re.findall(r"\]\(([^)#:]+)\)", readme.read_text()):
                self.assertTrue((readme.parent / target).exists(), f"{readme}: {target}")

    def test_the_programs_and_scripts_that_it_names_exist(self):
        for name in re.findall(r"`(tests/[\w/.]+|\./tools/\w+|sim/[\w/.]+\.[ch]pp)`", README):
            self.assertTrue((SOURCE / name).exists(), name)

    def test_every_layer_and_every_folder_of_configs_and_tests_has_a_readme_of_one_screen(self):
        folders = [SOURCE / top for top in ("topology", "workloads", "configs", "tests", "tools")]
        for top in ("sim", "configs", "tests"):
            folders += [path for path in (SOURCE / top).iterdir() if path.is_dir() and path.name != "__pycache__"]
        for folder in folders:
            self.assertTrue((folder / "README.md").exists(), folder)
            self.assertLessEqual(len((folder / "README.md").read_text().splitlines()), 50, folder)

    def test_its_tables_are_readable(self):
        self.assertNotRegex(README, r"\de[+-]\d")


if __name__ == "__main__":
    main()
