"""System call filters."""

import array
import errno
import json
import os
import socket

import pytest

from support.marks import extension

DENY_MKDIR = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}
MKDIR = "mkdir /made 2>&1 && echo made || true"


def filtered(bundle, *rules, **fields):
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        "syscalls": list(rules),
        **fields,
    }
    return bundle


def said(number, text):
    return os.strerror(number).lower() in text.lower()


def test_a_forbidden_call_fails_with_eperm(container, bundle):
    filtered(bundle, DENY_MKDIR)

    assert said(errno.EPERM, container.output(MKDIR))


def test_other_calls_are_not_affected(container, bundle):
    filtered(bundle, DENY_MKDIR)

    assert container.output("touch /made && echo made") == "made\n"


def test_a_filter_works_without_no_new_privileges(container, bundle):
    bundle.process["noNewPrivileges"] = False
    filtered(bundle, DENY_MKDIR)

    assert said(errno.EPERM, container.output(MKDIR))


def test_a_filter_works_for_an_unprivileged_user(container, bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    filtered(bundle, DENY_MKDIR)

    assert said(errno.EPERM, container.output("mkdir /tmp/x 2>&1; true"))


def test_the_error_number_can_be_chosen(container, bundle):
    filtered(bundle, {**DENY_MKDIR, "errnoRet": errno.EXDEV})

    assert said(errno.EXDEV, container.output(MKDIR))


def test_kill_process_ends_it_with_sigsys(container, bundle):
    filtered(bundle, {**DENY_MKDIR, "action": "SCMP_ACT_KILL_PROCESS"})
    bundle.sh("mkdir /made; echo $?")

    assert container.run().lines[-1] == "159"


def test_log_lets_the_call_pass(container, bundle):
    filtered(bundle, {**DENY_MKDIR, "action": "SCMP_ACT_LOG"})

    assert container.output(MKDIR) == "made\n"


def test_all_conditions_on_different_arguments_must_hold(container, bundle):
    both = [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 0, "op": "SCMP_CMP_EQ"}]
    filtered(bundle, {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.EXDEV, "args": both})

    output = container.output(
        "sleep 100 & other=$!; kill -0 1 2>&1; kill -0 $other && echo other; kill -CHLD 1 && echo signal; kill $other"
    )

    first, *rest = output.splitlines()
    assert said(errno.EXDEV, first)
    assert rest == ["other", "signal"]


@pytest.mark.parametrize(
    "op, value, denied",
    [
        ("SCMP_CMP_EQ", 0o777, ["777"]),
        ("SCMP_CMP_NE", 0o777, ["700", "70"]),
        ("SCMP_CMP_LT", 0o700, ["70"]),
        ("SCMP_CMP_LE", 0o700, ["700", "70"]),
        ("SCMP_CMP_GE", 0o700, ["777", "700"]),
        ("SCMP_CMP_GT", 0o700, ["777"]),
    ],
)
def test_every_comparison_works(container, bundle, op, value, denied):
    condition = {"index": 1, "value": value, "op": op}
    filtered(bundle, {"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "args": [condition]})
    bundle.write("/file", "")

    output = container.output("for mode in 777 700 70; do chmod $mode /file 2>/dev/null || echo $mode; done; true")

    assert output.split() == denied


def test_a_masked_comparison_works(container, bundle):
    condition = {"index": 1, "value": 0o700, "valueTwo": 0o700, "op": "SCMP_CMP_MASKED_EQ"}
    filtered(bundle, {"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "args": [condition]})
    bundle.write("/file", "")

    assert container.output("for m in 777 707 70; do chmod $m /file 2>/dev/null || echo $m; done; true").split() == [
        "777",
        "707",
    ]


def test_exec_is_filtered_too(container, bundle):
    filtered(bundle, DENY_MKDIR).sleeper()
    container.launch()

    assert said(errno.EPERM, container.exec("sh", "-c", MKDIR).out)


def test_unknown_calls_are_ignored(container, bundle):
    filtered(bundle, {"names": ["a_call_of_the_future", "mkdir"], "action": "SCMP_ACT_ERRNO"})

    container.output(MKDIR)


@pytest.mark.parametrize(
    "flags",
    [[], ["SECCOMP_FILTER_FLAG_LOG"], ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"], ["SECCOMP_FILTER_FLAG_TSYNC"]],
    ids=lambda flags: (flags or ["none"])[0],
)
def test_the_flags_of_a_filter_are_understood(container, bundle, flags):
    filtered(bundle, DENY_MKDIR, flags=flags)

    assert said(errno.EPERM, container.output(MKDIR))


def test_a_large_profile_is_loaded(container, bundle):
    names = [name for name in calls_of_this_machine() if name not in ("mkdir", "mkdirat")]
    allowed = {"names": names, "action": "SCMP_ACT_ALLOW"}
    filtered(bundle, allowed, defaultAction="SCMP_ACT_ERRNO", defaultErrnoRet=errno.EXDEV)

    assert said(errno.EXDEV, container.output(MKDIR))


def calls_of_this_machine():
    """The names in <asm/unistd_64.h> when it is installed, else those a shell needs."""
    try:
        with open("/usr/include/x86_64-linux-gnu/asm/unistd_64.h") as header:
            return [line.split()[1][len("__NR_"):] for line in header if line.startswith("#define __NR_")]
    except FileNotFoundError:
        pytest.skip("no <asm/unistd_64.h> here")


@pytest.mark.skipif(not os.path.exists("/usr/bin/python3"), reason="no /usr/bin/python3 to borrow")
def test_calls_newer_than_the_profile_do_not_exist(container, bundle):
    """A C library falls back to older calls on ENOSYS, never on EPERM. The newest call this profile knows is clone3 (435)."""
    names = calls_of_this_machine()
    known = names[: names.index("clone3") + 1]
    known.remove("mkdir")
    filtered(bundle, {"names": known, "action": "SCMP_ACT_ALLOW"}, defaultAction="SCMP_ACT_ERRNO")
    bundle.bind("/usr", "/usr", "rbind", "ro")
    for link in ("lib", "lib64"):
        (bundle.rootfs / link).symlink_to(f"usr/{link}")
    script = "import ctypes; c = ctypes.CDLL(None, use_errno=True)\n"
    script += "for n in (83, 443): c.syscall(n, 0, 0, 0); print(ctypes.get_errno())"
    bundle.args("/usr/bin/python3", "-c", script)

    mkdir, quotactl_fd = map(int, container.run().lines)

    assert (mkdir, quotactl_fd) == (errno.EPERM, errno.ENOSYS)


def test_a_listener_receives_the_notification_descriptor(container, bundle, work):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(work / "listener"))
    listener.listen(1)
    listener.settimeout(5)
    filtered(
        bundle,
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_NOTIFY"},
        listenerPath=str(work / "listener"),
        listenerMetadata="my-metadata",
    )
    bundle.sleeper().save()

    creator = container.spawn_with(["create", "--bundle", bundle.path, container.id])
    descriptors, told = receive_listener(listener, container, creator)

    assert told["fds"] == ["seccompFd"]
    assert told["metadata"] == "my-metadata"
    assert told["state"]["id"] == container.id
    assert told["pid"] > 0
    assert len(descriptors) == 1
    assert "seccomp" in os.readlink(f"/proc/self/fd/{descriptors[0]}")
    os.close(descriptors[0])
    listener.close()


def receive_listener(listener, container, creator):
    """With no_new_privs the filter is loaded right before the command, so the message may come with `start`."""
    assert creator.wait(10) == 0
    container.start()
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(5)
        message, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(40))
    descriptors = array.array("i")
    for _, kind, data in ancillary:
        if kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data)
    return descriptors, json.loads(message)


@extension("an error number makes sense with ERRNO and TRACE only")
def test_an_error_number_on_another_action_is_refused(container, bundle):
    filtered(bundle, {**DENY_MKDIR, "action": "SCMP_ACT_KILL", "errnoRet": 5})

    container.try_create().refused("/linux/seccomp/syscalls/0")
