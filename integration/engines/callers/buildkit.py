"""BuildKit's runc executor: one `run --keep` per step, looked at by others while it lasts."""

import json
import os

from support import world
from support.waiting import eventually

from .go_runc import Failed, GoRunc
from .streams import Streams, hear, wait


class BuildKit:
    def __init__(self, container, work):
        container.root = None
        self.container = container
        self.id = container.id
        self.work = work
        self.runc = GoRunc(container.runtime, log=work / "runc-log.json")
        self.runc.options["process_group"] = 0
        self.process = self.streams = None
        self.number = 0

    def run(self, terminal=None):
        """Begins the step; `terminal` is a UserTerminal where the step wants one."""
        self.container.bundle.save()
        words = ["run", "--bundle", self.container.bundle.path, "--keep", self.id]
        if terminal:
            streams = {"stdin": terminal.slave, "stdout": terminal.slave, "stderr": terminal.slave}
            self.process = self.runc.spawn(*words, **streams)
        else:
            self.streams = Streams()
            self.process = self.runc.spawn(*words, **self.streams.theirs)
            self.streams.give_away()
        return self

    def wait_until_running(self):
        """Its state is asked for over and over; what is not there yet is no reason to give up."""
        eventually(self.is_running, "the step runs")
        return self

    def is_running(self):
        try:
            state = self.runc.state(self.id)
        except Failed:
            return False
        assert os.path.isabs(state["bundle"]) and os.path.isdir(state["rootfs"]), state
        return state["status"] == "running"

    def exec(self, *command, **more):
        """In the foreground, as a build's shell does."""
        self.number += 1
        file = self.work / f"process{self.number}.json"
        file.write_text(json.dumps({**self.container.bundle.process, "args": list(command), **more}))
        pid_file = self.work / f"exec{self.number}.pid"
        heard = hear(
            self.container.runtime, *self.runc.globals, "exec", "--process", file, "--pid-file", pid_file, self.id
        )
        file.unlink()
        return heard

    def wait(self):
        """The exit code of the step."""
        return wait(self.process, self.container.runtime)

    def cgroup(self):
        """By the path in the config, as it was given."""
        return world.CGROUPS / self.container.bundle.linux["cgroupsPath"].lstrip("/")

    def killed_for_want_of_memory(self):
        """Asked after the step has ended and before it is deleted."""
        for line in (self.cgroup() / "memory.events").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1]) > 0

    def delete(self):
        assert self.runc.delete(self.id) == ""

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.streams:
            self.streams.close()
        hear(self.container.runtime, "delete", "--force", self.id)
