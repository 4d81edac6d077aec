"""The pipes between a caller and its runtime, and what it means to wait for both."""

import dataclasses
import os
import select
import time

from support import rootless, waiting, world

CHUNK = 65536


@dataclasses.dataclass
class Heard:
    """A command that has ended, and what came out of it until every writer had closed."""

    words: list
    status: int
    out: str
    err: str = ""

    def succeeded(self):
        assert self.status == 0, f"{self} should have succeeded"
        return self

    def silently(self):
        assert (self.status, self.out, self.err) == (0, "", ""), f"{self} should have succeeded without a word"

    def __str__(self):
        return f"`{' '.join(map(str, self.words))}` → {self.status}\n{self.out!r}\n{self.err!r}\n"


class Pipe:
    """One direction. `ours` is read or written here, `theirs` is given away."""

    def __init__(self, to_them=False, flags=0):
        reading, writing = os.pipe2(os.O_CLOEXEC | flags)
        self.ours, self.theirs = (writing, reading) if to_them else (reading, writing)
        os.fchmod(self.theirs, 0o777)  # conmon does so for processes that open /dev/stdout again
        if rootless.ACTIVE:
            rootless.own(self.theirs)
        self.seen = b""

    def give_away(self):
        """Once the runtime has its copy; only then can the end be seen."""
        os.close(self.theirs)
        self.theirs = -1

    def write(self, text):
        if text:
            os.write(self.ours, text.encode())

    def take(self):
        """One read; False at the end."""
        piece = os.read(self.ours, CHUNK)
        self.seen += piece
        return piece != b""

    def read_to_the_end(self):
        """All of it; fails when a writer stays."""
        deadline = time.monotonic() + waiting.patience
        while True:
            left = deadline - time.monotonic()
            assert left > 0, f"somebody keeps the pipe open after {self.seen!r}"
            if select.select([self.ours], [], [], left)[0] and not self.take():
                return self.text

    @property
    def text(self):
        return self.seen.decode(errors="replace")

    def close(self):
        for descriptor in (self.ours, self.theirs):
            if descriptor >= 0:
                os.close(descriptor)
        self.ours = self.theirs = -1


class Streams:
    """Standard streams of a container, as engines make them: three pipes.

    With `one_write_each` a read of what they say returns one write, never two together (O_DIRECT, see pipe(2)).
    """

    def __init__(self, one_write_each=False):
        flags = os.O_DIRECT if one_write_each else 0
        self.stdin, self.stdout, self.stderr = Pipe(to_them=True), Pipe(flags=flags), Pipe(flags=flags)

    @property
    def theirs(self):
        return {"stdin": self.stdin.theirs, "stdout": self.stdout.theirs, "stderr": self.stderr.theirs}

    def give_away(self):
        for pipe in (self.stdin, self.stdout, self.stderr):
            pipe.give_away()

    def close(self):
        for pipe in (self.stdin, self.stdout, self.stderr):
            pipe.close()


def wait(process, runtime):
    """waitpid of the runtime alone, while orphans are collected as a subreaper does."""
    try:
        world.wait_and_reap(process, runtime.started, timeout=3 * waiting.patience)
    except TimeoutError:
        end(process)
        raise AssertionError("the runtime did not end")
    return process.returncode


def hear(runtime, *words, merged=False, input=None, **options):
    """Runs a command to its end; like Go's exec.Cmd, that is when nobody can write to its pipes any more."""
    pipes = [Pipe()] if merged else [Pipe(), Pipe()]
    source = Pipe(to_them=True)
    if input is not None:
        options["stdin"] = source.theirs
    process = runtime.spawn(*words, stdout=pipes[0].theirs, stderr=pipes[-1].theirs, **options)
    try:
        for pipe in (*pipes, source):
            pipe.give_away()
        source.write(input or "")
        source.close()
        drain(pipes, runtime, words)
        status = wait(process, runtime)
        return Heard([runtime.name, *words], status, pipes[0].text, "" if merged else pipes[1].text)
    finally:
        end(process)
        for pipe in (*pipes, source):
            pipe.close()


def end(process):
    """Of a runtime that did not end by itself."""
    if process.poll() is None:
        process.kill()
        process.wait()


def drain(pipes, runtime, words):
    deadline = time.monotonic() + 3 * waiting.patience
    still_open = list(pipes)
    while still_open:
        assert time.monotonic() < deadline, f"somebody keeps the pipes of {words} open"
        for descriptor in select.select([pipe.ours for pipe in still_open], [], [], 0.01)[0]:
            pipe = next(pipe for pipe in still_open if pipe.ours == descriptor)
            if not pipe.take():
                still_open.remove(pipe)
        world.reap_orphans(keep=runtime.started)
