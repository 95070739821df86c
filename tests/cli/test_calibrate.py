"""`silicast calibrate`: a chip from tables, an engine from runs, the files that it writes, what it refuses; and pools that are
priced by tables."""
import json
import math
import re

from cli_support import CONFIGS, CliTest, main

# Decode iterations of one case each: what the engine's host adds to them is known.
CASE = """
name: case
model: llama-3.1-8b
workload:
  closed_loop: {{concurrency: {clients}, requests: {requests}}}
  prompt: {{distribution: fixed, tokens: 64}}
  output: {{distribution: fixed, tokens: 64}}
cluster:
  pools:
    - {{name: main, node: hgx-h100, replicas: 1, engine: {{base: vllm-0.11}}}}
source: "made up"
group: group-{clients}
measured: {{tpot_mean: {tpot} ms}}
"""

TABLES = {
    "dense.csv": "layer,tokens,time_us\n" + "".join(
        f"{layer},{tokens},{10 + tokens / 10}\n"
        for layer in ("embedding", "layernorm", "qkv_proj", "rotary_emb", "o_proj", "gate_up_proj", "act_fn", "down_proj")
        for tokens in (1, 512)),
    "sequences.csv": "layer,sequences,time_us\nlm_head,1,300\nlm_head,64,310\nsampler,1,20\nsampler,64,40\n",
    "attention.csv": "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n16,0,0,0,8\n512,0,0,0,40\n0,0,1,16,8\n0,0,1,4096,30\n"
                     "0,0,64,16,20\n0,0,64,4096,600\n16,0,1,16,12\n16,0,64,4096,700\n512,0,1,16,50\n512,0,64,4096,800\n",
}

SCENARIO = """
name: tables
model: llama-3.1-8b
max_context: 8192
workload:
  arrivals: {process: poisson, rate: 4 /s, requests: 200}
  prompt: {distribution: fixed, tokens: 300}
  output: {distribution: fixed, tokens: 50}
cluster:
  pools:
    - {name: main, node: hgx-h100, replicas: 1, engine: {base: vllm, max_sequences: 64, max_batched_tokens: 1024}, perf: {measured: tables}}
warmup: none
"""


class Calibrate(CliTest):
    def gemm_rows(self):
        """What a chip of 500 TFLOP/s and 2 TB/s takes, 5 us at the least."""
        rows = ["gemm_dtype,kernel,m,n,k,latency_ms"]
        for n in (2048, 8192, 16384):
            for k in (4096, 8192):
                for m in (1, 16, 128, 1024, 8192):
                    tile = next((t for t in (16, 32, 64, 128) if m <= t), m)
                    compute, read = 2 * tile * n * k / 500e12, 2 * (n + m) * k / 2e12
                    seconds = 5e-6 + (compute**3 + read**3) ** (1 / 3) + 2 * m * n / 2e12
                    rows.append(f"bfloat16,made_up,{m},{n},{k},{1e3 * seconds:.9g}")
        return "\n".join(rows) + "\n"

    def test_kernels_of_a_known_chip_end_in_a_file_that_checks(self):
        self.write("gemm.csv", self.gemm_rows())
        out = self.silicast("calibrate", "kernels", "--chip", "h200", "--gemm", "gemm.csv", "--source", "made up", "--out", "my.yaml")
        self.assertRegex(out, r"gemm\.compute +0\.83 +0\.50[0-9]")  # of 989 TFLOP/s
        self.assertRegex(out, r"gemm\.memory +0\.88 +0\.41[0-9]")  # of 4.8 TB/s
        self.assertRegex(out, r"experts\.compute +\S+ +as it is +no table tells it")
        self.assertRegex(out, r"GEMM, 16-bit +all +30 +\S+ +[01]\.\d% ")
        text = (self.folder / "my.yaml").read_text()
        self.assertIn('grade: measured, source: "made up"', text)
        self.assertIn("a valid calibration", self.silicast("check", "my.yaml"))
        again = self.refused("calibrate", "kernels", "--chip", "h200", "--gemm", "gemm.csv", "--source", "x", "--out", "my.yaml")
        self.assertIn("--out my.yaml: is there already", again)

    def test_rows_of_other_kernels_are_counted(self):
        self.write("gemm.csv", self.gemm_rows())
        self.write("attention.csv", "kv_cache_dtype,kernel,batch_size,num_heads,num_kv_heads,head_dim,window_size,kv_len,latency_ms\n"
                   "bfloat16,flash,64,32,8,128,0,8192,1\nbfloat16,paged,64,32,8,128,0,8192,1\n")
        out = self.silicast("calibrate", "kernels", "--chip", "h200", "--gemm", "gemm.csv", "--attention", "attention.csv@flash")
        self.assertIn("attention.csv: kernels without 'flash' in their name (1 row)", out)

    def test_kernels_say_what_is_wrong(self):
        self.write("t.csv", "a,b\n1,2\n")
        for arguments, message in [
            ((), "usage: silicast calibrate kernels"),
            (("rooflines",), "calibrate 'rooflines': must be kernels or serving"),
            (("kernels", "--gemm", "t.csv"), "--chip is missing"),
            (("kernels", "--chip", "h200", "--gemm", "t.csv"), "t.csv: is no table of GEMMs"),
            (("kernels", "--chip", "h200", "--gemm", "t.csv", "--out", "x.yaml"), "--out needs --source"),
            (("serving", "--engine", "vlm"), "--engine 'vlm': unknown; did you mean 'vllm'?"),
            (("serving",), "--engine is missing"),
        ]:
            with self.subTest(arguments=arguments):
                self.assertIn(message, self.refused("calibrate", *arguments))

    def test_serving_finds_the_host_time_that_was_put_in(self):
        sizes = {1: 4, 8: 32, 32: 96}
        for clients, requests in sizes.items():
            self.write(f"cases/case-{clients}.yaml", CASE.format(clients=clients, requests=requests, tpot=1))
        setting = "cluster.pools.0.engine.host.per_iteration=2500 us"
        report = json.loads(self.silicast("validate", "--data", "cases", "--only", "case_file,case-*", "--set", setting,
                                          "--format", "json", status=None))
        for case in report["cases"]:
            clients = int(re.search(r"\d+", case["id"])[0])
            self.write(f"cases/case-{clients}.yaml", CASE.format(clients=clients, requests=sizes[clients],
                                                                 tpot=1e3 * case["metrics"][0]["predicted"]))
        out = self.silicast("calibrate", "serving", "--engine", "vllm-0.11", "--data", "cases", "--only", "case_file,case-*",
                            "--source", "made up", "--out", "vllm-mine.yaml")
        found = re.search(r"host\.per_iteration +500 us +([\d.]+) ms", out)
        self.assertTrue(found, out)
        self.assertLess(abs(math.log(float(found[1]) / 2.5)), 0.1, out)
        self.assertIn("3 figures of 3 independent groups", out)
        self.assertRegex(out, r"host\.per_request .*hardly any measured value depends on it")
        self.assertIn("base: vllm\n", (self.folder / "vllm-mine.yaml").read_text())
        self.assertIn("a valid engine", self.silicast("check", "vllm-mine.yaml"))

    def test_a_pool_is_priced_by_tables_and_says_what_they_lack(self):
        for name, text in TABLES.items():
            self.write(f"tables/{name}", text)
        self.write("s.yaml", SCENARIO)
        check = self.silicast("check", "s.yaml")
        self.assertIn("pool main: layers are measured up to 512 tokens of the 1024 that its limits allow; beyond, up to 2 times as far, "
                      "by the roofline's ratio", check)
        self.assertIn("pool main: attention of decodes is measured up to 4096 tokens of context of the 8192", check)
        explained = self.silicast("explain", "s.yaml", "--batch", "1", "--context", "16", "--prompt", "16")
        self.assertRegex(explained, r"qkv_proj +gemm +32\d us .* measured")  # 32 layers of 10.1 us
        self.assertRegex(explained, r"decode_attention +attention_decode +256 us .* measured")
        run = self.run_json("s.yaml")
        self.assertTrue(any("by the roofline's ratio" in note for note in run["notes"]), run["notes"])
        missing = self.refused("check", "s.yaml", "--set", "cluster.pools.0.perf={measured: nowhere}")
        self.assertIn("nowhere: does not exist; perf.measured takes a folder or files", missing)
        self.assertIn("tables cannot price pipelines yet",
                      self.refused("check", "s.yaml", "--set", "cluster.pools.0.layout={pipeline: 2}"))


if __name__ == "__main__":
    main()
