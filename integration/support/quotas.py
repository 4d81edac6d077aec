"""What tests of limits share: which controllers are here, and how to read what a group used."""

import os
import pathlib
import statistics
import time

import pytest

from . import world
from .waiting import eventually

CONTROLLERS = set((world.CGROUPS / "cgroup.controllers").read_text().split())
MEGABYTE = 1 << 20
SPIN = "while :; do :; done"


def needs(*controllers):
    missing = [name for name in controllers if name not in CONTROLLERS]
    return pytest.mark.skipif(bool(missing), reason=f"this host lacks the {' and '.join(missing)} controller")


def needs_processors(number):
    here = len(os.sched_getaffinity(0))
    return pytest.mark.skipif(here < number, reason=f"{number} processors are needed, here are {here}")


def counter(file, key):
    """The number behind `key` in a file of lines like "usage_usec 12"."""
    for line in pathlib.Path(file).read_text().splitlines():
        name, _, number = line.partition(" ")
        if name == key:
            return int(number)
    return 0


def events(container, key, file="memory.events"):
    return counter(container.cgroup / file, key)


def processor_seconds(container):
    return counter(container.cgroup / "cpu.stat", "usage_usec") / 1e6


def pressure(resource):
    """measure for used_together: the seconds in which some process of the container waited for "cpu", "memory" or "io"."""

    def measure(container):
        some = (container.cgroup / f"{resource}.pressure").read_text().splitlines()[0]
        return int(some.rpartition("total=")[2]) / 1e6

    return measure


def spinning(container):
    """Starts it and returns when its command is at work, beyond what starting costs."""
    container.bundle.sh(SPIN)
    container.launch()
    began = processor_seconds(container)
    eventually(lambda: processor_seconds(container) > began, "it spins")
    return container


def used_together(seconds, measure, *containers):
    """How much each used of what `measure(container)` counts, and for how long it really was."""
    began, before = time.monotonic(), [measure(container) for container in containers]
    time.sleep(seconds)
    elapsed, after = time.monotonic() - began, [measure(container) for container in containers]
    return [late - early for early, late in zip(before, after)], elapsed


def share_of_a_processor(container, windows=5):
    """The middle one of some measurements: a guest that waits for its host meanwhile loses whole periods of a quota, or is billed for them."""
    shares = []
    for _ in range(windows):
        (used,), elapsed = used_together(2, processor_seconds, container)
        shares.append(used / elapsed)
    return statistics.median(shares)


# Directories on disks of their own, where the guest of integration/vm has them: one that can be throttled, one that is slow.
DISK = pathlib.Path("/scratch")
SLOW_DISK = pathlib.Path("/slow")


def numbers_of(disk):
    device = os.stat(disk).st_dev
    return {"major": os.major(device), "minor": os.minor(device)}


def needs_a_disk(disk=DISK):
    reason = f"a disk for the test, mounted on {disk}, is in the machine of integration/vm only"
    return pytest.mark.skipif(not os.path.ismount(disk), reason=reason)


def on_disk(disk, kind):
    """measure for used_together: bytes ("rbytes", "wbytes") or operations ("rios", "wios") on the disk."""
    numbers = "{major}:{minor}".format(**numbers_of(disk))

    def measure(container):
        for line in (container.cgroup / "io.stat").read_text().splitlines():
            device, *words = line.split()
            if device == numbers:
                return int(dict(word.split("=") for word in words).get(kind, 0))
        return 0

    return measure
