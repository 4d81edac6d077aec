"""What a runtime leaves when it is interrupted, and how `delete --force` copes with whatever it finds."""

import os
import signal
import socket

import pytest

from support import world
from support.container import kill_process
from support.marks import extension
from support.waiting import eventually

from test_hooks import add_hook


def creating(container, bundle, command="create", flags=()):
    """A runtime at work, in the middle of a hook that does not end."""
    bundle.save()
    words = [command, "--bundle", bundle.path, "--pid-file", bundle.path / "pid", *flags, container.id]
    with open(bundle.path / "errors", "wb") as errors:
        creator = container.spawn_with(words, stderr=errors)
    eventually((bundle.path / "begun").exists, "the hook runs")
    return creator


@extension("who is asked to give up undoes what it has made")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("command", ["create", "run"])
@pytest.mark.parametrize("kind", ["createRuntime", "createContainer"])
def test_an_interrupted_create_says_what_it_waited_for_and_leaves_nothing(
    container, bundle, nothing_left, kind, command, number
):
    add_hook(bundle, kind, f"touch {bundle.path}/begun; exec sleep 1000")
    bundle.save()
    container.root.mkdir()
    for name in ("begun", "errors"):
        (bundle.path / name).touch()
    nothing_left.from_now_on()
    (bundle.path / "begun").unlink()
    creator = creating(container, bundle, command)

    creator.send_signal(number)

    assert creator.wait(10) == 1
    error = (bundle.path / "errors").read_text()
    assert f"interrupted ({number.name})" in error
    assert ("createRuntime hook #0" if kind == "createRuntime" else "to say ready") in error
    nothing_left.soon()


@extension("who is asked to give up undoes what it has made, behind the gate too")
@pytest.mark.parametrize("kind", ["startContainer", "poststart"])
def test_a_run_is_interrupted_in_its_last_hooks(container, bundle, nothing_left, kind):
    begun = "/begun" if kind == "startContainer" else f"{bundle.rootfs}/begun"
    add_hook(bundle, kind, f"touch {begun}; exec sleep 1000")
    bundle.sleeper().save()
    container.root.mkdir()
    (bundle.path / "errors").touch()
    (bundle.rootfs / "begun").touch()
    nothing_left.from_now_on()
    (bundle.rootfs / "begun").unlink()
    with open(bundle.path / "errors", "wb") as errors:
        runner = container.spawn_with(["run", "--bundle", bundle.path, container.id], stderr=errors)
    eventually((bundle.rootfs / "begun").exists, "the hook runs")

    runner.send_signal(signal.SIGTERM)

    assert runner.wait(10) == 1
    assert "interrupted (SIGTERM)" in (bundle.path / "errors").read_text()
    nothing_left.soon()


@extension("who is asked to give up undoes what it has made")
def test_an_exec_into_a_paused_container_can_be_interrupted(container, bundle):
    container.launch_sleeper()
    container.call("pause").succeeded()
    with open(bundle.path / "errors", "wb") as errors:
        runner = container.spawn_with(["exec", "--ignore-paused", container.id, "true"], stderr=errors)
    inside = container.cgroup / "cgroup.procs"
    eventually(lambda: len(inside.read_text().split()) == 3, "its process is in the frozen cgroup")

    runner.send_signal(signal.SIGTERM)

    assert runner.wait(10) == 255
    assert "interrupted (SIGTERM) while waiting for" in (bundle.path / "errors").read_text()
    eventually(lambda: len(inside.read_text().split()) == 2, "its process is gone")


@extension("a socket that nobody accepts at is given up after five seconds")
@pytest.mark.parametrize("flag", ["--console-socket", "--pidfd-socket"])
def test_a_socket_at_which_nobody_accepts_ends_create(container, bundle, work, nothing_left, flag):
    bundle.process["terminal"] = flag == "--console-socket"
    bundle.save()
    container.root.mkdir()
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(work / "socket"))
        listener.listen(0)
        first.connect(str(work / "socket"))
        nothing_left.from_now_on()

        refused = container.try_create(flag, work / "socket", timeout=20)

        refused.refused(f"{flag.strip('-').replace('-', ' ') if 'pidfd' in flag else flag}: connect")
    nothing_left.soon()


@extension("a signal that the caller ignores, as nohup does, interrupts nothing")
def test_an_ignored_signal_does_not_interrupt_create(container, bundle):
    add_hook(bundle, "createRuntime", f"touch {bundle.path}/begun; while [ ! -e {bundle.path}/go ]; do sleep 0.01; done")
    bundle.save()
    creator = container.spawn_with(
        ["create", "--bundle", bundle.path, container.id],
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    eventually((bundle.path / "begun").exists, "the hook runs")

    creator.send_signal(signal.SIGHUP)
    (bundle.path / "go").touch()

    assert creator.wait(10) == 0
    assert container.status == "created"


@extension("what init runs tells whether it has been started")
def test_a_start_that_is_killed_when_the_gate_is_open_has_started_the_container(container, bundle):
    bundle.sleeper()
    container.create()
    gate = container.state_directory / "gate"
    os.link(gate, work_of(container) / "gate")
    container.start()

    os.rename(work_of(container) / "gate", gate)

    eventually(lambda: container.status == "running", "its program runs")
    container.call("start").refused("cannot start an already running container")
    container.call("delete").refused("that is not stopped: running")
    container.delete("--force")
    assert not container.state_directory.exists()


def work_of(container):
    return container.root.parent


# delete --force, whatever is there.


def test_delete_force_of_a_record_without_a_cgroup(container):
    container.launch()
    container.wait_for_status("stopped")
    world.remove_group(container.cgroup)

    container.delete("--force")

    assert not container.state_directory.exists()


def test_delete_force_of_a_container_whose_init_was_killed_at_the_gate(container, nothing_left, bundle):
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()
    container.create()
    kill_process(container.pid)
    container.wait_for_status("stopped")

    container.delete("--force")

    nothing_left.soon()


@extension("a state file that cannot be read is removed by force, and only so")
@pytest.mark.parametrize("content", ["", "{", "null", "[]", '{"schema": "capsule.record/v1"}', "\0" * 100], ids=range(6))
def test_delete_force_of_a_state_file_that_cannot_be_read(container, content):
    container.launch()
    container.wait_for_status("stopped")
    world.remove_group(container.cgroup)
    (container.state_directory / "state.json").write_text(content)

    container.call("state").refused("delete --force")
    container.call("delete").refused("delete --force")
    container.delete("--force").silent()

    assert not container.state_directory.exists()


@extension("the state file as it was half written")
def test_delete_force_of_a_truncated_state_file(container):
    container.launch()
    container.wait_for_status("stopped")
    world.remove_group(container.cgroup)
    path = container.state_directory / "state.json"
    path.write_bytes(path.read_bytes()[:-20])

    container.delete("--force").silent()

    assert not container.state_directory.exists()


@extension("the copy of the config is needed for hooks alone")
@pytest.mark.parametrize("damage", ["missing", "empty", "cut"])
def test_delete_force_without_the_copy_of_the_config(container, bundle, damage):
    bundle.sleeper()
    container.launch()
    path = container.state_directory / "config.json"
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(b"" if damage == "empty" else content[: len(content) // 2])

    container.delete("--force").silent()

    assert not container.cgroup.exists()
    assert not container.state_directory.exists()


def test_a_cgroup_without_a_record_is_no_obstacle_to_create(container):
    container.cgroup.mkdir()

    container.create()

    assert container.status == "created"
