"""conmon as the reader of errors: one read of a pipe, and no second chance."""

import os

import pytest
from callers.conmon import STDIO_BUF_SIZE
from callers.streams import Streams, wait

from support.marks import engine_rule, extension


@engine_rule(8)
@engine_rule(11)
def test_what_is_worth_a_warning_changes_nothing_for_those_who_read(conmon, container, bundle, work):
    conmon.runtime_args += ["--log-format=json", "--log", work / "oci-log"]
    bundle.linux["personality"] = {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}
    bundle.capabilities("CAP_KILL", "CAP_OF_TOMORROW")
    bundle.args("nonsense")

    assert not conmon.create()

    assert conmon.error.count("\n") == 1
    assert len((work / "oci-log").read_text().splitlines()) == 1


@engine_rule(9)
@engine_rule(10)
def test_one_read_of_the_pipe_tells_why_a_create_failed_though_there_is_a_log(conmon, bundle, work):
    conmon.runtime_args += ["--log-format=json", "--log", work / "oci-log"]
    bundle.args("nonsense")

    assert not conmon.create()

    assert "nonsense" in conmon.error and conmon.error.endswith("\n")
    assert "nonsense" in (work / "oci-log").read_text()


@extension("names are cut before an error outgrows the pipe of who waits for it")
@engine_rule(10)
@pytest.mark.parametrize(
    "where", ["command", "command in PATH", "cwd", "mount target", "mount source", "hook", "annotation", "namespace"]
)
@pytest.mark.parametrize("length", [5_000, 50_000, 120_000])
def test_an_error_fits_into_one_read_however_long_what_it_names_is(conmon, bundle, where, length):
    name_at_length(bundle, where, "/" + "x" * length)

    assert not conmon.create()

    assert len(conmon.error) < STDIO_BUF_SIZE - 1
    assert conmon.error.strip() and conmon.error.endswith("\n")


def name_at_length(bundle, where, name):
    if where == "command":
        bundle.args(name)
    elif where == "command in PATH":
        bundle.args(name[1:])
    elif where == "cwd":
        bundle.process["cwd"] = name
    elif where == "mount target":
        bundle.mount(name)
    elif where == "mount source":
        bundle.bind(name, "/mnt")
    elif where == "hook":
        bundle.config["hooks"] = {"createRuntime": [{"path": name}]}
    elif where == "annotation":
        bundle.config["annotations"] = {name: 1}
    elif where == "namespace":
        bundle.namespace(name)


@engine_rule(10)
def test_an_error_is_written_at_once(container, bundle):
    """These pipes keep writes apart."""
    bundle.args("nonsense").save()
    streams = Streams(one_write_each=True)
    words = ["--root", container.root, "create", "--bundle", bundle.path, container.id]

    process = container.runtime.spawn(*words, **streams.theirs)
    streams.give_away()
    wait(process, container.runtime)

    first = os.read(streams.stderr.ours, STDIO_BUF_SIZE - 1).decode()
    assert "nonsense" in first and first.endswith("\n")
    assert os.read(streams.stderr.ours, STDIO_BUF_SIZE - 1) == b""
    streams.close()


@engine_rule(1)
@engine_rule(9)
@pytest.mark.parametrize(
    "command, words",
    [("nonsense", "executable file"), ("/missing", "o such file or directory"), ("/etc/passwd", "ermission denied")],
)
def test_conmon_learns_of_a_failed_exec_by_the_missing_file_and_reads_why(conmon, container, command, words):
    container.launch_sleeper()

    assert not conmon.exec(command)

    assert command in conmon.error and words in conmon.error


@extension("a failure ends with its exit code, whoever has stopped reading")
@engine_rule(9)
def test_a_create_that_fails_ends_by_itself_when_nobody_reads_why(container, bundle):
    bundle.args("nonsense").save()
    streams = Streams()
    for pipe in (streams.stdout, streams.stderr):
        os.close(pipe.ours)
        pipe.ours = -1
    words = ["--root", container.root, "create", "--bundle", bundle.path, container.id]

    process = container.runtime.spawn(*words, **streams.theirs)
    streams.give_away()

    assert wait(process, container.runtime) == 1
    assert not container.cgroup.exists() and not container.state_directory.exists()
    streams.close()
