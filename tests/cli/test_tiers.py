"""Tiers below the prompt caches: what comes back from them, what the results say of it, what capacity and knowledge are worth."""
import gzip
import json
import os
import pathlib
import unittest

from cli_support import SOURCE, CliTest, Results, main

MOONCAKE = (pathlib.Path(os.environ.get("SILICAST_DATA", SOURCE / "../shared/data")).resolve()
            / "traces" / "mooncake_fast25_conversation.jsonl.gz")

# Two prompts by turns, each of which drives the other out: 64 blocks of the engine hold one of them.
TRACE = "".join(f'{{"timestamp": {4000 * i}, "input_length": 900, "output_length": 5, "hash_ids": [{1 + 10 * (i % 2)}, {2 + 10 * (i % 2)}]}}\n'
                for i in range(6))
SCENARIO = """
name: tiers
model: llama-3.1-8b
workload: {trace: {format: mooncake, file: t.jsonl}}
cluster:
  pools:
    - {name: main, node: hgx-h20-96, replicas: 1, engine: vllm, kv_blocks: 64, kv_tiers: TIERS}
output: {file: r.h5}
"""


class Tiers(CliTest):
    def run_with(self, tiers):
        self.write("t.jsonl", TRACE)
        self.write("s.yaml", SCENARIO.replace(", kv_tiers: TIERS", "" if tiers is None else f", kv_tiers: {tiers}"))
        summary = self.run_json("s.yaml")
        rows = Results(self.folder / "r.h5").rows
        (self.folder / "r.h5").unlink()
        return summary, rows

    def test_what_falls_out_of_memory_comes_back_from_the_host(self):
        _, alone = self.run_with(None)
        self.assertEqual(list(alone.cached_tokens), [0] * 6)
        self.assertNotIn("fetched_tokens_tier1", alone.columns)
        summary, rows = self.run_with("[{name: host, capacity: 10 GB, latency: 10 us}]")
        self.assertEqual(list(rows.cached_tokens), [0, 0] + [512] * 4)
        self.assertEqual(list(rows.fetched_tokens_tier1), [0, 0] + [512] * 4)
        share = 4 * 512 / (6 * 900)
        text = json.dumps(summary)
        self.assertIn("tier 1 is 'host': 2048 tokens fetched", text)
        self.assertIn(f'"cached_prompt_share_tier1": {share:.12}'[:40], text)
        # 512 tokens of 131,072 B over 64 GB/s, and what is left of the prompt.
        ttft = (rows.first_token - rows.arrival).to_numpy()
        plain = (alone.first_token - alone.arrival).to_numpy()
        self.assertTrue((ttft[2:] < plain[2:]).all())

    def test_a_tier_of_no_use_changes_nothing_that_a_client_sees(self):
        _, alone = self.run_with(None)
        _, slow = self.run_with("[{name: host, capacity: 10 GB, latency: 50 s}]")
        self.assertTrue((alone.completion.to_numpy() == slow.completion.to_numpy()).all())

    def test_replicas_share_the_store_of_a_pool(self):
        self.write("t.jsonl", TRACE)
        scenario = SCENARIO.replace("replicas: 1", "replicas: 2").replace("kv_blocks: 64", "kv_blocks: 1000")
        self.write("s.yaml", scenario.replace("TIERS", "[{name: store, of: pool, capacity: 1 TB, bandwidth: 100 GB/s, write: through}]") +
                   "router: round_robin\n")
        # Turn by turn the prompts go to one replica each; a third request makes them cross over.
        self.write("t.jsonl", TRACE + '{"timestamp": 30000, "input_length": 900, "output_length": 5, "hash_ids": [11, 12]}\n')
        self.silicast("run", "s.yaml")
        rows = Results(self.folder / "r.h5").rows
        self.assertEqual(list(rows.replica), [0, 1, 0, 1, 0, 1, 0])
        self.assertEqual(list(rows.cached_tokens), [0, 0, 512, 512, 512, 512, 512])
        self.assertEqual(list(rows.fetched_tokens_tier1), [0, 0, 0, 0, 0, 0, 512])

    SPLIT = """
name: split
seed: 2
model: llama-3.1-8b
max_context: 16384
workload:
  sessions: {rate: 1 /s, duration: 100 s, turns: 5, first_prompt: 400, user_tokens: 100, output: 500, think_time: 5 s, start: empty}
cluster:
  pools:
    - {name: front, role: prefill, node: hgx-h20-96, replicas: 1, engine: vllm, kv_blocks: 1000, kv_tiers: TIERS}
    - {name: back, role: decode, node: hgx-h20-96, replicas: 2, engine: vllm, kv_tiers: TIERS}
warmup: none
"""

    def test_a_store_of_the_cluster_gives_what_decode_has_answered_back_to_prefill(self):
        shares = {}
        for owner in ("pool", "cluster"):
            tiers = "[{name: store, of: %s, capacity: 1 TB, bandwidth: 100 GB/s, write: through}]" % owner
            self.write("s.yaml", self.SPLIT.replace("TIERS", tiers))
            shares[owner] = self.run_json("s.yaml")["summary"]["cached_prompt_share"]
        # Prompts of 400, 1,000, 1,600, 2,200 and 2,800 tokens. Prefill has computed the prompts before (5,200 of 8,000, less
        # parts of blocks), decode their answers, too (7,200). Sessions are cut at the end.
        self.assertAlmostEqual(shares["pool"], 5200 / 8000, delta=0.03)
        self.assertAlmostEqual(shares["cluster"], 7200 / 8000, delta=0.03)

    def test_reuse_by_capacity_with_and_without_perfect_knowledge(self):
        self.write("t.jsonl", TRACE)
        info = json.loads(self.silicast("trace", "info", "mooncake:t.jsonl", "--json", "--reuse"))
        self.assertEqual(info["reuse"], [{"capacity_blocks": 1, "lru_blocks": 0, "best_blocks": 2},
                                         {"capacity_blocks": 4, "lru_blocks": 8, "best_blocks": 8}])
        self.assertIn("perfect knowledge", self.silicast("trace", "info", "mooncake:t.jsonl", "--reuse"))
        self.assertNotIn("reuse", json.loads(self.silicast("trace", "info", "mooncake:t.jsonl", "--json")))

    @unittest.skipUnless(MOONCAKE.exists(), f"there is no {MOONCAKE}; set SILICAST_DATA to a folder that holds it")
    def test_a_host_without_limit_finds_all_that_was_ever_computed(self):
        seen, due = set(), []
        with gzip.open(MOONCAKE, "rt") as lines:
            for line in lines:
                request = json.loads(line)
                ids = request["hash_ids"]
                known = next((i for i, block in enumerate(ids) if block not in seen), len(ids))
                due.append(512 * min(known, (request["input_length"] - 1) // 512))
                seen.update(ids[:request["input_length"] // 512])
        # One by one, in memory for little more than the longest prompt (126,195 tokens), with a fetch for nothing.
        self.write("s.yaml", f"""
name: unlimited
model: llama-3.1-8b
max_context: 131072
workload: {{trace: {{format: mooncake, file: '{MOONCAKE}'}}, speed: 0.001}}
cluster:
  pools:
    - name: main
      node: hgx-h20-141
      replicas: 1
      kv_blocks: 8200
      engine: {{base: vllm, reserve_prompt: true}}
      kv_tiers: [{{name: host, capacity: 1000 TB, bandwidth: 50 TB/s}}]
output: {{file: r.h5}}
""")
        self.silicast("run", "s.yaml")
        rows = Results(self.folder / "r.h5").rows
        found = rows.cached_tokens.to_numpy()
        self.assertEqual(list(found), due)


if __name__ == "__main__":
    main()
