#!/usr/bin/python3
"""Opens a result file the way a user would, with h5py and pandas, and checks columns, units and that the summary's
latencies are those of the rows. Usage: check_hdf5.py FILE.h5; prints one line per failure, exit 1 if any."""
import sys

import h5py
import numpy as np
import pandas as pd

REQUEST_COLUMNS = {
    "index": ("i8", "1"), "arrival": ("i8", "ns"), "scheduled": ("i8", "ns"), "first_token": ("i8", "ns"),
    "completion": ("i8", "ns"), "prompt_tokens": ("i4", "tokens"), "cached_tokens": ("i4", "tokens"), "output_tokens": ("i4", "tokens"),
    "replica": ("i4", "1"), "pool": ("i4", "1"), "class": ("i4", "1"), "preemptions": ("i4", "1"),
    "state": ("u1", "1"), "reason": ("u1", "1"),
}
SERIES_COLUMNS = {
    "time": "s", "running": "requests", "waiting": "requests", "kv_use": "1", "prompt_tokens": "tokens/s",
    "output_tokens": "tokens/s", "watts": "W",
}
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)


def check_requests(group):
    check(set(group) == set(REQUEST_COLUMNS), f"/requests has {sorted(group)}")
    for name, (kind, unit) in REQUEST_COLUMNS.items():
        column = group[name]
        check(column.dtype == np.dtype("<" + kind), f"{name} is {column.dtype}")
        check(column.attrs["unit"] == unit, f"{name} has the unit {column.attrs['unit']}")
        check(len(column.attrs["description"]) > 5, f"{name} has no description")
        check(column.chunks == (65536,) and column.shuffle and column.compression == "gzip", f"{name} is not packed")
        check(len(column) == len(group["index"]), f"{name} has {len(column)} rows")
    states = group["state"].attrs["names"].split(",")
    check(states[0] == "completed" and len(states) == 5, f"states are {states}")


def check_rows(file):
    requests = pd.DataFrame({name: column[:] for name, column in file["requests"].items()})
    check(sorted(requests["index"]) == list(range(len(requests))), "indices are not 0 to n - 1")
    done = requests[requests["state"] == 0]
    check((done["arrival"] <= done["scheduled"]).all(), "scheduled before arrival")
    check((done["scheduled"] <= done["first_token"]).all(), "first token before scheduled")
    check((done["first_token"] <= done["completion"]).all(), "completion before the first token")
    summary = file["summary"].attrs
    check(summary["requests"] == len(requests), "summary counts other requests than there are rows")
    check(summary["requests_completed"] == len(done), "summary counts other completions than there are rows")
    measured = done[done["arrival"] >= round(summary["window_from_s"] * 1e9)]
    ttft = (measured["first_token"] - measured["arrival"]) * 1e-9
    e2e = (measured["completion"] - measured["arrival"]) * 1e-9
    many = measured[measured["output_tokens"] >= 2]
    tpot = (many["completion"] - many["first_token"]) * 1e-9 / (many["output_tokens"] - 1)
    tolerance = 1e-9 if summary["quantiles_exact"] else 0.005
    if not summary["unstable"] and len(measured):
        for name, values in {"ttft": ttft, "e2e": e2e, "tpot": tpot}.items():
            for key, value in {"mean": values.mean(), "p50": values.quantile(0.5), "p99": values.quantile(0.99)}.items():
                stored = summary[f"{name}_{key}_s"]
                check(abs(stored - value) <= tolerance * value + 1e-12, f"{name}_{key}_s is {stored}, rows give {value}")
    return len(measured)


def check_units(group, units):
    """Every number but counts by reason and flags has a unit, which its key's suffix repeats."""
    for key, value in group.attrs.items():
        if isinstance(value, str) or key.startswith("reason_") or key in ("unstable", "quantiles_exact"):
            continue
        unit = units.get(key)
        base = key.removesuffix("_low").removesuffix("_high")
        suffixes = {"_per_s": "1/s", "_s": "s", "_w": "W", "_j": "J", "_g": "g", "_rmb": "RMB", "_usd": "USD"}
        due = next((name for suffix, name in suffixes.items() if base.endswith(suffix)), "1")
        check(unit == due, f"{group.name}.{key} has the unit {unit}")


def main(path):
    with h5py.File(path, "r") as file:
        scenario = file["scenario"].attrs
        for name in ("name", "yaml", "seed", "version", "git_hash", "fingerprint"):
            check(isinstance(scenario[name], str), f"/scenario has no text {name}")
        check(len(scenario["fingerprint"]) == 16, "the fingerprint is not 16 digits")
        measured = 0
        if "requests" in file:
            check_requests(file["requests"])
            measured = check_rows(file)
        for pool, columns in file.get("series", {}).items():
            check(set(columns) == set(SERIES_COLUMNS), f"/series/{pool} has {sorted(columns)}")
            for name, unit in SERIES_COLUMNS.items():
                check(columns[name].attrs["unit"] == unit, f"/series/{pool}/{name} has the unit {columns[name].attrs['unit']}")
            check((np.diff(columns["time"][:]) > 0).all(), f"/series/{pool}/time does not rise")
        for name, histogram in file["histograms"].items():
            check((histogram["low"][:] < histogram["high"][:]).all(), f"bins of {name}")
            check((histogram["high"][:-1] <= histogram["low"][1:]).all(), f"bins of {name} overlap")
        if measured:
            check(file["histograms/e2e/count"][:].sum() == measured, "the E2E histogram counts other requests")
        for group in [file["summary"], *file["summary/pools"].values(), *file.get("summary/classes", {}).values()]:
            check_units(group, file["summary/units"].attrs)
        if "cost" in file:
            check_units(file["cost"], file["cost/units"].attrs)
        for name, value in file["summary"].attrs.items():
            check(isinstance(value, (str, np.floating, np.integer)), f"/summary.{name} is {type(value)}")
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
