"""CRI-O as the caller: conmon, and errors told by their words on stderr."""

import json
import os
import signal

import pytest
from callers.crio import CriO
from callers.streams import hear

from support import world
from support.marks import engine_rule
from support.quotas import needs
from support.terminals import UserTerminal
from support.waiting import eventually


@pytest.fixture
def crio(container, work):
    crio = CriO(container, work)
    yield crio
    crio.close()


@pytest.fixture
def sleeping(crio, bundle):
    bundle.sleeper()
    crio.create().start().container.wait_for_sleep()
    return crio


@pytest.fixture
def user():
    terminal = UserTerminal()
    yield terminal
    terminal.close()


@engine_rule(8)
@engine_rule(19)
def test_crio_stops_and_removes(crio, sleeping):
    assert crio.status() == "running"

    crio.stop(grace=10)

    assert crio.conmon.exit_file() == "0"
    assert crio.status() == "stopped"
    crio.delete()
    crio.delete()
    assert crio.status() == "stopped"


@engine_rule(15)
def test_crio_kills_what_does_not_obey_until_it_is_told_that_nobody_is_there(crio, bundle):
    bundle.sh("trap '' TERM; while :; do sleep 1000; done")
    crio.create().start()

    crio.stop(grace=0.1)

    assert crio.conmon.exit_file() == "137"
    eventually(lambda: not crio.signal("KILL"), "the runtime says so")


@engine_rule(17)
def test_all_of_a_shared_pid_namespace_ends_after_init_has_died(crio, bundle):
    bundle.without_namespace("pid").sh("sleep 1000 & exit 0")
    crio.create().start()
    assert crio.conmon.exit_file() == "0"

    assert crio.signal("9", "-a")

    group = crio.container.cgroup
    eventually(lambda: "populated 0" in (group / "cgroup.events").read_text(), "the group is empty")
    crio.delete()


@engine_rule(17)
def test_kill_ends_all_of_a_container_in_the_nodes_pid_namespace(crio, bundle):
    bundle.without_namespace("pid").sh("sleep 1000 & echo; wait")
    crio.create().start()
    crio.conmon.streams.stdout.take()

    assert crio.signal("KILL")

    group = crio.container.cgroup
    eventually(lambda: "populated 0" in (group / "cgroup.events").read_text(), "the group is empty")


@engine_rule(1)
@engine_rule(34)
def test_probes_end_with_their_status_and_output(crio, sleeping):
    assert crio.exec_sync("sh", "-c", "echo healthy; exit 2") == (2, "healthy\n")


@engine_rule(9)
def test_a_probe_that_cannot_run_says_why(crio, sleeping):
    status, error = crio.exec_sync("nonsense")

    assert status is None and "nonsense" in error


@engine_rule(27)
@engine_rule(7)
def test_an_exec_on_a_terminal_of_crios_copies_until_the_command_ends(crio, sleeping, user):
    process = crio.exec_on_a_terminal(user, "sh", "-c", "tty; read answer; exit $answer")

    user.read_until("/dev/pts/")
    user.write("12\r")

    assert crio.wait(process) == 12


@engine_rule(27)
def test_a_terminal_that_would_lead_nowhere_is_refused(crio, bundle):
    bundle.process["terminal"] = True
    bundle.save()

    heard = crio.call("create", "--bundle", bundle.path, crio.id)

    assert heard.status > 0 and heard.err.strip()
    assert crio.call("state", crio.id).status > 0


@engine_rule(32)
@needs("pids")
def test_an_update_from_a_dash_of_its_own_is_read_from_standard_input(crio, sleeping):
    crio.update({"pids": {"limit": 66}}).silently()

    assert (crio.container.cgroup / "pids.max").read_text() == "66\n"


@engine_rule(32)
def test_an_update_of_nothing_over_standard_input_is_silent(crio, sleeping):
    crio.update({}).silently()


@engine_rule(8)
@engine_rule(20)
@engine_rule(21)
@pytest.mark.parametrize("question", ["--version", "features"])
def test_what_crio_asks_at_its_start_has_nothing_on_stderr(runtime, question):
    heard = hear(runtime, question).succeeded()

    assert heard.out and heard.err == ""


@engine_rule(35)
def test_after_a_restart_of_the_node_agent_a_container_is_what_its_state_says(crio, sleeping):
    crio.environment = {}

    state = json.loads(crio.call("state", crio.id).succeeded().out)

    assert state["pid"] == crio.conmon.pid
    assert state["created"][10] == "T" and state["created"].endswith("Z")
    os.kill(state["pid"], signal.SIGKILL)
    assert crio.conmon.exit_file() == "137"
    state = json.loads(crio.call("state", crio.id).succeeded().out)
    assert (state["status"], state["pid"]) == ("stopped", 0)


@engine_rule(30)
@engine_rule(31)
@needs("memory")
def test_a_pods_group_holds_the_containers_with_its_memory(crio, sleeping):
    assert (crio.container.cgroup / "memory.events").exists()
    assert world.own_cgroup(crio.conmon.pid) == "/" + crio.container.bundle.linux["cgroupsPath"].lstrip("/")
