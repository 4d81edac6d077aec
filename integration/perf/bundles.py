"""The runtimes, and the bundles of the containers that they run.

A container is named after the operation it is for: "run", "list_500-17", "parallel_8-3". What such a container
runs and how it is configured is the same for every number, and is in KINDS under the name without numbers.
"""

import copy
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass

import report

SOURCE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(SOURCE.parent))

from support import containers_common

REPOSITORY = SOURCE.parent.parent
FORBIDDEN_DEVICE = os.makedev(60, 0)  # "local/experimental use": no driver, no rule


@dataclass(frozen=True)
class Kind:
    payload: str = "nop"
    executed: str = "nop"  # the program that `exec` runs
    seccomp: bool = False
    joins_network: bool = False  # a network namespace by path, instead of a new one
    own_state: bool = False  # a state root without containers of other kinds, and a filter cache of its own


LIVING = Kind(payload="pause")
KINDS = {
    "run": Kind(),
    "run_netns": Kind(joins_network=True),
    "run_seccomp": Kind(seccomp=True),
    "run_seccomp_cold": Kind(seccomp=True, own_state=True),
    "run_mounts": Kind(),
    "parallel": Kind(),
    "create": LIVING, "start": LIVING, "kill": LIVING, "delete": LIVING, "delete_force": LIVING,
    "list": Kind(payload="pause", joins_network=True, own_state=True),
    # Live through a whole pass: what exec and state are timed on.
    "hold": LIVING,
    "hold_seccomp": Kind(payload="pause", seccomp=True),
    # Beside the operations.
    "parity": Kind(payload="probe"),
    "parity_exec": Kind(payload="pause", executed="probe"),
    "peak_rss": Kind(),
    "waiting": LIVING,
}


def kind_of(container: str) -> Kind:
    return KINDS[re.sub(r"(_\d+)?(-\S+)?$", "", container)]


@dataclass
class Runtime:
    name: str
    path: pathlib.Path
    work: pathlib.Path

    def identifier(self, container: str) -> str:
        """The container's id and, with a slash in front, its cgroup; the same in every round."""
        return f"{self.name}-{container}"

    def bundle(self, container: str) -> pathlib.Path:
        return self.work / "bundles" / self.identifier(container)

    def cgroup(self, container: str) -> pathlib.Path:
        return pathlib.Path("/sys/fs/cgroup") / self.identifier(container)

    def state(self, container: str) -> pathlib.Path:
        own = kind_of(container).own_state
        return self.work / "state" / (f"{self.name}-{container.split('-')[0]}" if own else self.name)

    def filter_cache(self, container: str) -> pathlib.Path:
        """Where crun keeps compiled seccomp filters; no other runtime here has a cache."""
        return self.state(container) / ".cache"

    def command(self, verb: str, container: str, *arguments: str) -> list[str]:
        """The command line of a verb, which is the runtime's own or "delete_force". `list` has no container:
        the one given says in which state root."""
        options = {"run": self.bundle_options, "create": self.bundle_options,
                   "delete_force": lambda container: ["--force"]}
        identifier = [] if verb == "list" else [self.identifier(container)]
        return [str(self.path), "--root", str(self.state(container)), verb.removesuffix("_force"),
                *options.get(verb, lambda container: [])(container), *identifier, *arguments]

    def bundle_options(self, container: str) -> list[str]:
        options = ["--bundle", str(self.bundle(container))]
        if self.is_floor() and kind_of(container).joins_network:
            options += ["--netns", str(network_namespace(self.work))]  # it does not read config.json
        return options

    def is_floor(self) -> bool:
        return self.name in (report.FLOOR, report.SEALED)

    def version(self) -> str:
        if self.is_floor():
            return "of this tree"
        output = subprocess.run([self.path, "--version"], capture_output=True, text=True).stdout
        return output.splitlines()[0] if output else "unknown"


def find_runtimes(build: pathlib.Path, words: str, work: pathlib.Path) -> list[Runtime]:
    runtimes = [Runtime(report.FLOOR, (build / "floor").resolve(), work)]
    for word in words.split():
        name, _, path = word.partition("=")
        resolved = (REPOSITORY / path).resolve() if path else None
        if resolved is not None and os.access(resolved, os.X_OK):
            runtimes.append(Runtime(name, resolved, work))
        else:
            print(f"Note: {name} is left out, there is no program at {path or '(no path given)'}.")
    return runtimes


def find_sealed(build: pathlib.Path, work: pathlib.Path) -> Runtime:
    return Runtime(report.SEALED, (build / "floor_sealed").resolve(), work)


def network_namespace(work: pathlib.Path) -> pathlib.Path:
    return work / "netns"


def read_template() -> dict:
    return json.loads((SOURCE / "config.json").read_text())


def configure(template: dict, runtime: Runtime, container: str) -> dict:
    config = copy.deepcopy(template)
    config["linux"]["cgroupsPath"] = f"/{runtime.identifier(container)}"
    if kind_of(container).seccomp:
        config["linux"]["seccomp"] = containers_common.profile_for(containers_common.DEFAULT_CAPABILITIES)
    if kind_of(container).joins_network:
        for namespace in config["linux"]["namespaces"]:
            if namespace["type"] == "network":
                namespace["path"] = str(network_namespace(runtime.work))
    return config


def copy_program(build: pathlib.Path, name: str, target: pathlib.Path) -> None:
    shutil.copy(build / name, target)
    target.chmod(0o755)


def make_bundle(runtime: Runtime, container: str, template: dict, build: pathlib.Path) -> None:
    runtime.state(container).mkdir(parents=True, exist_ok=True)
    bundle = runtime.bundle(container)
    rootfs = bundle / "rootfs"
    for directory in ("proc", "dev", "sys"):
        (rootfs / directory).mkdir(parents=True)
    copy_program(build, kind_of(container).payload, rootfs / "payload")
    copy_program(build, kind_of(container).executed, rootfs / "executed")
    os.mknod(rootfs / "forbidden", stat.S_IFCHR | 0o666, FORBIDDEN_DEVICE)
    (bundle / "config.json").write_text(json.dumps(configure(template, runtime, container)))


def make_bundles(runtimes: list[Runtime], containers: list[str], build: pathlib.Path) -> None:
    template = read_template()
    for runtime in runtimes:
        for container in containers:
            make_bundle(runtime, container, template, build)
