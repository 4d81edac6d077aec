"""The actions of the table: rows/ENGINE.toml.

    [[row]]
    action = "what a user does"
    run = '''shell script; $RUNTIME is the runtime's name, $RUNTIME_PATH its file, $N a name of the row's own, $I the image'''
    exit = 0                   # what the script must end with
    prints = ["pattern"]       # regular expressions that must be found in what it prints, both streams
    deadline = 150             # seconds
    attempts = 3               # how often it is asked where the engine loses a race of its own; what was needed is told
    without = ["runc"]         # runtimes that the engine does not ask for this …
    why = "…"                  # … and the reason
"""

import dataclasses
import pathlib
import re
import tomllib

ROWS = pathlib.Path(__file__).resolve().parent / "rows"
ENGINES = ("podman", "rootless", "docker", "containerd", "cri", "buildah")


@dataclasses.dataclass(frozen=True)
class Row:
    action: str
    run: str
    exit: int = 0
    prints: tuple = ()
    deadline: int = 150
    attempts: int = 1
    without: tuple = ()  # runtimes that cannot be asked
    why: str = ""

    def judge(self, status, output):
        """Why the outcome is not the one wanted; empty if it is."""
        if status != self.exit:
            return f"ended with {status} instead of {self.exit}"
        for pattern in self.prints:
            if not re.search(pattern, output, re.MULTILINE):
                return f"/{pattern}/ is not in what it printed"
        return ""


def of(engine):
    with open(ROWS / f"{engine}.toml", "rb") as file:
        listed = tomllib.load(file)["row"]
    return [Row(**{**row, "prints": tuple(row.get("prints", ())), "without": tuple(row.get("without", ()))}) for row in listed]
