#!/usr/bin/python3
"""The smallest memory.max in which a static program starts, for each runtime: `make smallest-memory`.

    smallest_memory.py NAME=PATH …      prints a Markdown table; the first name is compared with the others

Needs a memory controller, so it runs in the test machine (integration/vm). The limit is config.json's, swap is none,
the kernel counts it in pages. It is halved between one that is too small and one that is enough; what is told started
a program CERTAIN times, and a page less failed once in as many.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import machine_code

PAGE = 4096
ENOUGH = 64 << 20
CERTAIN = 5
LONGEST = 20  # seconds: with less memory a start may reclaim for ever
GETPID = 39
CONFIG = pathlib.Path(__file__).resolve().parent / "config.json"


def make_bundle(directory):
    rootfs = directory / "rootfs"
    for name in ("proc", "dev", "sys"):
        (rootfs / name).mkdir(parents=True)
    payload = rootfs / "payload"
    payload.write_bytes(machine_code.native(GETPID))
    payload.chmod(0o755)


def set_limit(directory, size):
    config = json.loads(CONFIG.read_text())
    config["linux"].setdefault("resources", {})["memory"] = {"limit": size, "swap": size}
    (directory / "config.json").write_text(json.dumps(config))


def starts(path, root, directory, size):
    """Whether a program is executed and ends well, every time."""
    set_limit(directory, size)
    name = "smallest"
    for _ in range(CERTAIN):
        command = [path, "--root", root, "run", "--bundle", directory, name]
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           timeout=LONGEST, check=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            subprocess.run([path, "--root", root, "delete", "--force", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return False
    return True


def smallest(path):
    """In bytes."""
    with tempfile.TemporaryDirectory(dir="/run") as work:
        directory, root = pathlib.Path(work) / "bundle", pathlib.Path(work) / "state"
        make_bundle(directory)
        if not starts(path, root, directory, ENOUGH):
            sys.exit(f"smallest_memory: {path} does not even start with {ENOUGH >> 20} MiB")
        too_small, enough = 0, ENOUGH // PAGE
        while enough - too_small > 1:
            middle = (too_small + enough) // 2
            if starts(path, root, directory, middle * PAGE):
                enough = middle
            else:
                too_small = middle
        return enough * PAGE


def main():
    found = {name: smallest(path) for name, _, path in (word.partition("=") for word in sys.argv[1:])}
    subject = next(iter(found))
    print("| runtime | smallest memory.max, KiB | " + subject + " to it |")
    print("|---|---:|---:|")
    for name, size in found.items():
        print(f"| {name} | {size // 1024} | {found[subject] / size:.2f} |")


if __name__ == "__main__":
    main()
