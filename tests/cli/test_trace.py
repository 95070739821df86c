"""silicast trace: files of requests converted, cut, merged, described and generated, seen from outside."""
import csv
import gzip
import json
import os
import pathlib
import unittest

import h5py
import numpy as np

from cli_support import SOURCE, CliTest, Results, main

MOONCAKE = (pathlib.Path(os.environ.get("SILICAST_DATA", SOURCE / "../shared/data")).resolve()
            / "traces/mooncake_fast25_conversation.jsonl.gz")

# Three stamps of 3 s; request 3 begins as request 0 does.
SMALL = [(0, 1100, 30, [0, 1, 2]), (0, 40, 2, [3]), (3000, 512, 7, [4]), (6000, 1500, 9, [0, 1, 5]), (6000, 1, 1, [6])]

SCENARIO = """
name: gen
model: llama-3.1-8b
workload:
  arrivals: {process: poisson, rate: 5 /s, requests: 300}
  prompt: {distribution: lognormal, mean: 500, cv: 1, max: 4000}
  output: {distribution: fixed, tokens: 100}
  timeout: 10 s
cluster: {pools: [{name: main, node: hgx-h20-96, replicas: 1, engine: vllm}]}
router: least_loaded
"""


def mooncake_lines(rows):
    return "".join(json.dumps({"timestamp": t, "input_length": p, "output_length": o, "hash_ids": ids}) + "\n"
                   for t, p, o, ids in rows)


class Trace(CliTest):
    def setUp(self):
        super().setUp()
        self.write("m.jsonl", mooncake_lines(SMALL))

    def info(self, *arguments):
        return json.loads(self.silicast("trace", "info", *arguments, "--json"))

    def test_info_counts_what_the_trace_holds(self):
        info = self.info("mooncake:m.jsonl", "--set", "spread=none")
        self.assertEqual(info["requests"], 5)
        self.assertEqual(info["span_s"], 6.0)
        self.assertEqual(info["rate"], 4 / 6)
        gaps = [0, 3, 3, 0]
        self.assertAlmostEqual(info["gap_cv"], np.std(gaps) / np.mean(gaps))
        self.assertEqual(info["zero_gaps"], 0.5)
        self.assertEqual(info["prompt_tokens"], {"mean": 630.6, "p50": 512, "p99": 1500, "max": 1500})
        self.assertEqual(info["output_tokens"], {"mean": 9.8, "p50": 7, "p99": 30, "max": 30})
        self.assertEqual((info["block_tokens"], info["blocks"], info["seen_blocks"]), (512, 9, 2))
        text = self.silicast("trace", "info", "mooncake:m.jsonl")
        self.assertIn("prefix reuse        0.2222: of 9 blocks of 512 tokens, 2 were seen before", text)
        self.assertIn("arrivals of one stamp spread evenly to the next", text)

    def test_any_format_to_hdf5_and_on_gives_the_same_bytes(self):
        self.silicast("trace", "convert", "mooncake:m.jsonl", "--out", "a.h5")
        self.silicast("trace", "convert", "mooncake:m.jsonl", "--out", "b.h5")
        first = (self.folder / "a.h5").read_bytes()
        self.assertEqual(first, (self.folder / "b.h5").read_bytes())
        for name, more in (("c.csv", []), ("d.jsonl", []), ("e.jsonl", ["--as", "mooncake"])):
            with self.subTest(name):
                self.silicast("trace", "convert", "a.h5", "--out", name, *more)
                source, settings = ((f"mooncake:{name}", ["--set", "spread=none"]) if more
                                    else (f"{name.split('.')[1]}:{name}", ["--set", "block_tokens=512"]))
                self.silicast("trace", "convert", source, *settings, "--out", name + ".h5")
                self.assertEqual((self.folder / (name + ".h5")).read_bytes(), first)

    def test_the_store_reads_as_the_readme_says(self):
        self.silicast("trace", "convert", "mooncake:m.jsonl", "--set", "spread=none", "--out", "a.h5")
        with h5py.File(self.folder / "a.h5") as file:
            self.assertEqual(list(file["trace/arrival"][:]), [t * 10**6 for t, *_ in SMALL])
            self.assertEqual(list(file["trace/prompt_tokens"][:]), [p for _, p, *_ in SMALL])
            self.assertEqual(list(file["trace/output_tokens"][:]), [o for _, _, o, _ in SMALL])
            offset, ids = file["blocks/offset"][:], file["blocks/id"][:]
            self.assertEqual([list(ids[a:b]) for a, b in zip(offset, offset[1:])], [ids for *_, ids in SMALL])
            for column in (file["trace/arrival"], file["blocks/id"]):
                self.assertEqual((column.compression, column.compression_opts, column.shuffle), ("gzip", 1, True))
                self.assertEqual(column.chunks, (65536,))
            self.assertEqual(file["trace/arrival"].attrs["unit"], "ns")
            self.assertEqual(dict(file["trace"].attrs)["block_tokens"], 512)
            self.assertEqual(dict(file["trace"].attrs)["requests"], 5)

    def test_a_scenario_runs_on_the_mapping_that_is_printed(self):
        for out in ("a.h5", "a.csv", "a.jsonl"):
            printed = self.silicast("trace", "convert", "mooncake:m.jsonl", "--out", out)
            mapping = printed.split("in a scenario: workload: ")[1].strip()
            self.write("s.yaml", SCENARIO.split("workload:")[0] + f"workload: {mapping}\n"
                       + SCENARIO[SCENARIO.index("cluster:"):])
            self.assertEqual(self.run_json("s.yaml")["summary"]["requests"], 5)

    def test_slice_keeps_the_window_and_its_start(self):
        out = self.silicast("trace", "slice", "mooncake:m.jsonl", "--from", "3 s", "--to", "6 s", "--out", "s.h5")
        self.assertIn("written: s.h5 (1 requests", out)
        self.assertEqual(self.info("s.h5")["prompt_tokens"]["max"], 512)
        self.silicast("trace", "slice", "mooncake:m.jsonl", "--first", "2", "--out", "f.csv")
        self.assertEqual((self.folder / "f.csv").read_text(),
                         "arrival_ns,prompt_tokens,output_tokens,blocks\n0,1100,30,0 1 2\n1500000000,40,2,3\n")

    def test_merge_goes_by_time_and_keeps_blocks_apart(self):
        self.silicast("trace", "convert", "mooncake:m.jsonl", "--out", "a.h5")
        out = self.silicast("trace", "merge", "a.h5", "mooncake:m.jsonl", "--out", "m.h5")
        self.assertIn("written: m.h5 (10 requests", out)
        info = self.info("m.h5")
        self.assertEqual((info["blocks"], info["seen_blocks"]), (18, 4))

    def test_generate_writes_the_arrivals_of_the_scenario(self):
        self.write("s.yaml", SCENARIO)
        out = self.silicast("trace", "generate", "s.yaml", "--set", "seed=3", "--out", "g.csv")
        self.assertIn("left out: declared limits of output, timeouts and aborts", out)
        with open(self.folder / "g.csv") as file:
            rows = list(csv.DictReader(file))
        self.silicast("run", "s.yaml", "--set", "seed=3", "--out", "r.h5")
        with h5py.File(self.folder / "r.h5") as file:
            requests = file["requests"]
            order = np.argsort(requests["index"][:])
            for ours, theirs in (("arrival_ns", "arrival"), ("prompt_tokens", "prompt_tokens")):
                self.assertEqual([int(row[ours]) for row in rows], list(requests[theirs][:][order]))

    def test_classes_go_along_by_name(self):
        self.write("c.csv", "arrival_ns,prompt_tokens,output_tokens,class\n0,1,1,chat\n5,2,2,batch\n")
        self.silicast("trace", "convert", "csv:c.csv", "--class", "batch", "--class", "chat", "--out", "c.h5")
        self.assertEqual(self.info("c.h5")["classes"], {"batch": 1, "chat": 1})
        self.silicast("trace", "convert", "c.h5", "--out", "d.csv")
        self.assertEqual((self.folder / "d.csv").read_text(), (self.folder / "c.csv").read_text())
        out = self.silicast("trace", "convert", "c.h5", "--out", "d.jsonl", "--as", "mooncake")
        self.assertIn("left out: classes, which mooncake has no place for", out)

    def test_a_packed_trace_is_unpacked(self):
        with gzip.open(self.folder / "p.jsonl.gz", "wt") as file:
            file.write(mooncake_lines(SMALL))
        self.assertEqual(self.info("mooncake:p.jsonl.gz")["requests"], 5)

    def test_mistakes_are_told_and_leave_no_file(self):
        self.write("bad.jsonl", mooncake_lines(SMALL) + '{"timestamp": 7000, "input_length": 513, "output_length": 1, "hash_ids": [1]}\n')
        self.write("mine.csv", "mine")
        self.write("loop.yaml", SCENARIO.replace("arrivals: {process: poisson, rate: 5 /s, requests: 300}",
                                                 "closed_loop: {concurrency: 4, requests: 300}"))
        before = sorted(self.folder.iterdir())
        known = "azure, burstgpt, csv, hdf5, jsonl, llmservingsim, mooncake, servegen, sglang_bench, vllm_bench"
        for arguments, message in (
                ("", "trace: do what? convert, slice, merge, info or generate; see --help"),
                ("convrt a --out b.h5", "trace: unknown action 'convrt'; did you mean 'convert'? (known: convert, slice, merge, info, generate)"),
                ("info", "trace: which file?"),
                ("info m.jsonl", f"m.jsonl: of which format? give FORMAT:FILE or --format (known: {known})"),
                ("info m.jsonl --format moncake", f"--format: unknown trace format 'moncake'; did you mean 'mooncake'? (known: {known})"),
                ("info mooncake:none", "trace.file: 'none' cannot be read; does it exist?"),
                ("info none.h5", "none.h5: cannot open: No such file or directory"),
                ("info mooncake:m.jsonl --set sprad=none", "--set sprad=none: trace.sprad: unknown key; did you mean 'spread'? (known: block_tokens, file, format, replay, spread)"),
                ("convert mooncake:m.jsonl", "--out: where is the trace to be written?"),
                ("convert mooncake:m.jsonl --out x.txt", "x.txt: in which format? give --as (known: csv, hdf5, jsonl, mooncake)"),
                ("convert mooncake:m.jsonl --out x.txt --as parquet", "--as: unknown format 'parquet' (known: csv, hdf5, jsonl, mooncake)"),
                ("convert mooncake:m.jsonl --out mine.csv", "mine.csv: exists already; give another name"),
                ("convert mooncake:m.jsonl --out m.jsonl", "--out m.jsonl: is what is read; give another name"),
                ("convert mooncake:m.jsonl mooncake:m.jsonl --out x.h5", "trace convert: takes one file; merge puts several together"),
                ("convert mooncake:bad.jsonl --out x.h5", "bad.jsonl:6: hash_ids: 1 ids where a prompt of 513 tokens has 2 blocks of 512; is block_tokens right?"),
                ("merge mooncake:m.jsonl --out x.h5", "trace merge: takes two files or more"),
                ("slice mooncake:m.jsonl --out x.h5", "slice: needs one of --from, --to and --first"),
                ("slice mooncake:m.jsonl --from 10 --out x.h5", None),
                ("slice mooncake:m.jsonl --from 10s --out x.h5", "--from 10s: slice: keeps no request of the trace 'm.jsonl'"),
                ("generate loop.yaml --out x.h5", None)):
            with self.subTest(arguments):
                said = self.refused("trace", *arguments.split())
                if message is not None:
                    self.assertEqual(said, f"error: {message}\n")
                self.assertEqual(sorted(self.folder.iterdir()), before)
        self.assertIn("who waits for answers has no arrivals before it is served", self.refused("trace", "generate", "loop.yaml", "--out", "x.h5"))

    @unittest.skipUnless(MOONCAKE.exists(), f"there is no {MOONCAKE}; set SILICAST_DATA to a folder that holds it")
    def test_the_mooncake_trace_reuses_what_its_publishers_say(self):
        info = self.info(f"mooncake:{MOONCAKE}", "--set", "spread=none")
        self.assertEqual((info["requests"], info["blocks"], info["seen_blocks"]), (12031, 288500, 105710))
        self.assertEqual(round(info["seen_blocks"] / info["blocks"], 4), 0.3664)
        self.assertAlmostEqual(info["gap_cv"], 3.03, delta=0.01)
        self.assertAlmostEqual(info["rate"], 3.40, delta=0.005)
        self.assertEqual(info["prompt_tokens"]["p50"], 6909)
        self.silicast("trace", "convert", f"mooncake:{MOONCAKE}", "--out", "a.h5")
        self.assertEqual(self.info("a.h5")["seen_blocks"], 105710)



class PromptCache(CliTest):
    """A trace that knows the blocks of its prompts, on engines that keep them and on one that does not."""

    TRACE = "".join(f'{{"timestamp": {4000 * i}, "input_length": 1100, "output_length": 5, "hash_ids": [1, 2, {3 + i}]}}\n' for i in range(4))
    SCENARIO = """
name: cached
model: llama-3.1-8b
workload: {trace: {format: mooncake, file: t.jsonl}}
cluster: {pools: [{name: main, node: hgx-h20-96, replicas: 1, engine: ENGINE}]}
router: prefix_affinity
output: {file: r.h5}
"""

    def cached(self, engine):
        self.write("t.jsonl", self.TRACE)
        self.write("s.yaml", self.SCENARIO.replace("ENGINE", engine))
        self.silicast("run", "s.yaml")
        rows = Results(self.folder / "r.h5").rows
        (self.folder / "r.h5").unlink()
        return list(rows.cached_tokens)

    def test_prompts_find_the_whole_blocks_that_those_before_them_left(self):
        self.assertEqual(self.cached("vllm"), [0, 1024, 1024, 1024])
        self.assertEqual(self.cached("{base: vllm, prefix_cache: false}"), [0, 0, 0, 0])

    def test_blocks_of_another_size_than_whole_blocks_of_the_engine_are_refused(self):
        self.write("t.jsonl", self.TRACE)
        self.write("s.yaml", self.SCENARIO.replace("ENGINE", "{base: vllm, block_size: 48}"))
        self.assertIn("the trace knows prompts by blocks of 512 tokens, no multiple of the 48 of pool 'main'", self.refused("run", "s.yaml"))


if __name__ == "__main__":
    main()
