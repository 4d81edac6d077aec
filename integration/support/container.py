"""One container under test: the runtime's commands as methods, and a clean-up that always works."""

import json
import os
import pathlib
import signal

from . import world
from .waiting import eventually


class Container:
    def __init__(self, runtime, bundle, root, identifier):
        self.runtime = runtime
        self.bundle = bundle
        self.root = pathlib.Path(root)
        self.id = identifier
        if bundle is not None:
            bundle.linux.setdefault("cgroupsPath", f"/{identifier}")

    # Every command, checked: these fail the test when the command does.

    def create(self, *flags, **options):
        return self.try_create(*flags, **options).succeeded()

    def start(self):
        return self.call("start").succeeded()

    def launch(self, *flags, **options):
        """create and start"""
        self.create(*flags, **options)
        self.start()
        return self

    def launch_sleeper(self, *flags):
        """create and start a container that sleeps until TERM; returns when it does"""
        self.bundle.sleeper()
        self.launch(*flags)
        return self.wait_for_sleep()

    def wait_for_sleep(self):
        """Until the script of `Bundle.sleeper` answers TERM."""
        eventually(lambda: len((self.cgroup / "cgroup.procs").read_text().split()) == 2, "it sleeps")
        return self

    def run(self, *flags, **options):
        return self.try_run(*flags, **options).succeeded()

    def kill(self, *words):
        return self.call_with(["kill", self.id, *words]).succeeded()

    def delete(self, *flags):
        return self.call("delete", *flags).succeeded()

    def exec(self, *command, flags=(), **options):
        return self.try_exec(*command, flags=flags, **options).succeeded()

    # The same, unchecked.

    def try_create(self, *flags, **options):
        self.bundle.save()
        return self.call("create", "--bundle", self.bundle.path, *flags, **options)

    def try_run(self, *flags, **options):
        self.bundle.save()
        return self.call("run", "--bundle", self.bundle.path, *flags, **options)

    def try_exec(self, *command, flags=(), **options):
        return self.call_with(["exec", *flags, self.id, *command], **options)

    def call(self, command, *flags, **options):
        return self.call_with([command, *flags, self.id], **options)

    def call_with(self, arguments, **options):
        return self.runtime.call(*arguments, root=options.pop("root", self.root), **options)

    def spawn_with(self, arguments, **options):
        return self.runtime.spawn(*arguments, root=self.root, **options)

    # What one can ask about it.

    @property
    def state(self):
        return json.loads(self.call("state").succeeded().out)

    @property
    def status(self):
        return self.state["status"]

    @property
    def pid(self):
        return self.state["pid"]

    @property
    def state_directory(self):
        return self.root / self.id

    @property
    def cgroup(self):
        linux = self.bundle.config.get("linux") if self.bundle else None
        path = linux.get("cgroupsPath") if isinstance(linux, dict) else None
        path = path if isinstance(path, str) and path.strip("/") else self.id
        return world.CGROUPS / os.path.normpath("/" + path).lstrip("/")

    def output(self, script, **options):
        """What `sh -c script` prints as the container's own command."""
        self.bundle.sh(script)
        return self.run(**options).out

    def wait_for_status(self, wanted):
        eventually(lambda: self.status == wanted, f"container {self.id} is {wanted}")

    def stop(self):
        """Ends the container's init by force and waits until the runtime calls it stopped."""
        self.kill("KILL")
        self.wait_for_status("stopped")

    def discard(self):
        """Removes whatever is left of it, with the runtime's help or without."""
        try:
            self.call("delete", "--force")
        finally:
            world.remove_group(world.CGROUPS / self.id)
            world.remove_group(top_of(self.cgroup))


def top_of(group):
    """The group directly below the root that holds `group`."""
    parts = group.relative_to(world.CGROUPS).parts
    return world.CGROUPS / parts[0] if parts and parts[0] != "suite" else group


def kill_process(process):
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass
