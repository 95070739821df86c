#!/usr/bin/python3
"""Runs every case of cases/*.txt: a good input with one mistake must give the exact message on standard error, nothing on
standard output, exit status 2, and leave the folder as it was. Usage: check.py SILICAST [WORD_OF_A_TITLE]."""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CONFIGS = HERE.parents[1] / "configs"
EARLIER = b"\x89HDF\r\n\x1a\nthe result of an earlier run"  # in out.h5 before every case
SECONDS = 30


class Case:
    def __init__(self, title, place):
        self.title, self.place = title, place
        self.command = ["run", "scenario.yaml"]
        self.steps = []     # ("edit", file, old, new) or ("write", file, bytes)
        self.expected = []  # lines of standard error


def read_cases(path):
    """The format is described in README.md. A line's first character says what it is."""
    case, file = None, "scenario.yaml"
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        kind, text = line[:1], line[2:]
        if kind == "=":
            if case:
                yield case
            case, file = Case(text, f"{path.name}:{number}"), "scenario.yaml"
        elif kind == "$":
            case.command = [argument.replace("\\n", "\n") for argument in re.findall(r"'[^']*'|\S+", text)]
            case.command = [argument.strip("'") for argument in case.command]
        elif kind == "@":
            file = text
        elif kind in ("-", "+"):
            last = case.steps[-1] if case.steps else None
            if kind == "-" and not (last and last[0] == "edit" and last[1] == file and last[3] is None):
                case.steps.append(["edit", file, text, None])
            elif kind == "-":
                last[2] += "\n" + text
            else:
                last[3] = text if last[3] is None else last[3] + "\n" + text
        elif kind == ">":
            name, _, expression = text.partition(" = ")
            case.steps.append(["write", name, eval(expression, {}) if expression else b""])
        elif kind == "|":
            case.steps[-1][2] += text.encode() + b"\n"
        elif kind == "!":
            case.expected.append(text)
        elif kind not in ("", "#"):
            sys.exit(f"{path}:{number}: a line must begin with one of = $ @ - + > | ! #")
    if case:
        yield case


def prepare(case, folder):
    for step in case.steps:
        file = folder / step[1]
        if step[0] == "write":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(step[2] if isinstance(step[2], bytes) else step[2].encode())
            continue
        old, new, text = step[2], step[3], file.read_text(encoding="utf-8")
        if new is None:  # leave lines out
            old, new = old + "\n", ""
        if text.count(old) != 1:
            raise ValueError(f"'{old}' stands {text.count(old)} times in {step[1]}, not once")
        file.write_text(text.replace(old, new), encoding="utf-8")


def run(silicast, folder, command):
    environment = dict(os.environ, SILICAST_CONFIGS=str(CONFIGS), LC_ALL="C")
    return subprocess.run([silicast, *command], cwd=folder, env=environment, capture_output=True, timeout=SECONDS)


def snapshot(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def message_of(case):
    """`{models}` stands for the names of configs/models as a message lists them."""
    def names(match):
        return ", ".join(sorted(file.stem for file in (CONFIGS / match[1]).glob("*.yaml")))
    lines = ["error: " + line if not line.startswith(" ") else line[1:] for line in case.expected]
    return re.sub(r"\{([a-z_]+)\}", names, "\n".join(lines)) + "\n"


def failures_of(silicast, case):
    """What is wrong with the case, one line each."""
    if not case.expected:
        return ["has no message"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copytree(HERE / "base", folder, dirs_exist_ok=True)
        (folder / "out.h5").write_bytes(EARLIER)
        try:
            prepare(case, folder)
            before = snapshot(folder)
            result = run(silicast, folder, case.command)
        except ValueError as error:
            return [str(error)]
        except subprocess.TimeoutExpired:
            return [f"still runs after {SECONDS} s"]
        after = snapshot(folder)
    found = []
    if result.returncode != 2:
        found.append(f"exit status {result.returncode}, not 2")
    if result.stdout:
        found.append(f"standard output: {result.stdout[:200]!r}")
    stderr = result.stderr.decode(errors="replace")
    if stderr != message_of(case):
        found.append(f"says      {stderr!r}\n      should say {message_of(case)!r}")
    for file in sorted(before.keys() | after.keys()):
        if before.get(file) != after.get(file):
            found.append(f"{file} was {'written' if file in after else 'removed'}")
    return found


def base_failures(silicast):
    """The base files must be good, or the cases would show nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copytree(HERE / "base", folder, dirs_exist_ok=True)
        commands = [["check", *sorted(file.name for file in folder.glob("*.yaml"))], ["run", "scenario.yaml"]]
        for command in commands:
            result = run(silicast, folder, command)
            if result.returncode != 0:
                yield f"base: {' '.join(command)}: {result.stderr.decode(errors='replace')}"
        if not (folder / "out.h5").exists():
            yield "base: the good scenario writes no out.h5"


def main(silicast, word=""):
    failures = list(base_failures(silicast))
    cases = [case for path in sorted((HERE / "cases").glob("*.txt")) for case in read_cases(path) if word in case.title]
    titles = [case.title for case in cases]
    failures += [f"two cases are called '{title}'" for title in sorted(set(titles)) if titles.count(title) > 1]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, found in zip(cases, pool.map(lambda one: failures_of(silicast, one), cases)):
            failures += [f"{case.place}: {case.title}: {failure}" for failure in found]
    print("\n".join(failures + [f"{len(cases)} cases, {len(failures)} failures"]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), *sys.argv[2:]))
