#!/usr/bin/env python3
"""Turns results into docs/limits.md: limits asked for, and what they did with each runtime in the same boot.

    limits.py DIRECTORY… >docs/limits.md

A DIRECTORY holds RUNTIME.xml, as run.py leaves them; the tests have recorded their lines with the fixture `measured`. What a later
directory has beside, such as a boot with two processors, is added.
"""

import dataclasses
import json
import pathlib
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import peers

RUNTIMES = ("capsule", "crun", "runc")
TESTS = "test_quotas_cpu test_quotas_memory test_quotas_io test_limit_conversions"
HEADER = """# Limits, and what they do

Asked, and the effect measured by the tests, with each runtime in the same boot of the test machine (`integration/vm/README.md`: Debian 13 with its
crun and runc, cgroup v2 with all controllers). The machine is emulated, so the figures are shares and ratios, not speeds. Made by

```sh
{commands}
```

`integration/vm/limits.py` writes this page from the results; do not edit it. Every line is asserted by a test of `integration/{files}`: "fails" marks
a value outside of what the test tolerates.
"""
RUN = "integration/vm/run.py --runtimes capsule,crun,runc"
TWO_PROCESSORS = "{run} --cpus 2 --output build/vm/two -k its_set_alone integration/test_quotas_cpu.py\n"  # of a second directory
COMMANDS = """make release
{run} {tests}
{second}integration/vm/limits.py {directories} >docs/limits.md"""


@dataclasses.dataclass
class Case:
    """A test with one runtime."""

    lines: list  # [limit, asked, effect]
    why_not: str  # "" when it passed


def results_in(directories):
    """runtime → name → Case"""
    found = {runtime: {} for runtime in RUNTIMES}
    for directory in directories:
        for runtime in RUNTIMES:
            for name, case in cases(pathlib.Path(directory) / f"{runtime}.xml", runtime).items():
                if case.lines or name not in found[runtime]:
                    found[runtime][name] = case
    return found


def cases(path, runtime):
    """name → Case, in the order of the run"""
    return {case.get("name"): read(case, runtime) for case in xml.etree.ElementTree.parse(path).iter("testcase")}


def read(case, runtime):
    lines = [json.loads(entry.get("value")) for entry in case.iter("property") if entry.get("name") == "limit"]
    return Case(lines, reason(case, runtime))


def reason(case, runtime):
    """Why it did not pass: what peers.py knows of it, which may have been added since the run."""
    for kind in ("failure", "error"):
        if case.find(kind) is not None:
            return peers.reason_to_fail(runtime, case.get("name")) or "fails"
    skipped = case.find("skipped")
    return skipped.get("message", "skipped") if skipped is not None else ""


def rows(results):
    """(limit, asked) → runtime → what the table says; a runtime without a line of its own says why."""
    table = {}
    for name in dict.fromkeys(name for found in results.values() for name in found):
        tests = {runtime: found[name] for runtime, found in results.items() if name in found}
        for key in dict.fromkeys((limit, asked) for test in tests.values() for limit, asked, _ in test.lines):
            table.setdefault(key, {})
            for runtime, test in tests.items():
                table[key][runtime] = effect(test, key)
    return table


def effect(test, key):
    found = next((text for limit, asked, text in test.lines if (limit, asked) == key), None)
    if found is None:
        return f"— ({test.why_not})" if test.why_not else "—"
    return f"{found} ({test.why_not})" if test.why_not else found


def section(title, head, lines):
    columns = [*head, *RUNTIMES]
    print(f"\n## {title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for words, effects in lines:
        print(f"| {' | '.join([*words, *(effects.get(runtime, '—') for runtime in RUNTIMES)])} |")


def main():
    table = rows(results_in(sys.argv[1:]))
    tests = " ".join(f"integration/{name}.py" for name in TESTS.split())
    second = TWO_PROCESSORS.format(run=RUN) if len(sys.argv) > 2 else ""
    commands = COMMANDS.format(run=RUN, tests=tests, second=second, directories=" ".join(sys.argv[1:]))
    print(HEADER.format(commands=commands, files="test_quotas_*.py` and `test_limit_conversions.py"), end="")
    effects = [(key, found) for key, found in table.items() if key[0] != "conversions"]
    section("Effects", ["limit", "asked"], sorted(effects, key=lambda row: row[0][0]))
    converted = [((asked,), found) for (limit, asked), found in table.items() if limit == "conversions"]
    section("Conversions", ["asked, and the file it is read from"], converted)


if __name__ == "__main__":
    main()
