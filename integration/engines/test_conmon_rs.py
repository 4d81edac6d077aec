"""conmon-rs as the caller: repeated flags, and commands behind the identifier."""

import pytest
from callers.conmon_rs import ConmonRs

from support import world
from support.marks import engine_rule


@pytest.fixture
def monitor(container, bundle, work):
    bundle.sleeper()
    monitor = ConmonRs(container, work).create()
    container.start()
    yield monitor
    monitor.close()


@engine_rule(1)
@engine_rule(3)
@engine_rule(22)
def test_flags_that_come_twice_make_one_container(monitor, container):
    assert container.pid == monitor.pid

    container.kill("KILL")

    assert world.exit_status(monitor.pid) == -9


@engine_rule(3)
@engine_rule(5)
def test_an_exec_may_name_the_manager_of_groups_twice(monitor):
    assert monitor.exec_sync("sh", "-c", "exit 3", globals_=["--systemd-cgroup"])[0] == 3


@engine_rule(4)
def test_what_follows_the_identifier_is_the_commands(monitor):
    status, out, err = monitor.exec_sync("echo", "-d", "--pid-file=/none", "--", "-n")

    assert (status, out, err) == (0, "-d --pid-file=/none -- -n\n", "")


@engine_rule(22)
def test_streams_of_an_exec_are_its_own(monitor):
    assert monitor.exec_sync("sh", "-c", "echo out; echo err >&2; exit 7") == (7, "out\n", "err\n")


def test_a_probe_runs_with_environment_and_directory_of_the_container(monitor, bundle):
    status, out, _ = monitor.exec_sync("sh", "-c", "echo $TERM; pwd")

    assert (status, out) == (0, "xterm\n/\n")
