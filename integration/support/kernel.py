"""The few system calls Python 3.11 does not wrap."""

import ctypes
import os
import signal

CLONE_NEWTIME = 0x00000080
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
MS_SHARED = 1 << 20
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

AT_FDCWD = -100
AT_RECURSIVE = 0x8000
OPEN_TREE_CLONE = 1
MOVE_MOUNT_F_EMPTY_PATH = 4
NR_OPEN_TREE, NR_MOVE_MOUNT = 428, 429  # the same everywhere but on alpha

libc = ctypes.CDLL(None, use_errno=True)


def checked(returned, what):
    if returned < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return returned


def unshare(flags):
    checked(libc.unshare(flags), "unshare")


def setns(path, flags=0):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        checked(libc.setns(descriptor, flags), f"setns {path}")
    finally:
        os.close(descriptor)


def mount(source, target, kind=None, flags=0, data=None):
    encode = lambda text: None if text is None else str(text).encode()
    returned = libc.mount(encode(source), encode(target), encode(kind), ctypes.c_ulong(flags), encode(data))
    checked(returned, f"mount {source} on {target}")


def unmount(target, flags=0):
    checked(libc.umount2(str(target).encode(), flags), f"umount {target}")


def copy_of_mounts(path):
    """A descriptor of what is mounted at `path` and below; the copy is nowhere yet, and remains when the original goes."""
    flags = OPEN_TREE_CLONE | AT_RECURSIVE | os.O_CLOEXEC
    return checked(libc.syscall(NR_OPEN_TREE, AT_FDCWD, path.encode(), flags), f"open_tree {path}")


def attach_mounts(copy, path):
    returned = libc.syscall(NR_MOVE_MOUNT, copy, b"", AT_FDCWD, path.encode(), MOVE_MOUNT_F_EMPTY_PATH)
    checked(returned, f"move_mount to {path}")


def become_subreaper():
    checked(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl PR_SET_CHILD_SUBREAPER")


def die_with_the_parent():
    """For a child, as its last step before exec: a change of identity would take it back."""
    checked(libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0), "prctl PR_SET_PDEATHSIG")
