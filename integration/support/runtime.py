"""The program under test and how it is called."""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from . import kernel, rootless, world

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Result:
    runtime: "Runtime"
    arguments: list
    status: int
    out: str
    err: str

    def succeeded(self):
        assert self.status == 0, f"{self} should have succeeded"
        return self

    def failed(self, status=None):
        assert self.status > 0, f"{self} should have failed, and not by a signal"
        assert status is None or self.status == status, f"{self} should have failed with {status}"
        return self

    def refused(self, words="", crun=""):
        """Failed with one clear line that contains `words`; crun is only held to its own words."""
        self.failed()
        assert self.err.strip(), f"{self} should have said why"
        if self.runtime.is_capsule:
            assert self.err.endswith("\n") and self.err.count("\n") == 1, f"{self} should have written one line"
            assert len(self.err) <= 8192, f"{self} should have been brief"
        wanted = crun if self.runtime.is_crun else words
        assert wanted in self.error, f"{self} should have said {wanted!r}"
        return self

    @property
    def error(self):
        """stderr, without the escapes of runc's log format"""
        return self.err.replace('\\"', '"')

    def silent(self):
        assert (self.out, self.err) == ("", ""), f"{self} should have said nothing"
        return self

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return self.out.splitlines()

    def __str__(self):
        return f"`{' '.join(map(str, self.arguments))}` → {self.status}\nstdout: {self.out!r}\nstderr: {self.err!r}\n"


class Runtime:
    def __init__(self, path):
        self.path = os.path.abspath(path)
        self.started = {}
        first = subprocess.run([self.path, "--version"], capture_output=True, text=True, check=True).stdout
        self.name = first.split()[0]

    def lie_in(self, directory):
        """Makes a copy in `directory` the program under test: the checkout may lie where only root may go."""
        copy = pathlib.Path(directory) / os.path.basename(self.path)
        if not copy.exists():
            shutil.copy2(self.path, copy)
        self.path = str(copy)

    @property
    def user(self):
        """(number, name) of the user it runs as"""
        return (rootless.USER, rootless.NAME) if rootless.ACTIVE else (0, "root")

    @property
    def is_capsule(self):
        return self.name not in ("runc", "crun")

    @property
    def is_crun(self):
        return self.name == "crun"

    @property
    def is_runc(self):
        return self.name == "runc"

    def spawn(self, *arguments, root=None, through=(), stdin=subprocess.DEVNULL, stdout=None, stderr=None, **options):
        """Starts the runtime and does not wait.

        `root` becomes --root; `through` is a command that execs the rest; `dies_with_us` has it killed when we are.
        """
        dies_with_us = options.pop("dies_with_us", False)
        globals_ = ["--root", str(root)] if root is not None else []
        command = [*map(str, through), self.path, *globals_, *map(str, arguments)]
        if rootless.ACTIVE:
            rootless.hand_over(os.path.dirname(self.path), world.CGROUPS)
            options = as_user(options)
        if dies_with_us:
            options = {**options, "preexec_fn": after(options.get("preexec_fn"), kernel.die_with_the_parent)}
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr, **options)
        self.started[process.pid] = process
        return process

    def call(self, *arguments, root=None, input=None, timeout=30, **options):
        """Runs the runtime to its end.

        Output goes to files, not pipes: a container inherits them from `create` and would keep a pipe open.
        """
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            if input is not None:
                stdin.write(input.encode())
                stdin.seek(0)
                options["stdin"] = stdin
            options = {"stdout": out, "stderr": err, **options}
            if rootless.ACTIVE:
                rootless.own(stdin.fileno(), out.fileno(), err.fileno())  # a container may open them again
            process = self.spawn(*arguments, root=root, **options)
            try:
                world.wait_and_reap(process, self.started, timeout)
            except TimeoutError:
                process.kill()
                process.wait()
                raise AssertionError(f"`{self.path} {' '.join(map(str, arguments))}` did not end in {timeout} s")
            return Result(self, [self.path, *arguments], process.returncode, content(out), content(err))


def as_user(options):
    """Options of Popen, with privileges dropped after whatever else is to be done first."""
    prepare = after(options.get("preexec_fn"), rootless.become_user)
    return {**options, "preexec_fn": prepare, "env": rootless.environment(options.get("env"))}


def after(first, second):
    """What calls both; there may be no first."""

    def both():
        if first:
            first()
        second()

    return both


def content(file):
    file.seek(0)
    return file.read().decode(errors="replace")


def runtime_path():
    return os.environ.get("RUNTIME") or str(REPOSITORY / "build/release/capsule")
