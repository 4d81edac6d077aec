"""Limits on memory, huge pages and processes, proved by what happens at the limit."""

import os
import pathlib

import pytest

from support import world
from support.marks import covers, extension
from support.quotas import DISK, MEGABYTE, events, needs, needs_a_disk, pressure, used_together
from support.waiting import eventually

HUGE = 2 * MEGABYTE
FREE_HUGE = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")


def swap_here():
    return len(pathlib.Path("/proc/swaps").read_text().splitlines()) > 1


needs_swap = pytest.mark.skipif(not swap_here(), reason="this machine has no swap")
needs_huge_pages = pytest.mark.skipif(
    not FREE_HUGE.exists() or int(FREE_HUGE.read_text()) < 4, reason="this machine has no free huge pages"
)


def limit_memory(bundle, megabytes, swap=0):
    """`swap` comes on top of the memory, as in the kernel's files; in config.json it is the sum."""
    bundle.resources["memory"] = {"limit": megabytes * MEGABYTE, "swap": (megabytes + swap) * MEGABYTE}


def fill(bundle, megabytes):
    """The container's command: fills memory, and tells when it could."""
    bundle.mount("/fill", "tmpfs", "tmpfs", ["nosuid", "size=1g"])
    return bundle.args("dd", "if=/dev/zero", "of=/fill/it", "bs=1M", f"count={megabytes}")


def fill_and_stay(bundle, megabytes):
    bundle.mount("/fill", "tmpfs", "tmpfs", ["nosuid", "size=1g"])
    return bundle.sh(f"dd if=/dev/zero of=/fill/it bs=1M count={megabytes} && touch /filled; while :; do sleep 1; done")


def ending(status):
    return {0: "ends well", 137: "killed (137)"}.get(status, f"status {status}")


HOG = "a=0123456789abcdef; while :; do a=$a$a; done"


# memory


@needs("memory")
@covers("/linux/resources/memory/limit")
def test_a_command_beyond_the_memory_limit_is_killed(container, bundle, measured):
    limit_memory(bundle, 32)
    bundle.sh(HOG)

    status = container.try_run().status

    measured("memory.max", "32 MiB, the command wants more and more", ending(status))
    assert status == 137


@needs("memory")
@covers("/linux/resources/memory/limit")
def test_a_command_within_the_memory_limit_lives(container, bundle, measured):
    limit_memory(bundle, 64)
    fill(bundle, 32)

    container.run()
    measured("memory.max", "64 MiB, the command wants 32", ending(0))


@needs("memory")
@covers("/linux/resources/memory/limit")
def test_a_kill_for_memory_is_counted_in_the_containers_group(container, bundle):
    limit_memory(bundle, 32)
    bundle.sh(HOG)
    container.launch()
    container.wait_for_status("stopped")

    assert events(container, "oom_kill") == 1
    assert events(container, "max") > 0


@needs("memory")
@covers("/linux/resources/memory/limit")
def test_a_command_of_exec_has_the_memory_limit_of_its_container(container, bundle, measured):
    limit_memory(bundle, 32)
    container.launch_sleeper()

    status = container.try_exec("sh", "-c", HOG).status
    measured("memory.max", "32 MiB, a command of exec wants more", ending(status))
    assert status == 137
    assert container.status == "running"


@needs("memory")
@covers("/linux/resources/memory/limit")
def test_a_memory_limit_too_small_for_init_is_said_to_be_the_reason(container, bundle):
    bundle.resources["memory"] = {"limit": 32 << 10, "swap": 32 << 10}

    container.try_create().refused("memory limit too low")


@needs("memory")
@covers("/linux/resources/unified/*")
def test_a_group_that_dies_as_one_leaves_nobody(container, bundle, measured):
    limit_memory(bundle, 32)
    bundle.resources["unified"] = {"memory.oom.group": "1"}
    bundle.sh(f"({HOG}) & while :; do sleep 1; done")

    status = container.try_run().status

    measured("unified: memory.oom.group", "a child beyond memory.max takes all along", ending(status))
    assert status == 137


@needs("memory")
@covers("/linux/resources/unified/*")
def test_memory_beyond_high_is_throttled_and_nobody_killed(container, bundle, measured):
    bundle.resources["unified"] = {"memory.high": str(16 * MEGABYTE), "memory.swap.max": "0"}
    fill_and_stay(bundle, 96)
    container.launch()
    eventually(lambda: events(container, "high") > 0, "it is above high")

    (stalled,), elapsed = used_together(3, pressure("memory"), container)

    used = int((container.cgroup / "memory.current").read_text())
    kept = "not beyond 48 MiB" if used < 48 * MEGABYTE else f"{used // MEGABYTE} MiB"
    measured("unified: memory.high", "16 MiB, the command wants 96", f"{kept}, {events(container, 'oom_kill')} killed")
    measured("memory.pressure", "above memory.high it waits", f"stalled {stalled / elapsed:.0%} of the time")
    assert not (bundle.rootfs / "filled").exists()
    assert used < 48 * MEGABYTE
    assert events(container, "oom_kill") == 0
    assert stalled / elapsed > 0.1


@needs("memory")
@needs_swap
@pytest.mark.parametrize("swap, status", [(0, 137), (8, 137), (64, 0)])
@covers("/linux/resources/memory/swap")
def test_swap_is_what_the_limit_of_both_leaves(container, bundle, measured, swap, status):
    limit_memory(bundle, 24, swap)
    fill(bundle, 48)

    found = container.try_run().status

    measured("memory.swap.max", f"24 MiB of memory and {swap} of swap, the command wants 48", ending(found))
    assert found == status


@needs("memory")
@needs_swap
@covers("/linux/resources/memory/swap")
def test_a_container_swaps_no_more_than_it_may(container, bundle, measured):
    limit_memory(bundle, 16, swap=32)
    fill_and_stay(bundle, 30)
    container.launch()
    eventually((bundle.rootfs / "filled").exists, "it has filled memory", seconds=30)

    swapped = int((container.cgroup / "memory.swap.current").read_text())

    asked = "16 MiB of memory and 32 of swap, the command keeps 30"
    measured("memory.swap.max", asked, "the rest is in swap" if 8 * MEGABYTE < swapped <= 32 * MEGABYTE else f"{swapped} bytes in swap")
    assert 8 * MEGABYTE < swapped <= 32 * MEGABYTE


@needs("memory")
@needs_a_disk()
@pytest.mark.parametrize("reservation", [0, 32], ids=["unprotected", "protected"])
@covers("/linux/resources/memory/reservation")
def test_a_reservation_protects_from_the_neighbours(make_container, make_bundle, measured, reservation):
    quiet, greedy = (in_common_group(make_container(make_bundle()), name) for name in ("quiet", "greedy"))
    try:
        if reservation:
            quiet.bundle.resources["memory"] = {"reservation": reservation * MEGABYTE}
        keep_in_cache(quiet, 24, times=1)
        keep_in_cache(greedy, 96, times=5)

        cached = int((quiet.cgroup / "memory.current").read_text())

        kept = "all of it kept" if cached > 22 * MEGABYTE else "a part of it taken"
        measured("memory.low", f"reservation {reservation} MiB for 24, a neighbour reads 96 of 64", kept)
        if reservation:
            assert cached > 22 * MEGABYTE
        else:
            assert cached < 20 * MEGABYTE
    finally:
        quiet.discard()
        greedy.discard()
        for file in DISK.glob("*m"):
            file.unlink()


def in_common_group(container, name):
    """Below a group that may have 64 MiB in all."""
    common = world.CGROUPS / "common"
    if not common.exists():
        (world.CGROUPS / "cgroup.subtree_control").write_text("+memory")
        common.mkdir()
        (common / "memory.max").write_text(str(64 * MEGABYTE))
    container.bundle.linux["cgroupsPath"] = f"/common/{name}"
    return container


def keep_in_cache(container, megabytes, times):
    """A container that has read a file, which its group is charged for while it is cached."""
    name = f"{megabytes}m"
    with open(DISK / name, "wb") as file:
        for _ in range(megabytes):
            file.write(bytes(MEGABYTE))
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    container.bundle.bind(DISK, "/disk")
    reads = f"for i in $(seq {times}); do cat /disk/{name} >/dev/null; done"
    container.bundle.sh(f"{reads}; touch /done; while :; do sleep 1; done")
    container.launch()
    eventually((container.bundle.rootfs / "done").exists, "it has read its file", seconds=60)


# huge pages


@needs("hugetlb")
@needs_huge_pages
@covers("/linux/resources/hugepageLimits/*/pageSize", "/linux/resources/hugepageLimits/*/limit")
def test_huge_pages_beyond_the_limit_are_refused(container, bundle, measured):
    bundle.resources["hugepageLimits"] = [{"pageSize": "2MB", "limit": 2 * HUGE}]
    bundle.mount("/huge", "hugetlbfs", "hugetlbfs", ["nosuid", "pagesize=2M"])

    two, third = f"fallocate -l {2 * HUGE} /huge/a", f"fallocate -l {HUGE} /huge/b 2>/dev/null"
    output = container.output(f"{two} && echo two; {third} || echo no-third")

    got = {"two\nno-third\n": "2, not 3"}.get(output, output.strip())
    measured("hugetlb.2MB.max", "2 huge pages, the command wants 3", got)
    assert output == "two\nno-third\n"


@needs("hugetlb")
@needs_huge_pages
@covers("/linux/resources/hugepageLimits/*/limit")
def test_huge_pages_without_a_limit_are_there_for_all(container, bundle):
    bundle.mount("/huge", "hugetlbfs", "hugetlbfs", ["nosuid", "pagesize=2M"])

    assert container.output(f"fallocate -l {3 * HUGE} /huge/a && echo three") == "three\n"


# processes

BOMB = "bomb() { bomb | bomb & }; bomb; while :; do sleep 1; done"


@needs("pids")
@covers("/linux/resources/pids/limit")
def test_a_pids_limit_stops_a_fork_bomb(container, bundle, measured):
    bundle.resources["pids"] = {"limit": 20}
    bundle.sh(BOMB)
    container.launch()
    eventually(lambda: events(container, "max", "pids.events") > 0, "it is stopped")

    living = int((container.cgroup / "pids.current").read_text())
    measured("pids.max", "20, a fork bomb", "at most 20" if living <= 20 else str(living))
    assert living <= 20
    container.delete("--force")


@needs("pids")
@covers("/linux/resources/pids/limit")
def test_a_pids_limit_leaves_room_for_what_it_allows(container, bundle, measured):
    bundle.resources["pids"] = {"limit": 8}
    script = "i=0; while [ $i -lt 20 ]; do sleep 1000 & i=$((i+1)); echo $i; done"

    bundle.sh(script)

    children = container.try_run().out.split()[-1]

    measured("pids.max", "8: the command and 7 children", f"{children} children")
    assert children == "7"


@needs("memory")
@covers("/linux/resources/memory/limit")
@extension("the limit is named where nothing is killed at it, only refused")
@pytest.mark.parametrize("kilobytes", [4, 16])
def test_a_limit_in_which_not_even_init_fits_is_named(container, bundle, kilobytes):
    bundle.resources["memory"] = {"limit": kilobytes << 10, "swap": kilobytes << 10}

    container.try_create().refused("memory limit too low?")
