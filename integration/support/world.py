"""The private world of one test session.

The suite runs as root on machines that others use too, so it leaves their mounts and groups alone: it works in a mount
namespace and a cgroup namespace of its own. The root of the latter is a group made for this session, so whatever path a
runtime picks for a container's cgroup, it lands below that group and is removed at the end.
"""

import contextlib
import errno
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from . import kernel, rootless
from .host_view import HostView
from .rootfs import BUSYBOX
from .waiting import eventually

CGROUPS = pathlib.Path("/sys/fs/cgroup")
PRIVATE_TREES = ("/tmp", "/var/tmp", "/run", "/dev/shm")

mark = ""  # what the paths of our groups have in them, while the host's are in view


class World:
    def __init__(self, must_stay_visible):
        self.outer_root = None
        self.group_name = f"capsule-test-{os.getpid()}"
        self.hide_the_host(must_stay_visible)
        self.enter_own_cgroup()
        self.leave_the_network()
        kernel.become_subreaper()
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="capsule-work-", dir=self.private_tree))
        self.work.chmod(0o755)
        rootless.prepare(self.work, CGROUPS)

    def hide_the_host(self, must_stay_visible):
        kernel.unshare(kernel.CLONE_NEWNS)
        kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        self.host_view = HostView()
        hidden = [tree for tree in PRIVATE_TREES if os.path.isdir(tree) and not holds_any(tree, must_stay_visible)]
        for tree in hidden:
            kernel.mount("tmpfs", tree, "tmpfs", data="mode=1777" if "tmp" in tree else "mode=755")
        self.private_tree = hidden[0]  # /tmp, unless the checkout lies there
        self.protect_the_root(kernel.MS_RDONLY)

    def protect_the_root(self, flag):
        """A runtime that escapes from a container finds the host's root read-only (in our mount namespace)."""
        kernel.mount("none", "/", flags=kernel.MS_REMOUNT | kernel.MS_BIND | flag)

    def leave_the_network(self):
        """An empty network of our own: nothing but a loopback device."""
        kernel.unshare(kernel.CLONE_NEWNET)
        subprocess.run([BUSYBOX, "ip", "link", "set", "lo", "up"], check=True)

    def enter_own_cgroup(self):
        # Where the host shows cgroup2 here already, its mount is used: another one, made from the initial cgroup namespace, would
        # change the flags of the whole hierarchy.
        if not (CGROUPS / "cgroup.controllers").exists():
            kernel.mount("cgroup2", CGROUPS, "cgroup2")
        self.outer_root = os.open(CGROUPS, os.O_RDONLY | os.O_DIRECTORY)
        self.came_from = own_cgroup()
        remove_stale_groups()
        (CGROUPS / self.group_name).mkdir()
        (CGROUPS / self.group_name / "cgroup.procs").write_text("0")
        kernel.unshare(kernel.CLONE_NEWCGROUP)
        kernel.unmount(CGROUPS, kernel.MNT_DETACH)
        kernel.mount("cgroup2", CGROUPS, "cgroup2")
        (CGROUPS / "suite").mkdir()
        (CGROUPS / "suite" / "cgroup.procs").write_text("0")

    def show_the_host(self):
        """Until hide_the_host_again: the host's groups, systemd and its bus. Only what has our mark is ours then."""
        global mark
        mark = f"captest{os.getpid()}"
        self.host_view.show()
        return mark

    def hide_the_host_again(self):
        global mark
        self.host_view.hide()
        mark = ""

    def leave(self):
        self.hide_the_host_again()  # what follows ends every group in view
        self.protect_the_root(0)
        for group in CGROUPS.iterdir():
            if group.is_dir() and group.name != "suite":
                remove_group(group)
        eventually(no_descendants, "all processes of the session are gone")
        # Where the hierarchy is mounted with nsdelegate, as systemd does, nobody moves out of a namespace from within.
        kernel.setns(f"/proc/self/fd/{self.host_view.outer_namespace}")
        self.write_outside(f".{self.came_from}/cgroup.procs", "0")
        (CGROUPS / "suite").rmdir()
        eventually(self.removed_own_group, f"cgroup {self.group_name} can be removed")
        os.close(self.outer_root)
        os.close(self.host_view.outer_namespace)
        shutil.rmtree(self.work, ignore_errors=True)

    def write_outside(self, path, text):
        descriptor = os.open(path, os.O_WRONLY, dir_fd=self.outer_root)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)

    def removed_own_group(self):
        try:
            os.rmdir(self.group_name, dir_fd=self.outer_root)
            return True
        except OSError as error:
            if error.errno == errno.EBUSY:
                return False
            raise


def holds_any(tree, paths):
    return any(str(path).startswith(tree + "/") for path in paths)


def own_cgroup(process="self"):
    for line in pathlib.Path(f"/proc/{process}/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            return line[len("0::"):]
    raise AssertionError("this kernel has no cgroup v2")


def remove_stale_groups():
    """Groups of sessions that were killed: only empty ones, whose process is gone."""
    for group in CGROUPS.glob("capsule-test-*"):
        owner = group.name.rsplit("-", 1)[1]
        if owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            if "populated 0" in (group / "cgroup.events").read_text():
                with contextlib.suppress(OSError):  # one that another session is removing, or cannot, is no reason not to begin
                    for directory in reversed(subgroups(group)):
                        directory.rmdir()


def subgroups(group):
    """`group` and all below it, parents first."""
    return [pathlib.Path(directory) for directory, _, _ in os.walk(group)]


def our_groups():
    return [group for group in subgroups(CGROUPS) if mark in str(group)]


def remove_group(group):
    """Kills what runs below `group`, waits until it is gone and removes the directories."""
    if not (group / "cgroup.procs").exists():
        return
    (group / "cgroup.kill").write_text("1")
    (group / "cgroup.freeze").write_text("0")

    def removed():
        kill_members(group)
        reap_orphans()
        try:
            remove_directories(group)
        except OSError as error:
            if error.errno == errno.EBUSY:
                return False
            raise
        return True

    eventually(removed, f"cgroup {group} can be removed")


def kill_members(group):
    """One by one: cgroup.kill does not reach a process whose first thread has ended."""
    for process in (group / "cgroup.procs").read_text().split():
        try:
            os.kill(int(process), signal.SIGKILL)
        except ProcessLookupError:
            pass


def remove_directories(group):
    """By descriptors: what a container nests may be longer than any path."""
    for _, names, _, descriptor in os.fwalk(group, topdown=False):
        for name in names:
            os.rmdir(name, dir_fd=descriptor)
    group.rmdir()


def children_of(process):
    found = []
    for task in tasks_of(process):
        try:
            found += [int(word) for word in pathlib.Path(f"/proc/{process}/task/{task}/children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def tasks_of(process):
    """Its threads; none once it is gone."""
    try:
        return sorted(int(name) for name in os.listdir(f"/proc/{process}/task"))
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants():
    """All processes below this one, so (as we are a subreaper) all that runtimes started and left."""
    found, queue = [], children_of("self")
    while queue:
        process = queue.pop()
        found.append(process)
        queue += children_of(process)
    return found


def no_descendants():
    for process in descendants():
        os.kill(process, signal.SIGKILL)
    reap_orphans()
    return not descendants()


def process_state(process):
    """The letter of /proc/PID/stat, '' when there is no such process."""
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def alive(process):
    return process_state(process) not in ("", "Z", "X")


reaped = {}  # process → exit status, of those that were handed to us


def reap(process):
    try:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            reaped[process] = os.waitstatus_to_exitcode(status)
    except ChildProcessError:
        pass


def reap_orphans(keep=()):
    """Collects dead processes that were handed to us, except those somebody else waits for."""
    for process in children_of("self"):
        if not is_awaited(process, keep) and process_state(process) == "Z":
            reap(process)


def is_awaited(process, popens):
    """Whether somebody will wait for it. Numbers come again: of one that has been waited for it is another process."""
    return process in popens and popens[process].returncode is None


def exit_status(process):
    """Of a process that was handed to us, once it has ended."""
    def ended():
        if process not in reaped:
            reap_orphans()
        return process in reaped

    eventually(ended, f"process {process} ends as our child")
    return reaped[process]


def wait_and_reap(popen, others, timeout):
    """Waits for `popen` and meanwhile does init's duty: collects every dead process that was handed to us.

    Without it a runtime that waits for a container's end would see a zombie for ever. `others` are the processes
    (pid → Popen) that somebody waits for.
    """

    def too_late(*_):
        raise TimeoutError

    previous = signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, timeout)
    try:
        while popen.returncode is None:
            process = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT).si_pid
            if is_awaited(process, others):
                others[process].poll()
            else:
                reap(process)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
