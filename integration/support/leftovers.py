"""What a command may have left behind: a picture of the world before, one after, and the difference."""

import dataclasses
import os
import pathlib

from . import kernel, world
from .container import kill_process
from .host_view import SERVICE_MANAGER


@dataclasses.dataclass(frozen=True)
class Picture:
    processes: frozenset
    cgroups: frozenset
    mounts: frozenset
    files: frozenset

    def added_since(self, before):
        """Everything that is new, as readable lines; [] when nothing is."""
        lines = []
        for kind in ("processes", "cgroups", "mounts", "files"):
            new = getattr(self, kind) - getattr(before, kind)
            lines += [f"{kind}: {item}" for item in sorted(map(str, new))]
        return lines


def take(runtime):
    world.reap_orphans(keep=runtime.started)
    return Picture(
        processes=frozenset(world.descendants()),
        cgroups=frozenset(world.our_groups()),
        mounts=frozenset(mounted()),
        files=frozenset(files(runtime)),
    )


def mounted():
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        yield line.split()[4]


def files(runtime):
    """Everything in the private trees but the content of root file systems."""
    for tree in world.PRIVATE_TREES:
        for directory, names, plain in os.walk(tree):
            if directory.endswith("/rootfs") or directory in SERVICE_MANAGER:
                names.clear()
                continue
            for name in names + plain:
                if not is_a_cache(runtime, directory, name):
                    yield os.path.join(directory, name)


def is_a_cache(runtime, directory, name):
    """crun keeps hidden things in its --root directory and a directory in /run on purpose."""
    return runtime.is_crun and ("/." in f"{directory}/{name}" or f"{directory}/{name}" == "/run/crun")


def remove(after, before):
    """Cleans up behind a runtime that did not, so that the next test starts afresh."""
    for process in after.processes - before.processes:
        kill_process(process)
    for target in sorted(after.mounts - before.mounts, reverse=True):
        kernel.unmount(target, kernel.MNT_DETACH)
    for group in after.cgroups - before.cgroups:
        world.remove_group(group)
