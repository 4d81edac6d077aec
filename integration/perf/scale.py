#!/usr/bin/env python3
"""Makes docs/scale.md of what integration/test_scale.py measured.

    scale.py NATIVE [MACHINE]     pytest's XML files, of here and of the machine of integration/vm
"""

import json
import pathlib
import sys
import xml.etree.ElementTree

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/scale.md"
COMMANDS = ("create", "start", "state", "list", "exec", "ps", "pause", "resume", "kill", "delete")
TRACED = ("list", "state", "kill", "delete --force")

INTRODUCTION = """\
# Many containers

1, 10, 100 and 1,000 containers alive at once, each a program that waits: every command on every one of them, and then `delete --force`
of all. `integration/test_scale.py` does it, and fails if a process, cgroup, mount, state directory or file in `/run` or `/tmp` is left, or
if `state`, `kill` or `delete --force` makes one system call more among many containers than for a single one. Under systemd (the last of
the commands) no scope may be left either.
"""

HOW = """\
```sh
SCALE=1000 /usr/bin/python3 -m pytest -c integration/pytest.ini integration/test_scale.py --junit-xml=build/scale.xml
SCALE=1000 /usr/bin/python3 integration/vm/run.py --megabytes 4096 integration/test_scale.py
SCALE=1000 /usr/bin/python3 integration/vm/run.py --megabytes 4096 --mode systemd -k scopes integration/test_scale.py
python3 integration/perf/scale.py build/scale.xml build/vm/minimal/output/capsule.xml
```
"""


def read(path):
    properties = xml.etree.ElementTree.parse(path).iter("property")
    return [json.loads(entry.get("value")) for entry in properties if entry.get("name") == "scale"]


def table(titles, rows):
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def times(rows):
    """Of one container, as a multiple of what it took when it was the only one."""
    first = rows[0]["seconds"]
    body = [[f"{row['number']:,}", *(f"{row['seconds'][name] / first[name]:.2f}" for name in COMMANDS)] for row in rows]
    return table(["containers", *COMMANDS], body)


def exact(rows):
    titles = ["containers", *(f"calls of {name}" for name in TRACED), "KiB of list", "KiB of state"]
    body = [
        [f"{row['number']:,}", *(str(row["calls"][name]) for name in TRACED), *(str(row["kilobytes"][name]) for name in ("list", "state"))]
        for row in rows
    ]
    return table(titles, body)


def page(native, machine):
    parts = [INTRODUCTION, "## Made by", "", HOW]
    parts += ["## Time for one container, as a multiple of the first row", ""]
    parts += ["Without emulation; `list` is the whole list, divided by its length.", "", times(native), ""]
    if machine:
        parts += ["In the machine, emulated, with all controllers:", "", times(machine), ""]
    parts += ["## System calls and memory of one command", "", exact(native), ""]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(read(sys.argv[1]), read(sys.argv[2]) if len(sys.argv) > 2 else None))
