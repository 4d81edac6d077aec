"""Limits on processors, proved by what a container gets and not by what the kernel's files say was asked for."""

import pathlib

import pytest

from support.marks import covers
from support.quotas import events, needs, needs_processors, pressure, processor_seconds, share_of_a_processor, spinning, used_together
from support.waiting import eventually

pytestmark = [needs("cpu", "cpuset")]

ONE_PROCESSOR = {"cpus": "0"}


def pair(make_container, make_bundle, first, second):
    """Two spinners on one processor, with their cpu resources."""
    made = []
    for cpu in (first, second):
        container = make_container(make_bundle())
        container.bundle.resources["cpu"] = {**ONE_PROCESSOR, **cpu}
        made.append(spinning(container))
    return made


def status_line(process, key):
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return line.split(":")[1].strip()
    raise AssertionError(f"no {key} in /proc/{process}/status")


def processor_of(process):
    return pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[36]


@pytest.mark.parametrize("quota, period", [(20000, 100000), (15000, 50000)])
@covers("/linux/resources/cpu/quota", "/linux/resources/cpu/period")
def test_a_cpu_quota_slows_a_spinner_to_its_share(container, bundle, measured, quota, period):
    bundle.resources["cpu"] = {"quota": quota, "period": period}
    spinning(container)

    share = share_of_a_processor(container)

    measured("cpu.max", f"{quota / period:.0%} of a processor (quota {quota}, period {period})", f"{share:.1%}")
    assert share == pytest.approx(quota / period, rel=0.05)
    assert events(container, "nr_throttled", "cpu.stat") > 0


@covers("/linux/resources/cpu/quota")
def test_no_cpu_quota_leaves_a_spinner_alone(container, bundle, measured):
    bundle.resources["cpu"] = {"quota": -1, "period": 100000}
    spinning(container)

    (used,), elapsed = used_together(2, processor_seconds, container)

    throttled = events(container, "nr_throttled", "cpu.stat")
    measured("cpu.max", "no limit (quota -1)", f"throttled {throttled} times")
    assert used / elapsed > 0.7
    assert throttled == 0


@covers("/linux/resources/cpu/quota")
def test_a_command_of_exec_has_the_quota_of_its_container(container, bundle, measured):
    bundle.resources["cpu"] = {"quota": 20000, "period": 100000}
    container.launch_sleeper()
    container.exec("sh", "-c", "while :; do :; done", flags=("--detach",))

    share = share_of_a_processor(container)

    measured("cpu.max", "20% of a processor, for a command of exec", f"{share:.1%}")
    assert share == pytest.approx(0.2, rel=0.1)


@covers("/linux/resources/cpu/burst")
def test_a_cpu_burst_lets_a_rested_container_exceed_its_quota(container, bundle, measured):
    bundle.resources["cpu"] = {"quota": 20000, "period": 100000, "burst": 20000}
    bundle.sh("while :; do i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; sleep 0.5; done")
    container.launch()

    eventually(lambda: events(container, "nr_bursts", "cpu.stat") > 0, "it uses what it saved", seconds=20)
    measured("cpu.max.burst", "20 ms more after a rest", "exceeds its quota after a rest")


@covers("/linux/resources/cpu/shares")
def test_cpu_shares_divide_a_processor_in_proportion(make_container, make_bundle, measured):
    big, small = pair(make_container, make_bundle, {"shares": 4096}, {"shares": 512})
    weights = [int((container.cgroup / "cpu.weight").read_text()) for container in (big, small)]

    used, _ = used_together(6, processor_seconds, big, small)

    told = f"{weights[0] / weights[1]:.1f} : 1"
    measured("cpu.weight", f"shares 4096 and 512: weights {weights[0]} and {weights[1]}, {told}", f"{used[0] / used[1]:.1f} : 1")
    assert weights[0] > 3 * weights[1]
    assert used[0] / used[1] == pytest.approx(weights[0] / weights[1], rel=0.1)


@covers("/linux/resources/unified/*")
def test_cpu_weights_of_unified_divide_a_processor_in_proportion(make_container, make_bundle, measured):
    made = []
    for weight in ("300", "100"):
        container = make_container(make_bundle())
        container.bundle.resources.update({"cpu": dict(ONE_PROCESSOR), "unified": {"cpu.weight": weight}})
        made.append(spinning(container))

    used, _ = used_together(6, processor_seconds, *made)

    measured("unified: cpu.weight", "300 and 100: 3 : 1", f"{used[0] / used[1]:.1f} : 1")
    assert used[0] / used[1] == pytest.approx(3, rel=0.1)


@covers("/linux/resources/cpu/idle")
def test_an_idle_container_gets_what_others_leave(make_container, make_bundle, measured):
    idle, busy = pair(make_container, make_bundle, {"idle": 1}, {})

    used, elapsed = used_together(4, processor_seconds, idle, busy)

    measured("cpu.idle", "what a busy neighbour leaves", f"{used[0] / sum(used):.1%} beside {used[1] / sum(used):.1%}")
    assert used[0] < 0.1 * elapsed
    assert used[1] > 0.6 * elapsed


@needs_processors(2)
@pytest.mark.parametrize("processor", ["0", "1"])
@covers("/linux/resources/cpu/cpus")
def test_a_container_runs_on_the_processors_of_its_set_alone(container, bundle, measured, processor):
    bundle.resources["cpu"] = {"cpus": processor}
    spinning(container)

    seen = set()
    used_together(1, lambda c: seen.add(processor_of(c.pid)) or 0, container)

    measured("cpuset.cpus", f"processor {processor} of 2", f"seen on processor {', '.join(sorted(seen))}")
    assert status_line(container.pid, "Cpus_allowed_list") == processor
    assert seen == {processor}


@covers("/linux/resources/cpu/cpus")
def test_a_set_without_a_processor_of_this_machine_is_refused(container, bundle, measured):
    bundle.resources["cpu"] = {"cpus": "4000"}

    container.try_create().refused("cpuset.cpus")
    measured("cpuset.cpus", "processor 4000, which is not there", "refused")


@pytest.mark.skipif(not pathlib.Path("/sys/devices/system/node/node1").exists(), reason="this machine has one memory node")
@pytest.mark.parametrize("node", ["0", "1"])
@covers("/linux/resources/cpu/mems")
def test_a_container_gets_memory_of_its_nodes_alone(container, bundle, measured, node):
    bundle.resources["cpu"] = {"mems": node}
    bundle.sh("a=0123456789abcdef; while [ ${#a} -lt 4000000 ]; do a=$a$a; done; touch /ready; while :; do sleep 1; done")
    container.launch()
    eventually((bundle.rootfs / "ready").exists, "it has used memory")

    pages = pathlib.Path(f"/proc/{container.pid}/numa_maps").read_text()
    heap = next(line for line in pages.splitlines() if "heap" in line)
    seen = [number for number in "01" if f" N{number}=" in heap]
    measured("cpuset.mems", f"memory of node {node} of 2", f"its heap is in node {', '.join(seen)}")
    assert seen == [node]
    assert status_line(container.pid, "Mems_allowed_list") == node


def test_the_pressure_of_a_throttled_container_rises(container, bundle, measured):
    bundle.resources["cpu"] = {"quota": 5000, "period": 100000}
    spinning(container)

    (stalled,), elapsed = used_together(2, pressure("cpu"), container)

    measured("cpu.pressure", "5% of a processor: it waits the rest", f"stalled {stalled / elapsed:.0%} of the time")
    assert stalled / elapsed > 0.5
