"""Terminals: a user's own, one handed over a socket, and their sizes."""

import json
import os

import pytest

from support.marks import covers, extension
from support.terminals import ConsoleSocket, UserTerminal
from support.waiting import eventually


@pytest.fixture
def user():
    terminal = UserTerminal(rows=31, columns=97)
    yield terminal
    terminal.close()


@pytest.fixture
def console(work):
    console = ConsoleSocket(work / "console.sock")
    yield console
    console.close()


def with_terminal(bundle):
    bundle.process["terminal"] = True
    return bundle


def run_on(terminal, container, *flags):
    container.bundle.save()
    return container.spawn_with(["run", "--bundle", container.bundle.path, *flags, container.id], **terminal.options)


# A user's terminal.


@covers("/process/terminal")
def test_run_on_a_terminal_gives_the_command_a_terminal(container, bundle, user):
    with_terminal(bundle).sh("test -t 0 && test -t 1 && test -t 2 && tty && echo it-is")

    runner = run_on(user, container)

    assert "/dev/pts/0" in user.read_until("it-is") or "/dev/console" in user.read_until("it-is")
    assert runner.wait(10) == 0


def test_run_on_a_terminal_returns_the_exit_status(container, bundle, user):
    with_terminal(bundle).sh("exit 42")

    assert run_on(user, container).wait(10) == 42


def test_what_is_typed_reaches_the_command(container, bundle, user):
    with_terminal(bundle).sh("echo ready; read line; echo got-$line")

    runner = run_on(user, container)
    user.read_until("ready")
    user.write("words\r")

    user.read_until("got-words")
    assert runner.wait(10) == 0


def test_control_c_interrupts_the_command_not_the_runtime(container, bundle, user):
    with_terminal(bundle).sh("trap 'exit 7' INT; echo ready; while :; do sleep 0.01; done")

    runner = run_on(user, container)
    user.read_until("ready")
    user.write("\x03")

    assert runner.wait(10) == 7


def test_the_terminal_of_the_user_is_as_before_afterwards(container, bundle, user):
    before = user.modes
    with_terminal(bundle).sh("true")

    run_on(user, container).wait(10)

    assert user.modes == before


def test_the_terminal_has_the_size_of_the_users(container, bundle, user):
    with_terminal(bundle).sh("echo size $(stty size 2>&1)")

    runner = run_on(user, container)

    user.read_until("size 31 97")
    runner.wait(10)


def test_the_terminal_follows_when_the_users_changes_its_size(container, bundle, user):
    with_terminal(bundle).sh("trap 'echo now $(stty size 2>&1)' WINCH; echo ready; while :; do sleep 0.01; done")

    runner = run_on(user, container)
    user.read_until("ready")
    user.resize(40, 132)

    user.read_until("now 40 132")
    container.delete("--force")
    runner.wait(10)


def test_the_terminal_is_the_controlling_one(container, bundle, user):
    with_terminal(bundle).sh("echo x >/dev/tty && echo it-is")

    runner = run_on(user, container)

    user.read_until("it-is")
    runner.wait(10)


def test_dev_console_is_the_terminal(container, bundle, user):
    with_terminal(bundle).sh("test -c /dev/console && echo through >/dev/console; echo done")

    runner = run_on(user, container)

    assert "through" in user.read_until("done")
    runner.wait(10)


def test_the_terminal_belongs_to_the_user_of_the_process(container, bundle, user):
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    with_terminal(bundle).sh("echo owner $(stat -L -c %u /proc/self/fd/0)")

    runner = run_on(user, container)

    user.read_until("owner 1000")
    runner.wait(10)


def test_a_large_output_arrives_complete(container, bundle, user):
    with_terminal(bundle).sh("i=0; while [ $i -lt 2000 ]; do echo line-$i-xxxxxxxxxxxxxxxx; i=$((i+1)); done; echo end")

    runner = run_on(user, container)
    seen = user.read_until("end\r\n")

    assert runner.wait(10) == 0
    assert seen.count("line-") == 2000


def test_exec_on_a_terminal_gives_the_command_a_terminal(container, bundle, user):
    bundle.sleeper()
    container.launch()

    runner = container.spawn_with(
        ["exec", "--tty", container.id, "sh", "-c", "test -t 0 && echo it-is $(stty size 2>&1); exit 9"], **user.options
    )

    user.read_until("it-is 31 97")
    assert runner.wait(10) == 9


def test_a_terminal_needs_no_terminal_on_our_side(container, bundle):
    with_terminal(bundle).sh("test -t 0 && test -t 1 && echo it-is")

    assert "it-is" in container.run().out


# Over a socket.


def test_create_hands_one_descriptor_over_the_console_socket(container, bundle, console):
    with_terminal(bundle).sh("echo hello; read line; echo got-$line")
    container.create("--console-socket", console.path)

    terminal, message, descriptors = console.receive()

    assert descriptors == 1
    assert 1 <= len(message) < 4096
    assert os.isatty(terminal.descriptor)
    container.start()
    terminal.read_until("hello")
    terminal.write("words\r")
    terminal.read_until("got-words")
    terminal.close()


def test_run_detach_hands_the_terminal_over(container, bundle, console):
    with_terminal(bundle).sh("test -t 0 && echo it-is; sleep 1000")
    container.run("--detach", "--console-socket", console.path)

    terminal, _, _ = console.receive()

    terminal.read_until("it-is")
    terminal.close()


def test_exec_hands_its_terminal_over(container, bundle, console):
    bundle.sleeper()
    container.launch()
    container.exec("sh", "-c", "echo it-is; read x", flags=["-t", "-d", "--console-socket", console.path])

    terminal, _, descriptors = console.receive()

    assert descriptors == 1
    terminal.read_until("it-is")
    terminal.close()


def test_exec_with_a_process_file_hands_its_terminal_over(container, bundle, console, work):
    bundle.sleeper()
    container.launch()
    process = {"terminal": True, "args": ["sh", "-c", "tty && echo it-is; read x"], "cwd": "/", "env": ["PATH=/bin"]}
    (work / "process.json").write_text(json.dumps({**process, "user": {"uid": 0, "gid": 0}}))
    container.exec(
        flags=["--process", work / "process.json", "--tty", "--detach", "--console-socket", console.path,
               "--pid-file", work / "pid"]
    )  # fmt: skip

    terminal, _, _ = console.receive()

    terminal.read_until("it-is")
    terminal.close()


@covers("/process/consoleSize/height", "/process/consoleSize/width")
def test_consolesize_is_the_size_from_the_start(container, bundle, console):
    with_terminal(bundle).sh("sleep 1000")
    bundle.process["consoleSize"] = {"height": 17, "width": 71}
    container.create("--console-socket", console.path)

    terminal, _, _ = console.receive()

    assert terminal.size == (17, 71)
    terminal.close()


def test_no_stream_of_the_caller_stays_in_a_container_with_a_terminal(container, bundle, console):
    """Engines wait until every writer of their pipe is gone."""
    with_terminal(bundle).sh("sleep 1000")
    reader, writer = os.pipe()
    bundle.save()
    container.call(
        "create", "--bundle", bundle.path, "--console-socket", console.path, stdout=writer, stderr=writer
    ).succeeded()
    terminal, _, _ = console.receive()

    os.close(writer)

    os.set_blocking(reader, False)
    assert os.read(reader, 100) == b""
    os.close(reader)
    terminal.close()


def test_the_terminal_is_gone_when_the_container_is_deleted(container, bundle, console):
    with_terminal(bundle).sh("sleep 1000")
    container.create("--console-socket", console.path)
    terminal, _, _ = console.receive()

    container.delete("--force")

    eventually(lambda: closed(terminal.descriptor), "the other side is closed")
    terminal.close()


def closed(descriptor):
    os.set_blocking(descriptor, False)
    try:
        return os.read(descriptor, 1) == b""
    except BlockingIOError:
        return False
    except OSError:  # EIO
        return True


# Errors.


@covers("/process/terminal")
def test_a_detached_terminal_without_a_console_socket_is_refused(container, bundle):
    with_terminal(bundle)

    for attempt in (container.try_create(), container.try_run("--detach")):
        attempt.refused("without setting console socket", crun="console-socket")


def test_a_detached_exec_with_a_terminal_needs_a_console_socket(container, bundle):
    bundle.sleeper()
    container.launch()

    container.try_exec("true", flags=["-t", "-d"]).refused("without setting console socket")


def test_a_console_socket_that_nobody_listens_on_is_refused(container, bundle, work, nothing_left):
    with_terminal(bundle).save()
    container.root.mkdir()
    nothing_left.from_now_on()

    container.try_create("--console-socket", work / "nowhere.sock").refused()

    nothing_left.soon()


@extension("a console socket without a terminal is a mistake")
def test_a_console_socket_without_a_terminal_is_refused(container, bundle, console):
    container.try_run("--console-socket", console.path).refused("console socket")
