"""An ordinary user of a machine with systemd, and the runtime executed as that user: in a group that its service manager was given.

The suite hides the host, so everything here happens by way of PID 1: its files are seen below HOST, and the runtime is executed in its
mount and cgroup namespaces. Bundles lie on a disk that is the same in both.
"""

import os
import pathlib
import pwd
import subprocess

from . import rootless, world
from .container import Container
from .quotas import DISK
from .waiting import eventually

HOST = pathlib.Path("/proc/1/root")
CGROUPS = HOST / "sys/fs/cgroup"
NAME, STRANGER = "tester", "nobody-special"  # as guest/systemd.sh of vm/ makes them
ENTER = 'echo 0 >"/sys/fs/cgroup$0/cgroup.procs" && exec "$@"'


def number_of(name):
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def is_here():
    return None not in (number_of(NAME), number_of(STRANGER)) and (HOST / "run/systemd/system").is_dir() and os.path.ismount(DISK)


class User:
    """`top` is the group below which this user's runtimes and containers are; `delegated` if the user may make groups there."""

    def __init__(self, name, top, delegated):
        self.number = number_of(name)
        self.name = name
        self.top = top
        self.delegated = delegated
        self.subordinate = next(
            int(line.split(":")[1]) for line in (HOST / "etc/subuid").read_text().splitlines() if line.startswith(name + ":")
        )

    @classmethod
    def with_a_service_manager(cls):
        number = number_of(NAME)
        user = cls(NAME, f"/user.slice/user-{number}.slice/user@{number}.service", delegated=True)
        eventually((HOST / f"run/user/{number}/bus").is_socket, "the user's bus is there", seconds=120)
        eventually(lambda: (CGROUPS / user.top[1:] / "cgroup.procs").exists(), "the user's group is there", seconds=60)
        return user

    @classmethod
    def without_anything(cls):
        return cls(STRANGER, "/capsule-stranger", delegated=False)

    def prepare(self):
        """The groups of the runtimes, and of containers."""
        (CGROUPS / self.top[1:]).mkdir(exist_ok=True)
        for name in ("capsule-runner", "capsule-test") if self.delegated else ("capsule-runner",):
            group = self.host_group(name)
            group.mkdir(exist_ok=True)
            if self.delegated:
                for file in ("", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
                    os.chown(group / file, self.number, self.number)

    def remove(self):
        for name in ("capsule-test", "capsule-runner"):
            world.remove_group(self.host_group(name))
        if not self.delegated:
            self.host_group("").rmdir()

    def host_group(self, name):
        return CGROUPS / self.top[1:] / name

    @property
    def through(self):
        """The command that becomes this user and executes the rest."""
        become = ["setpriv", f"--reuid={self.number}", f"--regid={self.number}", "--clear-groups", "env", "-i"]
        return [
            *("nsenter", "--target=1", "--mount", "--cgroup", "--wdns=/", "sh", "-c", ENTER, f"{self.top}/capsule-runner"),
            *(*become, *(f"{key}={value}" for key, value in self.environment.items())),
        ]

    @property
    def environment(self):
        words = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": f"/home/{self.name}", "USER": self.name}
        if self.delegated:
            runtime_directory = f"/run/user/{self.number}"
            words |= {"XDG_RUNTIME_DIR": runtime_directory, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime_directory}/bus"}
        return words

    def systemctl(self, *words):
        return subprocess.run(
            [*self.through, "systemctl", "--user", *words], capture_output=True, text=True, timeout=120, check=True
        ).stdout

    def own(self, *paths):
        for path in paths:
            os.chown(path, self.number, self.number, follow_symlinks=False)

    def map_ids(self, bundle):
        bundle.map_ids((0, self.number, 1), (1, self.subordinate, 65535))

    def give(self, bundle):
        """What is in the bundle becomes that of the ids it has inside."""
        self.own(bundle.path)
        tables = [bundle.linux[kind] for kind in ("uidMappings", "gidMappings")]
        for path in rootless.everything_below(bundle.path):
            if not path.endswith("/busybox"):  # one file for all
                rootless.shift(path, *tables)


class UsersContainer(Container):
    """Executed as `user`, with the cgroupfs manager unless `flags` ask for another."""

    def __init__(self, user, runtime, bundle, root, identifier, flags=(), cgroups_path=None):
        self.user = user
        self.flags = flags
        user.map_ids(bundle)
        if cgroups_path is not None:
            bundle.linux["cgroupsPath"] = cgroups_path
        super().__init__(runtime, bundle, root, identifier)
        if cgroups_path is None:
            del bundle.linux["cgroupsPath"]

    def call_with(self, arguments, **options):
        if arguments[0] in ("create", "run"):
            self.user.give(self.bundle)
            arguments = [*self.flags, *arguments]
        return super().call_with(arguments, through=self.user.through, timeout=60, **options)

    def launch_sleeper(self, *flags):
        ready = self.bundle.rootfs / "tmp/ready"
        self.bundle.sh("trap 'exit 0' TERM; touch /tmp/ready; while :; do sleep 1000 & wait $!; done")
        self.launch(*flags)
        eventually(ready.exists, "it sleeps")
        return self

    @property
    def group(self):
        """As PID 1 sees it."""
        return "/" + os.path.normpath(f"/{self.user_view_of_group()}").lstrip("/")

    def user_view_of_group(self):
        done = subprocess.run(
            ["nsenter", "--target=1", "--cgroup", "cat", f"/proc/{self.pid}/cgroup"], capture_output=True, text=True, check=True
        )
        return next(line[3:] for line in done.stdout.splitlines() if line.startswith("0::"))

    @property
    def cgroup(self):
        return CGROUPS / self.group.lstrip("/")

    def discard(self):
        self.call("delete", "--force")
