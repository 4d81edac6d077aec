#!/usr/bin/python3
"""Benchmarks container runtimes side by side. README.md says how to read the result; `make run` calls this.

First the parity check, then all operations of all runtimes interleaved (interleave.cc), then memory. Prints
tables, writes results.json and samples.tsv to the build directory, and exits with 1 if a limit of budget.json
is exceeded or a command failed.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import sys

import bundles
import cases
import host
import limits
import measure
import parity
import recording
import report
from bundles import Runtime
from measure import execute

# Whose ratios are printed, if they take part; the first one also is the reference of parity and memory.
REFERENCES = ["crun", "crun-static", report.FLOOR]
BESIDE_OPERATIONS = ["parity", "parity_exec", "peak_rss", "waiting"]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="directory of programs and results")
    parser.add_argument("--runtimes", default="", help="name=path ..., paths from the repository's root")
    parser.add_argument("--operations", default=" ".join(cases.OPERATIONS))
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--settle-ms", type=float, default=0)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    parser.add_argument("--cpu", type=int, help="pin everything to this processor")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    arguments.operations = list(dict.fromkeys(arguments.operations.split()))
    unknown = [word for word in arguments.operations if not cases.is_operation(word)]
    if unknown or arguments.rounds < 1:
        parser.error(f"unknown operations: {' '.join(unknown)}" if unknown else "no rounds")
    return arguments


def interleave_options(arguments: argparse.Namespace) -> list[str]:
    return ["--rounds", str(arguments.rounds), "--warmup", str(arguments.warmup),
            "--settle-us", str(int(arguments.settle_ms * 1000)), "--seed", str(arguments.seed)]


def prepare(arguments: argparse.Namespace, work: pathlib.Path) -> measure.Bench:
    runtimes = bundles.find_runtimes(arguments.build, arguments.runtimes, work)
    containers = [each for operation in arguments.operations for each in cases.containers_of(operation)]
    host.make_network_namespace(bundles.network_namespace(work))
    bundles.make_bundles(runtimes, list(dict.fromkeys(containers + BESIDE_OPERATIONS)), arguments.build)
    sealed = prepare_sealed(arguments, runtimes, work)
    return measure.Bench(arguments.build, work, runtimes, sealed, interleave_options(arguments))


def prepare_sealed(arguments: argparse.Namespace, runtimes: list[Runtime], work: pathlib.Path) -> list[Runtime]:
    """The sealed floor with all that it needs, or nothing."""
    capsule = next((each for each in runtimes if each.name == recording.SUBJECT), None)
    operations = [operation for operation in arguments.operations if cases.is_sealed(operation)]
    if capsule is None or shutil.which("strace") is None or not operations:
        print(f"Note: {report.SEALED} is left out; it needs {recording.SUBJECT}, strace, and an operation of its own.")
        return []
    sealed = bundles.find_sealed(arguments.build, work)
    for operation in operations:
        containers = cases.containers_of(operation)
        bundles.make_bundles([sealed], containers, arguments.build)
        recording.record(capsule, operation, containers[0], [sealed.bundle(each) for each in containers])
    return [sealed]


def check_parity(bench: measure.Bench, reference: str) -> dict[str, list[str]]:
    facts = {}
    for runtime in bench.runtimes:
        seen_by_init = parity.observe(runtime.command("run", "parity"), runtime.identifier("parity"))
        seen_by_exec = observe_exec(runtime, bench.errors)
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
        print(f"Runtime: {runtime.name:<11} {runtime.version()} ({runtime.path})")
    if pretends:
        print("Note: RLIMIT_MEMLOCK cannot be raised here, which some runtimes insist on; a seccomp filter\n"
              "      lets them believe it, at some 40 ns per system call for every runtime alike.")
    print(flush=True)


def print_results(results: dict, references: list[str], subject: str) -> None:
    reference = results["parity"]["reference"]
    print(report.format_table(results["operations"], references))
    print(report.format_memory("Peak resident memory of the `run` process (VmHWM at exit)",
                               results["peak_rss_kib"], reference), end="\n\n")
    print(report.format_memory("Anonymous memory of a created container that waits for `start`",
                               results["created_anonymous_kib"], reference), end="\n\n")
    print(limits.format_verdicts("Targets", subject, results["targets"]), end="\n\n")
    print(limits.format_verdicts("Budget", subject, results["budget"]))


def note_caches(bench: measure.Bench, operations: list[str]) -> None:
    if {"run_seccomp", "run_seccomp_cold"} <= set(operations):
        keeping = [each.name for each in bench.runtimes if measure.keeps_filters(each, "run_seccomp")]
        print(f"Note: {', '.join(keeping) or 'no runtime here'} keeps compiled seccomp filters; without that, "
              "run_seccomp is as cold\n      as run_seccomp_cold.\n")


def measure_all(arguments: argparse.Namespace, bench: measure.Bench, reference: str,
                references: list[str]) -> dict:
    names = [runtime.name for runtime in [*bench.runtimes, *bench.sealed]]
    differences = check_parity(bench, reference)
    samples = measure.measure_times(bench, arguments.operations)
    summary = report.summarise(samples, names, references)
    return {
        "runtimes": {each.name: {"path": str(each.path), "version": each.version()} for each in bench.runtimes},
        "parity": {"reference": reference, "differences": differences},
        "operations": {operation: summary[operation] for operation in arguments.operations},
        "peak_rss_kib": measure.measure_peak_rss(bench),
        "created_anonymous_kib": measure.measure_created_anonymous(bench),
    }


def benchmark(arguments: argparse.Namespace, work: pathlib.Path) -> int:
    if arguments.cpu is not None:
        os.sched_setaffinity(0, {arguments.cpu})
    budget, targets = (limits.read(bundles.SOURCE / name) for name in ("budget.json", "targets.json"))
    pretends = host.pretend_memlock_can_be_raised()
    machine = host.describe_machine(arguments.build / "machine")
    bench = prepare(arguments, work)
    names = [runtime.name for runtime in bench.runtimes]
    reference = budget["reference"] if budget["reference"] in names else names[-1]
    references = [name for name in dict.fromkeys([reference, *REFERENCES]) if name in names]
    print_setting(arguments, bench.runtimes, machine, pretends)

    results = measure_all(arguments, bench, reference, references)
    memory = {"peak_rss": results["peak_rss_kib"], "created_anonymous": results["created_anonymous_kib"]}
    for name, wanted in (("targets", targets), ("budget", budget)):
        results[name] = limits.check(wanted, results["operations"], memory)
    note_caches(bench, arguments.operations)
    print_results(results, references, budget["subject"])
    settings = {"rounds": arguments.rounds, "warmup": arguments.warmup, "settle_ms": arguments.settle_ms,
                "seed": arguments.seed, "cpu": arguments.cpu, "memlock_pretended": pretends}
    results = {"machine": machine, "settings": settings, **results}
    (arguments.build / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    failed = any(entry["failed"] for entries in results["operations"].values() for entry in entries.values())
    return 0 if not failed and all(verdict["met"] for verdict in results["budget"]) else 1


def main() -> int:
    arguments = parse_arguments()
    if os.geteuid() != 0:
        sys.exit("peers: root is needed, for cgroups and namespaces")
    return host.run_in_sandbox(lambda work: benchmark(arguments, work))


if __name__ == "__main__":
    sys.exit(main())
