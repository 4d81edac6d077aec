#!/usr/bin/python3
"""Counts the system calls of `run` for each runtime and prints them side by side. `make syscalls` calls this.

The same bundle and sandbox as the benchmark's. Counted are all processes of the command, including the execve
that ends in the payload; exit_group is not, because strace counts what returns. The calls that only Go's own
scheduler makes (futex, nanosleep, epoll_pwait) differ from run to run.
"""

import argparse
import os
import pathlib
import subprocess
import sys

import bundles
import host
from bundles import Runtime

COLUMNS = ["floor", "capsule", "crun", "runc"]  # the order of those that take part; others follow


def count_calls(runtime: Runtime, output: pathlib.Path) -> dict[str, int]:
    command = ["strace", "-f", "-c", "-U", "name,calls", "-o", str(output), *runtime.command("run", "run")]
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    counts = {}
    for line in output.read_text().splitlines():
        words = line.split()
        if len(words) == 2 and words[1].isdigit() and words[0] != "total":
            counts[words[0]] = int(words[1])
    return counts


def sort_columns(names: list[str]) -> list[str]:
    return [name for name in COLUMNS if name in names] + [name for name in names if name not in COLUMNS]


def format_table(counts: dict[str, dict[str, int]], subject: str) -> str:
    columns = sort_columns(list(counts))
    leading = counts.get(subject, {})
    calls = sorted({call for each in counts.values() for call in each},
                   key=lambda call: (-leading.get(call, 0), call))
    lines = ["| system call | " + " | ".join(columns) + " |", "|---" + "|---:" * len(columns) + "|"]
    lines += [f"| {call} | " + " | ".join(str(counts[name].get(call, "")) for name in columns) + " |"
              for call in calls]
    totals = (f"**{sum(counts[name].values())}**" for name in columns)
    return "\n".join([*lines, "| **total** | " + " | ".join(totals) + " |"])


def count_all(arguments: argparse.Namespace, work: pathlib.Path) -> int:
    host.pretend_memlock_can_be_raised()
    runtimes = bundles.find_runtimes(arguments.build, arguments.runtimes, work)
    bundles.make_bundles(runtimes, ["run"], arguments.build)
    counts = {runtime.name: count_calls(runtime, work / "calls") for runtime in runtimes}
    print(format_table(counts, "capsule"))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="directory of programs")
    parser.add_argument("--runtimes", default="", help="name=path ..., paths from the repository's root")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    if os.geteuid() != 0:
        sys.exit("syscalls: root is needed, for cgroups and namespaces")
    return host.run_in_sandbox(lambda work: count_all(arguments, work))


if __name__ == "__main__":
    sys.exit(main())
