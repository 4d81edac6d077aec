"""What is timed: the operations, the containers each of them needs, and its lines in interleave's plan."""

import os
import pathlib
import re
import shutil
from dataclasses import dataclass

from bundles import Runtime

# Those of the second line stand alone or take a number: list_500 is `list` with 500 containers, parallel_8 is
# eight `run`s at once, run_mounts_1000 is `run` on a host with 1,000 mounts more.
OPERATIONS = ["run", "run_netns", "run_seccomp", "run_seccomp_cold", "create", "start", "exec", "exec_seccomp",
              "state", "kill", "delete", "delete_force", "list", "version"]
NUMBERED = ["list", "parallel", "run_mounts"]

# What the sealed floor does, too. Not `run`: capsule makes a network namespace beside its other work there.
SEALED = ["run_netns", "exec", "exec_seccomp", "parallel"]

# Timed on a container that lives through the whole pass.
HOLDERS = {"exec": "hold", "exec_seccomp": "hold_seccomp", "state": "hold", "list": "list"}


def split(operation: str) -> tuple[str, int | None]:
    """("parallel", 8) of parallel_8, ("run", None) of run."""
    name, _, digits = operation.rpartition("_")
    if name in NUMBERED and re.fullmatch("[1-9][0-9]*", digits):
        return name, int(digits)
    return operation, None


def is_operation(word: str) -> bool:
    return word in OPERATIONS or split(word)[1] is not None


def is_sealed(operation: str) -> bool:
    return split(operation)[0] in SEALED


@dataclass
class Pass:
    """What is measured interleaved. Operations that change the machine for all others have a pass of their
    own: a host full of mounts or containers."""
    operations: list[str]
    extra_mounts: int = 0

    def held_containers(self) -> list[str]:
        containers = [each for operation in self.operations for each in held_containers(operation)]
        return list(dict.fromkeys(containers))


def plan_passes(operations: list[str]) -> list[Pass]:
    together, alone = [], []
    for operation in operations:
        name, number = split(operation)
        if name == "run_mounts":
            alone.append(Pass([operation], extra_mounts=number))
        elif name == "list" and number is not None:
            alone.append(Pass([operation]))
        else:
            together.append(operation)
    return [Pass(together), *alone] if together else alone


def held_containers(operation: str) -> list[str]:
    name, number = split(operation)
    if name == "list" and number is not None:
        return [f"{operation}-{i}" for i in range(number)]
    return [HOLDERS[name]] if name in HOLDERS else []


def is_held_sealed(container: str) -> bool:
    return container in [HOLDERS.get(operation) for operation in SEALED]


def containers_of(operation: str) -> list[str]:
    """All that need a bundle."""
    name, number = split(operation)
    if name == "parallel":
        return [f"{operation}-{i}" for i in range(number)]
    if name == "version":
        return []
    return held_containers(operation) or [operation]


def containers_measured(operation: str) -> int:
    """How many containers the time of one sample was spent on."""
    name, number = split(operation)
    return number if name == "parallel" else 1


def plan_case(runtime: Runtime, operation: str, build: pathlib.Path) -> list[list[str]]:
    """One case of interleave's plan. Everything but the timed command is there to bring a container into the
    state the operation begins with, and to remove it afterwards."""
    name, number = split(operation)
    if name == "parallel":
        return plan_parallel(runtime, operation, [str(build / "parallel"), str(number)])
    if name == "list":
        return [["timed", *runtime.command("list", operation)]]
    if name == "version":  # what it takes to be there at all; the floor's is the program that ends at once
        return [["timed", str(build / "nop")] if runtime.is_floor() else ["timed", str(runtime.path), "--version"]]
    if name in HOLDERS:
        arguments = ["/executed"] if name.startswith("exec") else []
        return [["timed", *runtime.command(name.removesuffix("_seccomp"), HOLDERS[name], *arguments)]]
    if name.startswith("run"):
        return plan_run(runtime, operation)
    return plan_lifecycle(runtime, operation)


def plan_run(runtime: Runtime, operation: str) -> list[list[str]]:
    timed = ["timed", *runtime.command("run", operation)]
    rescue = ["rescue", *runtime.command("delete_force", operation)]
    if operation != "run_seccomp_cold":
        return [timed, rescue]
    # For all runtimes alike, also those that have none: removing leaves the machine in the same state.
    forget = ["before", shutil.which("rm"), "-rf", str(runtime.filter_cache(operation))]
    return [forget, timed, rescue]


def plan_parallel(runtime: Runtime, operation: str, several: list[str]) -> list[list[str]]:
    numbered = f"{operation}-%"
    return [["timed", *several, *runtime.command("run", numbered)],
            ["rescue", *several, *runtime.command("delete_force", numbered)]]


def plan_lifecycle(runtime: Runtime, operation: str) -> list[list[str]]:
    create = ["before", *runtime.command("create", operation)]
    start = ["before", *runtime.command("start", operation)]
    kill = ["before", *runtime.command("kill", operation, "KILL")]
    until_dead = ["empty", str(runtime.cgroup(operation))]
    remove = runtime.command("delete_force", operation)
    arguments = ["KILL"] if operation == "kill" else []
    timed = ["timed", *runtime.command(operation, operation, *arguments)]
    return {
        "create": [timed, ["after", *remove]],
        "start": [create, timed, ["after", *remove]],
        "kill": [create, start, timed, ["after", *remove]],
        "delete": [create, start, kill, until_dead, timed, ["rescue", *remove]],
        "delete_force": [create, start, timed, ["rescue", *remove]],
    }[operation]


def write_plan(path: pathlib.Path, runtimes: list[Runtime], sealed: list[Runtime], operations: list[str],
               build: pathlib.Path) -> None:
    lines = []
    for operation in operations:
        for runtime in [*runtimes, *(sealed if is_sealed(operation) else [])]:
            lines.append(["case", operation, runtime.name])
            lines += plan_case(runtime, operation, build)
    path.write_text("".join("\t".join(line) + "\n" for line in lines))
