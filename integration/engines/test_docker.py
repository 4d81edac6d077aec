"""Docker as the caller: its shim, its daemon's ways of calling, and the codes of its command line."""

import os
import signal

import pytest
from callers.docker import Docker, default_runtime

from support import world
from support.marks import engine_rule
from support.waiting import eventually


@pytest.fixture
def docker(container, work):
    docker = Docker(container, work)
    yield docker
    docker.close()


@engine_rule(13)
@engine_rule(14)
@pytest.mark.parametrize(
    "command, code",
    [("nonsense", 127), ("/missing", 127), ("/etc/passwd/x", 127), ("/etc/passwd", 126), ("/etc", 126)],
)
def test_docker_run_tells_by_the_words_why_a_command_cannot_run(docker, bundle, command, code):
    bundle.args(command)

    assert docker.run() == code


@engine_rule(13)
def test_docker_run_ends_with_125_when_it_is_not_the_command(docker, bundle):
    bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "exit 3"]}]}

    assert docker.run() == 125


@engine_rule(40)
@pytest.mark.parametrize("code", [0, 1, 125, 126, 127, 255])
def test_docker_run_ends_as_the_command_does(docker, bundle, code):
    bundle.sh(f"exit {code}")

    assert docker.run() == code


@engine_rule(25)
def test_descriptors_of_the_daemon_do_not_reach_the_container(docker, bundle):
    docker.hold_bogus_descriptors()
    bundle.sh("ls /proc/self/fd")

    assert docker.run() == 0

    assert docker.streams.stdout.read_to_the_end().split() == ["0", "1", "2", "3"]


@engine_rule(25)
def test_descriptors_of_the_daemon_do_not_reach_what_is_executed(docker, bundle):
    bundle.sleeper()
    docker.hold_bogus_descriptors()
    docker.create().start()

    pid, streams = docker.exec("ls", "/proc/self/fd")

    assert docker.wait(pid) == 0
    assert streams.stdout.read_to_the_end().split() == ["0", "1", "2", "3"]
    streams.close()


@engine_rule(22)
@engine_rule(23)
def test_a_script_between_daemon_and_runtime_changes_nothing(docker, bundle):
    docker.call_through_a_script()
    bundle.sleeper()
    docker.create().start().container.wait_for_sleep()

    assert docker.top() == sorted(docker.top()) and docker.pid in docker.top()
    assert docker.kill(signal.SIGTERM) is None

    assert docker.wait() == 0
    docker.delete()


@engine_rule(18)
def test_docker_sends_signals_by_number(docker, bundle):
    bundle.sh("trap 'exit 9' 35; echo; while :; do sleep 1000 & wait $!; done")
    docker.create().start()
    docker.streams.stdout.take()

    assert docker.kill(35) is None

    assert docker.wait() == 9


@engine_rule(33)
def test_docker_top_names_processes_as_the_host_does(docker, bundle):
    bundle.sh("sleep 1000 & echo; wait")
    docker.create().start()
    docker.streams.stdout.take()

    processes = docker.top()

    assert len(processes) == 2 and docker.pid in processes
    assert all(world.alive(process) for process in processes)


@engine_rule(21)
def test_docker_info_finds_name_version_and_commit(runtime):
    found = default_runtime(runtime)

    assert found["name"] == runtime.name and found["version"][0].isdigit()
    assert found["commit"]


@engine_rule(21)
def test_the_version_is_told_with_whatever_flags_a_daemon_has_configured(docker):
    version = docker.runc.version()

    assert version["commit"] and version["spec"].startswith("1.")


@engine_rule(23)
def test_a_detached_start_leaves_no_process_of_the_runtime(docker, bundle):
    bundle.sleeper()
    docker.create().start()

    eventually(lambda: programs() == {"busybox"}, "nothing but the container runs")


def programs():
    return {os.path.basename(os.readlink(f"/proc/{process}/exe")) for process in world.descendants()}
