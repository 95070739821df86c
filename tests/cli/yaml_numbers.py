"""Finds the numbers of a catalogue file that lack evidence, in the flat style in which the catalogue is written: a number is
`key: {value: V, range: [LOW, HIGH], grade: G, source: "..."}` on one line."""
import re

# Counts and sizes that are exact by nature, and text that happens to hold digits.
EXACT = {"name", "description", "chip", "chips", "dies", "vendor", "software", "wiring", "groups", "nodes", "default_region",
         "basis", "group", "groups_per_host", "ports", "switches"}
NUMBER = re.compile(r"^[-+]?\d[\d.]*(e[-+]?\d+)?(\s+\S+)?$")
EVIDENCE = re.compile(r"\{value: [^,{}]+, range: \[[^,\[\]]+, [^,\[\]]+\], grade: (measured|vendor|third_party|estimate), source: \"[^\"]+\"\}")


def _lines(text):
    for number, line in enumerate(text.splitlines(), 1):
        code = "" if line.lstrip().startswith("#") else line
        if code.strip():
            yield number, code


def problems(text, name):
    """One line of text for each number without value, range, grade and source."""
    for number, line in _lines(text):
        whole = len(EVIDENCE.findall(line))
        rest = EVIDENCE.sub("EVIDENCE", line)
        if "value:" in rest:
            yield f"{name}:{number}: incomplete evidence: {line.strip()}"
            continue
        for key, value in re.findall(r"([A-Za-z_][\w-]*):\s*([^,{}\[\]]+)", rest):
            if key not in EXACT and NUMBER.match(value.split(" #")[0].strip()):
                yield f"{name}:{number}: a bare number: {key}: {value.strip()}"
        if whole == 0 and re.search(r"\[\s*\d", rest):
            yield f"{name}:{number}: a bare list of numbers: {line.strip()}"


def count(text):
    return sum(len(EVIDENCE.findall(line)) for _, line in _lines(text))
