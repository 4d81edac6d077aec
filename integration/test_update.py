"""`update`: other limits for a container that lives, all of them or none."""

import json
import os

import pytest

from support.marks import covers, engine_rule, extension
from support.quotas import CONTROLLERS, MEGABYTE, needs

CHANGED = {"unified": {"cgroup.max.depth": "5"}}


def group_file(container, name):
    return (container.cgroup / name).read_text().strip()


def update(container, resources, **options):
    return container.call("update", "--resources", "-", input=json.dumps(resources), **options)


def frozen(container):
    return json.loads((container.state_directory / "config.json").read_text())["linux"].get("resources", {})


@pytest.fixture
def running(container):
    return container.launch_sleeper()


# Where the limits come from.


@covers("/linux/resources/unified/*")
@engine_rule(32)
def test_update_takes_limits_from_standard_input(running):
    update(running, CHANGED).succeeded()

    assert group_file(running, "cgroup.max.depth") == "5"


@engine_rule(32)
def test_update_takes_limits_from_a_file(running, work):
    (work / "resources").write_text(json.dumps(CHANGED))

    running.call("update", "-r", work / "resources").succeeded().silent()

    assert group_file(running, "cgroup.max.depth") == "5"


@engine_rule(32)
def test_update_takes_limits_from_standard_input_as_engines_ask_for_it(running):
    running.call("update", "--resources=-", input=json.dumps(CHANGED)).succeeded().silent()

    assert group_file(running, "cgroup.max.depth") == "5"


@extension("a file takes the place of the other options altogether")
def test_options_beside_a_file_are_not_looked_at(running):
    running.call("update", "--pids-limit", "7", "-r", "-", input=json.dumps(CHANGED)).succeeded()

    assert group_file(running, "cgroup.max.depth") == "5"


def test_an_update_of_nothing_changes_nothing(running):
    update(running, {}).succeeded()

    assert group_file(running, "cgroup.max.depth") == "max"


@needs("hugetlb")
@covers("/linux/resources/hugepageLimits/*/limit", "/linux/resources/hugepageLimits/*/pageSize")
def test_update_limits_huge_pages(running):
    update(running, {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MEGABYTE}]}).succeeded()

    assert group_file(running, "hugetlb.2MB.max") == str(4 * MEGABYTE)


# When.


def test_a_created_container_is_updated(container):
    container.create()

    update(container, CHANGED).succeeded()

    assert group_file(container, "cgroup.max.depth") == "5"


def test_a_paused_container_is_updated_and_stays_paused(running):
    running.call("pause").succeeded()

    update(running, CHANGED).succeeded()

    assert group_file(running, "cgroup.max.depth") == "5"
    assert running.status == "paused"


def test_a_stopped_container_is_not_updated(running):
    running.stop()

    update(running, CHANGED).refused("container not running", crun="is not running")


def test_an_unknown_container_is_not_updated(container):
    update(container, CHANGED).refused("does not exist", crun="No such file")


# What is refused, and leaves all as it was.


@extension("a limit that cannot be had is named")
def test_a_file_that_is_not_there_is_refused_and_nothing_changes(running):
    before = frozen(running)

    update(running, {"unified": {"cgroup.max.depth": "5", "nonsense.max": "1"}}).refused("/linux/resources/unified/nonsense.max")

    assert group_file(running, "cgroup.max.depth") == "max"
    assert frozen(running) == before


@extension("an update is undone as a whole")
def test_a_value_that_the_kernel_refuses_undoes_what_was_written_before(running):
    update(running, {"unified": {"cgroup.max.depth": "5"}}).succeeded()
    before = frozen(running)

    refused = update(running, {"unified": {"cgroup.max.depth": "6", "cgroup.max.descendants": "many"}})

    refused.refused("/linux/resources/unified/cgroup.max.descendants")
    assert group_file(running, "cgroup.max.depth") == "5"
    assert frozen(running) == before


@pytest.mark.skipif("memory" in CONTROLLERS, reason="this host has the memory controller")
@extension("a limit that cannot be had is named")
def test_an_update_that_needs_a_missing_controller_is_refused(running):
    running.call("update", "--memory", "64m").refused("/linux/resources/memory/limit")

    assert frozen(running).get("memory", {}).get("limit") is None


@extension("the words that name what was wrong")
@pytest.mark.parametrize(
    "text, words",
    [("{", "resources file"), ('{"memory": {"limit": "much"}}', "/memory/limit"), ("[]", "must be an object")],
)
def test_limits_that_cannot_be_read_are_refused(running, text, words):
    running.call("update", "-r", "-", input=text).refused(words)


@pytest.mark.parametrize(
    "option, value",
    [("memory", "much"), ("memory", "-2"), ("pids-limit", "1.5"), ("cpu-period", "-1"), ("blkio-weight", "70000")],
)
@extension("numbers are read as a whole or refused")
def test_R19_an_option_that_is_no_number_is_refused(running, option, value):
    running.call("update", f"--{option}", value).refused(f"--{option}")


# What lasts.


@extension("the frozen config has the limits that hold")
def test_an_update_is_kept_for_later_commands(running):
    update(running, CHANGED).succeeded()
    update(running, {"unified": {"cgroup.max.descendants": "9"}}).succeeded()

    assert frozen(running)["unified"] == {"cgroup.max.depth": "5", "cgroup.max.descendants": "9"}
    assert os.stat(running.state_directory / "config.json").st_mode & 0o777 == 0o600
    assert running.status == "running"
    running.exec("true")


def test_device_rules_are_as_they_were_after_an_update(running):
    update(running, {"devices": [{"allow": False, "access": "rwm"}], **CHANGED}).succeeded()

    running.exec("sh", "-c", ": >/dev/null")


# Each limit, where there is a controller for it.


OPTIONS = [
    (["--memory", "64m"], "memory.max", str(64 * MEGABYTE)),
    (["--memory", str(48 * MEGABYTE)], "memory.max", str(48 * MEGABYTE)),
    (["--memory", "-1"], "memory.max", "max"),
    (["--memory-reservation", "16m"], "memory.low", str(16 * MEGABYTE)),
    (["--memory", "64m", "--memory-swap", "96m"], "memory.swap.max", str(32 * MEGABYTE)),
    (["--pids-limit", "33"], "pids.max", "33"),
    (["--pids-limit", "-1"], "pids.max", "max"),
    (["--cpu-quota", "40000", "--cpu-period", "80000"], "cpu.max", "40000 80000"),
    (["--cpu-quota", "-1"], "cpu.max", "max 50000"),
    (["--cpu-quota", "20000"], "cpu.max", "20000 50000"),
    (["--cpu-period", "60000"], "cpu.max", "30000 60000"),
    (["--cpu-share", "2"], "cpu.weight", "1"),
    (["--cpu-burst", "10000"], "cpu.max.burst", "10000"),
    (["--cpu-idle", "1"], "cpu.idle", "1"),
    (["--cpuset-cpus", "0"], "cpuset.cpus", "0"),
    (["--cpuset-mems", "0"], "cpuset.mems", "0"),
]


@needs("memory", "cpu", "pids", "cpuset", "io")
@pytest.mark.parametrize("flags, file, value", OPTIONS, ids=["=".join(flags[:2]).strip("-") for flags, *_ in OPTIONS])
def test_an_option_sets_its_limit(container, bundle, flags, file, value):
    bundle.resources.update(cpu={"quota": 30000, "period": 50000}, memory={"limit": 32 * MEGABYTE})
    container.launch_sleeper()

    container.call("update", *flags).succeeded()

    assert group_file(container, file) == value


@needs("io")
@extension("with the BFQ scheduler or without")
def test_the_option_of_block_devices_sets_their_weight(container):
    container.launch_sleeper()
    has_bfq = (container.cgroup / "io.bfq.weight").exists()

    container.call("update", "--blkio-weight", "500").succeeded()

    if has_bfq:
        assert group_file(container, "io.bfq.weight") in ("default 500", "500")
    else:
        assert group_file(container, "io.weight") == "default 4950"


@needs("memory", "pids")
@covers("/linux/resources/memory/limit", "/linux/resources/pids/limit")
@engine_rule(32)
def test_what_is_not_given_stays(container, bundle):
    bundle.resources.update(memory={"limit": 64 * MEGABYTE, "swap": 96 * MEGABYTE}, pids={"limit": 20})
    container.launch_sleeper()

    update(container, {"memory": {"limit": 48 * MEGABYTE}}).succeeded()

    assert group_file(container, "memory.max") == str(48 * MEGABYTE)
    assert group_file(container, "memory.swap.max") == str(32 * MEGABYTE)
    assert group_file(container, "pids.max") == "20"


@needs("memory", "pids")
@covers("/linux/resources/memory/checkBeforeUpdate")
@extension("nothing at all is written if one limit is rejected")
def test_a_memory_limit_below_the_usage_is_rejected_if_asked_for(container, bundle):
    bundle.resources["memory"] = {"limit": 64 * MEGABYTE, "checkBeforeUpdate": True}
    container.launch_sleeper()

    refused = update(container, {"memory": {"limit": 4096}, "pids": {"limit": 11}})

    refused.refused("/linux/resources/memory/limit: rejecting memory limit 4096 <= usage ")
    assert group_file(container, "memory.max") == str(64 * MEGABYTE)
    assert group_file(container, "pids.max") == "max"
    assert container.status == "running"


@needs("memory", "cpu", "pids")
@extension("an update is undone as a whole")
def test_all_limits_are_undone_when_the_last_cannot_be_had(container, bundle):
    bundle.resources.update(
        memory={"limit": 64 * MEGABYTE, "swap": 64 * MEGABYTE},
        cpu={"quota": 30000, "period": 50000, "burst": 20000, "shares": 2},
        pids={"limit": 20},
    )
    container.launch_sleeper()
    files = ["memory.max", "memory.swap.max", "cpu.max", "cpu.max.burst", "cpu.idle", "cpu.weight", "pids.max"]
    before = {file: group_file(container, file) for file in files}

    refused = update(container, {
        "memory": {"limit": 32 * MEGABYTE, "swap": 48 * MEGABYTE},
        "cpu": {"quota": 10000, "period": 20000, "burst": 5000, "idle": 1},
        "pids": {"limit": 10},
        "unified": {"nonsense.max": "1"},
    })

    refused.refused("/linux/resources/unified/nonsense.max")
    assert {file: group_file(container, file) for file in files} == before
