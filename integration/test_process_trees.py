"""ps, pause, resume, kill --all and delete --force where the processes of a container are many, nested, threaded, frozen or half dead."""

import os
import signal
import time

import pytest

from support import crowds, rootless, world
from support.marks import engine_rule, extension
from support.quotas import needs
from support.waiting import eventually

pytestmark = pytest.mark.skipif(not crowds.is_available, reason="the programs of support/crowds.py are for x86-64")

PATIENCE = 20  # seconds for one command, in an emulated machine too; none of them waits for anything that takes long


# What a container may look like. Each returns when everything is in its place.


def launch(container, code, count):
    """The container with that program, once it is `count` processes."""
    crowds.install(container.bundle, code)
    container.launch()
    eventually(lambda: len(procs(container.cgroup)) == count, f"{count} processes run", 180)
    return container


def procs(group):
    return [int(word) for word in (group / "cgroup.procs").read_text().split()]


def spread(container, groups):
    """Makes the groups below the container's own, and moves a process into each as long as there are some."""
    others = [process for process in procs(container.cgroup) if process != container.pid]
    for group in groups:
        (container.cgroup / group).mkdir()
    for process, group in zip(others, reversed(groups)):
        (container.cgroup / group / "cgroup.procs").write_text(str(process))
    return container


def nested(container):
    launch(container, crowds.processes(20), 21)
    return spread(container, ["/".join(["n"] * depth) for depth in range(1, 201)])


def deep_with_long_names(container):
    """Beyond PATH_MAX: no path from the container's group reaches the last one."""
    launch(container, crowds.processes(1), 2)
    at = os.open(container.cgroup, os.O_RDONLY)
    for _ in range(40):
        os.mkdir("n" * 200, dir_fd=at)
        at, above = os.open("n" * 200, os.O_RDONLY, dir_fd=at), at
        os.close(above)
    (process,) = set(procs(container.cgroup)) - {container.pid}
    target = os.open("cgroup.procs", os.O_WRONLY, dir_fd=at)
    os.write(target, str(process).encode())
    os.close(target)
    os.close(at)
    return container


def siblings(container):
    launch(container, crowds.processes(50), 51)
    return spread(container, [f"s{number}" for number in range(500)])


def threaded(container):
    launch(container, crowds.threads(8), 1)
    threads = eventually(lambda: (found := world.tasks_of(container.pid)) and len(found) == 9 and found, "nine threads run")
    for number, thread in enumerate(threads[1:5]):
        group = container.cgroup / f"t{number}"
        group.mkdir()
        (group / "cgroup.type").write_text("threaded")
        (group / "cgroup.threads").write_text(str(thread))
    return container


def crowd(container):
    return launch(container, crowds.processes(2999), 3000)


def zombies(container):
    launch(container, crowds.zombies(300), 1)
    eventually(lambda: len(world.children_of(container.pid)) == 300, "all have been made")
    return container


def stopped(container):
    launch(container, crowds.processes(5), 6)
    for process in procs(container.cgroup):
        os.kill(process, signal.SIGSTOP)
    return container


def in_vfork(container):
    """The parent waits in uninterruptible sleep until its child ends or executes a program: never."""
    return launch(container, crowds.in_vfork(), 2)


def self_moved(container):
    container.bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "rw"])
    container.bundle.sh(
        "cd /sys/fs/cgroup; for n in 1 2 3; do mkdir -p a/$n; sleep 1000 & echo $! >a/$n/cgroup.procs; done;"
        "mkdir own; echo 0 >own/cgroup.procs; touch /ready; wait"
    )
    container.launch()
    eventually((container.bundle.rootfs / "ready").exists, "all have moved")
    return container


def self_frozen(container):
    container.bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "rw"])
    container.bundle.sh(
        "cd /sys/fs/cgroup; mkdir ice; sleep 1000 & echo $! >ice/cgroup.procs; echo 1 >ice/cgroup.freeze; touch /ready; wait"
    )
    container.launch()
    eventually((container.bundle.rootfs / "ready").exists, "a part of it is frozen")
    return container


def first_thread_gone(container):
    """A process lives as long as any thread of it, though its first one is listed as a zombie."""
    crowds.install(container.bundle, crowds.threads(3, parent=crowds.end_of_thread()))
    container.create()
    pid = container.pid
    container.start()
    eventually(lambda: world.process_state(pid) == "Z" and len(world.tasks_of(pid)) == 4, "its first thread has ended")
    return container


SHAPES = [
    nested, deep_with_long_names, siblings, threaded, crowd, zombies, stopped, in_vfork, self_moved, self_frozen, first_thread_gone
]  # fmt: skip


@pytest.fixture(params=SHAPES, ids=lambda shape: shape.__name__)
def tree(request, container):
    return request.param(container)


def members(container):
    """Who is in it, as the kernel tells of each process by itself."""
    top = "/" + str(container.cgroup.relative_to(world.CGROUPS))
    found = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    return sorted(process for process in found if lives(process) and belongs(process, top))


def belongs(process, top):
    try:
        group = world.own_cgroup(process)
    except OSError:  # it has ended, or its group has no path that would fit into a page
        return False
    return group == top or group.startswith(top + "/")


def lives(process):
    return any(world.process_state(f"{process}/task/{task}") not in ("", "Z", "X") for task in world.tasks_of(process))


def populated(container):
    return "populated 1" in (container.cgroup / "cgroup.events").read_text()


def frozen(container):
    return "frozen 1" in (container.cgroup / "cgroup.events").read_text()


# The verbs.


def test_ps_lists_every_process_of_a_tree_once(tree):
    listed = tree.call("ps", "--format", "json", timeout=PATIENCE).succeeded().json

    assert sorted(listed) == members(tree)


def test_a_tree_is_paused_and_resumed(tree):
    tree.call("pause", timeout=PATIENCE).succeeded()
    paused = (frozen(tree), tree.status)
    tree.call("resume", timeout=PATIENCE).succeeded()

    assert paused == (True, "paused")
    assert tree.status == "running"
    eventually(lambda: not frozen(tree), "it is thawed")


def test_kill_all_ends_a_tree(tree):
    tree.call_with(["kill", "--all", tree.id, "KILL"], timeout=PATIENCE).succeeded()

    eventually(lambda: not populated(tree), "nobody is left")
    tree.wait_for_status("stopped")


def test_kill_all_ends_a_paused_tree(tree):
    tree.call("pause", timeout=PATIENCE).succeeded()

    tree.call_with(["kill", "--all", tree.id, "KILL"], timeout=PATIENCE).succeeded()

    eventually(lambda: not populated(tree), "nobody is left")


def test_a_tree_is_deleted_by_force(tree):
    inside = members(tree)

    tree.call("delete", "--force", timeout=PATIENCE).succeeded()

    assert not tree.cgroup.exists()
    eventually(lambda: not any(lives(process) for process in inside), "nobody is left")


def test_a_paused_tree_is_deleted_by_force(tree):
    tree.call("pause", timeout=PATIENCE).succeeded()

    tree.call("delete", "--force", timeout=PATIENCE).succeeded()

    assert not tree.cgroup.exists()


@pytest.mark.parametrize("tree", [nested, siblings, crowd], indirect=True, ids=lambda shape: shape.__name__)
def test_kill_all_sends_its_signal_to_every_process_of_a_tree(tree):
    """The init of a pid namespace, and it alone, ignores TERM of its own accord."""
    tree.call_with(["kill", "--all", tree.id, "TERM"], timeout=PATIENCE).succeeded()

    eventually(lambda: members(tree) == [tree.pid], "all but init have ended")


@extension("descriptors are not needed for all processes at once")
@pytest.mark.parametrize("tree", [crowd], indirect=True, ids=["crowd"])
def test_a_signal_reaches_more_processes_than_descriptors_may_be_open(tree):
    few = ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh"]

    tree.call_with(["kill", "-a", tree.id, "TERM"], timeout=PATIENCE, through=few).succeeded()

    eventually(lambda: members(tree) == [tree.pid], "all but init have ended")


# Below a frozen group.


@pytest.fixture
def below_a_frozen_group(container, bundle):
    bundle.linux["cgroupsPath"] = f"/{container.id}-above/{container.id}"
    launch(container, crowds.processes(3), 4)
    above = container.cgroup.parent
    (above / "cgroup.freeze").write_text("1")
    eventually(lambda: "frozen 1" in (above / "cgroup.events").read_text(), "the group above is frozen")
    yield container
    if above.exists():
        (above / "cgroup.freeze").write_text("0")


def test_ps_lists_what_is_below_a_frozen_group(below_a_frozen_group):
    listed = below_a_frozen_group.call("ps", "--format", "json", timeout=PATIENCE).succeeded().json

    assert len(listed) == 4


@extension("pause and resume are of the container's own group")
def test_a_container_below_a_frozen_group_is_paused_and_resumed(below_a_frozen_group):
    container = below_a_frozen_group

    container.call("pause", timeout=PATIENCE).succeeded()
    paused = container.status
    container.call("resume", timeout=PATIENCE).succeeded()

    assert (paused, container.status) == ("paused", "running")


@pytest.mark.parametrize("flags", [[], ["--all"]], ids=["init", "all"])
def test_kill_ends_a_container_below_a_frozen_group(below_a_frozen_group, flags):
    container = below_a_frozen_group

    container.call_with(["kill", *flags, container.id, "KILL"], timeout=PATIENCE).succeeded()

    eventually(lambda: not populated(container), "nobody is left")


@extension("a signal that can be caught is not waited for")
@pytest.mark.parametrize("flags", [[], ["--all"]], ids=["init", "all"])
def test_another_signal_below_a_frozen_group_does_not_wait(below_a_frozen_group, flags):
    container = below_a_frozen_group

    container.call_with(["kill", *flags, container.id, "USR1"], timeout=PATIENCE).succeeded()

    (container.cgroup.parent / "cgroup.freeze").write_text("0")
    eventually(lambda: len(procs(container.cgroup)) == (1 if flags else 4), "it arrives where nothing catches or ignores it")


def test_delete_force_removes_a_container_below_a_frozen_group(below_a_frozen_group):
    container = below_a_frozen_group

    container.call("delete", "--force", timeout=PATIENCE).succeeded()

    assert not container.cgroup.exists()


# A fork bomb, at work while it is ended.

BOMBER = 1000 if rootless.ACTIVE else 3000000 + os.getpid()  # nobody else's: the limit counts all processes of a user
MOST = 200


def limited_by_rlimit(bundle):
    bundle.process["rlimits"] = [{"type": "RLIMIT_NPROC", "soft": MOST, "hard": MOST}]


def limited_by_pids(bundle):
    bundle.resources["pids"] = {"limit": MOST}


@pytest.fixture(params=["rlimit", pytest.param("pids", marks=needs("pids"))])
def bombed(request, container, bundle):
    {"rlimit": limited_by_rlimit, "pids": limited_by_pids}[request.param](bundle)
    bundle.process["user"] = {"uid": BOMBER, "gid": BOMBER}
    crowds.install(bundle, crowds.bomb())
    container.launch()
    eventually(lambda: len(procs(container.cgroup)) >= MOST - 1, "it has forked up to its limit", 30)
    return container


@engine_rule(17)
def test_kill_all_ends_a_fork_bomb(bombed):
    bombed.call_with(["kill", "--all", bombed.id, "KILL"], timeout=PATIENCE).succeeded()

    eventually(lambda: not populated(bombed), "nobody is left", 30)


def test_kill_ends_a_fork_bomb(bombed):
    bombed.call_with(["kill", bombed.id, "KILL"], timeout=PATIENCE).succeeded()

    eventually(lambda: not populated(bombed), "nobody is left", 30)


def test_a_fork_bomb_is_paused_and_then_does_nothing(bombed):
    bombed.call("pause", timeout=PATIENCE).succeeded()

    inside = procs(bombed.cgroup)
    time.sleep(0.05)  # enough to fork, were it running
    assert procs(bombed.cgroup) == inside
    bombed.call("resume", timeout=PATIENCE).succeeded()


def test_delete_force_ends_a_fork_bomb(bombed):
    bombed.call("delete", "--force", timeout=PATIENCE).succeeded()

    assert not bombed.cgroup.exists()
