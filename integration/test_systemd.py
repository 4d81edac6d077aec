"""The systemd cgroup manager: what systemd is asked for, that its account and the group's files agree, and that no unit is left.

Runs on the real hierarchy, where systemd is PID 1: `make vm-test MODE=systemd TESTS=integration/test_systemd.py`.
"""

import json
import os
import socket
import threading
import time

import pytest

from support import host_view, rootless, world
from support.marks import covers, engine_rule, extension
from support.quotas import MEGABYTE
from support.systemd import BY_SYSTEMD, ScopedContainer, group_of, host_in_view, our_units, properties, remove_our_units, systemctl
from support.waiting import eventually

from test_cgroups import DENY_ALL, READ_KMSG, kmsg_node, rule
from test_hooks import add_hook

pytestmark = [
    pytest.mark.skipif(not host_view.SYSTEMD_RUNS, reason="systemd is not PID 1 here, or cgroup v2 is not all there is"),
    pytest.mark.skipif(rootless.ACTIVE, reason="an ordinary user has a service manager of its own: see test_rootless_machine.py"),
]


@pytest.fixture(scope="module", autouse=True)
def the_host_in_view(pytestconfig):
    with host_in_view(pytestconfig.world):
        yield


@pytest.fixture(autouse=True)
def no_unit_is_left_at_the_end(request, nothing_is_left_at_the_end):
    yield
    try:
        eventually(lambda: not our_units(), "no unit is left")
    except AssertionError:
        left = our_units()
        remove_our_units()
        assert left == [] or request.node.get_closest_marker("xfail")


@pytest.fixture
def make_container(runtime, root, work, nothing_is_left_at_the_end):
    made = []

    def make(bundle):
        made.append(ScopedContainer(runtime, bundle, root, f"{world.mark}-{work.name}-{len(made)}"))
        return made[-1]

    yield make
    for container in made:
        container.discard()


@pytest.fixture
def running(container):
    return container.launch_sleeper()


@pytest.fixture
def own_slice():
    """The name of a slice in a slice, both of this session."""
    yield f"{world.mark}-inner.slice"
    systemctl("stop", f"{world.mark}.slice")


@pytest.fixture
def nothing_and_no_unit_left(container, nothing_left):
    container.bundle.save()
    container.root.mkdir(exist_ok=True)
    nothing_left.from_now_on()

    def check():
        nothing_left.soon()
        eventually(lambda: not our_units(), "no unit is left")

    return check


def no_unit(container):
    return not any(container.id in unit for unit in our_units())


# Where: cgroupsPath is "slice:prefix:name".


@covers("/linux/cgroupsPath")
@engine_rule(31)
def test_engine_rule_31_the_scope_is_named_by_prefix_and_name_and_lies_in_the_slice(container, bundle, own_slice):
    bundle.linux["cgroupsPath"] = f"{own_slice}:libpod:{container.id}"

    container.launch_sleeper()

    scope = f"/{world.mark}.slice/{own_slice}/libpod-{container.id}.scope"
    told = properties(f"libpod-{container.id}.scope")
    assert (told["ActiveState"], told["Slice"], told["ControlGroup"]) == ("active", own_slice, scope)
    assert str(group_of(container.pid)).startswith(scope)
    container.delete("--force")


@covers("/linux/cgroupsPath")
@engine_rule(31)
def test_engine_rule_31_without_a_path_the_scope_is_named_after_runtime_and_container(container, bundle, runtime):
    bundle.linux["cgroupsPath"] = ""

    container.launch_sleeper()

    scope = f"/system.slice/{runtime.name}-{container.id}.scope"
    assert str(group_of(container.pid)).startswith(scope)
    assert properties(f"{runtime.name}-{container.id}.scope")["ControlGroup"] == scope


def test_a_missing_path_is_as_an_empty_one(container, bundle, runtime):
    del bundle.linux["cgroupsPath"]
    bundle.sleeper()

    container.create()

    assert str(group_of(container.pid)).startswith(f"/system.slice/{runtime.name}-{container.id}.scope")


@covers("/linux/cgroupsPath")
@pytest.mark.parametrize("slice, parent", [("", "/system.slice"), ("-.slice", "")], ids=["none", "root"])
def test_a_slice_may_be_left_out_or_be_the_root(container, bundle, slice, parent):
    bundle.linux["cgroupsPath"] = f"{slice}:capsule:{container.id}"

    container.launch_sleeper()

    assert container.properties["ControlGroup"] == f"{parent}/capsule-{container.id}.scope"


MALFORMED = 'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "{}" instead'


@covers("/linux/cgroupsPath")
@pytest.mark.parametrize("path", ["/capsule/one", "one", "one:two", "system.slice:one:two:three"])
def test_a_path_of_another_form_is_refused(container, bundle, nothing_and_no_unit_left, path):
    bundle.linux["cgroupsPath"] = path

    container.try_create().refused(MALFORMED.format(path), crun="Invalid unit name")

    nothing_and_no_unit_left()


@covers("/linux/cgroupsPath")
@pytest.mark.parametrize("name", ["captest", "captest--one.slice", "captest/one.slice", "-captest.slice", "captest-.slice"])
def test_a_name_that_no_slice_can_have_is_refused(container, bundle, nothing_and_no_unit_left, name):
    bundle.linux["cgroupsPath"] = f"{name}:capsule:{container.id}"

    container.try_create().refused(name, crun=name)

    nothing_and_no_unit_left()


def test_a_scope_in_use_is_refused_and_its_container_is_unharmed(make_container, make_bundle):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    second.bundle.linux["cgroupsPath"] = first.bundle.linux["cgroupsPath"]
    first.launch_sleeper()

    error = second.try_create().refused().error

    assert first.unit in error or "cgroup is not empty" in error
    second.call("delete", "--force")
    assert first.status == "running"
    assert first.properties["ActiveState"] == "active"
    assert first.exec("echo", "alive").out == "alive\n"


# What the scope is.


def test_the_scope_is_delegated_to_the_container(running):
    told = running.properties

    assert (told["Delegate"], told["DefaultDependencies"], told["Transient"]) == ("yes", "no", "yes")
    assert {"cpu", "cpuset", "io", "memory", "pids"} <= set(told["DelegateControllers"].split())


@pytest.mark.parametrize("kind", ["CPU", "IO", "Memory", "Tasks"])
def test_what_the_container_uses_is_accounted_for(running, kind):
    assert running.properties[f"{kind}Accounting"] == "yes"


def test_the_description_says_that_it_is_a_container(running):
    assert "container" in running.properties["Description"]


@extension("the description names runtime and container")
def test_the_description_names_the_container(running):
    assert running.properties["Description"] == f"capsule container {running.id}"


def test_inside_the_group_is_the_root_of_the_hierarchy(container):
    assert container.output("cat /proc/self/cgroup") == "0::/\n"


def test_init_is_in_the_scope_before_it_runs_anything(container, bundle):
    pid = "sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p'"
    add_hook(bundle, "createRuntime", f"cat /proc/$({pid})/cgroup >{bundle.path}/group", reads=True)

    container.create()

    assert container.unit in (bundle.path / "group").read_text()


@pytest.mark.parametrize("controller", ["hugetlb", "misc"])
def test_controllers_that_systemd_does_not_know_are_there_too(running, controller):
    assert controller in (running.cgroup / "cgroup.controllers").read_text().split()


@extension("processes are in the scope itself, unless asked otherwise")
def test_there_is_no_sub_group_unless_one_is_asked_for(running):
    assert group_of(running.pid).name == running.unit


@pytest.mark.parametrize("name", ["payload", ""])
def test_a_sub_group_is_named_by_an_annotation(container, bundle, name):
    bundle.config["annotations"] = {"run.oci.systemd.subgroup": name}

    container.launch_sleeper()

    inside = f"{container.properties['ControlGroup']}/{name}".rstrip("/")
    assert str(group_of(container.pid)) == inside
    assert container.exec("cat", "/proc/self/cgroup").out == "0::/\n"


# Limits: systemd's account and the files say the same.

LIMITS = [
    ({"memory": {"limit": 64 * MEGABYTE}}, "MemoryMax", "67108864", "memory.max", "67108864"),
    ({"memory": {"limit": -1}}, "MemoryMax", "infinity", "memory.max", "max"),
    ({"memory": {"reservation": 32 * MEGABYTE}}, "MemoryLow", "33554432", "memory.low", "33554432"),
    (
        {"memory": {"limit": 64 * MEGABYTE, "swap": 96 * MEGABYTE}},
        *("MemorySwapMax", "33554432", "memory.swap.max", "33554432"),
    ),
    ({"memory": {"limit": 64 * MEGABYTE, "swap": 64 * MEGABYTE}}, "MemorySwapMax", "0", "memory.swap.max", "0"),
    ({"memory": {"limit": 64 * MEGABYTE, "swap": -1}}, "MemorySwapMax", "infinity", "memory.swap.max", "max"),
    ({"cpu": {"quota": 20000, "period": 100000}}, "CPUQuotaPerSecUSec", "200ms", "cpu.max", "20000 100000"),
    ({"cpu": {"quota": 33333, "period": 100000}}, "CPUQuotaPerSecUSec", "340ms", "cpu.max", "33333 100000"),
    ({"cpu": {"quota": -1}}, "CPUQuotaPerSecUSec", "infinity", "cpu.max", "max 100000"),
    ({"cpu": {"quota": 25000, "period": 50000}}, "CPUQuotaPeriodUSec", "50ms", "cpu.max", "25000 50000"),
    ({"cpu": {"idle": 1}}, "CPUWeight", "idle", "cpu.idle", "1"),
    ({"cpu": {"cpus": "0"}}, "AllowedCPUs", "0", "cpuset.cpus", "0"),
    ({"cpu": {"mems": "1"}}, "AllowedMemoryNodes", "1", "cpuset.mems", "1"),
    ({"cpu": {"mems": "0-1"}}, "AllowedMemoryNodes", "0-1", "cpuset.mems", "0-1"),
    ({"pids": {"limit": 77}}, "TasksMax", "77", "pids.max", "77"),
    ({"pids": {"limit": -1}}, "TasksMax", "infinity", "pids.max", "max"),
    ({"unified": {"memory.max": "67108864"}}, "MemoryMax", "67108864", "memory.max", "67108864"),
    ({"unified": {"memory.high": "50331648"}}, "MemoryHigh", "50331648", "memory.high", "50331648"),
    ({"unified": {"memory.high": "max"}}, "MemoryHigh", "infinity", "memory.high", "max"),
    ({"unified": {"memory.low": "1048576"}}, "MemoryLow", "1048576", "memory.low", "1048576"),
    ({"unified": {"memory.min": "1048576"}}, "MemoryMin", "1048576", "memory.min", "1048576"),
    ({"unified": {"memory.swap.max": "1048576"}}, "MemorySwapMax", "1048576", "memory.swap.max", "1048576"),
    ({"unified": {"cpu.max": "25000 50000"}}, "CPUQuotaPerSecUSec", "500ms", "cpu.max", "25000 50000"),
    ({"unified": {"cpu.max": "max 50000"}}, "CPUQuotaPerSecUSec", "infinity", "cpu.max", "max 50000"),
    ({"unified": {"cpu.weight": "77"}}, "CPUWeight", "77", "cpu.weight", "77"),
    ({"unified": {"pids.max": "55"}}, "TasksMax", "55", "pids.max", "55"),
    ({"unified": {"cpuset.cpus": "0"}}, "AllowedCPUs", "0", "cpuset.cpus", "0"),
    ({"unified": {"cpuset.mems": "0"}}, "AllowedMemoryNodes", "0", "cpuset.mems", "0"),
]


def words(resources):
    """{"cpu": {"idle": 1}} → cpu-idle=1"""
    return ",".join(f"{part}-{name}={value}" for part, values in resources.items() for name, value in values.items())


def bound_by(container, file):
    """What the file says in the group that the processes are in."""
    return (world.CGROUPS / str(group_of(container.pid)).lstrip("/") / file).read_text().strip()


@covers(
    "/linux/resources/memory/limit",
    "/linux/resources/memory/reservation",
    "/linux/resources/memory/swap",
    "/linux/resources/cpu/quota",
    "/linux/resources/cpu/period",
    "/linux/resources/cpu/idle",
    "/linux/resources/cpu/cpus",
    "/linux/resources/cpu/mems",
    "/linux/resources/pids/limit",
    "/linux/resources/unified/*",
)
@pytest.mark.parametrize("resources, name, told, file, content", LIMITS, ids=[words(limit[0]) for limit in LIMITS])
def test_systemd_and_the_file_tell_the_same_limit(container, bundle, resources, name, told, file, content):
    bundle.linux["resources"] = resources

    container.launch_sleeper()

    assert (container.properties.get(name), bound_by(container, file)) == (told, content)


@covers("/linux/resources/cpu/shares")
@pytest.mark.parametrize("shares", [2, 512, 1024, 2048, 262144])
def test_systemd_and_the_file_tell_the_same_weight(container, bundle, shares):
    bundle.resources["cpu"] = {"shares": shares}

    container.launch_sleeper()

    assert container.properties["CPUWeight"] == bound_by(container, "cpu.weight")


@covers("/linux/resources/unified/*")
def test_what_systemd_has_no_property_for_is_written_to_the_file(container, bundle):
    bundle.resources["unified"] = {"cgroup.max.depth": "5", "hugetlb.2MB.max": "4194304"}

    container.launch_sleeper()

    assert [bound_by(container, name) for name in ("cgroup.max.depth", "hugetlb.2MB.max")] == ["5", "4194304"]


@pytest.mark.parametrize("unified", [{"memory.high": "nonsense"}, {"nonsense.max": "1"}, {"cpuset.cpus": "4096"}])
def test_a_limit_that_cannot_be_set_is_refused_and_leaves_nothing(container, bundle, nothing_and_no_unit_left, unified):
    bundle.resources["unified"] = unified

    container.try_create().refused()

    nothing_and_no_unit_left()


ALL_LIMITS = {
    "memory": {"limit": 64 * MEGABYTE, "reservation": 32 * MEGABYTE, "swap": 96 * MEGABYTE},
    "cpu": {"shares": 2048, "quota": 20000, "period": 100000, "cpus": "0", "mems": "1"},
    "pids": {"limit": 77},
    "unified": {"memory.high": "50331648", "memory.min": "1048576", "cgroup.max.depth": "5"},
}
FILES = (
    *("memory.max", "memory.low", "memory.swap.max", "memory.high", "memory.min", "cgroup.max.depth", "pids.max"),
    *("cpu.weight", "cpu.max", "cpu.idle", "cpuset.cpus", "cpuset.mems"),
)


def contents(container):
    return {name: bound_by(container, name) for name in FILES}


def test_limits_are_the_same_after_a_daemon_reload(container, bundle):
    bundle.linux["resources"] = ALL_LIMITS
    container.launch_sleeper()
    before = contents(container)

    systemctl("daemon-reload")

    assert contents(container) == before
    assert (before["memory.max"], before["pids.max"], before["cpuset.mems"]) == ("67108864", "77", "1")


def test_a_container_without_limits_has_none_after_a_daemon_reload(running):
    before = contents(running)

    systemctl("daemon-reload")

    assert contents(running) == before


def test_a_paused_container_is_paused_after_a_daemon_reload(running):
    running.call("pause").succeeded()

    systemctl("daemon-reload")

    assert running.status == "paused"
    running.call("resume").succeeded()


# Devices.


@covers("/linux/resources/devices/*/allow", "/linux/resources/devices/*/access")
def test_systemd_knows_the_device_rules(container, bundle):
    bundle.resources["devices"] = [DENY_ALL, rule(True, "r", major=1, minor=11), rule(True, "rw", major=10, minor=229)]

    container.launch_sleeper()

    told = container.properties
    assert told["DevicePolicy"] == "strict"
    assert {"/dev/char/1:11 r", "/dev/char/10:229 rw", "/dev/char/1:3 rwm"} <= set(told["DeviceAllow"].split("\n"))


def test_systemd_knows_that_all_devices_are_allowed(container, bundle):
    bundle.resources["devices"] = [rule(True, kind="a")]

    container.launch_sleeper()

    told = container.properties
    assert (told["DevicePolicy"], told.get("DeviceAllow", "")) == ("auto", "")


def test_systemd_closes_devices_even_without_rules(running):
    told = running.properties

    assert told["DevicePolicy"] == "strict"
    assert "/dev/char/1:3 rwm" in told["DeviceAllow"].split("\n")


@pytest.mark.parametrize("rules, outcome", [([rule(True, "r", major=1, minor=11)], "read\n"), ([], "refused\n")])
def test_devices_are_open_or_closed_as_before_after_a_daemon_reload(container, bundle, rules, outcome):
    kmsg_node(bundle)
    bundle.resources["devices"] = [DENY_ALL, *rules]
    container.launch_sleeper()
    assert container.exec("sh", "-c", READ_KMSG).out == outcome

    systemctl("daemon-reload")

    assert container.exec("sh", "-c", READ_KMSG).out == outcome
    assert container.exec("sh", "-c", "echo open >/dev/null && head -c 1 /dev/zero | wc -c").out == "1\n"


# Properties by annotation.


ANNOTATIONS = [
    ("TimeoutStopUSec", "uint64 5000000", "5s"),
    ("CollectMode", "'inactive-or-failed'", "inactive-or-failed"),
    ("CollectMode", "'inactive'", "inactive"),
    ("SendSIGHUP", "true", "yes"),
    ("KillSignal", "15", "15"),
    ("Documentation", "['man:x(1)', 'man:y(2)']", '"man:x(1)" "man:y(2)"'),
    ("TimeoutStopSec", "uint64 5", "5s"),
    ("TimeoutStopSec", "int32 5", "5s"),
    ("TimeoutStopSec", "5", "5s"),
    ("TimeoutStopSec", "5.5", "5.500000s"),
]


@covers("/annotations/*")
@pytest.mark.parametrize("name, value, told", ANNOTATIONS, ids=["=".join(example[:2]) for example in ANNOTATIONS])
def test_an_annotation_sets_a_property_of_the_unit(container, bundle, name, value, told):
    bundle.config["annotations"] = {f"org.systemd.property.{name}": value}

    container.launch_sleeper()

    assert container.properties[name.replace("StopSec", "StopUSec")] == told


WRONG_ANNOTATIONS = [
    ("TimeoutStopUSec", "nonsense'(", "value parse error", "invalid value"),
    ("TimeoutStopUSec", "'a string'", "Failed to set unit properties", "sd-bus call"),
    ("TimeoutStopSec", "'many'", "value parse error", "sd-bus call"),
    ("X", "true", "name incorrect: too short", "invalid systemd property name"),
    ("Timeout9", "uint64 1", "name incorrect: contains non-alphabetic character", "sd-bus call"),
    ("Nonsense", "uint64 1", "Nonsense", "sd-bus call"),
]


@pytest.mark.parametrize(
    "name, value, complaint, of_crun", WRONG_ANNOTATIONS, ids=["=".join(example[:2]) for example in WRONG_ANNOTATIONS]
)
def test_a_wrong_annotation_is_refused_and_leaves_nothing(
    container, bundle, nothing_and_no_unit_left, name, value, complaint, of_crun
):
    bundle.config["annotations"] = {f"org.systemd.property.{name}": value}

    container.try_create().refused(complaint, crun=of_crun)

    nothing_and_no_unit_left()


# Later commands. Engines ask for systemd at create alone.

WITH_AND_WITHOUT = pytest.mark.parametrize("flags", [(), BY_SYSTEMD], ids=["without", "with"])


@WITH_AND_WITHOUT
@engine_rule(5)
@pytest.mark.parametrize("command", ["start", "delete"])
def test_engine_rule_5_a_created_container_needs_the_flag_no_more(container, bundle, command, flags):
    bundle.sleeper()
    container.create()

    container.call_with([*flags, command, container.id]).succeeded().silent()

    assert no_unit(container) if command == "delete" else container.status == "running"


@WITH_AND_WITHOUT
@engine_rule(5)
def test_engine_rule_5_state_and_list_need_the_flag_no_more(running, flags):
    told = running.call_with([*flags, "state", running.id]).succeeded().json
    listed = running.call_with([*flags, "list", "--format", "json"]).succeeded().json

    assert told["status"] == "running"
    assert [(entry["id"], entry["status"]) for entry in listed] == [(running.id, "running")]


@WITH_AND_WITHOUT
@engine_rule(5)
def test_engine_rule_5_ps_needs_the_flag_no_more(running, flags):
    told = running.call_with([*flags, "ps", "--format", "json", running.id]).succeeded().json

    assert running.pid in told and len(told) == 2


@WITH_AND_WITHOUT
@engine_rule(5)
def test_engine_rule_5_exec_needs_the_flag_no_more(running, work, flags):
    command = ["exec", "--detach", "--pid-file", work / "pid", running.id, "sleep", "1000"]

    running.call_with([*flags, *command]).succeeded()

    assert group_of(int((work / "pid").read_text())) == group_of(running.pid)


@WITH_AND_WITHOUT
@engine_rule(5)
def test_engine_rule_5_pause_and_resume_need_the_flag_no_more(running, flags):
    running.call_with([*flags, "pause", running.id]).succeeded()
    assert running.status == "paused"

    running.call_with([*flags, "resume", running.id]).succeeded()

    assert running.status == "running"
    assert running.exec("echo", "alive").out == "alive\n"


@WITH_AND_WITHOUT
@engine_rule(5)
def test_engine_rule_5_events_needs_the_flag_no_more(running, flags):
    told = running.call_with([*flags, "events", "--stats", running.id]).succeeded().json

    assert told["data"]["pids"]["current"] == 2


@WITH_AND_WITHOUT
@engine_rule(5)
def test_engine_rule_5_update_needs_the_flag_no_more(running, flags):
    running.call_with([*flags, "update", "--pids-limit", "66", running.id]).succeeded()

    assert (running.properties["TasksMax"], bound_by(running, "pids.max")) == ("66", "66")


@WITH_AND_WITHOUT
@engine_rule(5)
def test_engine_rule_5_kill_and_delete_need_the_flag_no_more(running, flags):
    running.call_with([*flags, "kill", running.id, "KILL"]).succeeded()
    running.wait_for_status("stopped")

    running.call_with([*flags, "delete", running.id]).succeeded().silent()

    assert no_unit(running)


@WITH_AND_WITHOUT
@engine_rule(5)
def test_engine_rule_5_delete_force_needs_the_flag_no_more(running, flags, nothing_left):
    process = running.pid

    running.call_with([*flags, "delete", "--force", running.id]).succeeded().silent()

    assert not world.alive(process)
    assert no_unit(running)


def test_kill_all_reaches_every_process_of_the_scope(container, bundle):
    bundle.without_namespace("pid")
    container.launch_sleeper()
    processes = container.call("ps", "--format", "json").json

    container.call_with(["kill", "--all", container.id, "KILL"]).succeeded()

    eventually(lambda: not any(world.alive(process) for process in processes), "every process ends")


# update


def update(container, resources):
    return container.call("update", "--resources", "-", input=json.dumps(resources))


UPDATES = [limit for limit in LIMITS if words(limit[0]) not in ("cpu-idle=1", "cpu-quota=-1", "memory-limit=-1")]


@pytest.mark.parametrize("resources, name, told, file, content", UPDATES, ids=[words(limit[0]) for limit in UPDATES])
def test_an_update_reaches_systemd_and_the_file(running, resources, name, told, file, content):
    update(running, resources).succeeded()

    assert (running.properties.get(name), bound_by(running, file)) == (told, content)


def test_an_updated_weight_reaches_systemd_and_the_file(running):
    update(running, {"cpu": {"shares": 512}}).succeeded()

    assert running.properties["CPUWeight"] == bound_by(running, "cpu.weight") != "100"


def test_an_update_leaves_what_it_does_not_name(container, bundle):
    bundle.linux["resources"] = ALL_LIMITS
    container.launch_sleeper()
    before = contents(container)

    update(container, {"pids": {"limit": 66}}).succeeded()

    assert contents(container) == {**before, "pids.max": "66"}
    assert container.properties["MemoryMax"] == "67108864"


def test_an_update_is_there_after_a_daemon_reload(container, bundle):
    bundle.linux["resources"] = ALL_LIMITS
    container.launch_sleeper()
    update(container, {"pids": {"limit": 66}, "memory": {"limit": 80 * MEGABYTE, "swap": 96 * MEGABYTE}}).succeeded()
    updated = contents(container)

    systemctl("daemon-reload")

    assert contents(container) == updated
    assert (updated["pids.max"], updated["memory.max"], updated["memory.swap.max"]) == ("66", "83886080", "16777216")


@extension("an update is made as a whole or not at all")
def test_an_update_that_fails_changes_nothing_in_systemd_and_in_the_files(container, bundle):
    bundle.linux["resources"] = ALL_LIMITS
    container.launch_sleeper()
    before = contents(container)

    update(container, {"pids": {"limit": 66}, "unified": {"memory.min": "nonsense"}}).refused("memory.min")

    assert contents(container) == before
    assert container.properties["TasksMax"] == "77"


# The end.


def test_a_scope_that_is_stopped_from_outside_ends_the_container(running):
    systemctl("stop", running.unit)

    running.wait_for_status("stopped")
    running.delete()
    assert no_unit(running)


@pytest.mark.parametrize("status", [0, 1])
def test_of_a_container_that_ended_by_itself_no_unit_is_left(container, bundle, status):
    bundle.sh(f"exit {status}")
    container.launch()
    container.wait_for_status("stopped")

    container.delete()

    assert no_unit(container)


@pytest.mark.parametrize("flags", [[], ["--force"]])
def test_of_a_scope_that_failed_no_unit_is_left(container, bundle, flags):
    bundle.config["annotations"] = {
        "org.systemd.property.RuntimeMaxUSec": "uint64 6000000",
        "org.systemd.property.CollectMode": "'inactive'",
    }
    container.launch_sleeper()
    eventually(lambda: container.properties["ActiveState"] == "failed", "systemd ends it for its time is over", seconds=20)
    container.wait_for_status("stopped")

    container.delete(*flags)

    assert no_unit(container)


def test_a_name_can_be_used_again_after_its_scope_failed(make_container, make_bundle):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    second.bundle.linux["cgroupsPath"] = first.bundle.linux["cgroupsPath"]
    first.bundle.config["annotations"] = {
        "org.systemd.property.RuntimeMaxUSec": "uint64 6000000",
        "org.systemd.property.CollectMode": "'inactive'",
    }
    first.launch_sleeper()
    eventually(lambda: first.properties["ActiveState"] == "failed", "systemd ends it for its time is over", seconds=20)

    second.launch_sleeper()

    assert second.properties["ActiveState"] == "active"


def test_kill_and_delete_do_not_mind_that_the_scope_has_gone(running):
    systemctl("stop", running.unit)
    running.wait_for_status("stopped")
    eventually(lambda: no_unit(running), "systemd forgets the scope")

    running.call_with(["kill", "--all", running.id, "KILL"])
    running.delete("--force")

    assert running.call("state").status != 0


def test_a_paused_container_is_deleted_by_force(running):
    running.call("pause").succeeded()

    running.delete("--force")

    assert no_unit(running)


def test_groups_that_the_container_made_go_with_the_scope(container, bundle):
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "rw"])
    bundle.sh("mkdir -p /sys/fs/cgroup/a/b; sleep 1000 & echo $! >/sys/fs/cgroup/a/b/cgroup.procs; touch /ready; wait")
    container.launch()
    eventually((bundle.rootfs / "ready").exists, "the inner group is used")
    group = container.cgroup

    container.delete("--force")

    assert not group.exists() and no_unit(container)


def test_run_leaves_no_unit(container, bundle, nothing_and_no_unit_left):
    bundle.args("true")

    container.run().silent()

    nothing_and_no_unit_left()


@pytest.mark.parametrize("kind", ["createRuntime", "createContainer"])
def test_a_create_that_fails_after_the_scope_was_made_leaves_nothing(container, bundle, nothing_and_no_unit_left, kind):
    add_hook(bundle, kind, "exit 1")

    container.try_create().refused()

    nothing_and_no_unit_left()


def test_a_program_that_is_missing_leaves_nothing(container, bundle, nothing_and_no_unit_left):
    bundle.args("/nowhere")

    assert container.try_run().failed()

    nothing_and_no_unit_left()


@pytest.fixture
def seconds_of_a_create(make_container, make_bundle):
    container = make_container(make_bundle())
    began = time.monotonic()
    container.create()
    seconds = time.monotonic() - began
    container.delete("--force")
    return seconds


@pytest.mark.parametrize("percent", range(5, 105, 8))
def test_delete_force_cleans_up_whenever_the_making_of_a_scope_was_killed(
    container, bundle, seconds_of_a_create, nothing_and_no_unit_left, percent
):
    creator = container.spawn_with([*BY_SYSTEMD, "create", "--bundle", bundle.path, container.id])
    time.sleep(seconds_of_a_create * percent / 100)

    creator.kill()
    creator.wait()
    container.call("delete", "--force").succeeded()

    nothing_and_no_unit_left()


def test_delete_force_cleans_up_a_scope_whose_maker_was_killed_in_a_hook(container, bundle, nothing_and_no_unit_left):
    begun = bundle.path / "begun"
    add_hook(bundle, "createRuntime", f"touch {begun}; while [ -e {begun} ]; do sleep 0.1; done")
    bundle.save()
    creator = container.spawn_with([*BY_SYSTEMD, "create", "--bundle", bundle.path, container.id])
    eventually(begun.exists, "the hook runs")

    creator.kill()
    creator.wait()
    begun.unlink()
    container.call("delete", "--force").succeeded()

    nothing_and_no_unit_left()


# A bus that is of no use.


def on_bus(path):
    return {"env": {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={path}"}}


@pytest.fixture
def silent_bus(work):
    """Accepts whoever comes, and never says a word."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(work / "bus"))
        listener.listen(16)
        yield on_bus(work / "bus")


@pytest.fixture
def closing_bus(work):
    """Accepts whoever comes, and hangs up."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(work / "bus"))
        listener.listen(16)

        def hang_up():
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=hang_up, daemon=True).start()
        yield on_bus(work / "bus")
        listener.shutdown(socket.SHUT_RDWR)


@extension("a bus that does not answer is given up after 30 seconds")
def test_create_gives_up_a_bus_that_does_not_answer(container, silent_bus, nothing_and_no_unit_left):
    began = time.monotonic()

    container.try_create(timeout=60, **silent_bus).refused("systemd")

    assert 5 < time.monotonic() - began < 45
    nothing_and_no_unit_left()


@extension("a bus that cannot be used is told")
def test_create_tells_of_a_bus_that_hangs_up(container, closing_bus, nothing_and_no_unit_left):
    began = time.monotonic()

    container.try_create(timeout=60, **closing_bus).refused("systemd")

    assert time.monotonic() - began < 15
    nothing_and_no_unit_left()


@extension("a bus that cannot be used is told")
def test_create_tells_of_a_bus_that_is_not_there(container, work, nothing_and_no_unit_left):
    container.try_create(**on_bus(work / "nowhere")).refused("systemd")

    nothing_and_no_unit_left()


@extension("a container whose bus is gone can be looked at, used and ended")
def test_commands_that_change_no_limit_need_no_bus(running, work):
    gone = on_bus(work / "nowhere")

    assert running.call("state", **gone).succeeded().json["status"] == "running"
    assert running.try_exec("echo", "alive", **gone).succeeded().out == "alive\n"
    running.call("pause", **gone).succeeded()
    running.call("resume", **gone).succeeded()
    running.call("ps", **gone).succeeded()
    running.call_with(["kill", running.id, "KILL"], **gone).succeeded()
    running.wait_for_status("stopped")
    running.call("delete", **gone).succeeded().silent()

    eventually(lambda: no_unit(running), "systemd notices that the scope is empty")


@extension("a container whose bus is gone can be looked at, used and ended")
def test_delete_force_needs_no_bus(running, work):
    process = running.pid

    running.call("delete", "--force", **on_bus(work / "nowhere")).succeeded()

    assert not world.alive(process)
    eventually(lambda: no_unit(running), "systemd notices that the scope is empty")


@extension("an update is made as a whole or not at all")
def test_an_update_without_a_bus_is_refused_and_changes_nothing(running, work):
    before = contents(running)

    running.call("update", "--pids-limit", "66", **on_bus(work / "nowhere")).refused("systemd")

    assert contents(running) == before
