"""Sessions as a user meets them: run, written down, replayed bit for bit, read from traces."""
import json

import h5py
import numpy as np

from cli_support import CliTest, main

SCENARIO = """
name: sessions
seed: 3
model: llama-3.1-8b
max_context: 8192
workload: WORKLOAD
cluster: {pools: [{name: main, node: hgx-h20-96, replicas: 2, kv_blocks: 1500, engine: vllm}]}
router: prefix_affinity
warmup: none
"""

CHAT = """
  sessions:
    rate: 4 /s
    duration: 60 s
    turns: {distribution: geometric, mean: 4}
    shared_prefix: {tokens: 400, groups: 2}
    first_prompt: {distribution: lognormal, mean: 300, cv: 1, max: 4000}
    user_tokens: {distribution: lognormal, mean: 80, cv: 1, max: 2000}
    output: {distribution: lognormal, mean: 150, cv: 1, max: 2000}
    think_time: {mean: 5 s}
    answer_time: 2 s
  timeout: 20 s
  abort: {probability: 0.1, after: {mean: 5 s}}
  max_output: 500
"""

AGENTS = CHAT.replace("    answer_time: 2 s\n", """
    agents:
      steps: {distribution: geometric, mean: 4}
      tool_tokens: {distribution: lognormal, mean: 200, cv: 1, max: 2000}
      tool_gap: {mean: 500 ms, cv: 0}
      branches: {probability: 0.3, width: 3, prompt: 40, output: 60}
""").replace("timeout: 20 s", "timeout: 8 s").replace("rate: 4 /s", "rate: 1.5 /s")

# Nobody thinks: requests come at the very instants at which others end, on two replicas that go alike.
LOOP = """
  closed_loop: {concurrency: 40, requests: 1500}
  prompt: {distribution: fixed, tokens: 300}
  output: {distribution: fixed, tokens: 40}
"""

OPEN = """
  merge:
    - {arrivals: {process: gamma, rate: 20 /s, cv: 3, requests: 800}, prompt: {distribution: geometric, mean: 400},
       output: {distribution: geometric, mean: 100}, class: fast, timeout: 4 s}
    - {closed_loop: {concurrency: 5, duration: 30 s}, prompt: {distribution: geometric, mean: 300},
       output: {distribution: geometric, mean: 100}, class: slow, max_output: 200}
"""


class Sessions(CliTest):
    def scenario(self, workload, name="s.yaml", more=""):
        self.write(name, SCENARIO.replace("WORKLOAD", workload) + more)
        return name

    def fingerprint(self, *arguments):
        out = self.silicast("run", *arguments)
        return out.split("fingerprint ")[1].split()[0], out

    def test_a_run_that_wrote_its_arrivals_is_replayed_bit_for_bit(self):
        classes = "classes: {fast: {}, slow: {}}\n"
        for title, workload, more in (("chat", CHAT, ""), ("agents", AGENTS, ""), ("loop", LOOP, ""), ("open", OPEN, classes)):
            for ending in ("h5", "csv", "jsonl"):
                with self.subTest(title, ending=ending):
                    arrivals = f"{title}.{ending}"
                    first, out = self.fingerprint(self.scenario(workload, more=more), "--write-arrivals", arrivals,
                                                  "--out", "first.h5")
                    mapping = out.split("to replay its requests: workload: ")[1].strip()
                    self.scenario(mapping, "again.yaml", more)
                    second, _ = self.fingerprint("again.yaml", "--out", "second.h5")
                    self.assertEqual(second, first)
                    self.assertEqual(self.fingerprint("again.yaml", "--no-leap")[0], first)
                    with h5py.File(self.folder / "first.h5") as a, h5py.File(self.folder / "second.h5") as b:
                        self.assertEqual(list(a["requests"]), list(b["requests"]))
                        for column in a["requests"]:
                            np.testing.assert_array_equal(a["requests"][column][:], b["requests"][column][:], column)

    def test_sessions_go_on_alike_in_leap_and_step_mode(self):
        for title, workload in (("chat", CHAT), ("agents", AGENTS)):
            with self.subTest(title):
                name = self.scenario(workload)
                self.assertEqual(self.fingerprint(name)[0], self.fingerprint(name, "--no-leap")[0])

    def test_curves_end_where_the_summary_says(self):
        self.silicast("run", self.scenario(CHAT), "--write-arrivals", "a.h5")
        info = json.loads(self.silicast("trace", "info", "a.h5", "--curves"))
        reuse = info["seen_blocks"] / info["blocks"]
        self.assertGreater(reuse, 0.5)  # a turn's prompt is most of what the next one says
        for curve in ("reuse_by_cache", "reuse_by_age"):
            self.assertAlmostEqual(info["curves"][curve][-1][1], reuse, places=2)

    def test_sessions_find_what_they_said_in_the_cache(self):
        roomy = ("--set", "cluster.pools.0.kv_blocks=20000")
        summary = self.run_json(self.scenario(CHAT), *roomy)["summary"]
        self.assertGreater(summary["requests"], 600)
        blind = self.run_json(self.scenario(CHAT), *roomy, "--set", "router=round_robin")["summary"]
        key = next(key for key in summary if "cache" in key)
        self.assertGreater(summary[key], blind[key] + 0.03)

    def test_what_others_replay_elsewhere_is_refused_or_left_out(self):
        _, out = self.fingerprint(self.scenario(LOOP), "--write-arrivals", "a.jsonl")
        mapping = out.split("workload: ")[1].strip()
        self.scenario(mapping, "again.yaml")
        said = self.refused("run", "again.yaml", "--set", "cluster.pools.0.replicas=1")
        self.assertRegex(said, r"^error: a.jsonl:\d+: replay: the request at \d+ ns came behind \d+ ends, of which one "
                               r"comes at \d+ ns here; a trace replays on the system that wrote it, elsewhere leave out 'replay'")
        self.scenario(mapping.replace(", replay: true", ""), "again.yaml")
        self.silicast("run", "again.yaml", "--set", "cluster.pools.0.replicas=1")

    TRACE = ("id,at,prompt,output,session,parent,think\n"
             "a,0,100,20,one,,\nb,0.5,64,10,two,,\nc,1,140,20,one,a,2\nd,1,150,30,one,a,3\ne,9,300,5,one,d,0.5\n")
    COLUMNS = ("columns: {arrival: at, prompt: prompt, output: output, id: id, session: session, parent: parent, think: think}, "
               "units: {arrival: s, think: s}")

    def test_requests_of_a_trace_wait_for_the_answers_they_go_on_from(self):
        self.write("t.csv", self.TRACE)
        self.scenario("{trace: {format: csv, file: t.csv, " + self.COLUMNS + "}}")
        self.silicast("run", "s.yaml", "--out", "r.h5")
        with h5py.File(self.folder / "r.h5") as file:
            table = {name: file["requests"][name][:] for name in ("arrival", "completion", "prompt_tokens")}
        by_prompt = {int(p): (int(a), int(e)) for p, a, e in zip(table["prompt_tokens"], table["arrival"], table["completion"])}
        second = 10**9
        self.assertEqual(by_prompt[64][0], second // 2)
        self.assertEqual(by_prompt[140][0], by_prompt[100][1] + 2 * second)
        self.assertEqual(by_prompt[150][0], by_prompt[100][1] + 3 * second)
        self.assertEqual(by_prompt[300][0], by_prompt[150][1] + second // 2)

    def test_the_store_keeps_sessions(self):
        self.write("t.csv", self.TRACE)
        settings = ["--set", "columns={arrival: at, prompt: prompt, output: output, id: id, session: session, parent: parent, think: think}",
                    "--set", "units={arrival: s, think: s}"]
        self.silicast("trace", "convert", "csv:t.csv", *settings, "--out", "t.h5")
        with h5py.File(self.folder / "t.h5") as file:
            self.assertEqual(list(file["sessions/session"][:]), [0, 1, 0, 0, 0])
            self.assertEqual(list(file["sessions/parent"][:]), [-1, -1, 0, 0, 3])
            self.assertEqual(list(file["sessions/think"][:]), [0, 0, 2 * 10**9, 3 * 10**9, 5 * 10**8])
        fingerprints = set()
        for name in ("u.csv", "u.jsonl", "u.h5"):
            out = self.silicast("trace", "convert", "t.h5", "--out", name)
            self.scenario(out.split("in a scenario: workload: ")[1].strip())
            fingerprints.add(self.fingerprint("s.yaml")[0])
        self.assertEqual(len(fingerprints), 1)
        self.assertEqual((self.folder / "u.h5").read_bytes(), (self.folder / "t.h5").read_bytes())
        self.assertEqual(json.loads(self.silicast("trace", "info", "t.h5", "--json"))["requests"], 5)


if __name__ == "__main__":
    main()
