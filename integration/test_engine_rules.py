"""Rules that engines depend on and no other test proves; tests/coverage/engine_rules.txt lists all, `-k engine_rule` runs them."""

import json

import pytest

from support import world
from support.marks import engine_rule
from support.quotas import MEGABYTE, needs
from support.waiting import eventually

# Rule 5: the manager is given to create alone.


@engine_rule(5)
@pytest.mark.parametrize("command", ["state", "pause", "ps", "exec", "events", "update", "kill", "delete"])
def test_a_manager_given_later_does_not_count(container, command):
    container.launch_sleeper()
    words = {
        "ps": ["ps", "--format", "json", container.id],
        "exec": ["exec", container.id, "true"],
        "events": ["events", "--stats", container.id],
        "update": ["update", "--resources", "-", container.id],
        "delete": ["delete", "--force", container.id],
    }.get(command, [command, container.id])

    container.call_with(["--systemd-cgroup", *words], input="{}").succeeded()

    if command == "pause":
        eventually(lambda: "frozen 1" in (container.cgroup / "cgroup.events").read_text(), "the group is frozen")
        container.call_with(["--systemd-cgroup", "resume", container.id]).succeeded()


@pytest.fixture
def without_a_group(container, bundle):
    """Created with no manager at all: it runs in the group of its caller."""
    del bundle.linux["cgroupsPath"]
    bundle.sleeper().save()
    container.call_with(["--cgroup-manager", "disabled", "create", "--bundle", bundle.path, container.id]).succeeded()
    container.start()
    assert world.own_cgroup(container.pid) == "/suite"
    return container


@engine_rule(5)
def test_a_disabled_manager_is_remembered_and_the_callers_group_left_alone(without_a_group):
    pid = without_a_group.pid

    without_a_group.delete("--force").silent()

    eventually(lambda: not world.alive(pid), "init is gone")
    assert world.own_cgroup() == "/suite"
    assert (world.CGROUPS / "suite/cgroup.freeze").read_text() == "0\n"


@engine_rule(5)
def test_a_container_without_a_group_is_not_paused_with_its_callers(without_a_group):
    without_a_group.call("pause").failed()

    assert (world.CGROUPS / "suite/cgroup.freeze").read_text() == "0\n"
    assert without_a_group.status == "running"


# Rule 14: what cannot run fails at create.


@engine_rule(14)
def test_a_create_that_finds_no_command_leaves_nothing_to_start(container, bundle, nothing_left):
    bundle.args("nonsense").save()
    container.root.mkdir()
    nothing_left.from_now_on()

    container.try_create().refused("executable file not found in $PATH", crun="nonsense")

    container.call("start").refused("does not exist")
    nothing_left.soon()


# Rule 17: kill --all, whatever is left.


@engine_rule(17)
def test_kill_all_of_a_container_whose_cgroup_is_gone_succeeds(container):
    container.launch()
    container.wait_for_status("stopped")
    world.remove_group(container.cgroup)

    container.call_with(["kill", "--all", container.id, "9"]).succeeded().silent()


@engine_rule(17)
def test_kill_all_reaches_groups_the_container_made_after_init_has_died(container, bundle):
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "rw"])
    bundle.without_namespace("pid")
    bundle.sh("mkdir /sys/fs/cgroup/inner; sleep 1000 & echo $! >/sys/fs/cgroup/inner/cgroup.procs; exit 0")
    container.launch()
    container.wait_for_status("stopped")
    assert "populated 1" in (container.cgroup / "cgroup.events").read_text()

    container.call_with(["kill", "--all", container.id, "9"]).succeeded().silent()

    eventually(lambda: "populated 0" in (container.cgroup / "cgroup.events").read_text(), "the cgroup is empty")


# Rules 29 and 30: what an engine reads of memory.


@needs("memory")
@engine_rule(29)
def test_what_a_kept_container_used_can_be_read_until_it_is_deleted(container, bundle):
    bundle.resources["memory"] = {"limit": 16 * MEGABYTE, "swap": 16 * MEGABYTE}
    bundle.sh("a=0123456789abcdef; while :; do a=$a$a; done")

    container.try_run("--keep").failed(137)

    kills = dict(line.split() for line in (container.cgroup / "memory.events").read_text().splitlines())
    assert int(kills["oom_kill"]) >= 1
    container.delete()
    assert not container.cgroup.exists()


@needs("memory")
@engine_rule(30)
def test_the_group_of_a_container_without_limits_has_the_files_of_the_memory_controller(container):
    container.launch_sleeper()
    group = world.CGROUPS / world.own_cgroup(container.pid).lstrip("/")

    files = {path.name for path in group.iterdir()}

    assert {"memory.events", "memory.current", "memory.max"} <= files


# Rule 31: where no path is asked for, and where it is deep.


@engine_rule(31)
def test_an_empty_path_asks_for_no_other_place_than_none(container, bundle):
    bundle.linux["cgroupsPath"] = ""
    bundle.sleeper()

    container.launch()

    assert world.own_cgroup(container.pid).endswith(f"/{container.id}")


# Rule 32: unset fields stay.


@engine_rule(32)
def test_an_update_as_kubernetes_sends_it_leaves_other_limits(container, bundle):
    bundle.resources["unified"] = {"cgroup.max.depth": "5", "cgroup.max.descendants": "7"}
    container.launch_sleeper()

    resources = json.dumps({"unified": {"cgroup.max.depth": "6"}})
    container.call_with(["update", "--resources", "-", container.id], input=resources).succeeded().silent()

    limits = [(container.cgroup / f"cgroup.max.{kind}").read_text() for kind in ("depth", "descendants")]
    assert limits == ["6\n", "7\n"]
