#!/usr/bin/env python3
"""What a request costs the simulator, in instructions counted by callgrind (wall time is too noisy to assert) and in
memory. Usage: check_cost.py SILICAST_BENCH. Prints each figure beside its bound; exit 1 when one is broken."""
import re
import subprocess
import sys
import tempfile

BENCH = sys.argv[1]
failed = False


def run(requests, replicas, mode, counted):
    with tempfile.TemporaryDirectory() as folder:
        command = [BENCH, "--requests", str(requests), "--replicas", str(replicas), "--mode", mode, "--file", folder + "/rows.h5"]
        if counted:
            command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"] + command
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    if counted:
        return int(re.search(r"refs:\s+([\d,]+)", done.stderr)[1].replace(",", ""))
    return int(re.search(r"peak (\d+) MiB", done.stdout)[1])


def per_request(small, large, replicas, mode):
    """Instructions of one more request: what start and end of a run cost drops out."""
    return (run(large, replicas, mode, True) - run(small, replicas, mode, True)) / (large - small)


def bound(what, value, limit, unit):
    global failed
    verdict = "ok" if value <= limit else "BROKEN"
    failed |= value > limit
    print(f"{what:<62}{value:>10.2f} {unit:<22} at most {limit:g}  {verdict}", flush=True)


# All runs are longer than the 200,000 requests whose latencies the report keeps and sorts one by one.
leap = per_request(250_000, 350_000, 64, "leap")
bound("instructions per request, leap, 64 replicas", leap, 7_450, "instructions")
bound("instructions per request, leap with HDF5 rows", per_request(250_000, 350_000, 64, "rows"), 9_850, "instructions")
later = per_request(350_000, 650_000, 64, "leap")
bound("cost of a later request over that of an earlier one", later / leap, 1.15, "times")
few, many = per_request(60_000, 90_000, 8, "leap"), per_request(60_000, 90_000, 1024, "leap")
bound("cost of a request with 1,024 replicas over that with 8", many / few, 3, "times")
bound("memory that three million more requests take", run(4_000_000, 64, "leap", False) - run(1_000_000, 64, "leap", False), 4, "MiB")
sys.exit(1 if failed else 0)
