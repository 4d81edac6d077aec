"""NOTIFY_SOCKET: what a container tells the service manager that started the runtime (sd_notify(3))."""

import os
import socket

import pytest

from support.marks import extension
from support.waiting import eventually

SOCKET = "/run/notify/notify.sock"


class Manager:
    """A service manager's socket. Descriptors that come along are closed, as when a manager has done its part; who sends a
    barrier waits for that, so hear() it."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(5)
        self.environment = {**os.environ, "NOTIFY_SOCKET": address}
        self.lines = []

    def hear(self, line):
        """Waits until the line has arrived; what came before it is in `lines`."""
        while line not in self.lines:
            self.lines += self.socket.recv(4096).decode().splitlines()
        return self

    def heard_nothing_else(self):
        self.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            self.socket.recv(4096)


@pytest.fixture
def manager(work):
    manager = Manager(str(work / "manager"))
    yield manager
    manager.socket.close()


def notify(pid, *lines, path=SOCKET):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service:
        service.connect(f"/proc/{pid}/root{path}")
        service.send("\n".join(lines).encode())


def starting(container, manager):
    """`start`, which does not return before the service is up."""
    container.create(env=manager.environment)
    starter = container.spawn_with(["start", container.id], env=manager.environment)
    eventually(lambda: container.status == "running", "it runs")
    return starter


def test_start_returns_when_the_service_is_ready_and_the_manager_knows_its_pid(container, bundle, manager):
    bundle.sleeper()
    starter = starting(container, manager)

    assert starter.poll() is None
    notify(container.pid, "READY=1")

    manager.hear("READY=1").hear(f"MAINPID={container.pid}").hear("BARRIER=1")
    assert starter.wait(10) == 0
    assert container.status == "running"


@extension("READY=1 counts wherever it stands, but only as a whole line")
def test_ready_may_stand_on_any_line(container, bundle, manager):
    bundle.sleeper()
    starter = starting(container, manager)

    notify(container.pid, "XREADY=1", "STATUS=not yet")
    manager.hear("STATUS=not yet")
    assert starter.poll() is None
    notify(container.pid, "STATUS=up", "READY=1")

    manager.hear("READY=1").hear("BARRIER=1")
    assert starter.wait(10) == 0
    assert manager.lines[:2] == ["STATUS=not yet", "STATUS=up"]


@extension("pids and descriptors of a container mean nothing to the manager")
def test_what_the_manager_must_not_believe_is_left_out(container, bundle, manager):
    bundle.sleeper()
    starter = starting(container, manager)

    notify(container.pid, "MAINPID=1", "FDSTORE=1", "NOTIFYACCESS=all", "BARRIER=1", "WATCHDOG_USEC=1")
    notify(container.pid, "READY=1", "MAINPID=1")

    manager.hear(f"MAINPID={container.pid}").hear("BARRIER=1").heard_nothing_else()
    assert manager.lines == ["READY=1", f"MAINPID={container.pid}", "BARRIER=1"]
    assert starter.wait(10) == 0


def test_start_returns_when_the_container_ends_without_being_ready(container, bundle, manager):
    bundle.sleeper()
    starter = starting(container, manager)

    container.kill("KILL")

    assert starter.wait(10) == 0
    manager.heard_nothing_else()


def test_a_detached_run_returns_when_the_service_is_ready(container, bundle, manager):
    bundle.sleeper().save()
    runner = container.spawn_with(["run", "--detach", "--bundle", bundle.path, container.id], env=manager.environment)
    eventually(lambda: container.call("state").status == 0 and container.status == "running", "it runs")

    assert runner.poll() is None
    notify(container.pid, "READY=1")

    manager.hear("READY=1").hear(f"MAINPID={container.pid}").hear("BARRIER=1")
    assert runner.wait(10) == 0


@extension("a run in the foreground passes on what happens after READY=1 too")
def test_a_run_in_the_foreground_passes_on_the_whole_life(container, bundle, manager):
    bundle.sleeper().save()
    runner = container.spawn_with(["run", "--bundle", bundle.path, container.id], env=manager.environment)
    eventually(lambda: container.call("state").status == 0 and container.status == "running", "it runs")
    pid = container.pid

    life = [["READY=1"], ["STATUS=busy"], ["WATCHDOG=1"], ["RELOADING=1", "MONOTONIC_USEC=12"], ["READY=1"]]
    life += [["EXTEND_TIMEOUT_USEC=1000"], ["STOPPING=1"]]
    for lines in life:
        notify(pid, *lines)
    manager.hear("STOPPING=1")
    container.kill("TERM")

    assert runner.wait(10) == 0
    ready = ["READY=1", f"MAINPID={pid}", "BARRIER=1"]
    assert manager.lines == [
        *ready, "STATUS=busy", "WATCHDOG=1", "RELOADING=1", "MONOTONIC_USEC=12", *ready,
        "EXTEND_TIMEOUT_USEC=1000", "STOPPING=1",
    ]


@extension("an abstract name (@...) is understood")
def test_a_manager_may_listen_at_an_abstract_name(container, bundle, work):
    manager = Manager(f"@{work.name}-manager")
    bundle.sleeper()
    starter = starting(container, manager)

    notify(container.pid, "READY=1")

    manager.hear("READY=1").hear("BARRIER=1")
    assert starter.wait(10) == 0
    manager.socket.close()


@extension("a manager that is gone does not keep the container from running")
def test_a_manager_that_does_not_listen_is_no_failure(container, bundle, manager):
    bundle.sleeper()
    manager.socket.close()
    os.unlink(manager.environment["NOTIFY_SOCKET"])
    starter = starting(container, manager)

    notify(container.pid, "READY=1")

    assert starter.wait(10) == 0


@extension("a name that is neither a path nor abstract is refused")
def test_a_manager_of_another_kind_is_refused(container, nothing_left, bundle):
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()

    container.try_create(env={**os.environ, "NOTIFY_SOCKET": "vsock:2:1234"}).refused("NOTIFY_SOCKET")

    nothing_left()


def test_without_a_manager_there_is_neither_variable_nor_mount(container, bundle):
    assert container.output("echo $NOTIFY_SOCKET; grep -c notify /proc/mounts; true") == "\n0\n"


def test_the_socket_lies_in_a_directory_of_which_nothing_else_can_be_made(container, bundle, manager):
    bundle.sh("touch /run/notify/x 2>/dev/null && echo written; grep /run/notify /proc/mounts; stat -c %a " + SOCKET)

    mount, mode = container.run(env=manager.environment).lines

    assert {"ro", "nosuid", "nodev", "noexec"} <= set(mount.split()[3].split(","))
    assert mode == "777"


@extension("the socket reaches a container in a user namespace")
def test_a_user_namespace_has_the_socket_too(container, bundle, manager):
    bundle.map_ids((0, 100000, 65536)).sleeper()
    (bundle.rootfs / "run/notify").mkdir(parents=True, exist_ok=True)
    starter = starting(container, manager)

    notify(container.pid, "READY=1")

    manager.hear(f"MAINPID={container.pid}").hear("BARRIER=1")
    assert starter.wait(10) == 0


@extension("a container in the host's mount namespace gets no mount and no variable")
def test_a_container_without_a_mount_namespace_has_no_socket(container, bundle, manager, nothing_left):
    bundle.without_namespace("mount").config["mounts"] = []
    bundle.sh("echo <$NOTIFY_SOCKET>".replace("<", "[").replace(">", "]"))

    assert container.run(env=manager.environment).out == "[]\n"


def test_a_delete_removes_the_socket_with_the_container(container, bundle, manager, nothing_left):
    bundle.sleeper().save()
    container.root.mkdir()
    nothing_left.from_now_on()
    starter = starting(container, manager)
    notify(container.pid, "READY=1")
    manager.hear("BARRIER=1")
    starter.wait(10)

    container.delete("--force")

    nothing_left.soon()
