"""buildah: it makes the container itself, polls its state and waits for its process."""

import json
import os

from support import world
from support.waiting import eventually

from .streams import Streams, hear, wait

STATES = ("creating", "created", "running", "stopped")


class Buildah:
    def __init__(self, container):
        container.root = None
        self.container = container
        self.id = container.id
        self.bundle = container.bundle.path
        self.streams = Streams()
        self.pid = None
        self.error = ""

    def create(self):
        """True, or False with one read of the pipe."""
        self.container.bundle.save()
        words = ["create", "--bundle", self.bundle, "--pid-file", self.bundle / "pid", "--no-new-keyring", self.id]
        process = self.container.runtime.spawn(*words, cwd=self.bundle, dies_with_us=True, **self.streams.theirs)
        self.streams.give_away()
        if wait(process, self.container.runtime) != 0:
            self.error = os.read(self.streams.stderr.ours, 8192).decode()
            return False
        self.pid = int((self.bundle / "pid").read_text().strip())
        return True

    def start(self):
        self.call("start").silently()

    def status(self):
        """From stdout alone; a state that it does not know ends the build."""
        heard = self.call("state").succeeded()
        status = json.loads(heard.out)["status"]
        assert status in STATES, f"unexpected container state {status!r}"
        return status

    def wait(self):
        """wait4 of the pid, beside the polls that tell when to stop forwarding."""
        eventually(lambda: self.status() == "stopped", "it stops")
        return world.exit_status(self.pid)

    def kill(self, *signal):
        self.call_with("kill", self.id, *signal).silently()

    def delete(self):
        self.call("delete").silently()

    def call(self, command):
        return self.call_with(command, self.id)

    def call_with(self, *words):
        return hear(self.container.runtime, *words)

    def close(self):
        self.streams.close()
        self.call_with("delete", "--force", self.id)
