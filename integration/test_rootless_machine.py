"""Containers of an ordinary user on a machine with systemd: in groups that the user's service manager was given, by files and over its
bus; and of a user who was given none.

`make vm-test MODE=systemd TESTS=integration/test_rootless_machine.py`
"""

import itertools
import json
import os
import shutil

import pytest

from support import rootless, user_session, world
from support.marks import covers, extension
from support.quotas import DISK, MEGABYTE, counter, processor_seconds, used_together
from support.rootfs import Template
from support.user_session import User, UsersContainer
from support.waiting import eventually

pytestmark = [
    pytest.mark.skipif(not user_session.is_here(), reason="needs users with and without a service manager: make vm-test MODE=systemd"),
    pytest.mark.skipif(rootless.ACTIVE, reason="has an ordinary user of its own"),
]

BOMB = "bomb() { bomb | bomb & }; bomb"
HOG = "a=0123456789abcdef; while :; do a=$a$a; done"
BY_FILES, BY_SYSTEMD = "cgroupfs", "systemd"


@pytest.fixture(scope="module")
def user():
    user = User.with_a_service_manager()
    user.prepare()
    yield user
    user.remove()


@pytest.fixture(scope="module")
def stranger():
    user = User.without_anything()
    user.prepare()
    yield user
    user.remove()


@pytest.fixture
def work(counter=itertools.count(1)):
    """On a disk that the host and the suite see alike."""
    directory = DISK / f"users{os.getpid()}-{next(counter)}"
    directory.mkdir(mode=0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def template(work):
    return Template(work / "template")  # its files are linked, so it must be on the same disk


@pytest.fixture
def of_user(runtime, make_bundle, work, nothing_is_left_at_the_end):
    """of_user(user, manager) is a container of that user."""
    made = []

    def make(user, manager=BY_FILES, path=True):
        root = work / "root"
        if not root.exists():
            root.mkdir(mode=0o700)
            user.own(root)
        name = f"c{os.getpid()}-{work.name}-{len(made)}"
        flags = ("--systemd-cgroup",) if manager == BY_SYSTEMD else ()
        where = f"user.slice:capsule:{name}" if manager == BY_SYSTEMD else f"{user.top}/capsule-test/{name}"
        made.append(UsersContainer(user, runtime, make_bundle(), root, name, flags, where if path else None))
        return made[-1]

    yield make
    for container in made:
        container.discard()


def has_systemd(runtime):
    """Whether this runtime talks to the user's service manager: capsule says so itself."""
    if not runtime.is_capsule:
        return True
    cgroup = json.loads(runtime.call("features").succeeded().out)["linux"]["cgroup"]
    return bool(cgroup.get("systemdUser"))


@pytest.fixture(params=[BY_FILES, BY_SYSTEMD])
def managed(request, runtime, user, of_user):
    if request.param == BY_SYSTEMD and not has_systemd(runtime):
        pytest.skip("this build does not talk to systemd (features: systemdUser)")
    return of_user(user, request.param)


# The life of a container.


@covers("/linux/cgroupsPath")
def test_a_users_container_lives_in_the_group_of_its_service_manager(managed, user):
    managed.launch_sleeper()

    assert managed.group.startswith(user.top + "/")
    assert managed.id in managed.group
    assert (managed.cgroup.stat().st_uid, managed.status) == (user.number, "running")


def test_a_users_container_runs_to_its_end_and_leaves_no_group(managed, user):
    managed.bundle.sh("echo inside; exit 7")

    done = managed.try_run()

    assert (done.status, done.out) == (7, "inside\n")
    eventually(lambda: no_group_of(managed, user), "its group is gone")


def test_a_users_container_is_paused_executed_in_killed_and_deleted(managed, user):
    managed.launch_sleeper()

    managed.call("pause").succeeded()
    assert managed.status == "paused"
    managed.call("resume").succeeded()
    assert managed.exec("echo", "again").out == "again\n"
    managed.kill("KILL")
    managed.wait_for_status("stopped")
    managed.delete()

    eventually(lambda: no_group_of(managed, user), "its group is gone")


def test_a_command_of_exec_is_in_the_users_group(managed):
    managed.launch_sleeper()
    managed.exec("sleep", "1000", flags=("--detach",))

    assert len(processes_below(managed.cgroup)) == 3


def no_group_of(container, user):
    top = user_session.CGROUPS / user.top[1:]
    return not any(container.id in str(group) for group in world.subgroups(top))


def processes_below(group):
    return [line for each in world.subgroups(group) for line in (each / "cgroup.procs").read_text().split()]


# Limits, proved by what they do.


@covers("/linux/resources/pids/limit")
def test_a_users_pids_limit_stops_a_fork_bomb(managed):
    managed.bundle.resources["pids"] = {"limit": 20}
    managed.bundle.sh(f"mkfifo /tmp/never && exec 3<>/tmp/never; {BOMB}; read line <&3")  # a shell that waits so needs no fork
    managed.launch()
    group = managed.cgroup

    eventually(lambda: counter(group / "pids.events", "max") > 0, "it is stopped", seconds=30)
    assert int((group / "pids.current").read_text()) <= 20


@covers("/linux/resources/memory/limit")
def test_a_users_command_beyond_the_memory_limit_is_killed(managed):
    managed.bundle.resources["memory"] = {"limit": 32 * MEGABYTE, "swap": 32 * MEGABYTE}
    managed.bundle.sh(HOG)

    assert managed.try_run().status == 137


@covers("/linux/resources/cpu/quota", "/linux/resources/cpu/period")
def test_a_users_cpu_quota_slows_a_spinner(managed):
    managed.bundle.resources["cpu"] = {"quota": 20000, "period": 100000}
    managed.bundle.sh("while :; do :; done")
    managed.launch()
    eventually(lambda: processor_seconds(managed) > 0.1, "it spins", seconds=30)

    (used,), elapsed = used_together(4, processor_seconds, managed)

    assert used / elapsed == pytest.approx(0.2, rel=0.3)  # how exactly is in test_quotas_cpu.py


@covers("/linux/resources/cpu/cpus", "/linux/resources/cpu/mems")
def test_a_users_set_of_processors_and_memory_is_written(managed):
    managed.bundle.resources["cpu"] = {"cpus": "0", "mems": "1"}
    managed.launch_sleeper()

    assert [(managed.cgroup / f"cpuset.{kind}.effective").read_text().strip() for kind in ("cpus", "mems")] == ["0", "1"]


def test_a_users_limits_are_updated(managed, user, work):
    managed.bundle.resources["pids"] = {"limit": 100}
    managed.launch_sleeper()

    file = work / "resources"
    file.write_text(json.dumps({"pids": {"limit": 50}, "memory": {"limit": 64 * MEGABYTE, "swap": 64 * MEGABYTE}}))
    user.own(file)
    managed.call("update", "--resources", file).succeeded()

    found = [(managed.cgroup / name).read_text().strip() for name in ("pids.max", "memory.max")]
    assert found == ["50", str(64 * MEGABYTE)]


def test_events_tells_what_a_users_container_uses(managed, runtime):
    if runtime.is_crun:
        pytest.skip("crun has no such command")
    managed.launch_sleeper()

    told = json.loads(managed.call("events", "--stats").succeeded().out)["data"]

    assert told["pids"]["current"] == 2
    assert told["memory"]["usage"]["usage"] > 0


# Over the user's bus.


@pytest.fixture
def scoped(runtime, user, of_user):
    if not has_systemd(runtime):
        pytest.skip("this build does not talk to systemd (features: systemdUser)")
    return of_user(user, BY_SYSTEMD)


def units(user, name):
    return user.systemctl("list-units", "--all", "--plain", "--no-legend", f"*{name}*")


@covers("/linux/cgroupsPath")
def test_a_users_scope_is_a_unit_of_its_own_manager_and_goes_with_the_container(scoped, user):
    scoped.bundle.resources["pids"] = {"limit": 77}
    scoped.launch_sleeper()

    told = user.systemctl("show", f"capsule-{scoped.id}.scope", "-p", "ActiveState,Delegate,TasksMax").split()
    assert sorted(told) == ["ActiveState=active", "Delegate=yes", "TasksMax=77"]
    scoped.delete("--force")

    eventually(lambda: units(user, scoped.id) == "", "its unit is gone")


def test_a_users_limits_survive_a_reload_of_its_manager(scoped, user):
    scoped.bundle.resources["memory"] = {"limit": 64 * MEGABYTE}
    scoped.launch_sleeper()

    user.systemctl("daemon-reload")

    assert (scoped.cgroup / "memory.max").read_text().strip() == str(64 * MEGABYTE)


def test_a_user_without_a_bus_is_told_so_and_nothing_is_left(runtime, stranger, of_user):
    if not has_systemd(runtime):
        pytest.skip("this build does not talk to systemd (features: systemdUser)")
    scoped = of_user(stranger, BY_SYSTEMD)

    refused = scoped.try_create().failed()

    assert refused.err.strip()
    assert list(scoped.root.iterdir()) == []
    assert no_group_of(scoped, stranger)


# A user who was given no group.


def test_without_a_group_a_users_container_runs_without_limits(stranger, of_user):
    container = of_user(stranger, path=False)
    container.bundle.sh("echo inside")

    assert container.run().out == "inside\n"


@covers("/linux/resources/pids/limit")
def test_without_a_group_a_limit_is_refused_and_nothing_is_left(stranger, of_user):
    container = of_user(stranger, path=False)
    container.bundle.resources["pids"] = {"limit": 20}

    refused = container.try_create().failed()

    if container.runtime.is_capsule:
        refused.refused("/linux/resources/pids/limit: needs a cgroup: ")
        assert "Delegate=yes" in refused.error
    assert list(container.root.iterdir()) == []


@extension("says what is missing")
def test_without_a_group_what_needs_one_is_refused(stranger, of_user):
    container = of_user(stranger, path=False).launch_sleeper()

    container.call("pause").refused("container has no cgroup")
