"""The host's own groups and its service manager, which the suite hides, shown for a while to the tests that are about them."""

import os

from . import kernel

CGROUPS = "/sys/fs/cgroup"
SERVICE_MANAGER = ("/run/systemd", "/run/dbus")

# Found out when this is imported, before anything is hidden. With groups of version 1 beside, systemd keeps to those.
SYSTEMD_RUNS = os.path.isdir("/run/systemd/system") and os.path.exists(f"{CGROUPS}/cgroup.controllers")


class HostView:
    """Made before anything is hidden. Where systemd is not PID 1 there is nothing to show, and nothing is kept."""

    def __init__(self):
        here = [path for path in (*SERVICE_MANAGER, CGROUPS) if SYSTEMD_RUNS and os.path.isdir(path)]
        self.copies = {path: kernel.copy_of_mounts(path) for path in here}
        self.outer_namespace = os.open("/proc/self/ns/cgroup", os.O_RDONLY)
        self.inner_namespace = None

    @property
    def is_shown(self):
        return self.inner_namespace is not None

    def show(self):
        self.inner_namespace = os.open("/proc/self/ns/cgroup", os.O_RDONLY)
        kernel.setns(f"/proc/self/fd/{self.outer_namespace}")
        for path in self.copies:
            os.makedirs(path, exist_ok=True)
            kernel.attach_mounts(self.copies[path], path)
            os.close(self.copies[path])

    def hide(self):
        if not self.is_shown:
            return
        for path in self.copies:
            self.copies[path] = kernel.copy_of_mounts(path)
            kernel.unmount(path, kernel.MNT_DETACH)
            if path in SERVICE_MANAGER:
                os.rmdir(path)
        kernel.setns(f"/proc/self/fd/{self.inner_namespace}")
        os.close(self.inner_namespace)
        self.inner_namespace = None
