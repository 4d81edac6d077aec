"""containerd's shim as the caller."""

import os
import signal

import pytest
from callers.containerd import Shim, decode_stream
from callers.go_runc import Failed

from support import world
from support.container import kill_process
from support.marks import engine_rule


@engine_rule(1)
@engine_rule(8)
@engine_rule(12)
@engine_rule(22)
def test_the_shim_sees_a_container_through_its_whole_life(shim, bundle):
    bundle.sh("echo out; echo err >&2; exit 9")

    shim.create().start()

    assert shim.wait() == 9
    shim.delete()
    assert (shim.streams.stdout.read_to_the_end(), shim.streams.stderr.read_to_the_end()) == ("out\n", "err\n")
    assert shim.log.read_text() == ""
    assert shim.log.stat().st_mode & 0o777 == 0o644


def test_the_shims_pipe_is_the_containers_standard_input(shim, bundle):
    bundle.args("cat")
    shim.create().start()

    shim.streams.stdin.write("a line\n")
    shim.streams.stdin.close()

    assert shim.wait() == 0
    assert shim.streams.stdout.read_to_the_end() == "a line\n"


@engine_rule(22)
def test_the_shim_counts_a_signal_as_128_and_its_number(task):
    os.kill(task.pid, signal.SIGKILL)

    assert task.wait() == 137


@engine_rule(11)
@engine_rule(14)
def test_a_missing_command_fails_in_create_and_the_log_says_why(shim, bundle):
    bundle.args("nonsense")

    with pytest.raises(Failed, match=r'create failed: .*executable file.* not found in \$PATH'):
        shim.create()

    assert not (shim.bundle / "init.pid").exists()


@engine_rule(11)
def test_of_several_failures_in_one_log_the_last_counts(shim, bundle):
    bundle.args("nonsense")
    with pytest.raises(Failed, match="nonsense"):
        shim.create()
    shim.streams.close()
    bundle.args("/missing")

    with pytest.raises(Failed, match="create failed: .*/missing.*: [Nn]o such file or directory"):
        shim.create()

    assert len(decode_stream(shim.log.read_text())) >= 2


@engine_rule(11)
@pytest.mark.parametrize("name", ["two\nlines", 'quo"ted', "back\\slash", "\x01\x1b[31m", "smörgås", "\u2028"])
def test_the_log_is_json_whatever_the_words_of_the_error_are(shim, bundle, name):
    bundle.args(name)

    with pytest.raises(Failed, match="executable file"):
        shim.create()

    assert [entry["level"] for entry in decode_stream(shim.log.read_text())].count("error") == 1


@engine_rule(8)
@engine_rule(11)
def test_a_daemon_that_debugs_reads_the_same(container, bundle, work):
    """Other levels are in the log as well, and nothing is where answers are read."""
    shim = Shim(container, work, debug=True)
    bundle.sh("exit 3")

    shim.create().start()
    state = shim.runc.state(shim.id)

    assert state["id"] == shim.id and shim.wait() == 3
    shim.delete()
    assert "error" not in [entry["level"] for entry in decode_stream(shim.log.read_text())]
    shim.close()


@engine_rule(23)
@engine_rule(26)
def test_the_shim_takes_the_terminal_once_create_has_let_go_of_its_pipe(shim, bundle):
    bundle.sh("echo hello; read answer; exit $answer")

    shim.create_on_a_terminal().start()
    shim.terminal.read_until("hello")
    shim.terminal.write("11\r")

    assert shim.wait() == 11


@engine_rule(23)
def test_a_daemon_that_a_hook_leaves_does_not_hold_the_shims_pipe(shim, bundle, work):
    """A client of DHCP, for example, which lives longer than create."""
    script = f"sleep 1000 & echo $! > {work}/daemon"
    bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}
    bundle.sh("exit 2")

    try:
        shim.create_on_a_terminal().start()

        assert shim.wait() == 2
        assert world.alive(int((work / "daemon").read_text()))
    finally:
        kill_process(int((work / "daemon").read_text()))


@engine_rule(9)
def test_without_streams_of_the_container_the_error_is_in_the_captured_output(shim, bundle):
    bundle.args("nonsense")

    with pytest.raises(Failed, match="did not terminate successfully: exit status 1: .*nonsense"):
        shim.create_on_a_terminal()


@engine_rule(1)
@engine_rule(34)
def test_the_shim_executes_from_a_file_that_it_removes_at_once(task):
    pid, streams = task.exec("sh", "-c", "echo out; exit 6")

    assert task.wait(pid) == 6
    assert streams.stdout.read_to_the_end() == "out\n"
    streams.close()


@engine_rule(1)
def test_an_exec_that_fails_tells_the_shim_by_status_and_log_and_leaves_no_pid(task):
    with pytest.raises(Failed, match="exec failed: .*nonsense"):
        task.exec("nonsense")

    assert not (task.bundle / "exec1.pid").exists()


@engine_rule(22)
def test_the_shim_kills_what_it_executed_by_its_pid(task):
    pid, streams = task.exec("sleep", "1000")

    os.kill(pid, signal.SIGKILL)

    assert task.wait(pid) == 137
    streams.close()


@engine_rule(23)
@engine_rule(26)
def test_the_shim_takes_the_terminal_of_what_it_executes(task):
    pid, terminal = task.exec_on_a_terminal("sh", "-c", "tty; read answer; exit $answer")

    terminal.read_until("/dev/pts/")
    terminal.write("13\r")

    assert task.wait(pid) == 13
    terminal.close()
