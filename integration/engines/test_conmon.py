"""conmon as the caller, below Podman and CRI-O."""

import os

from support.marks import engine_rule
from support.quotas import needs
from support.terminals import ConsoleSocket


@engine_rule(1)
@engine_rule(22)
def test_conmon_writes_the_exit_status_of_its_child(conmon, container, bundle):
    bundle.sh("echo out; exit 8")

    assert conmon.create("--no-new-keyring"), conmon.error
    container.start()

    assert conmon.exit_file() == "8"
    assert conmon.streams.stdout.read_to_the_end() == "out\n"


@engine_rule(8)
def test_a_create_adds_nothing_to_the_containers_streams(conmon, container, bundle):
    bundle.args("true")

    assert conmon.create(), conmon.error
    container.start()

    assert conmon.exit_file() == "0"
    assert (conmon.streams.stdout.read_to_the_end(), conmon.streams.stderr.read_to_the_end()) == ("", "")


@engine_rule(8)
def test_what_hooks_say_is_not_said_by_the_container(conmon, container, bundle):
    hook = {"path": "/bin/sh", "args": ["sh", "-c", "cat >&2; echo noise"]}
    bundle.config["hooks"] = {kind: [hook] for kind in ("createRuntime", "createContainer", "startContainer", "poststart")}
    bundle.args("true")

    assert conmon.create(), conmon.error
    container.start()

    assert conmon.exit_file() == "0"
    assert (conmon.streams.stdout.read_to_the_end(), conmon.streams.stderr.read_to_the_end()) == ("", "")


@engine_rule(24)
def test_a_time_out_ends_the_container_by_the_group_of_its_process(conmon, container, bundle):
    bundle.sleeper()
    assert conmon.create(), conmon.error
    container.start()

    conmon.time_out()

    assert conmon.exit_file() == "137"


@engine_rule(26)
def test_conmon_receives_the_terminal_while_the_runtime_works(conmon, container, bundle):
    bundle.process["terminal"] = True
    bundle.sh("stty size; read answer; exit $answer")
    bundle.process["consoleSize"] = {"height": 33, "width": 111}

    assert conmon.create(), conmon.error
    container.start()
    conmon.terminal.read_until("33 111")
    conmon.terminal.write("4\r")

    assert conmon.exit_file() == "4"


@engine_rule(26)
@engine_rule(39)
def test_a_socket_named_from_the_bundle_may_lie_deeper_than_an_address_reaches(container, bundle, runtime):
    """An address of a socket holds 107 bytes; the caller's directory does not count."""
    deep = bundle.path / ("d" * 120)
    deep.mkdir()
    bundle.process["terminal"] = True
    bundle.sh("echo hello; exec sleep 1000").save()
    (deep / "config.json").write_text((bundle.path / "config.json").read_text().replace('"rootfs"', '"../rootfs"'))
    here = os.open(deep, os.O_RDONLY)
    console = ConsoleSocket(f"/proc/self/fd/{here}/c.sock")
    os.close(here)

    words = ["create", "--bundle", ".", "--console-socket", "c.sock", "--pid-file", "pid", container.id]
    container.call_with(words, cwd=deep).succeeded()
    terminal, _, _ = console.receive()
    container.start()

    assert "hello" in terminal.read_until("hello")
    assert int((deep / "pid").read_text()) == container.pid
    terminal.close()
    console.close()


@engine_rule(1)
@engine_rule(34)
def test_conmon_learns_of_an_exec_by_the_file_with_its_pid(conmon, container):
    container.launch_sleeper()

    assert conmon.exec("sh", "-c", "echo probe; exit 5"), conmon.error

    assert conmon.exit_file() == "5"
    assert conmon.streams.stdout.read_to_the_end() == "probe\n"


@engine_rule(26)
def test_conmon_receives_the_terminal_of_what_is_executed(conmon, container):
    container.launch_sleeper()

    assert conmon.exec("sh", "-c", "tty; read answer; exit $answer", terminal=True), conmon.error
    conmon.terminal.read_until("/dev/pts/")
    conmon.terminal.write("6\r")

    assert conmon.exit_file() == "6"


@engine_rule(24)
def test_a_probe_that_takes_too_long_is_ended_alone(conmon, container):
    container.launch_sleeper()
    assert conmon.exec("sh", "-c", "sleep 1000 & sleep 1000"), conmon.error

    conmon.time_out()

    assert conmon.exit_file() == "137"
    assert container.status == "running"


@engine_rule(25)
def test_what_conmon_shares_with_its_engine_does_not_reach_the_container(conmon, container, bundle):
    bundle.sh("env; ls /proc/self/fd")

    assert conmon.create(), conmon.error
    container.start()

    assert conmon.exit_file() == "0"
    said = conmon.streams.stdout.read_to_the_end()
    assert "_OCI_" not in said and "LISTEN_" not in said
    assert said.split()[-4:] == ["0", "1", "2", "3"]  # 3 is the directory that ls reads


@engine_rule(30)
@needs("memory")
def test_conmon_finds_the_file_that_tells_of_kills_for_want_of_memory(conmon, container, bundle):
    bundle.sleeper()
    assert conmon.create(), conmon.error

    assert conmon.memory_events() is not None


@engine_rule(39)
def test_the_working_directory_may_be_closed_to_everybody(container, bundle, work):
    closed = work / "closed"
    closed.mkdir(mode=0o000)
    bundle.args("true").save()

    container.call_with(["create", "--bundle", bundle.path, container.id], cwd=closed).succeeded()
    container.call_with(["start", container.id], cwd=closed).succeeded()
