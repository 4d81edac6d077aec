"""Podman: conmon for create and exec, and the rest called directly with next to nothing in the environment."""

import json
import os
import re

from support.container import kill_process

from .conmon import Conmon
from .environment import runtime_directory
from .streams import hear

FILE_NOT_FOUND = r"executable file not found in|no such file or directory|open executable"
NOT_ALLOWED = r"permission denied|operation not permitted"


class Podman:
    """It names no --root: the runtime finds its own, as root and as an ordinary user."""

    def __init__(self, container, work, flags=()):
        self.container = container
        container.root = None
        self.id = container.id
        self.work = work
        self.flags = list(flags)
        self.log = work / "oci-log"
        self.xdg = {"XDG_RUNTIME_DIR": runtime_directory(work)}
        runtime_args = [*self.flags, "--log-format=json", "--log", self.log]
        environment = {**os.environ, **self.xdg}
        self.conmon = Conmon(container, work, runtime_args, environment=environment)

    def create(self, *flags):
        return self.conmon.create(*flags)

    def start(self):
        self.call("start", self.id, path=True).silently()

    def kill(self, number, all=False):
        return self.call("kill", *(["--all"] if all else []), self.id, str(int(number)))

    def delete(self):
        self.call("delete", "--force", self.id).silently()

    def update(self, resources):
        file = self.work / "podman-update"
        file.write_text(json.dumps(resources))
        heard = self.call("update", f"--resources={file}", self.id, path=True)
        file.unlink()
        return heard

    def call(self, *words, path=False):
        """The user's own streams and XDG_RUNTIME_DIR, for some commands PATH too."""
        environment = {**self.xdg, **({"PATH": os.environ["PATH"]} if path else {})}
        return hear(self.container.runtime, *self.flags, *words, env=environment)

    def exit_code_of_failure(self):
        """What `podman run` ends with, and the one line that it shows."""
        try:
            text = self.json_of_the_log()["msg"]
        except ValueError:
            text = self.conmon.error
        for pattern, code in ((NOT_ALLOWED, 126), (FILE_NOT_FOUND, 127)):
            found = re.search(f".*(?:{pattern}).*", text, re.IGNORECASE)
            if found:
                return code, found[0]
        return 125, text.strip()

    def json_of_the_log(self):
        """The whole file as one object."""
        return json.loads(self.log.read_text())

    def supports_checkpoints(self):
        """Two questions at start: is there such a command, and is its counterpart's option known?"""
        known = hear(self.container.runtime, "checkpoint", "--help", merged=True).status == 0
        answer = hear(self.container.runtime, "restore", "--lsm-mount-context", merged=True)
        return known, bool(re.search("flag needs an argument|requires an argument", answer.out))

    def close(self):
        self.conmon.close()
        hear(self.container.runtime, "delete", "--force", self.id, env=self.xdg)
        if self.conmon.pid:
            kill_process(self.conmon.pid)

