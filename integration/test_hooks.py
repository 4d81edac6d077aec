"""Hooks: when they run, what they are told, and what their failure does."""

import json
import os
import time

import pytest

from support import world
from support.container import kill_process
from support.marks import covers, extension, normative
from support.processors import parse_processors
from support.waiting import eventually

KINDS = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
ON_THE_HOST = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"]


def add_hook(bundle, kind, script, reads=False, **fields):
    """`script` gets the state on standard input if it `reads`."""
    hook = {"path": "/bin/sh", "args": ["sh", "-c", script if reads else "cat >/dev/null; " + script], **fields}
    bundle.config.setdefault("hooks", {}).setdefault(kind, []).append(hook)


def log_path(bundle, kind):
    """Hooks of kind startContainer see the container's root, all others the host's."""
    return "/order" if kind == "startContainer" else bundle.rootfs / "order"


def lived(container):
    container.launch()
    container.wait_for_status("stopped")
    container.delete()


@covers("/hooks/prestart/*/path", "/hooks/createRuntime/*/path", "/hooks/createContainer/*/path")
@covers("/hooks/startContainer/*/path", "/hooks/poststart/*/path", "/hooks/poststop/*/path")
def test_the_six_kinds_run_once_each_and_in_order(container, bundle):
    for kind in KINDS:
        add_hook(bundle, kind, f"echo {kind} >>{log_path(bundle, kind)}")

    lived(container)

    assert (bundle.rootfs / "order").read_text().split() == KINDS


def test_hooks_of_one_kind_run_in_the_order_of_the_list(container, bundle):
    for number in range(3):
        add_hook(bundle, "createRuntime", f"echo {number} >>{bundle.path}/order")

    container.run()

    assert (bundle.path / "order").read_text().split() == ["0", "1", "2"]


@extension("a hook's start leaves the signals of run as they are")
def test_every_signal_reaches_the_command_also_after_a_hook(container, bundle):
    bundle.sh("trap 'exit 7' 34; touch /ready; while :; do sleep 0.01; done")
    add_hook(bundle, "createRuntime", "true")
    bundle.save()
    runner = container.spawn_with(["run", "--bundle", bundle.path, container.id])
    eventually((bundle.rootfs / "ready").exists, "the trap is set")

    runner.send_signal(34)

    assert runner.wait(10) == 7


@pytest.mark.skipif(os.cpu_count() < 2, reason="one processor alone")
@pytest.mark.parametrize("kind", ON_THE_HOST)
def test_a_hook_may_run_on_every_processor_of_the_caller(container, bundle, kind):
    add_hook(bundle, kind, f"grep Cpus_allowed_list /proc/self/status >{bundle.path}/processors")

    lived(container)

    seen = (bundle.path / "processors").read_text().split()[1]
    assert parse_processors(seen) == os.sched_getaffinity(0)


def test_create_runs_the_first_three_and_start_the_next_two(container, bundle):
    for kind in KINDS:
        add_hook(bundle, kind, f"echo {kind} >>{log_path(bundle, kind)}")
    bundle.sleeper()

    container.create()
    after_create = (bundle.rootfs / "order").read_text().split()
    container.start()
    eventually(lambda: (bundle.rootfs / "order").read_text().count("\n") == 5, "two more hooks have run")
    after_start = (bundle.rootfs / "order").read_text().split()

    assert after_create == KINDS[:3]
    assert after_start == KINDS[:5]


@pytest.mark.parametrize(
    "kind, statuses",
    [
        ("prestart", ["creating", "created"]),
        ("createRuntime", ["creating", "created"]),
        ("createContainer", ["creating", "created"]),
        ("startContainer", ["created", "starting"]),
        ("poststart", ["running"]),
        ("poststop", ["stopped"]),
    ],
    ids=KINDS,
)
def test_a_hook_reads_the_state_from_standard_input(container, bundle, kind, statuses):
    bundle.config["annotations"] = {"org.example.colour": "blue"}
    add_hook(bundle, kind, f"cat >{log_path(bundle, kind)}", reads=True)
    bundle.sh("sleep 0.02")

    lived(container)

    state = json.loads((bundle.rootfs / "order").read_text())
    assert state["id"] == container.id
    assert state["status"] in statuses
    assert state["bundle"] == str(bundle.path)
    assert state["annotations"] == {"org.example.colour": "blue"}
    assert state["ociVersion"].startswith("1.")


def test_the_hooks_of_create_are_told_the_pid(container, bundle):
    add_hook(bundle, "createRuntime", f"cat >{bundle.path}/state", reads=True)

    container.create()

    assert json.loads((bundle.path / "state").read_text())["pid"] == container.pid


@covers("/hooks/prestart/*/env", "/hooks/createRuntime/*/env", "/hooks/createContainer/*/env")
@covers("/hooks/startContainer/*/env", "/hooks/poststart/*/env", "/hooks/poststop/*/env")
@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_has_the_environment_of_its_entry(container, bundle, kind):
    add_hook(bundle, kind, f"env >{log_path(bundle, kind)}", env=["COLOUR=blue", "PATH=/bin:/usr/bin"])

    container.run()

    lines = (bundle.rootfs / "order").read_text().splitlines()
    assert "COLOUR=blue" in lines
    assert not any(line.startswith(("HOME=", "USER=", "TERM=")) for line in lines)


@covers("/hooks/prestart/*/args", "/hooks/createRuntime/*/args", "/hooks/createContainer/*/args")
@covers("/hooks/startContainer/*/args", "/hooks/poststart/*/args", "/hooks/poststop/*/args")
@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_has_the_arguments_of_its_entry(container, bundle, kind):
    script = f'cat >/dev/null; printf "<%s>" "$@" >{log_path(bundle, kind)}'
    bundle.config["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", script, "hook", "a b", "", "$c"]}]}

    container.run()

    assert (bundle.rootfs / "order").read_text() == "<a b><><$c>"


def test_a_hook_that_does_not_read_its_input_is_fine(container, bundle):
    bundle.config["annotations"] = {"org.example.long": "x" * 100000}
    add_hook(bundle, "createRuntime", "exec 0<&-; true", reads=True)

    container.run()


def test_the_runtime_hooks_run_in_the_hosts_namespaces_before_the_command(container, bundle):
    add_hook(bundle, "createRuntime", f"readlink /proc/self/ns/mnt >{bundle.path}/ns; test ! -e {bundle.rootfs}/ran")
    bundle.sh("touch /ran")

    container.run()

    assert (bundle.path / "ns").read_text().strip() == os.readlink("/proc/self/ns/mnt")


def test_the_container_hooks_run_in_the_containers_namespaces(container, bundle):
    add_hook(bundle, "createContainer", f"readlink /proc/self/ns/uts >{bundle.path}/ns")
    add_hook(bundle, "startContainer", "readlink /proc/self/ns/mnt >/ns")
    bundle.sh("readlink /proc/self/ns/uts; readlink /proc/self/ns/mnt")

    uts, mnt = container.run().lines

    assert (bundle.path / "ns").read_text().strip() == uts
    assert (bundle.rootfs / "ns").read_text().strip() == mnt


def test_a_create_runtime_hook_can_prepare_the_network(container, bundle):
    add_hook(
        bundle,
        "createRuntime",
        r"""pid=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p'); test -n "$pid" && readlink /proc/$pid/ns/net >"""
        + f"{bundle.path}/net",
        reads=True,
    )
    bundle.sh("readlink /proc/self/ns/net")

    assert container.run().out == (bundle.path / "net").read_text()


# Failures.


@normative("B9")
@normative("B10")
@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer"])
def test_a_failing_hook_makes_create_fail_and_leave_nothing(container, bundle, nothing_left, kind):
    add_hook(bundle, kind, "echo the-reason >&2; exit 3")
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()

    container.try_create("--pid-file", bundle.path / "pid").refused()

    nothing_left.soon()


@extension("the error repeats what the hook said and how it ended")
@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer"])
def test_the_error_of_a_failing_hook_tells_which_one_and_why(container, bundle, kind):
    add_hook(bundle, kind, "true")
    add_hook(bundle, kind, "echo the-reason >&2; exit 3")

    result = container.try_create().refused(kind)

    assert "1" in result.error and "3" in result.error and "the-reason" in result.error


def test_hooks_after_a_failing_one_do_not_run(container, bundle):
    add_hook(bundle, "createRuntime", "exit 1")
    add_hook(bundle, "createRuntime", f"touch {bundle.path}/second")

    container.try_create().refused()

    assert not (bundle.path / "second").exists()


@normative("B9")
def test_a_failing_start_container_hook_keeps_the_command_from_running(container, bundle):
    add_hook(bundle, "startContainer", "exit 1")
    bundle.sh("touch /ran")

    container.try_run().failed()

    assert not (bundle.rootfs / "ran").exists()


@normative("B9")
def test_a_failing_poststart_hook_ends_the_container(container, bundle):
    add_hook(bundle, "poststart", "exit 1")
    bundle.sleeper()
    container.create()

    container.call("start").refused()

    assert container.call("state").status != 0 or container.status == "stopped"


@normative("B9")
def test_a_failing_poststop_hook_does_not_keep_the_others_from_running(container, bundle):
    add_hook(bundle, "poststop", "exit 1")
    add_hook(bundle, "poststop", f"touch {bundle.path}/second")
    container.launch()
    container.wait_for_status("stopped")

    container.call("delete")

    assert (bundle.path / "second").exists()
    container.call("state").failed()


@covers("/hooks/prestart/*/timeout", "/hooks/createRuntime/*/timeout")
@covers("/hooks/createContainer/*/timeout")
@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_hook_that_takes_too_long_is_ended_and_create_fails(container, bundle, nothing_left, kind):
    add_hook(bundle, kind, "exec sleep 1000", timeout=1)
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()
    before = time.monotonic()

    container.try_create().refused()

    assert time.monotonic() - before < 5
    nothing_left.soon()


@covers("/hooks/poststart/*/timeout", "/hooks/poststop/*/timeout")
@pytest.mark.parametrize("kind", ["poststart", "poststop"])
def test_a_hook_that_takes_too_long_does_not_hold_up_the_end(container, bundle, kind):
    add_hook(bundle, kind, f"touch {bundle.path}/begun; exec sleep 1000", reads=True, timeout=2)
    before = time.monotonic()

    container.try_run()

    assert time.monotonic() - before < 10
    assert (bundle.path / "begun").exists()
    container.call("state").failed()


@covers("/hooks/startContainer/*/timeout")
def test_a_start_container_hook_that_takes_too_long_keeps_the_command_from_running(container, bundle):
    add_hook(bundle, "startContainer", "exec sleep 1000", timeout=1)
    bundle.sh("touch /ran; sleep 1000")
    container.create()
    init = container.pid
    before = time.monotonic()

    container.call("start")
    eventually(lambda: not world.alive(init), "init has given up")

    assert time.monotonic() - before < 5
    assert not (bundle.rootfs / "ran").exists()


@extension("nobody waits for the end of a hook's output")
@pytest.mark.parametrize("kind", ["createRuntime", "createContainer", "startContainer", "poststart", "poststop"])
def test_what_a_hook_leaves_in_the_background_keeps_nobody_waiting(container, bundle, kind):
    add_hook(bundle, kind, "(sleep 30; true) & true")
    before = time.monotonic()

    container.run()

    assert time.monotonic() - before < 10
    world.reap_orphans(keep=container.runtime.started)
    for process in world.descendants():
        kill_process(process)


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "poststart", "poststop"])
def test_a_hook_outside_runs_in_the_directory_of_the_bundle(container, bundle, kind):
    add_hook(bundle, kind, "pwd >where")

    container.run(cwd="/")

    assert (bundle.path / "where").read_text().strip() == str(bundle.path)


# The lifecycle goes on at delete: what was set up is torn down.


@normative("B9")
@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer"])
def test_poststop_hooks_run_when_a_hook_of_create_fails(container, bundle, kind):
    add_hook(bundle, kind, "exit 1")
    add_hook(bundle, "poststop", f"cat >{bundle.path}/state", reads=True)
    bundle.sh("true")

    container.try_create().refused()

    state = json.loads((bundle.path / "state").read_text())
    assert (state["id"], state["status"]) == (container.id, "stopped")


@extension("a failure of another kind, once hooks have run, owes them their counterpart too")
def test_poststop_hooks_run_when_create_fails_after_hooks_have_run(container, bundle, nothing_left):
    add_hook(bundle, "createRuntime", "exit 0")
    add_hook(bundle, "poststop", f"test ! -e {container.state_directory} && touch {bundle.path}/torn-down")
    bundle.args("/nonexistent")

    container.try_create().refused("no such file or directory")

    assert (bundle.path / "torn-down").exists()


@extension("hooks that had no counterpart to undo are not called")
def test_poststop_hooks_do_not_run_when_create_fails_before_any_hook(container, bundle):
    add_hook(bundle, "createRuntime", "exit 0")
    add_hook(bundle, "poststop", f"touch {bundle.path}/torn-down")
    bundle.bind("/nonexistent/source", "/target")

    container.try_create().refused()

    assert not (bundle.path / "torn-down").exists()


@normative("B9")
@extension("a failing startContainer hook makes start fail, with its words, and the container is deleted")
@pytest.mark.parametrize("command", ["start", "run"])
def test_a_failing_start_container_hook_is_told_and_ends_the_container(container, bundle, command):
    add_hook(bundle, "startContainer", "echo the-reason >&2; exit 3")
    add_hook(bundle, "poststop", f"touch {bundle.path}/torn-down")
    bundle.sh("touch /ran")
    if command == "start":
        container.create()

    result = container.call("start") if command == "start" else container.try_run()

    result.refused("/hooks/startContainer/0")
    assert "3" in result.error and "the-reason" in result.error
    assert not (bundle.rootfs / "ran").exists()
    assert (bundle.path / "torn-down").exists()
    container.call("state").refused("does not exist")


@extension("poststop hooks run after a failing poststart hook")
@pytest.mark.parametrize("command", ["start", "run"])
def test_poststop_hooks_run_when_a_poststart_hook_fails(container, bundle, command):
    add_hook(bundle, "poststart", "exit 1")
    add_hook(bundle, "poststop", f"touch {bundle.path}/torn-down")
    bundle.sleeper()
    if command == "start":
        container.create()

    (container.call("start") if command == "start" else container.try_run()).refused("poststart hook #0")

    assert (bundle.path / "torn-down").exists()
    container.call("state").refused("does not exist")


# Death between start and the command.


@extension("start and run tell that init died before it executed the command")
@pytest.mark.parametrize("command", ["start", "run"])
def test_an_init_that_is_killed_before_the_command_runs_is_no_success(container, bundle, command):
    add_hook(bundle, "startContainer", "touch /begun; exec sleep 1000")
    bundle.sh("true").save()
    words = ["start", container.id]
    if command == "start":
        container.create("--pid-file", bundle.path / "pid")
    else:
        words = ["run", "--bundle", bundle.path, "--pid-file", bundle.path / "pid", container.id]
    with open(bundle.path / "errors", "wb") as errors:
        starter = container.spawn_with(words, stderr=errors)
    eventually((bundle.rootfs / "begun").exists, "the hook runs")

    kill_process(int((bundle.path / "pid").read_text()))

    assert starter.wait(10) == 1
    assert "before it executed the program" in (bundle.path / "errors").read_text()
