#!/usr/bin/env python3
"""The rules of the house that a compiler does not check: who may include whom, which library is used where, file sizes,
banned names. Prints every offence with file and line; exit 1 if there is one."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()

# Layer of a file by its folder, and the layers that it may include.
LAYERS = {
    "sim/base": [],
    "sim/io": ["sim/base"],
    "sim/engine": ["sim/base"],
    "topology": ["sim/base", "sim/io"],
    "workloads": ["sim/base", "sim/io"],
    "sim/model": ["sim/base", "sim/io"],
    "sim/memory": ["sim/base", "sim/io", "sim/engine"],
    "sim/perf": ["sim/base", "sim/io", "sim/engine", "topology", "sim/model"],
    "sim/serving": ["sim/base", "sim/io", "sim/engine", "topology", "workloads", "sim/model", "sim/memory", "sim/perf"],
    "sim/report": ["sim/base", "sim/io", "topology", "sim/model", "sim/serving/observer.hpp", "sim/perf/iteration_cost.hpp",
                   "sim/perf/work_rates.hpp"],
    "sim/run": ["sim/base", "sim/io", "sim/engine", "topology", "workloads", "sim/model", "sim/memory", "sim/perf",
                "sim/serving", "sim/report"],
    "sim/study": ["sim/base", "sim/io", "sim/engine", "topology", "workloads", "sim/model", "sim/memory", "sim/perf",
                  "sim/serving", "sim/report", "sim/run"],
    "tools": ["sim/base", "sim/io", "sim/run", "sim/study", "sim/perf/flows/flow_network.hpp"],
}
# Libraries that one layer alone may use.
LIBRARIES = {
    r"yaml-cpp/|hdf5\.h|H5public\.h|nlohmann/|libdeflate\.h": ["sim/io"],
    r"boost/graph/": ["topology"],
    r"nlopt|Eigen/|Cbc_": ["sim/study"],
    r"boost/program_options": ["tools"],
}
BANNED = {
    r"\busing namespace std\b": "using namespace",
    r"\bstd::(rand|random_device|mt19937|uniform_\w+_distribution|normal_distribution|exponential_distribution)\b":
        "the standard library's random numbers (use RandomStream)",
    r"\bsystem_clock\b|\btime\(nullptr\)": "the wall clock",
    r"\bdynamic_cast\b": "dynamic_cast",
    r"\bshared_ptr<(?!const ConfigNode)": "shared_ptr",
    r"\bunordered_(map|set)\b": "unordered containers (their order could reach a result)",
}
PRINTING = r"\bstd::(cout|cerr|exit|abort)\b|\bprintf\("
MAX_LINES = 400
MAX_COLUMNS = 120

offences = []


def layer_of(path):
    text = path.as_posix()
    return next((layer for layer in sorted(LAYERS, key=len, reverse=True) if text.startswith(layer + "/")), None)


def check(path):
    layer = layer_of(path)
    lines = (ROOT / path).read_text().splitlines()
    if len(lines) > MAX_LINES:
        offences.append(f"{path}:{len(lines)}: over {MAX_LINES} lines")
    if path.suffix == ".hpp" and "#pragma once" not in lines:
        offences.append(f"{path}:1: no #pragma once")
    if not lines or not lines[0].startswith("//"):
        if path.suffix == ".hpp":
            offences.append(f"{path}:1: does not say what it is")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_COLUMNS:
            offences.append(f"{path}:{number}: over {MAX_COLUMNS} columns")
        include = re.match(r'\s*#include\s+[<"]([^>"]+)[>"]', line)
        if include:
            name = include[1]
            target = layer_of(pathlib.PurePosixPath(name))
            if target and target != layer and target not in LAYERS[layer] and name not in LAYERS[layer]:
                offences.append(f"{path}:{number}: {layer} may not include {name}")
            for pattern, layers in LIBRARIES.items():
                if re.search(pattern, name) and layer not in layers:
                    offences.append(f"{path}:{number}: only {', '.join(layers)} may include {name}")
            if '"' in line and not target:
                offences.append(f"{path}:{number}: includes are full paths from the root: {name}")
            continue
        code = line.split("//")[0]
        for pattern, what in BANNED.items():
            if re.search(pattern, code):
                offences.append(f"{path}:{number}: {what}")
        if layer != "tools" and re.search(PRINTING, code):
            offences.append(f"{path}:{number}: a library neither prints nor exits")


count = 0
for top in ("sim", "topology", "workloads", "tools"):
    for source in sorted((ROOT / top).rglob("*")):
        if source.suffix in (".hpp", ".cpp"):
            count += 1
            check(source.relative_to(ROOT))
for folder in sorted({p.parent for p in (ROOT / "sim").rglob("*.cpp")} | {ROOT / "topology", ROOT / "workloads", ROOT / "tests", ROOT / "tools"}):
    if folder.parent.parent == ROOT or folder.parent == ROOT:
        if not (folder / "README.md").exists():
            offences.append(f"{folder.relative_to(ROOT)}: has no README.md")
if count < 50:
    offences.append(f"only {count} source files found under {ROOT}: wrong folder?")
for offence in offences:
    print(offence)
print(f"{count} files, {len(offences)} offences")
sys.exit(1 if offences else 0)
