"""Many runs, one after the other: nothing of a run is left, not even a little in the kernel's memory.

RUNS is their number, 300 if it is not set. The figures are properties in pytest's XML file.
"""

import json
import os
import pathlib
import time

import pytest

from support import crowds, world
from support.marks import slow

RUNS = int(os.environ.get("RUNS", 300))
WARM_UP = 50  # what the first runs fill stays: caches of the kernel
MOST_KIB_PER_RUN = 8  # a network namespace takes 300, a cgroup with its directories some 30
NOISE_KIB = 64 * 1024  # of everything else that runs here, a virtual machine perhaps

pytestmark = [slow, pytest.mark.skipif(not crowds.is_available, reason="the programs of support/crowds.py are for x86-64")]


def kernel_memory():
    """KiB that the kernel uses and can't give back, and per-processor memory, which namespaces and cgroups use."""
    lines = dict(line.split(":", 1) for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
    return {name: int(lines[name].split()[0]) for name in ("SUnreclaim", "Percpu", "KernelStack", "PageTables") if name in lines}


def cgroups():
    lines = (world.CGROUPS / "cgroup.stat").read_text().splitlines()
    return {name: int(count) for name, count in (line.split() for line in lines) if name.endswith("descendants")}


def settled_memory():
    """The kernel takes namespaces down in the background: the least of some looks."""
    looks = []
    for _ in range(10):
        looks.append(kernel_memory())
        time.sleep(0.3)
    return min(looks, key=lambda look: sum(look.values()))


def run_many(runtime, root, bundle, number):
    for _ in range(number):
        runtime.call("run", "--bundle", bundle.path, world.mark + "again", root=root, timeout=60).succeeded()


def test_many_runs_leave_nothing_in_the_kernel(runtime, root, bundle, nothing_left, record_property):
    crowds.install(bundle, crowds.ending()).save()
    root.mkdir(exist_ok=True)
    run_many(runtime, root, bundle, WARM_UP)
    nothing_left.from_now_on()
    groups, memory = cgroups(), settled_memory()

    run_many(runtime, root, bundle, RUNS)

    after = settled_memory()
    grown = {name: after[name] - memory[name] for name in memory}
    record_property("growth", json.dumps({"runs": RUNS, "runtime": runtime.name, "grown_kib": grown, "cgroups": cgroups()}))
    nothing_left.soon()
    assert cgroups()["nr_descendants"] <= groups["nr_descendants"]
    assert sum(grown.values()) <= RUNS * MOST_KIB_PER_RUN + NOISE_KIB, grown
