#!/usr/bin/python3
"""Benchmarks container runtimes side by side. README.md says how to read the result; `make run` calls this.

First the parity check, then all operations of all runtimes interleaved in one run (interleave.cc), then peak
memory. Prints a table, writes results.json and samples.tsv to the build directory, and exits with 1 if a
ratio of budget.json is exceeded or a command failed.
"""

import argparse
import copy
import json
import os
import pathlib
import random
import shutil
import stat
import statistics
import subprocess
import sys
from dataclasses import dataclass

import host
import parity
import report

SOURCE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(SOURCE.parent))

from support import containers_common

REPOSITORY = SOURCE.parent.parent
FORBIDDEN_DEVICE = os.makedev(60, 0)  # "local/experimental use": no driver, no rule
PEAK_RSS_RUNS = 5

# Which payload the containers of a purpose run: of an operation that is timed, or of a step around that. exec
# and state are timed on "hold", which lives through the whole measurement.
PAYLOADS = {"run": "nop", "create": "pause", "start": "pause", "kill": "pause", "delete": "pause",
            "delete_force": "pause", "hold": "pause", "parity": "probe", "parity_exec": "pause",
            "peak_rss": "nop", "run_seccomp": "nop"}
OPERATIONS = ["run", "run_seccomp", "create", "start", "exec", "state", "kill", "delete", "delete_force"]


@dataclass
class Runtime:
    name: str
    path: pathlib.Path
    work: pathlib.Path

    def identifier(self, purpose: str) -> str:
        """The container's id and, with a slash in front, its cgroup; the same in every round."""
        return f"{self.name}-{purpose}"

    def bundle(self, purpose: str) -> pathlib.Path:
        return self.work / "bundles" / self.identifier(purpose)

    def command(self, verb: str, purpose: str, *arguments: str) -> list[str]:
        bundle = ["--bundle", str(self.bundle(purpose))]
        verb = verb.removesuffix("_seccomp")
        options = {"run": bundle, "create": bundle, "delete_force": ["--force"]}.get(verb, [])
        state = str(self.work / "state" / self.name)
        return [str(self.path), "--root", state, verb.removesuffix("_force"), *options,
                self.identifier(purpose), *arguments]

    def version(self) -> str:
        if self.name == report.FLOOR:
            return "of this tree"
        output = subprocess.run([self.path, "--version"], capture_output=True, text=True).stdout
        return output.splitlines()[0] if output else "unknown"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="directory of programs and results")
    parser.add_argument("--runtimes", default="", help="name=path ..., paths from the repository's root")
    parser.add_argument("--operations", default=" ".join(OPERATIONS))
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--settle-ms", type=float, default=0)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    parser.add_argument("--cpu", type=int, help="pin everything to this processor")
    arguments = parser.parse_args()
    arguments.operations = arguments.operations.split()
    unknown = set(arguments.operations) - set(OPERATIONS)
    if unknown or arguments.rounds < 1:
        parser.error(f"unknown operations: {' '.join(sorted(unknown))}" if unknown else "no rounds")
    return arguments


def find_runtimes(arguments: argparse.Namespace, work: pathlib.Path) -> list[Runtime]:
    runtimes = [Runtime(report.FLOOR, (arguments.build / "floor").resolve(), work)]
    for word in arguments.runtimes.split():
        name, _, path = word.partition("=")
        resolved = (REPOSITORY / path).resolve() if path else None
        if resolved is not None and os.access(resolved, os.X_OK):
            runtimes.append(Runtime(name, resolved, work))
        else:
            print(f"Note: {name} is left out, there is no program at {path or '(no path given)'}.")
    return runtimes


def copy_program(build: pathlib.Path, name: str, target: pathlib.Path) -> None:
    shutil.copy(build / name, target)
    target.chmod(0o755)


def make_bundle(runtime: Runtime, purpose: str, template: dict, build: pathlib.Path) -> None:
    bundle = runtime.bundle(purpose)
    rootfs = bundle / "rootfs"
    for directory in ("proc", "dev", "sys"):
        (rootfs / directory).mkdir(parents=True)
    copy_program(build, PAYLOADS[purpose], rootfs / "payload")
    copy_program(build, "probe" if purpose == "parity_exec" else "nop", rootfs / "executed")
    os.mknod(rootfs / "forbidden", stat.S_IFCHR | 0o666, FORBIDDEN_DEVICE)
    config = copy.deepcopy(template)
    config["linux"]["cgroupsPath"] = f"/{runtime.identifier(purpose)}"
    if purpose == "run_seccomp":
        config["linux"]["seccomp"] = containers_common.profile_for(containers_common.DEFAULT_CAPABILITIES)
    (bundle / "config.json").write_text(json.dumps(config))


def make_bundles(runtimes: list[Runtime], build: pathlib.Path) -> None:
    template = json.loads((SOURCE / "config.json").read_text())
    for runtime in runtimes:
        (runtime.work / "state" / runtime.name).mkdir(parents=True)
        for purpose in PAYLOADS:
            make_bundle(runtime, purpose, template, build)


def execute(command: list[str], errors: pathlib.Path, timeout: float = 30) -> None:
    """Standard error goes to a file: a container keeps what it inherited, so a pipe would never end."""
    null = subprocess.DEVNULL
    with errors.open("a") as file:
        result = subprocess.run(command, stdin=null, stdout=null, stderr=file, timeout=timeout)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {errors.read_text().strip()}")


def check_parity(runtimes: list[Runtime], reference: str, errors: pathlib.Path) -> dict[str, list[str]]:
    facts = {}
    for runtime in runtimes:
        seen_by_init = parity.observe(runtime.command("run", "parity"), runtime.identifier("parity"))
        seen_by_exec = observe_exec(runtime, errors)
        facts[runtime.name] = seen_by_init | {f"in exec: {fact}" for fact in seen_by_exec - seen_by_init}
    differences = parity.compare(facts, reference)
    print(parity.describe(differences, reference), end="\n\n", flush=True)
    return differences


def observe_exec(runtime: Runtime, errors: pathlib.Path) -> set[str]:
    execute(runtime.command("create", "parity_exec"), errors)
    execute(runtime.command("start", "parity_exec"), errors)
    try:
        command = runtime.command("exec", "parity_exec", "/executed")
        return parity.observe(command, runtime.identifier("parity_exec"))
    finally:
        execute(runtime.command("delete_force", "parity_exec"), errors)


def plan_case(runtime: Runtime, operation: str) -> list[list[str]]:
    """One case of interleave's plan. Everything but the timed command is there to bring a container into the
    state the operation begins with, and to remove it afterwards."""
    if operation in ("exec", "state"):
        arguments = ["/executed"] if operation == "exec" else []
        return [["timed", *runtime.command(operation, "hold", *arguments)]]

    create = ["before", *runtime.command("create", operation)]
    start = ["before", *runtime.command("start", operation)]
    kill = ["before", *runtime.command("kill", operation, "KILL")]
    until_dead = ["empty", f"/sys/fs/cgroup/{runtime.identifier(operation)}"]
    remove = runtime.command("delete_force", operation)
    arguments = ["KILL"] if operation == "kill" else []
    timed = ["timed", *runtime.command(operation, operation, *arguments)]
    return {
        "run": [timed, ["rescue", *remove]],
        "run_seccomp": [timed, ["rescue", *remove]],
        "create": [timed, ["after", *remove]],
        "start": [create, timed, ["after", *remove]],
        "kill": [create, start, timed, ["after", *remove]],
        "delete": [create, start, kill, until_dead, timed, ["rescue", *remove]],
        "delete_force": [create, start, timed, ["rescue", *remove]],
    }[operation]


def write_plan(path: pathlib.Path, runtimes: list[Runtime], operations: list[str]) -> None:
    lines = []
    for operation in operations:
        for runtime in runtimes:
            lines.append(["case", operation, runtime.name])
            lines += plan_case(runtime, operation)
    path.write_text("".join("\t".join(line) + "\n" for line in lines))


def measure_times(arguments: argparse.Namespace, runtimes: list[Runtime],
                  errors: pathlib.Path) -> report.Samples:
    plan, samples = errors.parent / "plan.tsv", arguments.build / "samples.tsv"
    write_plan(plan, runtimes, arguments.operations)
    for runtime in runtimes:
        execute(runtime.command("create", "hold"), errors)
        execute(runtime.command("start", "hold"), errors)
    result = subprocess.run([
        arguments.build / "interleave", "--plan", plan, "--samples", samples, "--errors", errors,
        "--rounds", str(arguments.rounds), "--warmup", str(arguments.warmup),
        "--settle-us", str(int(arguments.settle_ms * 1000)), "--seed", str(arguments.seed)])
    for runtime in runtimes:
        execute(runtime.command("delete_force", "hold"), errors)
    messages = errors.read_text().splitlines() if errors.exists() else []
    for line in messages[:20]:
        print(f"  {line}", file=sys.stderr)
    if result.returncode != 0:
        raise RuntimeError("the measurement failed")
    return report.read_samples(samples)


def measure_peak_rss(arguments: argparse.Namespace, runtimes: list[Runtime]) -> dict[str, int]:
    peaks = {}
    for runtime in runtimes:
        command = [arguments.build / "peak_rss", *runtime.command("run", "peak_rss")]
        outputs = [subprocess.check_output(command) for _ in range(PEAK_RSS_RUNS)]
        peaks[runtime.name] = int(statistics.median(int(output) for output in outputs))
    return peaks


def print_setting(arguments: argparse.Namespace, runtimes: list[Runtime], machine: dict,
                  pretends: bool) -> None:
    print(f"Machine: Linux {machine['kernel']}, {machine['cpu']}, {machine['cores']} cores, "
          f"load {machine['load_average']:.2f}, {machine['host_mounts']} host mounts, "
          f"v2 controllers: {' '.join(machine['cgroup_controllers']) or 'none'}")
    print(f"         system call {machine['syscall_ns']} ns, page fault {machine['page_fault_ns']} ns, "
          f"CPUID {machine['cpuid_ns']} ns")
    print(f"Method:  {arguments.rounds} rounds after {arguments.warmup} to warm up, "
          f"random order (seed {arguments.seed}), {arguments.settle_ms:g} ms between commands, "
          f"{'all processors' if arguments.cpu is None else f'processor {arguments.cpu} alone'}")
    for runtime in runtimes:
        print(f"Runtime: {runtime.name:<10} {runtime.version()} ({runtime.path})")
    if pretends:
        print("Note: RLIMIT_MEMLOCK cannot be raised here, which some runtimes insist on; a seccomp filter\n"
              "      lets them believe it, at some 40 ns per system call for every runtime alike.")
    print(flush=True)


def benchmark(arguments: argparse.Namespace, work: pathlib.Path) -> int:
    if arguments.cpu is not None:
        os.sched_setaffinity(0, {arguments.cpu})
    budget = json.loads((SOURCE / "budget.json").read_text())
    runtimes = find_runtimes(arguments, work)
    names = [runtime.name for runtime in runtimes]
    reference = budget["reference"] if budget["reference"] in names else names[-1]
    references = list(dict.fromkeys([reference, report.FLOOR]))
    pretends = host.pretend_memlock_can_be_raised()
    machine = host.describe_machine(arguments.build / "machine")
    print_setting(arguments, runtimes, machine, pretends)

    make_bundles(runtimes, arguments.build)
    errors = work / "errors"
    differences = check_parity(runtimes, reference, errors)
    summary = report.summarise(measure_times(arguments, runtimes, errors), names, references)
    peak_rss = measure_peak_rss(arguments, runtimes)
    verdicts = report.check_budget(budget, summary, peak_rss)

    print(report.format_table(summary, arguments.operations, references))
    print(report.format_peak_rss(peak_rss, reference), end="\n\n")
    print(report.format_budget(budget, verdicts))
    results = {
        "machine": machine,
        "settings": {"rounds": arguments.rounds, "warmup": arguments.warmup, "settle_ms": arguments.settle_ms,
                     "seed": arguments.seed, "cpu": arguments.cpu, "memlock_pretended": pretends},
        "runtimes": {each.name: {"path": str(each.path), "version": each.version()} for each in runtimes},
        "parity": {"reference": reference, "differences": differences},
        "operations": summary,
        "peak_rss_kib": peak_rss,
        "budget": verdicts,
    }
    (arguments.build / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    failed = any(entry["failed"] for entries in summary.values() for entry in entries.values())
    return 0 if not failed and all(verdict["met"] for verdict in verdicts) else 1


def main() -> int:
    arguments = parse_arguments()
    arguments.build = arguments.build.resolve()
    if os.geteuid() != 0:
        sys.exit("peers: root is needed, for cgroups and namespaces")
    return host.run_in_sandbox(lambda work: benchmark(arguments, work))


if __name__ == "__main__":
    sys.exit(main())
