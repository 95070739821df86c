"""`silicast launch`: a scenario as the command that starts it, and such a command as a scenario that runs."""
import json
import subprocess

import cli_support
from cli_support import CALM, CONFIGS, CliTest, main

SERVE = """# our chat
export HF_HOME=/data
vllm serve Qwen/Qwen3-32B \\
  --tensor-parallel-size 4 --max-num-seqs=64 --max_num_batched_tokens 2048 \\
  --gpu-memory-utilization 0.92 --max-model-len 16384 --enable-prefix-caching
"""
DUE = "'vllm serve ...', 'python3 -m sglang.launch_server ...' or a config.json of MindIE is due"


class Launch(CliTest):
    def test_a_shipped_scenario_prints_its_command(self):
        text = self.silicast("launch", "azure-chat-70b")
        self.assertIn("# Pool chat of azure-chat-70b: 2 copies of this, each on 4 x h20-96; 1 x hgx-h20-96 in all.\n", text)
        self.assertIn("vllm serve meta-llama/Meta-Llama-3.1-70B \\\n  --tensor-parallel-size 4 \\\n  --max-model-len 32768 \\\n", text)
        self.assertIn("  --quantization fp8 \\\n  --kv-cache-dtype fp8\n", text)

    def test_what_is_printed_is_shell(self):
        text = self.silicast("launch", "azure-chat-70b", "--set", "cluster.pools.0.engine={base: vllm, max_sequences: 100}")
        words = subprocess.run(["bash", "-c", 'vllm() { printf "%s\\n" "$@"; }\n' + text], capture_output=True, text=True, check=True)
        self.assertEqual(words.stdout.split()[:4], ["serve", "meta-llama/Meta-Llama-3.1-70B", "--tensor-parallel-size", "4"])
        self.assertIn("--max-num-seqs\n100\n", words.stdout)

    def test_what_is_printed_for_mindie_is_json(self):
        text = self.silicast("launch", "azure-chat-70b", "--set", "cluster.pools.0={name: npu, node: atlas-800-a2, layout: {tensor: 8}, engine: mindie}")
        config = json.loads(text[text.index("\n{"):])
        model = config["BackendConfig"]["ModelDeployConfig"]["ModelConfig"][0]
        self.assertEqual((model["worldSize"], model["tp"], model["npuMemSize"]), (8, 8, -1))
        self.assertEqual(config["BackendConfig"]["ScheduleConfig"]["maxBatchSize"], 200)

    def test_a_command_becomes_a_scenario_that_runs(self):
        self.write("chat.sh", SERVE)
        self.assertEqual(self.silicast("launch", "--read", "chat.sh", "--node", "hgx-h100", "--out", "mine.yaml"), "written: mine.yaml\n")
        text = (self.folder / "mine.yaml").read_text()
        for part in ("# The workload is made up: put yours in its place", "HF_HOME=/data (chat.sh:2)",
                     "max_sequences: 64", "utilisation: 0.92", "model: qwen3-32b", "max_context: 16384"):
            self.assertIn(part, text)
        checked = self.silicast("check", "mine.yaml")
        self.assertIn("64 sequences, 2048 tokens an iteration", checked)
        self.assertIn("(tensor 4, 1 stage)", checked)
        summary = self.run_json("mine.yaml")
        self.assertIn("ttft", json.dumps(summary))
        self.assertIn("mine.yaml: exists already; give another name",
                      self.refused("launch", "--read", "chat.sh", "--node", "hgx-h100", "--out", "mine.yaml"))

    def test_a_printed_launch_read_back_is_the_same_scenario(self):
        for pool in ("{name: a, node: hgx-h200, layout: {tensor: 2, pipeline: 2}, engine: vllm}",
                     "{name: a, node: hgx-h200, layout: {tensor: 4}, precision: 8bit, engine: {base: sglang, max_sequences: 99}}",
                     "{name: a, node: atlas-800-a2, nodes: 2, layout: {tensor: 8}, precision: 8bit, kv_blocks: 400, engine: mindie}"):
            with self.subTest(pool=pool):
                setting = ("--set", f"cluster.pools.0={pool}")
                first = self.silicast("launch", "azure-chat-70b", *setting)
                path = self.write("l.txt", first)
                scenario = self.write("back.yaml", self.silicast("launch", "--read", path))
                again = self.silicast("launch", scenario)
                self.assertEqual(first.replace("azure-chat-70b", "l"), again)

    def test_standard_input_is_read(self):
        done = subprocess.run([cli_support.SILICAST, "launch", "--read", "-", "--node", "hgx-h100", "--configs", str(CONFIGS)], input=SERVE,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("# Read from standard input: 1 copy on 1 x hgx-h100.\n"), done.stdout)

    def test_settings_change_what_was_read(self):
        self.write("chat.sh", SERVE)
        text = self.silicast("launch", "--read", "chat.sh", "--node", "hgx-h100", "--set", "cluster.pools.0.replicas=2", "--set", "seed=9")
        self.assertIn("replicas: 2", text)
        self.assertIn("seed: 9", text)

    def check_refused(self, launch, message, *more):
        self.write("l.sh", launch) if isinstance(launch, str) else (self.folder / "l.sh").write_bytes(launch)
        said = self.refused("launch", "--read", "l.sh", *(more or ("--node", "hgx-h100")))
        self.assertEqual(said, f"error: {message}\n")

    def test_bad_launches_say_what_is_wrong_where(self):
        for launch, message in (
            ("", f"l.sh: nothing is in it; {DUE}"),
            (b"\x7fELF\0\0", "l.sh: not a text file (it holds NUL bytes)"),
            ("ls -l\n", f"l.sh: no launch is in it; {DUE}"),
            ("vllm serve 'Qwen/Qwen3-32B\n", "l.sh:1:12: a ' that never closes; is the text cut off?"),
            ("vllm serve \\\n  Qwen/Qwen3-32B --max-num-seq 4\n", "l.sh:2:18: --max-num-seq: unknown flag; did you mean '--max-num-seqs'?"),
            ("vllm serve Qwen/Qwen3-32B -tp 5\n",
             "l.sh:1:31: --tensor-parallel-size: tensor 5 does not divide the 64 query heads of qwen3-32b (possible: 1, 2, 4, 8, 16, 32, 64)"),
            ("vllm serve Qwen/Qwen3-32B -tp 4 -tp 8\n", "l.sh:1:37: --tensor-parallel-size: is '8' here and '4' at line 1; leave one out"),
            ("vllm serve --port 80\n", "l.sh:1:1: no model is named; give --model NAME"),
            ("vllm serve Qwen/Qwen3-32B --dtype int9\n",
             "l.sh:1:35: --dtype: 'int9' is not one of its values (known: auto, half, float16, bfloat16, float, float32)"),
        ):
            with self.subTest(launch=launch):
                self.check_refused(launch, message)

    def test_an_unknown_model_says_how_to_add_it(self):
        self.check_refused("vllm serve Qwen/Qwen3-33B\n",
                           "l.sh:1:12: the model: no model of the catalogue is published as 'Qwen/Qwen3-33B'; did you mean 'Qwen/Qwen3-32B'?; name "
                           "the one of its shape by --model, or add it to configs/models with this in huggingface_ids (see 'silicast list models')")

    def test_a_group_that_does_not_fill_nodes_is_refused(self):
        self.check_refused("vllm serve Qwen/Qwen3-32B -tp 4 -pp 3\n",
                           "l.sh:1:31: --tensor-parallel-size: a replica of 12 chips neither fits on a node of hgx-h100 (8 chips) nor fills whole nodes")

    def test_options_of_the_wrong_direction_are_refused(self):
        self.write("calm.yaml", CALM)
        for arguments, message in (
            (("launch",), "launch what? give a scenario, or --read FILE"),
            (("launch", "calm.yaml", "--node", "hgx-h100"), "--node: goes with --read"),
            (("launch", "calm.yaml", "--read", "l.sh"), "--scenario: a scenario is given and --read too; leave one out"),
            (("launch", "--read", "l.sh", "--pool", "a"), "--pool: goes with a scenario, not with --read"),
            (("launch", "--read", "no.sh"), "no.sh: cannot be read; does it exist?"),
            (("launch", "calm.yaml", "--pool", "b"), "--pool b: no such pool (known: main)"),
        ):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.refused(*arguments), f"error: {message}\n")

    def test_an_engine_without_a_launch_is_refused(self):
        path = self.write("calm.yaml", CALM)
        said = self.refused("launch", path, "--set", "cluster.pools.0.engine=trtllm")
        self.assertIn("pool main: engine 'trtllm' has no launch that is known: its file names no family (vllm, sglang, mindie)", said)


if __name__ == "__main__":
    main()
