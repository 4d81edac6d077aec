#!/usr/bin/env python3
"""docs/engines/table.md from the results of a run.

    table.py RESULTS.json >docs/engines/table.md

The status is 1 when capsule fails where a peer passes, when nobody passes, or when a page could not be followed; what and why is
told on standard error.
"""

import json
import sys

sys.dont_write_bytecode = True

import rows

RUNTIMES = ("capsule", "crun", "runc")
WORDS = {"passed": "yes", "failed": "no", "not asked": "–"}
TITLES = {
    "podman": "Podman", "rootless": "Podman, rootless", "docker": "Docker", "containerd": "containerd (ctr)",
    "cri": "containerd through CRI", "buildah": "buildah",
}
HEAD = """# What was tried with each engine

Each line is an action of a user, executed with each runtime in the same boot of a virtual machine with Debian sid's engines
(`integration/engines_real/README.md`); the engines were registered by the pages beside this one. Made by

```sh
make release
make vm-engines
```

`integration/engines_real/table.py` writes this page from the results; do not edit it.
"""


def cell(results, runtime):
    return WORDS[results[runtime]["outcome"]] if runtime in results else "–"


def page(document):
    told = document["versions"]
    lines = [HEAD, "Versions: " + "; ".join(f"{name}: {words}" for name, words in told.items()) + ".", ""]
    lines += ["| | actions | " + " | ".join(RUNTIMES) + " |", "|---|---|" + "---|" * len(RUNTIMES)]
    tried = [engine for engine in rows.ENGINES if is_whole(document, [engine])]
    lines += [total(TITLES[engine], results_of(document, engine)) for engine in tried]
    lines += [total("all", [results for engine in tried for results in results_of(document, engine)]), ""]
    if len(tried) < len(rows.ENGINES):
        missing = ", ".join(TITLES[engine] for engine in rows.ENGINES if engine not in tried)
        lines += [f"Not yet tried as a whole with this version: {missing}.", ""]
    for engine in tried:
        lines += section(document, engine)
    return "\n".join(lines)


def results_of(document, engine):
    return [results for name, results in document["rows"].items() if name.startswith(f"{engine}: ")]


def total(title, listed):
    passed = [sum(results.get(runtime, {}).get("outcome") == "passed" for results in listed) for runtime in RUNTIMES]
    return f"| {title} | {len(listed)} | " + " | ".join(map(str, passed)) + " |"


def section(document, engine):
    lines = [f"## {TITLES[engine]}", "", "| action | " + " | ".join(RUNTIMES) + " |", "|---|" + "---|" * len(RUNTIMES)]
    notes = []
    for row in rows.of(engine):
        results = document["rows"].get(f"{engine}: {row.action}", {})
        lines.append(f"| {row.action} | " + " | ".join(cell(results, runtime) for runtime in RUNTIMES) + " |")
        if row.why:
            notes.append(f"{row.action}: {', '.join(row.without)} – {row.why}.")
        if again := [f"{runtime} {results[runtime]['asked']} times" for runtime in RUNTIMES if results.get(runtime, {}).get("asked", 1) > 1]:
            notes.append(f"{row.action}: asked again, since the engine loses a race of its own: {', '.join(again)}.")
    return [*lines, "", *notes, *([""] if notes else [])]


def is_whole(document, engines=rows.ENGINES):
    """Whether every row was tried."""
    return all(f"{engine}: {row.action}" in document["rows"] for engine in engines for row in rows.of(engine))


def faults(document):
    """Sentences; empty when capsule does what its peers do."""
    found = [fault for listed in document["pages"].values() for fault in listed]
    for engine in rows.ENGINES:
        for row in rows.of(engine):
            name = f"{engine}: {row.action}"
            results = document["rows"].get(name, {})
            passed = [runtime for runtime in RUNTIMES if results.get(runtime, {}).get("outcome") == "passed"]
            if not passed:
                found.append(f"{name}: nobody passes, or it was not tried")
            elif "capsule" not in passed:
                found.append(f"{name}: capsule {results.get('capsule', {}).get('why', 'was not tried')}, and {' and '.join(passed)} pass")
    return found


def main():
    document = json.load(open(sys.argv[1]))
    print(page(document), end="")
    for sentence in (wrong := faults(document)):
        print(f"engines: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
