"""Where the benchmark runs: a mount and cgroup namespace of its own, a cgroup of its own, a tmpfs of its own.

The peers decide by /sys/fs/cgroup whether a host is "unified" (cgroup v2 alone). With the unified hierarchy
mounted there, inside a private mount namespace, they see one on any machine. A cgroup namespace on top keeps
them from enabling controllers in groups that are not the benchmark's: below /sys/fs/cgroup they find nothing
but its own group.
"""

import contextlib
import ctypes
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from typing import Callable, Iterator

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 2
PR_SET_SECCOMP = 22
PR_SET_CHILD_SUBREAPER = 36
SECCOMP_MODE_FILTER = 2

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments) -> None:
    if function(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{function.__name__}: {os.strerror(error)}")


def mount(source: str, target: str, kind: str | None, flags: int = 0, data: str | None = None) -> None:
    def encoded(text: str | None) -> bytes | None:
        return text.encode() if text is not None else None

    call(libc.mount, encoded(source), encoded(target), encoded(kind), ctypes.c_ulong(flags), encoded(data))


def find_unified_hierarchy() -> pathlib.Path:
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ", 1)
        if after.split()[0] == "cgroup2" and before.split()[3] == "/":
            return pathlib.Path(before.split()[4])
    sys.exit("peers: no cgroup v2 hierarchy is mounted")


def remove_cgroup(group: pathlib.Path) -> None:
    """Kills what is left in a group and removes all of it. Dying takes a moment, hence the retries, and two
    thousand containers of list_500 take several."""
    deadline = time.monotonic() + 60
    while group.exists():
        try:
            (group / "cgroup.kill").write_text("1")
            for directory, _, _ in os.walk(group, topdown=False):
                os.rmdir(directory)
        except OSError as error:
            if time.monotonic() > deadline:
                print(f"peers: cannot remove {group}: {error}", file=sys.stderr)
                return
            time.sleep(0.02)


def become_subreaper() -> None:
    """Containers outlive the command that made them. They become children of this process, not of init."""
    call(libc.prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_children() -> None:
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass


def reap_dead_children() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass


def ignore_signals() -> None:
    """From here on everything is removed, which a second signal must not end half-way."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def stop(number: int, frame: object) -> None:
    ignore_signals()
    sys.exit(128 + number)


def run_in_sandbox(benchmark: Callable[[pathlib.Path], int]) -> int:
    """Runs `benchmark(work directory)` in a child and cleans up after it, however it ends."""
    group = find_unified_hierarchy() / f"capsule-perf-{os.getpid()}"
    work = pathlib.Path(tempfile.mkdtemp(prefix="capsule-perf-"))
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    become_subreaper()
    try:
        group.mkdir()
        child = os.fork()
        if child == 0:
            os._exit(run_as_child(benchmark, group, work))
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) & 0xFF
    finally:
        ignore_signals()
        remove_cgroup(group)
        reap_children()
        # The tmpfs went with the child's mount namespace; never descend into one that did not.
        if not os.path.ismount(work):
            shutil.rmtree(work, ignore_errors=True)


def run_as_child(benchmark: Callable[[pathlib.Path], int], group: pathlib.Path, work: pathlib.Path) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        enter_sandbox(group, work)
        return benchmark(work)
    except KeyboardInterrupt:
        return 130
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
        return stop.code if isinstance(stop.code, int) else 1
    except Exception as error:  # a traceback helps nobody who merely lacks a privilege
        print(f"peers: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def enter_sandbox(group: pathlib.Path, work: pathlib.Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))
    call(libc.unshare, CLONE_NEWNS | CLONE_NEWCGROUP)
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("none", "/sys/fs/cgroup", "cgroup2")
    # Processes only in leaves: otherwise no runtime could enable a controller for the containers beside us.
    leaf = pathlib.Path("/sys/fs/cgroup/driver")
    leaf.mkdir()
    (leaf / "cgroup.procs").write_text(str(os.getpid()))
    mount("tmpfs", str(work), "tmpfs", 0, "mode=755")
    become_subreaper()
    os.umask(0o022)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -20)  # other work on the machine is noise
    except PermissionError:
        pass


def make_network_namespace(file: pathlib.Path) -> None:
    """A network namespace that lives as long as the mount at `file`."""
    file.touch()
    child = os.fork()
    if child == 0:
        try:
            call(libc.unshare, CLONE_NEWNET)
            mount("/proc/self/ns/net", str(file), None, MS_BIND)
            os._exit(0)
        except OSError as error:
            print(f"peers: network namespace: {error}", file=sys.stderr)
            os._exit(1)
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError("there is no network namespace to join")


@contextlib.contextmanager
def extra_mounts(work: pathlib.Path, number: int) -> Iterator[None]:
    """A host with so many mounts more while the body is executed, each a bind mount on a directory of its own."""
    if number == 0:
        yield
        return
    place = work / "mounts"
    place.mkdir()
    mount("tmpfs", str(place), "tmpfs", 0, "mode=755")
    try:
        for index in range(number):
            target = place / str(index)
            target.mkdir()
            mount(str(target), str(target), None, MS_BIND)
        yield
    finally:
        call(libc.umount2, str(place).encode(), MNT_DETACH)  # with all that is mounted below
        place.rmdir()


def pretend_memlock_can_be_raised() -> bool:
    """Makes raising RLIMIT_MEMLOCK a no-op that succeeds, where it is not allowed. Returns whether it was
    necessary.

    Some crun (1.8.1 of Debian 12 is one) insist on raising it for their device program, which kernels since
    5.11 do not need, and fail without CAP_SYS_RESOURCE. The filter is inherited by everything started
    afterwards, so it costs every runtime the same: some 40 ns per system call.
    """
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] == resource.RLIM_INFINITY or can_raise_memlock():
        return False
    load, jump_if_equal, give = 0x20, 0x15, 0x06
    allow, succeed = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with errno 0
    audit_arch_x86_64, prlimit64 = 0xC000003E, 302
    instructions = [
        (load, 0, 0, 4),  # seccomp_data.arch
        (jump_if_equal, 0, 7, audit_arch_x86_64),
        (load, 0, 0, 0),  # .nr
        (jump_if_equal, 0, 5, prlimit64),
        (load, 0, 0, 24),  # .args[1]: which limit
        (jump_if_equal, 0, 3, resource.RLIMIT_MEMLOCK),
        (load, 0, 0, 32),  # .args[2]: the new limit; a null pointer only asks
        (jump_if_equal, 1, 0, 0),
        (give, 0, 0, succeed),
        (give, 0, 0, allow),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *fields) for fields in instructions))
    program = struct.pack("HxxxxxxQ", len(instructions), ctypes.addressof(code))
    call(libc.prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)
    return True


def can_raise_memlock() -> bool:
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, unlimited)
        return True
    except (ValueError, PermissionError):
        return False


def describe_machine(machine_program: pathlib.Path) -> dict:
    cpu_lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":", 1)[1].strip() for line in cpu_lines if line.startswith("model name")]
    output = subprocess.run([machine_program], check=True, capture_output=True, text=True).stdout
    return {
        "kernel": os.uname().release,
        "cpu": models[0] if models else os.uname().machine,
        "cores": os.cpu_count(),
        "host_mounts": len(pathlib.Path("/proc/self/mountinfo").read_text().splitlines()),
        "cgroup_controllers": pathlib.Path("/sys/fs/cgroup/cgroup.controllers").read_text().split(),
        "load_average": os.getloadavg()[0],
        **{name: int(value) for name, value in (line.split("\t") for line in output.splitlines())},
    }
