"""events: what a container uses, again and again, until it ends; and when it ran out of memory."""

import json
import os
import signal
import subprocess

import pytest

from support import world
from support.marks import covers, engine_rule, extension
from support.quotas import CONTROLLERS, DISK, MEGABYTE, counter, needs, needs_a_disk, spinning
from support.waiting import eventually

PRESSURE = {"some", "full"}
ENTRY = {"limit", "usage", "max", "failcnt"}
# What runc's types/events.go names, and nothing else.
SCHEMA = {
    "cpu": {"usage", "throttling", "psi"},
    "cpuset": {
        *("cpus", "cpu_exclusive", "mems", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page"),
        *("memory_spread_slab", "memory_pressure", "sched_load_balance", "sched_relax_domain_level"),
    },
    "memory": {"cache", "usage", "swap", "kernel", "kernelTCP", "raw", "psi"},
    "pids": {"current", "limit"},
    "blkio": {
        *("ioServiceBytesRecursive", "ioServicedRecursive", "ioQueueRecursive", "ioServiceTimeRecursive"),
        *("ioWaitTimeRecursive", "ioMergedRecursive", "ioTimeRecursive", "sectorsRecursive", "psi"),
    },
    "intel_rdt": {
        *("l3_cache_info", "l3_cache_schema_root", "l3_cache_schema", "mem_bw_info", "mem_bw_schema_root"),
        *("mem_bw_schema", "mbm_stats", "cmt_stats"),
    },
}


def event(container):
    return container.call("events", "--stats").succeeded().json


def stats(container):
    return event(container)["data"]


class Listener:
    """`events` at work, its lines in a file."""

    def __init__(self, container, work, *flags):
        self.path = work / "events"
        with open(self.path, "wb") as out:
            self.process = container.spawn_with(["events", *flags, container.id], stdout=out, stderr=subprocess.STDOUT)

    @property
    def events(self):
        lines = self.path.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def of_type(self, name):
        return [event for event in self.events if event["type"] == name]

    def wait(self):
        return self.process.wait(timeout=20)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def listen(container, work):
    made = []

    def start(*flags):
        made.append(Listener(container, work, *flags))
        return made[-1]

    yield start
    for listener in made:
        listener.stop()


# One line


@engine_rule(36)
def test_events_stats_prints_one_line_and_ends(container):
    container.launch_sleeper()

    result = container.call("events", "--stats").succeeded()

    assert len(result.lines) == 1 and result.err == ""
    assert {key: result.json[key] for key in ("type", "id")} == {"type": "stats", "id": container.id}


def test_events_stats_have_the_members_that_engines_read(container):
    container.launch_sleeper()

    data = stats(container)

    assert set(data) == {*SCHEMA, "hugetlb", "network_interfaces"}
    for part, members in SCHEMA.items():
        assert set(data[part]) <= members, part
    for part in ("usage", "swap", "kernel", "kernelTCP"):
        assert {"limit", "failcnt"} <= set(data["memory"][part]) <= ENTRY
    assert {"kernel", "user"} <= set(data["cpu"]["usage"])
    assert data["network_interfaces"] is None


def test_events_tells_the_processor_time_in_nanoseconds(container):
    spinning(container)

    before = counter(container.cgroup / "cpu.stat", "usage_usec") * 1000
    told = stats(container)["cpu"]["usage"]["total"]
    after = counter(container.cgroup / "cpu.stat", "usage_usec") * 1000

    assert before <= told <= after


def test_events_tells_of_every_size_of_huge_pages(container):
    container.launch_sleeper()

    sizes = {path.name.split(".")[1] for path in container.cgroup.glob("hugetlb.*.current") if ".rsvd" not in path.name}

    assert set(stats(container)["hugetlb"]) == sizes


@extension("pressure, which runc tells since 1.2")
@pytest.mark.skipif(not os.path.exists("/proc/pressure"), reason="this kernel does not count pressure")
def test_events_tells_the_pressure(container):
    spinning(container)

    data = stats(container)

    for part in ("cpu", "memory", "blkio"):
        assert set(data[part]["psi"]) == PRESSURE
        assert set(data[part]["psi"]["some"]) == {"avg10", "avg60", "avg300", "total"}


@extension("a missing controller does not hide how many processes there are")
@pytest.mark.skipif("pids" in CONTROLLERS, reason="this host has the pids controller")
def test_events_counts_processes_without_the_controller(container):
    container.launch_sleeper()

    assert stats(container)["pids"] == {"current": 2}


@needs("pids")
@covers("/linux/resources/pids/limit")
def test_events_tells_how_many_processes_there_are_and_may_be(container, bundle):
    bundle.resources["pids"] = {"limit": 100}
    container.launch_sleeper()

    assert stats(container)["pids"] == {"current": 2, "limit": 100}


@needs("memory")
@covers("/linux/resources/memory/limit", "/linux/resources/memory/swap")
def test_events_tells_the_memory_and_its_limits(container, bundle):
    bundle.resources["memory"] = {"limit": 64 * MEGABYTE, "swap": 96 * MEGABYTE}
    container.launch_sleeper()

    memory = stats(container)["memory"]

    assert 0 < memory["usage"]["usage"] < 64 * MEGABYTE
    assert memory["usage"]["limit"] == 64 * MEGABYTE
    assert memory["swap"]["usage"] >= memory["usage"]["usage"]
    assert memory["raw"]["anon"] > 0
    assert memory["raw"].keys() == {line.split()[0] for line in (container.cgroup / "memory.stat").read_text().splitlines()}


@needs("memory")
@extension("the sum of memory and swap, which runc 1.1 may have without the limit")
def test_events_tells_the_sum_of_memory_and_swap(container, bundle):
    bundle.resources["memory"] = {"limit": 64 * MEGABYTE, "swap": 96 * MEGABYTE}
    container.launch_sleeper()

    assert stats(container)["memory"]["swap"]["limit"] == 96 * MEGABYTE


@needs("cpuset")
@extension("the processors, which runc tells since 1.2")
@covers("/linux/resources/cpu/cpus")
def test_events_tells_the_processors_that_may_be_used(container, bundle):
    bundle.resources["cpu"] = {"cpus": "0"}
    container.launch_sleeper()

    assert stats(container)["cpuset"]["cpus"] == [0]


@needs("io")
@needs_a_disk()
def test_events_tells_what_was_written_to_which_disk(container, bundle):
    bundle.bind(DISK, "/disk")
    bundle.sh("dd if=/dev/zero of=/disk/events bs=1M count=4 conv=fsync && rm /disk/events; touch /done; while :; do sleep 1; done")
    container.launch()
    eventually((bundle.rootfs / "done").exists, "it has written", seconds=30)
    device = os.stat(DISK).st_dev

    entries = stats(container)["blkio"]["ioServiceBytesRecursive"]

    written = [
        entry["value"]
        for entry in entries
        if entry["op"] == "Write" and (entry.get("major", 0), entry.get("minor", 0)) == (os.major(device), os.minor(device))
    ]
    assert written and written[0] >= 4 * MEGABYTE


# Many lines


@engine_rule(36)
def test_events_tells_at_every_interval(container, listen):
    container.launch_sleeper()

    listener = listen("--interval", "100ms")

    eventually(lambda: len(listener.of_type("stats")) >= 3, "three lines are there")
    assert {event["id"] for event in listener.events} == {container.id}


@extension("runc ends with its cgroup only, or with the next interval")
@engine_rule(36)
def test_events_ends_when_the_container_does(container, listen):
    container.launch_sleeper()
    listener = listen("--interval", "50ms")
    eventually(lambda: listener.events, "it tells")

    container.kill("KILL")

    assert listener.wait() == 0


@extension("runc goes on after the death of init")
def test_events_ends_at_once_however_long_the_interval_is(container, listen):
    container.launch_sleeper()
    listener = listen("--interval", "100h")
    eventually(lambda: is_asleep(listener.process.pid), "it waits")

    container.kill("KILL")

    assert listener.wait() == 0
    assert listener.events == []


def is_asleep(pid):
    """True once it waits in poll(2), and no longer for the disk or the loader."""
    return "poll" in open(f"/proc/{pid}/wchan").read() or "poll" in open(f"/proc/{pid}/stack").read()


def test_events_of_a_created_container_can_be_told(container):
    container.create()

    assert stats(container)["cpu"]["usage"]["kernel"] >= 0


def test_events_of_a_paused_container_can_be_told(container):
    container.launch_sleeper()
    container.call("pause").succeeded()

    assert event(container)["id"] == container.id

    container.call("resume").succeeded()


@extension("that nobody reads is no failure")
def test_events_ends_quietly_when_nobody_reads(container):
    container.launch_sleeper()
    process = container.spawn_with(["events", "--interval", "50ms", container.id], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert json.loads(process.stdout.readline())["type"] == "stats"
        process.stdout.close()

        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@needs("memory")
@covers("/linux/resources/memory/limit")
def test_events_tells_when_a_process_was_killed_for_want_of_memory(container, bundle, listen):
    bundle.resources["memory"] = {"limit": 32 * MEGABYTE, "swap": 32 * MEGABYTE}
    bundle.sh("until [ -e /go ]; do sleep 0.1; done; sh -c 'a=0123456789abcdef; while :; do a=$a$a; done'; touch /over; sleep 1000")
    container.launch()
    listener = listen("--interval", "100ms")
    eventually(lambda: listener.of_type("stats"), "it tells")
    assert listener.of_type("oom") == []

    (bundle.rootfs / "go").touch()

    eventually((bundle.rootfs / "over").exists, "a process was killed", seconds=60)
    eventually(lambda: listener.of_type("oom"), "it tells of the kill", seconds=20)
    assert listener.of_type("oom")[0] == {"type": "oom", "id": container.id}


@needs("memory")
@extension("the kill that ends the container is told, too")
def test_events_tells_of_the_kill_that_ended_the_container(container, bundle, listen):
    bundle.resources["memory"] = {"limit": 32 * MEGABYTE, "swap": 32 * MEGABYTE}
    bundle.sh("until [ -e /go ]; do sleep 0.1; done; a=0123456789abcdef; while :; do a=$a$a; done")
    container.launch()
    listener = listen("--interval", "100ms")
    eventually(lambda: listener.of_type("stats"), "it tells")

    (bundle.rootfs / "go").touch()

    assert listener.process.wait(timeout=60) == 0
    # Not the last line where the end of a killed process takes longer than the interval: it holds its memory until then.
    assert listener.of_type("oom") == [{"type": "oom", "id": container.id}]


# What cannot be told


@pytest.mark.parametrize("flags", [["--stats"], []])
def test_events_of_a_stopped_container_is_refused(container, bundle, flags):
    bundle.args("true")
    container.launch()
    container.wait_for_status("stopped")

    container.call("events", *flags).refused("not running")


@pytest.mark.parametrize("interval", ["0", "0s", "-5s", "-1ms", "5", "5x", "soon", ""])
def test_events_wants_an_interval_that_can_be_waited_for(container, interval):
    container.launch_sleeper()

    result = container.call("events", f"--interval={interval}").failed()

    assert not any(line.startswith("{") for line in result.lines)


def test_events_of_an_unknown_container_is_refused(runtime, root):
    root.mkdir()

    runtime.call("events", "--stats", "nobody", root=root).refused("does not exist")


@extension("a sentence for containers without a cgroup")
def test_events_without_a_cgroup_says_why_it_cannot(runtime, make_container, make_bundle, root):
    bundle = make_bundle()
    container = make_container(bundle)
    del bundle.linux["cgroupsPath"]
    bundle.args("sleep", "1000").save()
    runtime.call("--cgroup-manager", "disabled", "create", "--bundle", bundle.path, container.id, root=root).succeeded()

    container.call("events", "--stats").refused("container has no cgroup, and only that knows what it uses")
