"""SCMP_ACT_NOTIFY: an agent outside decides about the container's calls."""

import errno
import json
import os
import shutil
import socket

import pytest

from support.agent import Agent
from support.marks import covers, extension, normative
from support.rootfs import chown_tree

RULE = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_NOTIFY"}
MKDIR = "mkdir /made 2>&1 && echo made || true"


@pytest.fixture
def agent(work):
    with Agent(work / "agent.sock", answer=errno.EXDEV) as agent:
        yield agent


def notifying(bundle, work, *rules, **fields):
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": list(rules) or [RULE],
        "listenerPath": str(work / "agent.sock"),
        **fields,
    }
    return bundle


def says(number, text):
    return os.strerror(number).lower() in text.lower()


@covers("/linux/seccomp/listenerPath", "/linux/seccomp/listenerMetadata", "/linux/seccomp/syscalls/*/action")
@covers("containerProcessState/ociVersion", "containerProcessState/fds", "containerProcessState/pid")
@covers("containerProcessState/metadata", "containerProcessState/state")
@pytest.mark.parametrize("no_new_privileges", [True, False], ids=["no-new-privileges", "early"])
def test_the_agent_is_told_the_state_of_the_container(container, bundle, work, agent, no_new_privileges):
    notifying(bundle, work, listenerMetadata='my "metadata"')
    bundle.config["annotations"] = {"org.example.key": "a\\b\"c"}
    bundle.process["noNewPrivileges"] = no_new_privileges
    bundle.sleeper()

    container.launch()
    message = agent.message()
    told, state = message.told, message.told["state"]

    assert told["ociVersion"].count(".") == 2
    assert told["fds"] == ["seccompFd"]
    assert told["metadata"] == 'my "metadata"'
    assert told["pid"] == state["pid"] == container.pid
    assert (state["id"], state["status"]) == (container.id, "creating")
    assert state["bundle"] == str(bundle.path)
    assert state["annotations"]["org.example.key"] == 'a\\b"c'


@normative("B22")
def test_exactly_one_message_with_one_descriptor_comes_over_a_connection(container, bundle, work, agent):
    notifying(bundle, work)

    container.output(MKDIR)

    message = agent.message()
    assert len(agent.connections) == 1
    assert message.text.strip().endswith(b"}") and json.loads(message.text)
    assert len(message.descriptors) == 1
    assert [kind.startswith("anon_inode:") and "seccomp" in kind for kind in agent.kinds] == [True]


@extension("the filter is loaded early when capabilities are given up after it")
def test_the_message_comes_with_create_without_no_new_privileges(container, bundle, work, agent):
    notifying(bundle, work).sleeper()
    bundle.process["noNewPrivileges"] = False

    container.create()

    assert agent.message().told["pid"] == container.pid


@covers("/linux/seccomp/listenerPath", "/linux/seccomp/syscalls/*/action")
def test_the_agent_decides_what_a_notified_call_returns(container, bundle, work, agent):
    notifying(bundle, work)

    output = container.output(MKDIR)

    assert says(errno.EXDEV, output)
    assert len(agent.calls) == 1


def test_the_agent_may_let_a_notified_call_pass(container, bundle, work, agent):
    agent.answer = None
    notifying(bundle, work)

    assert container.output(MKDIR) == "made\n"
    assert len(agent.calls) == 1


def test_an_unprivileged_user_is_notified_for_too(container, bundle, work, agent):
    notifying(bundle, work)
    bundle.process["user"] = {"uid": 1000, "gid": 1000}

    assert says(errno.EXDEV, container.output("mkdir /tmp/made 2>&1; true"))


@covers("/linux/seccomp/listenerPath", "/linux/seccomp/listenerMetadata")
def test_exec_has_a_listener_of_its_own(container, bundle, work, agent):
    notifying(bundle, work, listenerMetadata="mine").sleeper()
    container.launch()
    pid_file = work / "pid"

    output = container.exec("sh", "-c", MKDIR, flags=["--pid-file", pid_file]).out
    message = agent.message(1)

    assert says(errno.EXDEV, output)
    assert message.told["pid"] == int(pid_file.read_text())
    assert message.told["metadata"] == "mine"
    assert message.told["fds"] == ["seccompFd"] and len(message.descriptors) == 1
    assert message.told["state"]["status"] == "running"
    assert message.told["state"]["id"] == container.id


@extension("peers disagree on whose pid the state of an exec'd process has")
def test_exec_tells_the_containers_pid_in_the_state_and_its_own_beside(container, bundle, work, agent):
    notifying(bundle, work).sleeper()
    container.launch()

    container.exec("true")

    told = agent.message(1).told
    assert told["state"]["pid"] == container.pid != told["pid"]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare to make a pid namespace with")
@covers("/linux/seccomp/listenerPath")
def test_the_pid_told_is_the_runtimes_view_in_a_nested_pid_namespace(container, bundle, work, agent, runtime):
    """mkdir is made by the container's init, and the agent outside sees its outer pid in the notification."""
    notifying(bundle, work).args("mkdir", "/made").save()
    nested = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    words = ["run", "--bundle", bundle.path, "--pid-file", work / "pid", container.id]

    runtime.call(*words, root=container.root, through=nested)

    told = agent.message().told
    assert told["pid"] == told["state"]["pid"] == int((work / "pid").read_text())
    assert agent.calls[0][0] != told["pid"]


@extension("peers do not make a pid namespace in a user namespace joined by path")
def test_the_pid_told_is_right_when_init_had_to_fork(make_container, make_bundle, work, agent):
    owner, container = make_container(make_bundle()), make_container(make_bundle())
    owner.bundle.map_ids((0, 100000, 65536)).sleeper()
    chown_tree(owner.bundle.rootfs, 100000)
    owner.launch()
    chown_tree(container.bundle.rootfs, 100000)
    notifying(container.bundle, work).sleeper()
    container.bundle.namespace("user", f"/proc/{owner.pid}/ns/user")

    container.launch()

    assert agent.message().told["pid"] == container.pid


def test_a_process_in_a_user_namespace_is_notified_for(container, bundle, work, agent):
    notifying(bundle, work).map_ids((0, 100000, 65536))
    chown_tree(bundle.rootfs, 100000)

    assert says(errno.EXDEV, container.output(MKDIR))


@covers("/linux/seccomp/flags")
def test_waiting_for_the_agent_killably_is_understood(container, bundle, work, agent):
    notifying(bundle, work, flags=["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"])

    assert says(errno.EXDEV, container.output(MKDIR))


@covers("/linux/seccomp/listenerPath")
def test_a_listener_is_not_needed_where_nothing_is_notified(container, bundle, work):
    notifying(bundle, work, {**RULE, "action": "SCMP_ACT_ERRNO"})

    assert says(errno.EPERM, container.output(MKDIR))


# What is refused.


@covers("/linux/seccomp/listenerPath")
def test_an_agent_that_is_not_there_is_an_error_and_leaves_nothing(container, bundle, work, nothing_left):
    notifying(bundle, work).save()
    container.root.mkdir()
    nothing_left.from_now_on()

    result = container.try_create()

    result.refused("/linux/seccomp/listenerPath: connect" if result.runtime.is_capsule else "agent.sock")
    nothing_left.soon()


@extension("the message comes with start, and so does its failure")
def test_an_agent_that_has_gone_meanwhile_is_an_error(container, bundle, work):
    notifying(bundle, work).sleeper()
    with Agent(work / "agent.sock"):
        container.create()

    container.call("start").refused("seccomp")

    container.wait_for_status("stopped")


@extension("runc and crun wait for ever")
def test_R20_an_agent_that_does_not_accept_is_given_up(container, bundle, work):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(work / "agent.sock"))
    listener.listen(0)
    waiting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    waiting.connect(str(work / "agent.sock"))
    notifying(bundle, work)

    with listener, waiting:
        container.try_create().refused("/linux/seccomp/listenerPath")


@extension("a message of any length")
def test_R20_a_long_state_is_told_as_a_whole(container, bundle, work, agent):
    bundle.config["annotations"] = {f"org.example.{number}": "x" * 1000 for number in range(100)}
    notifying(bundle, work)

    container.output(MKDIR)

    assert agent.message().told["state"]["annotations"] == bundle.config["annotations"]


@covers("/linux/seccomp/listenerMetadata")
@extension("the specification forbids it")
def test_metadata_without_a_listener_is_refused(container, bundle, work):
    notifying(bundle, work, {**RULE, "action": "SCMP_ACT_ERRNO"}, listenerMetadata="x")
    del bundle.linux["seccomp"]["listenerPath"]

    container.try_create().refused("/linux/seccomp/listenerMetadata")


@covers("/linux/seccomp/syscalls/*/action")
@pytest.mark.parametrize("call", ["write", pytest.param("sendmsg", marks=extension("init hands over itself"))])
def test_a_call_needed_to_hand_the_listener_over_is_not_notified(container, bundle, work, agent, call):
    notifying(bundle, work, {"names": [call], "action": "SCMP_ACT_NOTIFY"})

    result = container.try_create()

    result.refused("SCMP_ACT_NOTIFY cannot be used for " + call if result.runtime.is_capsule else "write")


@covers("/linux/seccomp/defaultAction")
def test_not_every_call_may_be_notified(container, bundle, work, agent):
    notifying(bundle, work, {"names": ["read"], "action": "SCMP_ACT_ALLOW"}, defaultAction="SCMP_ACT_NOTIFY")

    container.try_create().refused("SCMP_ACT_NOTIFY")
