"""conmon-rs: CRI-O's other monitor; its global flags come twice, and exec names the command itself."""

import os

from support import world

from .streams import Streams, wait


class ConmonRs:
    def __init__(self, container, work):
        self.container = container
        self.work = work
        self.bundle = container.bundle.path
        self.globals = [f"--root={container.root}"]
        self.streams = self.pid = None
        self.number = 0

    def create(self):
        self.container.bundle.save()
        pid_file = self.bundle / "pidfile"
        self.run([*self.doubled(), "create", "--bundle", self.bundle, "--pid-file", pid_file, self.container.id])
        self.pid = parse_u32(pid_file.read_text())
        return self

    def exec_sync(self, *command, globals_=()):
        """(exit status, stdout, stderr)"""
        self.number += 1
        pid_file = self.work / f"pid{self.number}"
        self.run([*self.doubled(*globals_), "exec", "-d", f"--pid-file={pid_file}", self.container.id, *command])
        status = world.exit_status(parse_u32(pid_file.read_text()))
        return status, self.streams.stdout.read_to_the_end(), self.streams.stderr.read_to_the_end()

    def doubled(self, *more):
        return [*self.globals, *more, *self.globals, *more]

    def run(self, words):
        self.close()
        self.streams = Streams()
        process = self.container.runtime.spawn(*words, **self.streams.theirs)
        self.streams.give_away()
        status = wait(process, self.container.runtime)
        assert status == 0, f"{words} → {status}: {os.read(self.streams.stderr.ours, 8192)!r}"

    def close(self):
        if self.streams:
            self.streams.close()


def parse_u32(text):
    """Rust's str::parse::<u32>: digits alone."""
    assert text.isascii() and text.isdigit() and int(text) < 1 << 32, f"no u32: {text!r}"
    return int(text)
