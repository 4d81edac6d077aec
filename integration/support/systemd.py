"""Containers whose group is made by systemd, and what systemd says of it."""

import contextlib
import pathlib
import subprocess

from . import world
from .container import Container, kill_process
from .waiting import eventually

BY_SYSTEMD = ("--systemd-cgroup",)


def systemctl(*words):
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"systemctl {' '.join(words)}: {done.stderr}"
    return done.stdout


def properties(unit):
    """name → value of a unit as systemd tells them; one that is told more than once has its values in lines."""
    told = {}
    for line in systemctl("show", unit).splitlines():
        name, _, value = line.partition("=")
        told[name] = f"{told[name]}\n{value}" if name in told else value
    return told


def our_units():
    """Every unit of ours that systemd still remembers, the failed ones too."""
    lines = systemctl("list-units", "--all", "--plain", "--no-legend", f"*{world.mark}*").splitlines()
    return [line for line in lines if line]


@contextlib.contextmanager
def host_in_view(world_of_tests):
    """The real hierarchy and the real systemd, for as long as it takes."""
    world_of_tests.show_the_host()
    try:
        yield
    finally:
        remove_our_units()
        world_of_tests.hide_the_host_again()


def remove_our_units():
    """Slices are not the runtimes' to remove; scopes are there only when one has failed to."""
    for line in our_units():
        subprocess.run(["systemctl", "stop", line.split()[0]], capture_output=True, timeout=60)
        subprocess.run(["systemctl", "reset-failed", line.split()[0]], capture_output=True, timeout=60)


class ScopedContainer(Container):
    """Asks for systemd when it is created, and at no later command."""

    def __init__(self, runtime, bundle, root, identifier):
        bundle.linux.setdefault("cgroupsPath", f"system.slice:capsule:{identifier}")
        super().__init__(runtime, bundle, root, identifier)

    def try_create(self, *flags, **options):
        self.bundle.save()
        return self.call_with([*BY_SYSTEMD, "create", "--bundle", self.bundle.path, *flags, self.id], **options)

    def try_run(self, *flags, **options):
        self.bundle.save()
        return self.call_with([*BY_SYSTEMD, "run", "--bundle", self.bundle.path, *flags, self.id], **options)

    def launch_sleeper(self, *flags):
        """create and start a container that sleeps until TERM; returns when it does"""
        ready = self.bundle.rootfs / "ready"
        self.bundle.sh("trap 'exit 0' TERM; touch /ready; while :; do sleep 1000 & wait $!; done")
        self.launch(*flags)
        eventually(ready.exists, "it sleeps")
        return self

    @property
    def unit(self):
        """Of a cgroupsPath "slice:prefix:name"."""
        _, prefix, name = self.bundle.linux["cgroupsPath"].split(":")
        return f"{prefix}-{name}.scope" if prefix else f"{name}.scope"

    @property
    def properties(self):
        return properties(self.unit)

    @property
    def cgroup(self):
        """The scope's; processes may be in one below."""
        return world.CGROUPS / self.properties["ControlGroup"].lstrip("/")

    def limit(self, name):
        return (self.cgroup / name).read_text().strip()

    def discard(self):
        self.call("delete", "--force")
        for process in self.stragglers():
            kill_process(process)

    def stragglers(self):
        for group in world.our_groups():
            if self.id in str(group):
                try:
                    yield from map(int, (group / "cgroup.procs").read_text().split())
                except OSError:
                    pass  # it went meanwhile


def group_of(process):
    return pathlib.PurePosixPath(world.own_cgroup(process))
