"""Podman as the caller: conmon, and commands with next to nothing in the environment."""

import os
import pathlib
import signal

import pytest
from callers.podman import Podman
from callers.streams import hear

from support import rootless, world
from support.marks import engine_rule
from support.quotas import needs


@pytest.fixture
def podman(container, work):
    podman = Podman(container, work)
    yield podman
    podman.close()


@pytest.fixture
def sleeping(podman, bundle):
    bundle.sleeper()
    assert podman.create(), podman.conmon.error
    podman.start()
    podman.container.wait_for_sleep()
    return podman


@engine_rule(6)
@engine_rule(7)
@engine_rule(8)
def test_podman_stops_and_removes_without_root_path_or_home(podman, sleeping):
    podman.call("pause", podman.id).silently()
    podman.call("resume", podman.id).silently()

    podman.kill(signal.SIGTERM).silently()

    assert podman.conmon.exit_file() == "0"
    podman.delete()
    podman.delete()


@engine_rule(6)
def test_the_state_is_where_podman_looks_for_it(podman, sleeping, runtime):
    """Its own tests name the place after the program."""
    above = rootless.RUNTIME_DIRECTORY if rootless.ACTIVE else pathlib.Path("/run")

    assert (above / runtime.name / podman.id).is_dir()


@engine_rule(13)
@engine_rule(14)
@pytest.mark.parametrize(
    "command, code",
    [("nonsense", 127), ("/missing", 127), ("/etc/passwd", 126), ("/etc", 126)],
)
def test_podman_tells_by_the_words_what_a_command_that_cannot_run_ends_with(podman, bundle, command, code):
    bundle.args(command)

    assert not podman.create()

    found, line = podman.exit_code_of_failure()
    assert found == code
    assert command in line


@engine_rule(14)
def test_podman_is_told_of_a_directory_in_the_words_of_its_own_tests(podman, bundle):
    bundle.args("/etc")

    assert not podman.create()

    _, line = podman.exit_code_of_failure()
    assert line.endswith("the path `/etc` is not a regular file: Operation not permitted")


@engine_rule(13)
def test_an_error_of_another_kind_has_no_words_of_these(podman, bundle):
    bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "exit 3"]}]}

    assert not podman.create()

    assert podman.exit_code_of_failure()[0] == 125


@engine_rule(9)
@engine_rule(11)
def test_after_a_second_failure_podman_reads_the_reason_from_the_pipe(podman, bundle):
    """The log has two objects now, and Podman decodes one."""
    bundle.args("nonsense")
    assert not podman.create()
    podman.conmon.close()
    bundle.args("/missing")

    assert not podman.create()

    with pytest.raises(ValueError):
        podman.json_of_the_log()
    assert podman.exit_code_of_failure()[0] == 127
    assert "/missing" in podman.exit_code_of_failure()[1]


@engine_rule(11)
def test_podman_reads_the_whole_log_as_one_object(podman, bundle):
    bundle.args("nonsense")

    assert not podman.create()

    assert "nonsense" in podman.json_of_the_log()["msg"]


@engine_rule(12)
def test_the_log_of_a_success_is_there_and_empty(podman, sleeping):
    assert podman.log.read_text() == ""


@engine_rule(15)
def test_a_kill_of_the_dead_fails_and_podman_looks_for_itself(podman, sleeping):
    os.kill(podman.conmon.pid, signal.SIGKILL)
    assert podman.conmon.exit_file() == "137"

    heard = podman.kill(signal.SIGTERM)

    assert heard.status > 0 and not world.alive(podman.conmon.pid)


@engine_rule(18)
def test_podman_sends_signals_by_number_beyond_the_named_ones(podman, bundle):
    bundle.sh("trap 'exit 5' 37; echo ready; while :; do sleep 1000 & wait $!; done")
    assert podman.create(), podman.conmon.error
    podman.start()
    os.read(podman.conmon.streams.stdout.ours, 6)

    podman.kill(37).silently()

    assert podman.conmon.exit_file() == "5"


@engine_rule(5)
def test_a_container_without_groups_is_stopped_without_saying_so_again(container, work, bundle):
    podman = Podman(container, work)
    podman.conmon.runtime_args += ["--cgroup-manager", "disabled"]
    bundle.sleeper()
    del bundle.linux["cgroupsPath"]
    assert podman.create(), podman.conmon.error
    podman.start()

    podman.kill(signal.SIGKILL).silently()

    assert podman.conmon.exit_file() == "137"
    podman.delete()
    podman.close()


@engine_rule(25)
def test_preserved_descriptors_may_leave_holes(podman, bundle, work):
    """podman run --preserve-fd=9,40 becomes 38 of them, most of which are closed."""
    (work / "file").write_text("kept\n")
    bundle.sh("cat <&9; ls /proc/self/fd")
    podman.conmon.preserve(work / "file", 9, 40)

    assert podman.create(), podman.conmon.error
    podman.start()

    assert podman.conmon.exit_file() == "0"
    assert podman.conmon.streams.stdout.read_to_the_end().split() == ["kept", "0", "1", "2", "3", "40", "9"]


@engine_rule(32)
@needs("pids")
def test_podman_updates_from_a_file(podman, sleeping):
    podman.update({"pids": {"limit": 55}}).silently()

    assert (podman.container.cgroup / "pids.max").read_text() == "55\n"


@engine_rule(32)
def test_an_update_of_nothing_changes_nothing(podman, sleeping):
    podman.update({}).silently()


@engine_rule(1)
@engine_rule(34)
def test_podman_executes_through_conmon(podman, sleeping):
    init = podman.conmon.pid

    assert podman.conmon.exec("sh", "-c", "exit 9"), podman.conmon.error

    assert podman.conmon.exit_file() == "9"
    podman.conmon.pid = init


@engine_rule(37)
def test_podman_and_features_agree_about_checkpoints(podman, runtime):
    advertised = hear(runtime, "features").out
    supported = '"org.opencontainers.runc.checkpoint.enabled":"true"' in advertised.replace(" ", "")

    assert podman.supports_checkpoints() == (supported, supported)
