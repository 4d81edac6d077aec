"""containerd's shim for runc (io.containerd.runc.v2): one container, from create to delete."""

import json

from support import world
from support.terminals import ConsoleSocket

from .go_runc import Failed, GoRunc, atoi
from .streams import Streams, wait


class Shim:
    def __init__(self, container, work, namespace="k8s.io", **options):
        self.container = container
        self.id = container.id
        self.bundle = container.bundle.path
        self.work = work
        container.root = work / "containerd" / namespace
        self.log = self.bundle / "log.json"
        self.runc = GoRunc(container.runtime, root=container.root, log=self.log, **options)
        self.streams = self.terminal = self.pid = None
        self.processes = 0

    def create(self, *flags):
        """With the container's pipes as the runtime's own streams: only the log tells of an error."""
        self.container.bundle.save()
        self.streams = Streams()
        words = ["create", "--bundle", self.bundle, "--pid-file", self.bundle / "init.pid", *flags, self.id]
        process = self.runc.spawn(*words, **self.streams.theirs)
        self.streams.give_away()
        if wait(process, self.container.runtime) != 0:
            raise Failed(f"OCI runtime create failed: {self.last_error()}")
        self.pid = atoi(self.bundle / "init.pid")
        return self

    def create_on_a_terminal(self, *flags):
        """The socket is looked at when create has returned, and create is over when its one pipe is closed."""
        self.container.bundle.process["terminal"] = True
        self.container.bundle.save()
        console = ConsoleSocket(self.work / "pty.sock")
        try:
            self.runc.merged(
                "create", "--bundle", self.bundle, "--pid-file", self.bundle / "init.pid", "--console-socket",
                console.path, *flags, self.id,
            )  # fmt: skip
            self.terminal, _, _ = console.receive()
        finally:
            console.close()
        self.pid = atoi(self.bundle / "init.pid")
        return self

    def start(self):
        assert self.runc.start(self.id) == ""
        return self

    def exec(self, *command):
        """Its pid, and its streams: a detached process whose specification is removed at once."""
        specification, pid_file = self.specify(command, terminal=False)
        streams = Streams()
        words = ["exec", "--process", specification, "--detach", "--pid-file", pid_file, self.id]
        process = self.runc.spawn(*words, **streams.theirs)
        streams.give_away()
        status = wait(process, self.container.runtime)
        specification.unlink()
        if status != 0:
            streams.close()
            raise Failed(f"OCI runtime exec failed: {self.last_error()}")
        return atoi(pid_file), streams

    def exec_on_a_terminal(self, *command):
        """Its pid, and its terminal; exec is over when nobody writes to its one pipe."""
        specification, pid_file = self.specify(command, terminal=True)
        console = ConsoleSocket(self.work / "exec.sock")
        try:
            self.runc.merged(
                "exec", "--process", specification, "--console-socket", console.path, "--detach", "--pid-file",
                pid_file, self.id,
            )  # fmt: skip
            terminal, _, _ = console.receive()
        finally:
            console.close()
        return atoi(pid_file), terminal

    def specify(self, command, terminal):
        self.processes += 1
        process = {**self.container.bundle.process, "args": list(command), "terminal": terminal}
        specification = self.work / f"runc-process{self.processes}"
        specification.write_text(json.dumps(process))
        specification.chmod(0o600)
        return specification, self.bundle / f"exec{self.processes}.pid"

    def kill(self, number, all=False):
        """None, or what containerd makes of the error."""
        try:
            self.runc.kill(self.id, number, all=all)
        except Failed as failure:
            return sort_of_kill_error(str(failure))

    def delete(self):
        """A container that does not exist is as good as deleted."""
        try:
            assert self.runc.delete(self.id) == ""
        except Failed as failure:
            if "does not exist" not in str(failure):
                raise

    def wait(self, pid=None):
        """The exit status that the subreaper's wait4 tells, as containerd counts it."""
        status = world.exit_status(pid or self.pid)
        return status if status >= 0 else 128 - status

    def clean_up(self):
        """What the daemon's manager does after a crash of the shim: it knows nothing of systemd."""
        GoRunc(self.container.runtime, root=self.container.root, log=self.log).delete(self.id, force=True)

    def last_error(self):
        """The log is decoded as a stream of objects; the last one of level "error" counts."""
        try:
            text = self.log.read_text()
        except FileNotFoundError as missing:
            return f"unable to retrieve OCI runtime error ({missing})"
        errors = [entry["msg"] for entry in decode_stream(text) if entry["level"] == "error"]
        return errors[-1] if errors else "exit status 1"

    def cgroup(self):
        """Where containerd looks for statistics and kills for want of memory."""
        return world.CGROUPS / world.own_cgroup(self.pid).lstrip("/")

    def close(self):
        if self.streams:
            self.streams.close()
        if self.terminal:
            self.terminal.close()


def decode_stream(text):
    """As encoding/json's Decoder does: objects one after another; anything else is an error."""
    decoder, entries = json.JSONDecoder(), []
    text = text.lstrip()
    while text:
        entry, end = decoder.raw_decode(text)
        entries.append(entry)
        text = text[end:].lstrip()
    return entries


def sort_of_kill_error(text):
    """The kubelet asks again and again about what is unknown."""
    if "os: process already finished" in text or "container not running" in text:
        return "process already finished"
    if "no such process" in text.lower():
        return "process already finished"
    return "no such container" if "does not exist" in text else f"unknown error after kill: {text}"
