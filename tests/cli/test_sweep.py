"""`silicast sweep`: every point once, in one file of the same bytes at any number of workers."""
import shutil

import h5py
import numpy as np

from cli_support import CONFIGS, main
from sweep_support import DONE, RATES, REFUSED, REPLICAS, Points, SweepTest, sweep_of


class Sweep(SweepTest):
    def check_rows(self, points, replicas):
        """Every run's rows stand in the order of the points and are those of `silicast run`."""
        self.assertEqual(list(points.columns["replicas"]), replicas)
        parts = []
        for i, count in enumerate(replicas):
            if not (self.folder / f"run{count}.h5").exists():
                self.silicast("run", "small.yaml", "--set", f"cluster.pools.0.replicas={count}", "--out", f"run{count}.h5")
            with h5py.File(self.folder / f"run{count}.h5") as file:
                self.assertEqual(points.fingerprints[i], file["scenario"].attrs["fingerprint"])
                parts.append({name: column[:] for name, column in file["requests"].items()})
        self.assertEqual(set(points.requests), set(parts[0]) | {"run"})
        for name in parts[0]:
            self.assertTrue(np.array_equal(points.requests[name], np.concatenate([part[name] for part in parts])), name)
        self.assertEqual(list(points.requests["run"]), [i for i, part in enumerate(parts) for _ in part["index"]])

    def sweep_refused(self, *arguments):
        """What is said; nothing may have been written."""
        before = {name: (self.folder / name).read_bytes() for name in self.files() if (self.folder / name).is_file()}
        said = self.refused("sweep", "s.yaml", *arguments)
        self.assertEqual(self.files(), sorted(before), "something was written")
        self.assertEqual({name: (self.folder / name).read_bytes() for name in before}, before)
        return said

    def test_the_file_is_the_same_byte_for_byte_at_any_number_of_workers(self):
        self.write("s.yaml", sweep_of(RATES % 4, REPLICAS % "1, 2, 9", more="replications: 2\n"))
        for workers in (1, 2, 5):
            self.assertIn("24 points: 16 done, 8 refused, 0 failed\n", self.sweep("--out", f"{workers}.h5", "--workers", workers))
        self.assertEqual(self.bytes_of("1.h5"), self.bytes_of("2.h5"))
        self.assertEqual(self.bytes_of("1.h5"), self.bytes_of("5.h5"))
        self.assertEqual(self.files(), ["1.h5", "2.h5", "5.h5", "s.yaml", "small.yaml"])
        points = Points(self.folder / "1.h5")
        self.assertEqual(list(points.columns["point"]), [i // 2 for i in range(24)])
        self.assertEqual(list(points.columns["replication"]), [0, 1] * 12)
        self.assertEqual(list(points.columns["replicas"]), [1, 1, 2, 2, 9, 9] * 4)
        self.assertEqual(points.complete, 1)

    def test_a_second_start_of_a_complete_sweep_computes_nothing_and_changes_no_byte(self):
        self.write("s.yaml", sweep_of(RATES % 5))
        self.sweep("--out", "a.h5")
        before = self.bytes_of("a.h5")
        self.assertIn("5 done, 0 refused, 0 failed; 5 were there already\n", self.sweep("--out", "a.h5"))
        self.assertEqual(self.bytes_of("a.h5"), before)

    def test_a_refused_point_is_recorded_with_its_message_and_stops_no_other(self):
        self.write("s.yaml", sweep_of("  - {key: cluster.pools.0.layout.tensor, name: tp, values: [1, 16, 2]}\n"))
        said = self.sweep("--out", "a.h5")
        points = Points(self.folder / "a.h5")
        self.assertEqual(list(points.state), [DONE, REFUSED, DONE])
        self.assertIn("3 points: 2 done, 1 refused, 0 failed\n", said)
        message = points.columns["message"][1]
        self.assertEqual(message, "s.yaml: cluster.pools[0].layout: a replica needs 16 chips, the pool has 8 (1 nodes of 8)")
        self.assertIn(f"  1 x {message}\n", said)
        self.assertEqual([points.columns["message"][0], points.columns["message"][2]], ["", ""])
        self.assertTrue(all(np.isnan(column[1]) for column in points.summary.values()))

    def test_the_summary_is_that_of_run_with_the_same_settings(self):
        self.write("s.yaml", sweep_of(RATES % 2, REPLICAS % "1, 2", more="replications: 2\n"))
        self.sweep("--out", "a.h5")
        points = Points(self.folder / "a.h5")
        for i in range(8):
            run = self.run_json("small.yaml", "--set", f"workload.arrivals.rate={points.columns['rate'][i]:.6g} /s", "--set",
                                f"cluster.pools.0.replicas={points.columns['replicas'][i]:.0f}", "--set", f"seed={1 + points.columns['replication'][i]}")
            self.assertEqual(points.fingerprints[i], run["fingerprint"])
            compared = 0
            for key, value in run["summary"].items():
                if key in points.summary:
                    stored = points.summary[key][i]
                    self.assertTrue(np.isnan(stored) if value is None else stored == value, f"{key}: JSON {value}, file {stored}")
                    compared += value is not None
            self.assertGreater(compared, 80)
        self.assertEqual(len(set(points.fingerprints)), 8)

    def test_rows_are_those_of_the_runs_also_after_the_points_changed_their_places(self):
        for replicas in ([1, 2, 3], [3, 1, 2], [2, 4]):
            self.write("s.yaml", sweep_of(REPLICAS % ", ".join(map(str, replicas)), more="rows: true\n"))
            said = self.sweep("--out", "out/a.h5")
            self.check_rows(Points(self.folder / "out/a.h5"), replicas)
        self.assertIn("; 1 were there already\n", said)

    def test_rows_that_are_gone_are_computed_again(self):
        self.write("s.yaml", sweep_of(REPLICAS % "1, 2", more="rows: true\n"))
        self.sweep("--out", "a.h5")
        next((self.folder / "a.h5.rows").iterdir()).unlink()
        self.assertIn("; 1 were there already\n", self.sweep("--out", "a.h5"))
        self.check_rows(Points(self.folder / "a.h5"), [1, 2])

    def test_requests_of_points_that_are_the_same_scenario_stand_once(self):
        self.write("s.yaml", sweep_of(REPLICAS % "1, 2, 1", more="rows: true\n"))
        self.sweep("--out", "a.h5")
        points = Points(self.folder / "a.h5")
        self.assertEqual(points.fingerprints[0], points.fingerprints[2])
        self.assertEqual(list(points.requests["run"]), [0] * 40 + [1] * 40)

    def test_a_sweep_with_one_more_value_computes_that_alone(self):
        self.write("s.yaml", sweep_of(REPLICAS % "1, 3"))
        self.sweep("--out", "a.h5")
        self.write("s.yaml", sweep_of(REPLICAS % "1, 2, 3"))
        self.assertIn("3 done, 0 refused, 0 failed; 2 were there already\n", self.sweep("--out", "a.h5"))
        self.sweep("--out", "b.h5")
        self.assertEqual(self.bytes_of("a.h5"), self.bytes_of("b.h5"))

    def test_more_replications_compute_the_new_ones_alone(self):
        self.write("s.yaml", sweep_of(REPLICAS % "1, 2"))
        self.sweep("--out", "a.h5")
        self.assertIn("6 done, 0 refused, 0 failed; 2 were there already\n", self.sweep("--out", "a.h5", "--set", "replications=3"))

    def test_a_changed_chip_is_computed_again(self):
        self.write("s.yaml", sweep_of(REPLICAS % "1, 2"))
        copy = self.folder / "configs"
        shutil.copytree(CONFIGS, copy)
        self.sweep("--out", "a.h5", configs=copy)
        before = Points(self.folder / "a.h5")
        self.assertIn("; 2 were there already", self.sweep("--out", "a.h5", configs=copy))
        chip = copy / "chips/h20-96.yaml"
        text = chip.read_text()
        changed = text.replace("4.0 TB/s", "3.0 TB/s")
        self.assertNotEqual(changed, text)
        chip.write_text(changed)
        said = self.sweep("--out", "a.h5", configs=copy)
        self.assertIn("2 points: 2 done, 0 refused, 0 failed\n", said)
        after = Points(self.folder / "a.h5")
        self.assertTrue((after.summary["tpot_mean_s"] > before.summary["tpot_mean_s"]).all())

    def test_a_file_of_somebody_else_is_refused_and_left_alone(self):
        self.write("s.yaml", sweep_of(REPLICAS % "1"))
        with h5py.File(self.folder / "other.h5", "w") as file:
            file["x"] = [1]
        self.assertEqual(self.sweep_refused("--out", "other.h5"), "error: other.h5: is there and no sweep's; give another name\n")
        self.silicast("run", "small.yaml", "--out", "run.h5")
        self.assertEqual(self.sweep_refused("--out", "run.h5"), "error: run.h5: is there and no sweep's; give another name\n")
        self.write("notes.txt", "of mine")
        self.assertEqual(self.sweep_refused("--out", "notes.txt"), "error: notes.txt: is not an HDF5 file\n")

    def test_mistakes_in_a_sweep_are_named_and_nothing_is_written(self):
        for text, said in {
            sweep_of(REPLICAS % "1", more="row: true\n"):
                "s.yaml:5:1: row: unknown key; did you mean 'rows'? (known: axes, drop, name, output, replications, rows, sample, scenario)",
            sweep_of(REPLICAS % "1").replace("small", "smal"): "s.yaml:2:11: scenario: 'smal.yaml' cannot be read; does it exist?",
            sweep_of(REPLICAS % "1, 2", more="drop: [{replicas: [1, 2]}]\n"): "s.yaml: drop: leaves no point",
            sweep_of("  - {key: router.x, values: [1]}\n"): "s.yaml: router.x: 'x' lies below a plain value",
        }.items():
            self.write("s.yaml", text)
            self.assertEqual(self.sweep_refused("--out", "a.h5"), f"error: {said}\n")
        self.write("s.yaml", sweep_of(REPLICAS % "1"))
        self.assertEqual(self.sweep_refused(), "error: sweep into what? give --out FILE.h5, or `output` in the sweep\n")

    def test_a_dry_run_lists_the_points_and_writes_nothing(self):
        self.write("s.yaml", sweep_of(REPLICAS % "1, 2", "  - {name: r, cases: {a: {router: random}, b: {}}}\n",
                                      more="replications: 2\noutput: a.h5\ndrop: [{replicas: 1, r: b}]\n"))
        before = self.files()
        self.assertEqual([line.split() for line in self.sweep("--dry-run").splitlines()],
                         [["0", "0", "replicas=1", "r=a"], ["0", "1", "replicas=1", "r=a"], ["1", "0", "replicas=2", "r=a"],
                          ["1", "1", "replicas=2", "r=a"], ["2", "0", "replicas=2", "r=b"], ["2", "1", "replicas=2", "r=b"]])
        self.assertEqual(self.files(), before)

    def test_output_of_the_sweep_is_where_the_file_goes(self):
        self.write("s.yaml", sweep_of(REPLICAS % "1", more="output: results/a.h5\n"))
        self.assertIn("written: results/a.h5\n", self.sweep())
        self.assertEqual(Points(self.folder / "results/a.h5").complete, 1)


if __name__ == "__main__":
    main()
