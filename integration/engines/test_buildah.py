"""buildah as the caller: it polls the state and waits for the process itself."""

import os
import signal

import pytest
from callers.buildah import Buildah

from support import world
from support.marks import engine_rule
from support.waiting import eventually


@pytest.fixture
def buildah(container):
    buildah = Buildah(container)
    yield buildah
    buildah.close()


@engine_rule(6)
@engine_rule(19)
@engine_rule(22)
def test_buildah_polls_until_it_stops_and_waits_for_the_status(buildah, bundle):
    bundle.sh("read line; exit $line")

    assert buildah.create(), buildah.error
    assert buildah.status() == "created"
    buildah.start()
    assert buildah.status() == "running"
    buildah.streams.stdin.write("8\n")

    assert buildah.wait() == 8
    buildah.delete()


@engine_rule(18)
def test_kill_without_a_signal_is_term(buildah, bundle):
    bundle.sh("trap 'exit 3' TERM; echo ready; while :; do sleep 1000 & wait $!; done")
    assert buildah.create(), buildah.error
    buildah.start()
    eventually(lambda: buildah.streams.stdout.take(), "it is ready")

    buildah.kill()

    assert buildah.wait() == 3


@engine_rule(18)
@pytest.mark.parametrize("word", ["SIGKILL", "KILL", "9"])
def test_kill_takes_the_signal_in_every_form(buildah, bundle, word):
    bundle.sleeper()
    assert buildah.create(), buildah.error
    buildah.start()

    buildah.kill(word)

    assert buildah.wait() == -signal.SIGKILL


@engine_rule(16)
@engine_rule(22)
def test_delete_works_as_soon_as_the_process_has_been_waited_for(buildah, bundle):
    bundle.sh("exit 0")
    assert buildah.create(), buildah.error
    buildah.start()

    assert world.exit_status(buildah.pid) == 0

    buildah.delete()
    assert buildah.call("state").status > 0


@engine_rule(9)
@engine_rule(10)
def test_buildah_reads_once_why_a_create_failed(buildah, bundle):
    bundle.args("nonsense")

    assert not buildah.create()

    assert "nonsense" in buildah.error and buildah.error.endswith("\n")


@engine_rule(19)
def test_the_state_has_the_keys_that_go_programs_decode(buildah, bundle):
    bundle.sleeper()
    assert buildah.create(), buildah.error

    heard = buildah.call("state").succeeded()

    assert heard.err == "" and heard.out.lstrip().startswith("{")
    for key in ('"ociVersion"', '"id"', '"status"', '"pid"', '"bundle"', '"rootfs"', '"created"'):
        assert key in heard.out


@engine_rule(39)
def test_the_working_directory_is_the_bundle(buildah, bundle):
    """Nothing of the runtime stays there when the directory is to go."""
    bundle.sleeper()
    assert buildah.create(), buildah.error
    buildah.start()

    assert str(bundle.path) not in [directory_of(pid) for pid in world.descendants()]


def directory_of(process):
    return os.readlink(f"/proc/{process}/cwd")
