#!/usr/bin/env python3
"""`make vm-engines`: boots the machine with engines, runs main.py in it, and writes the table.

An action is tried with all runtimes in one boot, but not all actions need to be: what is known of the others from an earlier run
with the same binary is kept in build/vm-engines/results.json, and the table is written when no row is missing.

With --kubernetes a cluster of one node is tried instead; its results are in build/vm-kubernetes, and no table is made of them.
"""

import argparse
import hashlib
import json
import pathlib
import shlex
import subprocess
import sys

sys.dont_write_bytecode = True

import rows
import table

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "vm"))

from processes import dies_with_parent

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = REPOSITORY / "build/vm-engines"
NEW = OUTPUT / "systemd/output/results.json"
KNOWN = OUTPUT / "results.json"
BINARY = REPOSITORY / "build/release/capsule"
SECONDS = 2 * 3600


def arguments():
    parser = argparse.ArgumentParser(description="real engines in the test machine")
    parser.add_argument("--engines", default=",".join(rows.ENGINES))
    parser.add_argument("--runtimes", default=",".join(table.RUNTIMES))
    parser.add_argument("--kubernetes", action="store_true", help="a node of Kubernetes and its control plane instead")
    parser.add_argument("-k", dest="pattern", default="", help="only actions that this is found in")
    return parser.parse_args()


def command_in_guest(options):
    script = "kubernetes.py" if options.kubernetes else "main.py"
    words = ["/usr/bin/python3", f"/capsule/checkout/integration/engines_real/{script}", "/output/results.json"]
    words += ["--runtimes", options.runtimes]
    words += [] if options.kubernetes else ["--engines", options.engines]
    return shlex.join([*words, "-k", options.pattern] if options.pattern else words)


def machine(command, image="engines", output=OUTPUT):
    words = [sys.executable, str(REPOSITORY / "integration/vm/run.py"), "--image", image, "--mode", "systemd"]
    return [*words, "--megabytes", "4096", "--deadline", str(SECONDS), "--output", str(output), "--command", command]


def merge():
    """What this run found, and what earlier ones found of other actions and pages."""
    found = json.loads(NEW.read_text()) | {"binary": hashlib.sha256(BINARY.read_bytes()).hexdigest()}
    if KNOWN.exists():
        known = json.loads(KNOWN.read_text())
        if known["binary"] == found["binary"]:
            found["rows"] = known["rows"] | found["rows"]
            found["pages"] = known["pages"] | found["pages"]
    KNOWN.write_text(json.dumps(found, indent=1))


def write_table():
    made = subprocess.run([sys.executable, table.__file__, KNOWN], stdout=subprocess.PIPE)
    (REPOSITORY / "docs/engines/table.md").write_bytes(made.stdout)
    return made.returncode


def main():
    options = arguments()
    if options.kubernetes:
        words = machine(command_in_guest(options), "kubernetes", REPOSITORY / "build/vm-kubernetes")
        return subprocess.run(words, preexec_fn=dies_with_parent).returncode
    status = subprocess.run(machine(command_in_guest(options)), preexec_fn=dies_with_parent).returncode
    if status > 1 or options.runtimes != ",".join(table.RUNTIMES):
        return status
    merge()
    return write_table() if table.is_whole(json.loads(KNOWN.read_text())) else status


if __name__ == "__main__":
    sys.exit(main())
