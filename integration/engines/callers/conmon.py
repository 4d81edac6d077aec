"""conmon: one process per container, below Podman and CRI-O; it starts the runtime and outlives it."""

import fcntl
import json
import os
import signal

from support import world
from support.terminals import ConsoleSocket
from support.waiting import eventually

from .streams import Pipe, Streams, wait

STDIO_BUF_SIZE = 8192


class Conmon:
    """`runtime_args` stand before the command and `runtime_opts` behind its own options, as with its flags of these names."""

    def __init__(self, container, work, runtime_args=(), environment=None):
        self.container = container
        self.bundle = container.bundle.path
        self.work = work
        self.runtime_args = list(runtime_args)
        self.runtime_opts = []
        self.preserved = {}
        self.environment = environment if environment is not None else dict(os.environ)
        self.pid_file = self.bundle / "pidfile"
        self.streams = self.terminal = self.pid = self.error = None

    def create(self, *flags):
        """True, or False with `error` as one read of the pipe tells it."""
        self.container.bundle.save()
        words = ["create", "--bundle", self.bundle, "--pid-file", self.pid_file, *flags, *self.runtime_opts]
        if self.run(words, self.container.bundle.process.get("terminal")) != 0:
            self.error = self.read_once()
            return False
        self.pid = self.read_pid()
        return True

    def exec(self, *command, **more):
        """True, or False: the status does not count, the file with the pid does."""
        specification = self.work / "exec-process"
        specification.write_text(json.dumps({**self.container.bundle.process, "args": list(command), **more}))
        specification.chmod(0o600)
        self.pid_file = self.bundle / "exec_pidfile"
        words = ["exec", "--pid-file", self.pid_file, "--process", specification, "--detach", *self.runtime_opts]
        self.run(words, more.get("terminal"))
        specification.unlink()
        if not self.pid_file.exists():
            self.error = self.read_once()
            return False
        self.pid = self.read_pid()
        return True

    def run(self, words, terminal):
        self.streams = Streams()
        if terminal:
            return self.run_with_console([*words, "--console-socket"])
        return self.run_with_pipes([*words, self.container.id])

    def run_with_pipes(self, words):
        process = self.spawn(words, **self.streams.theirs)
        self.streams.give_away()
        return wait(process, self.container.runtime)

    def run_with_console(self, words):
        """The socket is removed as soon as somebody has connected."""
        console = ConsoleSocket(self.work / "conmon-term.sock")
        streams = {**self.streams.theirs, "stdin": os.open(os.devnull, os.O_RDWR)}
        try:
            process = self.spawn([*words, console.path, self.container.id], **streams)
            self.terminal, tag, descriptors = console.receive()
            console.path.unlink()
            assert descriptors == 1 and 0 < len(tag) < 4096, f"recvfd wants one descriptor and a short tag: {tag!r}"
            return wait(process, self.container.runtime)
        finally:
            os.close(streams["stdin"])
            self.streams.give_away()
            console.close()

    def preserve(self, file, *numbers):
        """`file` open at `numbers`, and nothing at those between."""
        self.preserved = {number: file for number in numbers}
        self.runtime_opts = ["--preserve-fds", str(max(numbers) - 2)]

    def spawn(self, words, **streams):
        """conmon's own pipes to the engine are open beyond what is preserved."""
        opened = " ".join(f"{number}<{file}" for number, file in self.preserved.items())
        through = ("bash", "-c", f'exec {opened}; exec "$@"', "bash") if opened else ()
        sync, start = Pipe(), Pipe(to_them=True)
        above = [fcntl.fcntl(pipe.theirs, fcntl.F_DUPFD, max(self.preserved, default=2) + 1) for pipe in (sync, start)]
        environment = {
            **self.environment, "_OCI_SYNCPIPE": str(above[0]), "_OCI_STARTPIPE": str(above[1]),
            "LISTEN_PID": str(os.getpid()),
        }  # fmt: skip
        process = self.container.runtime.spawn(
            *self.runtime_args, *words, env=environment, cwd=self.bundle, dies_with_us=True, pass_fds=above,
            through=through, **streams,
        )  # fmt: skip
        for descriptor in above:
            os.close(descriptor)
        sync.close()
        start.close()
        return process

    def read_once(self):
        """All that an engine will ever see of the error."""
        os.set_blocking(self.streams.stderr.ours, False)
        try:
            return os.read(self.streams.stderr.ours, STDIO_BUF_SIZE - 1).decode(errors="replace")
        except BlockingIOError:
            return ""

    def read_pid(self):
        text = self.pid_file.read_text()
        assert text.isdigit(), f"the pid file should hold digits alone, not {text!r}"
        return int(text)

    def time_out(self):
        """--timeout: whoever is in the group of the container's process is killed, which must not be conmon's own."""
        group = os.getpgid(self.pid)
        assert group > 1 and group == self.pid
        os.kill(-group, signal.SIGKILL)

    def exit_file(self):
        """The status as it is written for the engine; only a child of ours tells it."""
        status = world.exit_status(self.pid)
        return str(status if status >= 0 else 128 - status)

    def memory_events(self):
        """The file that is watched for kills; None where it cannot be."""
        group = eventually(lambda: world.own_cgroup(self.pid), "the process has a cgroup")
        file = world.CGROUPS / group.lstrip("/") / "memory.events"
        return file if file.exists() else None

    def close(self):
        if self.streams:
            self.streams.close()
        if self.terminal:
            self.terminal.close()
