"""CRI-O: conmon for create and for probes, and itself for everything else."""

import json
import os

from support import world
from support.waiting import eventually

from .conmon import Conmon
from .environment import runtime_directory
from .streams import hear, wait

GONE = ("no such process", "container not running", "invalid process")


class CriO:
    def __init__(self, container, work):
        container.root = work / "crio"
        self.container = container
        self.id = container.id
        self.work = work
        self.environment = {"CRI_O_EXTERNAL": "1", "XDG_RUNTIME_DIR": runtime_directory(work), "PATH": os.environ["PATH"]}
        self.conmon = Conmon(container, work, [f"--root={container.root}"], environment=self.environment)
        self.probes = []

    def create(self):
        assert self.conmon.create(), self.conmon.error
        return self

    def start(self):
        self.call("start", self.id).succeeded()
        return self

    def status(self):
        """A state that cannot be asked for counts as stopped."""
        heard = self.call("state", self.id)
        return json.loads(heard.out)["status"] if heard.status == 0 else "stopped"

    def stop(self, grace):
        """TERM, and `grace` seconds later KILL, again and again until the process is gone or the runtime says so."""
        self.signal("15")
        try:
            eventually(self.has_ended, "it ends by TERM", seconds=grace)
        except AssertionError:
            eventually(lambda: not self.signal("KILL") or self.has_ended(), "it ends by KILL")

    def has_ended(self):
        return not world.alive(self.conmon.pid)

    def signal(self, word, *flags):
        """False when nobody was there, by the words on stderr; all other errors leave the pod terminating."""
        heard = self.call("kill", *flags, self.id, word)
        if heard.status != 0:
            assert any(words in heard.err for words in GONE), f"{heard} leaves the pod terminating for ever"
        return heard.status == 0

    def exec_sync(self, *command):
        """A probe, by a conmon of its own: (exit status, stdout), or None and the error."""
        probe = Conmon(self.container, self.work, [f"--root={self.container.root}"], environment=self.environment)
        self.probes.append(probe)
        if not probe.exec(*command, terminal=False):
            return None, probe.error
        return int(probe.exit_file()), probe.streams.stdout.read_to_the_end()

    def exec_on_a_terminal(self, terminal, *command):
        """kubectl exec -it: the runtime itself in the foreground, on a terminal of CRI-O's, without a console socket."""
        file = self.work / "exec.json"
        file.write_text(json.dumps({**self.container.bundle.process, "args": list(command), "terminal": True}))
        return self.container.runtime.spawn(
            "--root", self.container.root, "exec", "--process", file, self.id,
            env={"XDG_RUNTIME_DIR": self.environment["XDG_RUNTIME_DIR"]}, **terminal.options,
        )  # fmt: skip

    def wait(self, process):
        return wait(process, self.container.runtime)

    def update(self, resources):
        words = ["--root", self.container.root, "update", "--resources", "-", self.id]
        return hear(self.container.runtime, *words, env=self.environment, input=json.dumps(resources))

    def delete(self):
        self.call("delete", "--force", self.id).silently()

    def call(self, *words):
        return hear(self.container.runtime, "--root", self.container.root, *words, env=self.environment)

    def close(self):
        for monitor in (self.conmon, *self.probes):
            monitor.close()

