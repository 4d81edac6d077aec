"""The suite as an ordinary user: ROOTLESS=1 runs the same tests with the binary executed without privileges.

Pytest itself stays root: it prepares, and looks at what came of it. Only the runtime is executed as USER, who has ranges in
/etc/subuid and /etc/subgid, a cgroup to fill and a runtime directory, as a user of a desktop has. Every bundle begins with a user
namespace.
"""

import os
import pathlib
import stat

from . import kernel

ACTIVE = os.environ.get("ROOTLESS", "") not in ("", "0")

USER = 10001
NAME = "capsule-test"
SUBORDINATE = (100000, 900000)  # first, count: wide enough for the maps that tests choose themselves
MAP = [(0, USER, 1), (1, SUBORDINATE[0], 65535)]
RUNTIME_DIRECTORY = pathlib.Path(f"/run/user/{USER}")

DELEGATED = ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads")


def prepare(work, cgroups):
    """Makes the user known, to this mount namespace alone, and gives it what it owns."""
    ranges = f"{NAME}:{SUBORDINATE[0]}:{SUBORDINATE[1]}\n"
    extend(work, "/etc/passwd", f"{NAME}:x:{USER}:{USER}::/:/bin/sh\n")
    extend(work, "/etc/group", f"{NAME}:x:{USER}:\n")
    replace(work, "/etc/subuid", ranges)
    replace(work, "/etc/subgid", ranges)
    RUNTIME_DIRECTORY.mkdir(parents=True)
    RUNTIME_DIRECTORY.chmod(0o700)
    own(RUNTIME_DIRECTORY, *(cgroups / name for name in DELEGATED))


def extend(work, path, line):
    replace(work, path, pathlib.Path(path).read_text() + line)


def replace(work, path, text):
    own_version = work / pathlib.Path(path).name
    own_version.write_text(text)
    kernel.mount(own_version, path, flags=kernel.MS_BIND)


def own(*paths):
    for path in paths:
        os.chown(path, USER, USER)


def hand_over(work, cgroups):
    """What tests have made since the last time becomes the user's, as if it had made it.

    Not what is inside of bundles, see `give_to_container`, nor `outside`, which tests guard.
    """
    for path in everything_below(work, without=("rootfs", "outside", "template")):
        own_if_roots(path)
    hand_over_groups(cgroups)


def hand_over_groups(cgroups):
    """By descriptors: what a container nests may be longer than any path."""
    for _, names, files, directory in os.fwalk(cgroups):
        names[:] = [name for name in names if name != "suite"]
        for name in names:
            own_if_roots(name, directory)
        if os.fstat(directory).st_uid != 0 and own_if_roots("cgroup.procs", directory):
            for name in files:
                own_if_roots(name, directory)


def own_if_roots(path, directory=None):
    try:
        info = os.lstat(path, dir_fd=directory)
        if info.st_uid != 0 or stat.S_ISLNK(info.st_mode):
            return False
        os.chown(path, USER, USER, dir_fd=directory)
        return True
    except FileNotFoundError:
        return False


def everything_below(top, without=()):
    for directory, names, plain in os.walk(top):
        names[:] = [name for name in names if name not in without]
        for name in names + plain:
            yield os.path.join(directory, name)


def become_user():
    """In a child, before it executes the runtime."""
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)


def environment(given):
    return {"XDG_RUNTIME_DIR": str(RUNTIME_DIRECTORY), **(os.environ if given is None else given)}


def give_to_container(bundle):
    """What root has put into the bundle becomes the container root's, and so on for each id that is mapped."""
    linux = bundle.config.get("linux")
    if not isinstance(linux, dict):
        return
    tables = [linux.get(kind) or [] for kind in ("uidMappings", "gidMappings")]
    own(bundle.path)
    for path in everything_below(bundle.path):
        if not path.endswith("/busybox"):  # one file for all
            shift(path, *tables)


def shift(path, uids, gids):
    try:
        info = os.lstat(path)
        uid, gid = host_id(uids, info.st_uid), host_id(gids, info.st_gid)
        if (uid, gid) != (info.st_uid, info.st_gid):
            os.chown(path, uid, gid, follow_symlinks=False)
            if info.st_mode & 0o6000:
                os.chmod(path, info.st_mode & 0o7777)  # chown has cleared set-user-ID
    except OSError:
        pass  # a read-only mount of the test: left as it is


def host_id(table, number):
    for entry in table:
        if entry["hostID"] <= number < entry["hostID"] + entry["size"]:
            return number
    for entry in table:
        if entry["containerID"] <= number < entry["containerID"] + entry["size"]:
            return entry["hostID"] + number - entry["containerID"]
    return number
