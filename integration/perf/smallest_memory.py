#!/usr/bin/python3
"""The smallest memory.max in which a static program starts, for each runtime: `make smallest-memory`.

    smallest_memory.py NAME=PATH …      prints a Markdown table; the first name is compared with the others

Beside the runtimes: "execve", a process that enters a limited cgroup and executes the program, and "floor", which knows
no limits and is given a cgroup whose parent is limited: what no runtime can do with less.

Needs a memory controller, so it runs in the test machine (integration/vm). The limit is config.json's, swap is none,
the kernel counts it in pages. It is halved between one that is too small and one that is enough; what is told started
a program CERTAIN times, and a page less failed once in as many.
"""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import machine_code

PAGE = 4096
ENOUGH = 64 << 20
CERTAIN = 5
LONGEST = 20  # seconds: with less memory a start may reclaim for ever
GETPID = 39
GROUPS = pathlib.Path("/sys/fs/cgroup")
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


def succeeds(command):
    """Whether it ends well, in time."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.run(command, timeout=LONGEST, **quiet).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def runtime_starts(path, root, directory, size):
    set_limit(directory, size)
    words = [path, "--root", root]
    if succeeds([*words, "run", "--bundle", directory, "smallest"]):
        return True
    succeeds([*words, "delete", "--force", "smallest"])
    return False


@contextlib.contextmanager
def limited_group(size):
    (GROUPS / "cgroup.subtree_control").write_text("+memory")
    group = GROUPS / "smallest-memory"
    group.mkdir()
    try:
        (group / "memory.max").write_text(str(size))
        swap = group / "memory.swap.max"
        if swap.exists():
            swap.write_text("0")
        yield group
    finally:
        remove_group(group)


def remove_group(group):
    for child in [path for path in group.iterdir() if path.is_dir()]:
        remove_group(child)
    (group / "cgroup.kill").write_text("1")
    deadline = time.monotonic() + LONGEST
    while "populated 1" in (group / "cgroup.events").read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    group.rmdir()


def execve_starts(path, root, directory, size):
    with limited_group(size) as group:
        pid = os.fork()
        if pid == 0:
            try:
                (group / "cgroup.procs").write_text(str(os.getpid()))
                os.execv(directory / "rootfs/payload", ["payload"])
            finally:
                os._exit(1)
        return os.waitpid(pid, 0)[1] == 0


def floor_starts(path, root, directory, size):
    shutil.rmtree(root, ignore_errors=True)
    with limited_group(size) as group:
        (root / group.name).mkdir(parents=True)
        return succeeds([path, "--root", root, "run", "--bundle", directory, f"{group.name}/one"])


def smallest(path, starts):
    """In bytes."""
    with tempfile.TemporaryDirectory(dir="/run") as work:
        directory, root = pathlib.Path(work) / "bundle", pathlib.Path(work) / "state"
        make_bundle(directory)
        set_limit(directory, ENOUGH)

        def always_starts(size):
            return all(starts(path, root, directory, size) for _ in range(CERTAIN))

        if not always_starts(ENOUGH):
            sys.exit(f"smallest_memory: {path} does not even start with {ENOUGH >> 20} MiB")
        too_small, enough = 0, ENOUGH // PAGE
        while enough - too_small > 1:
            middle = (too_small + enough) // 2
            if always_starts(middle * PAGE):
                enough = middle
            else:
                too_small = middle
        return enough * PAGE


def main():
    named = dict(word.split("=", 1) for word in sys.argv[1:])
    found = {name: smallest(path, floor_starts if name == "floor" else runtime_starts) for name, path in named.items()}
    found["execve"] = smallest("execve", execve_starts)
    subject = next(iter(found))
    print("| runtime | smallest memory.max, KiB | " + subject + " to it |")
    print("|---|---:|---:|")
    for name, size in found.items():
        print(f"| {name} | {size // 1024} | {found[subject] / size:.2f} |")


if __name__ == "__main__":
    main()
