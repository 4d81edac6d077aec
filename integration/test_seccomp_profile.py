"""The profile that Podman ships: what a container may do under it, and what not."""

import errno
import socket

import pytest

from support import containers_common, kernel, machine_code
from support.marks import covers
from support.rootfs import chown_tree

pytestmark = pytest.mark.skipif(
    not containers_common.PROFILE.exists() or not machine_code.is_available,
    reason="needs /usr/share/containers/seccomp.json (golang-github-containers-common) and x86-64",
)

OWNER = 100000

# Numbers of <asm/unistd_64.h>, and of <asm/unistd_32.h>.
UNSHARE, SOCKET, PERSONALITY, KEXEC_LOAD, MOUNT, BPF, CHROOT = 272, 41, 135, 246, 165, 321, 161
REBOOT, IOPL, USERFAULTFD, ADD_KEY, GETPID, MOVE_PAGES, UNUSED = 169, 172, 323, 248, 39, 279, 999
GETPID_32, KEXEC_LOAD_32, BPF_32, PERSONALITY_32, VM86_32, MKDIR_32, SOCKET_32 = 20, 283, 357, 136, 166, 39, 359

# Young calls: one that the profile of this machine does not name yet.
UNNAMED = containers_common.first_unnamed(
    {"quotactl_fd": 443, "set_mempolicy_home_node": 450, "map_shadow_stack": 453, "futex_requeue": 456, "lsm_get_self_attr": 459}
)

PERSONALITY_ASK, ADDR_NO_RANDOMIZE, PER_LINUX32 = 0xFFFFFFFF, 0x0040000, 8
NETLINK_AUDIT = 9


@pytest.fixture(params=["root", "user-namespace"])
def shipped(request, container, bundle):
    """shipped(*more capabilities) is the container under the profile as an engine would resolve it."""

    def prepare(*more):
        capabilities = [*containers_common.DEFAULT_CAPABILITIES, *more]
        bundle.capabilities(*capabilities)
        bundle.linux["seccomp"] = containers_common.profile_for(capabilities)
        if request.param == "user-namespace":
            bundle.map_ids((0, OWNER, 65536))
            chown_tree(bundle.rootfs, OWNER)
        return container

    return prepare


def put(bundle, programs):
    for number, code in enumerate(programs):
        path = bundle.rootfs / f"bin/enter{number:02}"
        path.write_bytes(code)
        path.chmod(0o755)


TRY_ALL = "for p in /bin/enter*; do $p; echo $?; done"


def outcomes(container, *programs):
    put(container.bundle, programs)
    return [int(line) for line in container.output(TRY_ALL).split()]


def needs_i386(work):
    if machine_code.outcome_here(work, machine_code.i386(GETPID_32)) != 0:
        pytest.skip("this kernel takes no 32-bit calls (CONFIG_IA32_EMULATION)")


@covers("/linux/seccomp/architectures", "/linux/seccomp/syscalls/*/names")
def test_a_shell_and_the_usual_commands_work(shipped):
    container = shipped()
    script = (
        "set -e; mkdir -p /tmp/d; cd /tmp/d; echo one two > f; cp f g; ln -s g h; mv g i; chmod 600 f; chown 1:1 f; "
        "touch -d @0 f; sort f | sed s/one/three/ | cat; ls -l | wc -l; find . -name f; tar c . | tar t | wc -l; "
        "sleep 0.01; (exit 7) || echo $?; mkfifo p; dd if=/dev/zero of=z bs=1k count=1 2>/dev/null; wc -c < z; "
        "ps >/dev/null; id -u; date >/dev/null; sync; rm -r /tmp/d; "
        "nc -l -p 7 -s 127.0.0.1 >/dev/null 2>&1 & kill $!; echo end"
    )

    assert container.output(script).split() == "three two 4 ./f 4 7 1024 0 end".split()


@covers("/linux/seccomp/syscalls/*/errnoRet", "/linux/seccomp/defaultErrnoRet", "/linux/seccomp/defaultAction")
def test_calls_have_the_answers_of_the_profile(shipped):
    container = shipped()
    calls = {
        "getpid": (GETPID, 0),
        "kexec_load": (KEXEC_LOAD, errno.EPERM),
        "userfaultfd": (USERFAULTFD, errno.EPERM),
        "move_pages": (MOVE_PAGES, errno.EPERM),
        "bpf": (BPF, errno.EPERM),
        "iopl": (IOPL, errno.EPERM),
        "add_key": (ADD_KEY, errno.ENOSYS),
        "a call that the kernel may have and the profile does not name": (UNNAMED, errno.ENOSYS),
        "a call of the future": (UNUSED, errno.ENOSYS),
    }

    found = outcomes(container, *(machine_code.native(number) for number, _ in calls.values()))

    assert dict(zip(calls, found)) == {name: answer for name, (_, answer) in calls.items()}


def test_calls_that_need_a_capability_pass_with_it_alone(make_container, make_bundle):
    def asked(*more):
        container = make_container(make_bundle())
        capabilities = [*containers_common.DEFAULT_CAPABILITIES, *more]
        container.bundle.capabilities(*capabilities)
        container.bundle.linux["seccomp"] = containers_common.profile_for(capabilities)
        return outcomes(container, machine_code.native(BPF, 4711), machine_code.native(UNNAMED))

    assert asked() == [errno.EPERM, errno.ENOSYS]
    assert asked("CAP_SYS_ADMIN") == [errno.EINVAL, errno.ENOSYS]


@covers("/linux/seccomp/syscalls/*/args/*/index", "/linux/seccomp/syscalls/*/args/*/value")
def test_arguments_are_judged_as_the_profile_says(shipped):
    container = shipped()

    found = outcomes(
        container,
        machine_code.native(PERSONALITY, PERSONALITY_ASK),
        machine_code.native(PERSONALITY, PER_LINUX32),
        machine_code.native(PERSONALITY, ADDR_NO_RANDOMIZE),
        machine_code.native(SOCKET, socket.AF_INET, socket.SOCK_STREAM, 0),
        machine_code.native(SOCKET, socket.AF_NETLINK, socket.SOCK_RAW, 0),
        machine_code.native(SOCKET, socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT),
    )

    assert found == [0, 0, errno.ENOSYS, 0, 0, errno.EINVAL]


def test_what_the_profile_leaves_to_capabilities_fails_by_them(shipped):
    container = shipped()

    found = outcomes(
        container,
        machine_code.native(MOUNT, b"none", b"/mnt", b"tmpfs", 0, 0),
        machine_code.native(UNSHARE, kernel.CLONE_NEWNET),
        machine_code.native(REBOOT, 0xFEE1DEAD, 672274793, 0),
        machine_code.native(CHROOT, b"/tmp"),
    )

    assert found == [errno.EPERM, errno.EPERM, errno.EPERM, 0]


@covers("/linux/seccomp/architectures")
def test_32_bit_calls_have_the_same_answers(shipped, work):
    needs_i386(work)
    container = shipped()

    found = outcomes(
        container,
        machine_code.i386(GETPID_32),
        machine_code.i386(MKDIR_32, b"/made", 0o755),
        machine_code.i386(KEXEC_LOAD_32),
        machine_code.i386(VM86_32),
        machine_code.i386(BPF_32),
        machine_code.i386(PERSONALITY_32, PERSONALITY_ASK),
        machine_code.i386(PERSONALITY_32, ADDR_NO_RANDOMIZE),
        machine_code.i386(SOCKET_32, socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT),
        machine_code.i386(UNUSED),
    )

    assert found == [
        0, 0, errno.EPERM, errno.EPERM, errno.EPERM, 0, errno.ENOSYS, errno.EINVAL, errno.ENOSYS
    ]  # fmt: skip


@covers("/linux/seccomp/architectures")
def test_x32_calls_have_the_same_answers(shipped):
    container = shipped()

    found = outcomes(
        container,
        machine_code.x32(MOVE_PAGES + 254),  # x32 has its own: 533
        machine_code.x32(BPF),
        machine_code.x32(USERFAULTFD),
        machine_code.x32(UNUSED),
    )

    assert found == [errno.EPERM, errno.EPERM, errno.EPERM, errno.ENOSYS]


def test_exec_is_under_the_profile_too(shipped):
    container = shipped()
    put(container.bundle, [machine_code.native(number) for number in (GETPID, KEXEC_LOAD, BPF, UNUSED)])
    container.launch_sleeper()

    found = container.exec("sh", "-c", TRY_ALL).out.split()

    assert found == ["0", str(errno.EPERM), str(errno.EPERM), str(errno.ENOSYS)]


def test_it_holds_without_no_new_privileges(shipped):
    container = shipped()
    container.bundle.process["noNewPrivileges"] = False

    found = outcomes(container, machine_code.native(GETPID), machine_code.native(KEXEC_LOAD))

    assert found == [0, errno.EPERM]
