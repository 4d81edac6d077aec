"""BuildKit as the caller: foreground runs that are kept until they have been looked at."""

import contextlib
import os
import signal

import pytest
from callers.buildkit import BuildKit
from callers.go_runc import Failed, atoi

from support.marks import engine_rule
from support.quotas import needs
from support.terminals import UserTerminal
from support.waiting import eventually


@pytest.fixture
def buildkit(container, work):
    buildkit = BuildKit(container, work)
    yield buildkit
    buildkit.close()


@pytest.fixture
def user():
    terminal = UserTerminal()
    yield terminal
    terminal.close()


@engine_rule(6)
@engine_rule(29)
@engine_rule(40)
@pytest.mark.parametrize("code", [0, 4, 126, 255])
def test_the_exit_code_of_a_step_is_that_of_its_command(buildkit, bundle, code):
    bundle.sh(f"echo out; exit {code}")

    assert buildkit.run().wait() == code

    assert buildkit.streams.stdout.read_to_the_end() == "out\n"
    buildkit.delete()


@engine_rule(29)
@engine_rule(31)
def test_the_group_of_a_step_is_there_until_it_is_deleted(buildkit, bundle):
    bundle.linux["cgroupsPath"] = f"/{buildkit.id}/step"

    buildkit.run().wait()

    assert "populated 0" in (buildkit.cgroup() / "cgroup.events").read_text()
    assert buildkit.runc.state(buildkit.id)["status"] == "stopped"
    buildkit.delete()
    assert not buildkit.cgroup().exists()


@engine_rule(29)
@engine_rule(30)
@needs("memory")
def test_a_step_killed_for_want_of_memory_is_known_before_the_delete(buildkit, bundle):
    bundle.resources["memory"] = {"limit": 32 << 20, "swap": 32 << 20}
    bundle.sh("exec tail /dev/zero")

    assert buildkit.run().wait() == 137

    assert buildkit.killed_for_want_of_memory()
    buildkit.delete()


@engine_rule(19)
def test_the_state_tells_bundle_and_rootfs_while_a_step_runs(buildkit, bundle):
    bundle.sleeper()
    buildkit.run().wait_until_running()

    state = buildkit.runc.state(buildkit.id)

    assert (state["bundle"], state["rootfs"]) == (str(bundle.path), str(bundle.rootfs))


@engine_rule(40)
def test_a_step_that_is_killed_ends_with_137(buildkit, bundle):
    bundle.sleeper()
    buildkit.run().wait_until_running()

    buildkit.runc.kill(buildkit.id, signal.SIGKILL)

    assert buildkit.wait() == 137
    buildkit.delete()


@engine_rule(28)
def test_a_signal_to_the_runtime_reaches_the_step(buildkit, bundle):
    bundle.sh("trap 'exit 21' USR1; echo ready; while :; do sleep 1000 & wait $!; done")
    buildkit.run()
    os.read(buildkit.streams.stdout.ours, 6)

    buildkit.process.send_signal(signal.SIGUSR1)

    assert buildkit.wait() == 21
    buildkit.delete()


@engine_rule(28)
def test_signals_that_are_the_runtimes_own_do_not_reach_the_step(buildkit, bundle):
    """Go's scheduler sends itself URG, and children end with CHLD."""
    bundle.sh("trap 'exit 7' URG; trap 'exit 21' USR1; echo ready; while :; do sleep 1000 & wait $!; done")
    buildkit.run()
    os.read(buildkit.streams.stdout.ours, 6)

    for number in (signal.SIGURG, signal.SIGCHLD, signal.SIGUSR1):
        buildkit.process.send_signal(number)

    assert buildkit.wait() == 21
    buildkit.delete()


@engine_rule(27)
@engine_rule(28)
def test_a_step_on_a_terminal_follows_its_size(buildkit, bundle, user):
    bundle.process["terminal"] = True
    bundle.sh("trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 1000 & wait $!; done")
    buildkit.run(terminal=user)
    user.read_until("ready")

    user.resize(44, 122)
    buildkit.process.send_signal(signal.SIGWINCH)

    user.read_until("44 122")
    assert buildkit.wait() == 5
    buildkit.delete()


@engine_rule(34)
@engine_rule(40)
def test_an_exec_beside_a_step_runs_in_the_foreground(buildkit, bundle, work):
    bundle.sleeper()
    buildkit.run().wait_until_running()

    heard = buildkit.exec("sh", "-c", "echo out; echo err >&2; exit 6")

    assert (heard.status, heard.out, heard.err) == (6, "out\n", "err\n")
    assert atoi(work / "exec1.pid") > 0


@engine_rule(40)
def test_a_command_that_is_missing_fails_the_step_and_nothing_stays(buildkit, bundle):
    bundle.args("nonsense")

    assert buildkit.run().wait() not in (0, 125, 137)

    assert "nonsense" in buildkit.streams.stderr.read_to_the_end()
    with contextlib.suppress(Failed):
        buildkit.runc.delete(buildkit.id)
    with pytest.raises(Failed):
        buildkit.runc.state(buildkit.id)


@engine_rule(38)
def test_a_runtime_that_is_killed_in_the_middle_of_a_step_can_be_cleaned_up(buildkit, bundle):
    bundle.sleeper()
    buildkit.run().wait_until_running()

    buildkit.process.kill()
    buildkit.process.wait()

    buildkit.runc.delete(buildkit.id, force=True)
    eventually(lambda: not buildkit.cgroup().exists(), "the group is gone")
