"""Hooks: when they run, what they are told, and what their failure does."""

import json
import os
import time

import pytest

from support.marks import extension
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


def test_a_hook_has_the_environment_of_its_entry(container, bundle):
    add_hook(bundle, "createRuntime", f"env >{bundle.path}/env", env=["COLOUR=blue", "PATH=/bin:/usr/bin"])

    container.run()

    lines = (bundle.path / "env").read_text().splitlines()
    assert "COLOUR=blue" in lines
    assert not any(line.startswith(("HOME=", "USER=")) for line in lines)


def test_a_hook_has_the_arguments_of_its_entry(container, bundle):
    bundle.path.joinpath("hook").write_text(f'#!/bin/sh\ncat >/dev/null\nprintf "<%s>" "$@" >{bundle.path}/args\n')
    bundle.path.joinpath("hook").chmod(0o755)
    bundle.config["hooks"] = {"createRuntime": [{"path": f"{bundle.path}/hook", "args": ["hook", "a b", "", "$c"]}]}

    container.run()

    assert (bundle.path / "args").read_text() == "<a b><><$c>"


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


def test_a_failing_start_container_hook_keeps_the_command_from_running(container, bundle):
    add_hook(bundle, "startContainer", "exit 1")
    bundle.sh("touch /ran")

    container.try_run().failed()

    assert not (bundle.rootfs / "ran").exists()


def test_a_failing_poststart_hook_ends_the_container(container, bundle):
    add_hook(bundle, "poststart", "exit 1")
    bundle.sleeper()
    container.create()

    container.call("start").refused()

    assert container.call("state").status != 0 or container.status == "stopped"


def test_a_failing_poststop_hook_does_not_keep_the_others_from_running(container, bundle):
    add_hook(bundle, "poststop", "exit 1")
    add_hook(bundle, "poststop", f"touch {bundle.path}/second")
    container.launch()
    container.wait_for_status("stopped")

    container.call("delete")

    assert (bundle.path / "second").exists()
    container.call("state").failed()


def test_a_hook_that_takes_too_long_is_ended_and_fails(container, bundle, nothing_left):
    add_hook(bundle, "createRuntime", "exec sleep 1000", timeout=1)
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()
    before = time.monotonic()

    container.try_create().refused()

    assert time.monotonic() - before < 5
    nothing_left.soon()
