"""Measures: the time of each operation with interleave, the memory of `run` and of a container that waits."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Callable, Iterator

import cases
import host
import report
from bundles import Runtime

MEMORY_RUNS = 5
LONGEST_REPORT = 20  # lines of errors


@dataclass
class Bench:
    """What every measurement needs to know."""
    build: pathlib.Path
    work: pathlib.Path
    runtimes: list[Runtime]
    sealed: list[Runtime]  # the sealed floor, if it can be there; takes part in few operations
    interleave_options: list[str]

    @property
    def errors(self) -> pathlib.Path:
        return self.work / "errors"


def execute(command: list[str], errors: pathlib.Path, timeout: float = 30) -> None:
    """Standard error goes to a file: a container keeps what it inherited, so a pipe would never end."""
    null = subprocess.DEVNULL
    with errors.open("a") as file:
        result = subprocess.run(command, stdin=null, stdout=null, stderr=file, timeout=timeout)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {errors.read_text().strip()}")


def for_each_container(bench: Bench, containers: list[str], act: Callable[[Runtime, str], None]) -> None:
    """Several at a time, of all runtimes: a crowd of runc's alone would take half a minute."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=2 * (os.cpu_count() or 1)) as pool:
        done = [pool.submit(act, runtime, container) for container in containers
                for runtime in [*bench.runtimes, *(bench.sealed if cases.is_held_sealed(container) else [])]]
        for each in done:
            each.result()


@contextlib.contextmanager
def held(bench: Bench, containers: list[str]) -> Iterator[None]:
    """Containers that run while the body is executed."""
    def begin(runtime: Runtime, container: str) -> None:
        execute(runtime.command("create", container), bench.errors)
        execute(runtime.command("start", container), bench.errors)

    def end(runtime: Runtime, container: str) -> None:
        execute(runtime.command("delete_force", container), bench.errors)

    for_each_container(bench, containers, begin)
    yield
    for_each_container(bench, containers, end)
    host.reap_dead_children()


def measure_times(bench: Bench, operations: list[str]) -> report.Samples:
    """All samples, which are also written to samples.tsv."""
    lines: list[str] = []
    try:
        for index, each in enumerate(cases.plan_passes(operations)):
            samples = bench.work / f"samples-{index}.tsv"
            measure_pass(bench, each, samples)
            heading, *rows = samples.read_text().splitlines()
            lines += rows if lines else [heading, *rows]
    finally:
        report_errors(bench.errors)
    (bench.build / "samples.tsv").write_text("".join(f"{line}\n" for line in lines))
    counts = {operation: cases.containers_measured(operation) for operation in operations}
    return report.per_container(report.read_samples(bench.build / "samples.tsv"), counts)


def measure_pass(bench: Bench, each: cases.Pass, samples: pathlib.Path) -> None:
    plan = bench.work / "plan.tsv"
    cases.write_plan(plan, bench.runtimes, bench.sealed, each.operations, bench.build)
    with held(bench, each.held_containers()), host.extra_mounts(bench.work, each.extra_mounts):
        result = subprocess.run([bench.build / "interleave", "--plan", plan, "--samples", samples,
                                 "--errors", bench.errors, *bench.interleave_options])
    if result.returncode != 0:
        raise RuntimeError("the measurement failed")


def report_errors(errors: pathlib.Path) -> None:
    messages = errors.read_text().splitlines() if errors.exists() else []
    for line in messages[:LONGEST_REPORT]:
        print(f"  {line}", file=sys.stderr)


def measure_peak_rss(bench: Bench) -> dict[str, int]:
    peaks = {}
    for runtime in bench.runtimes:
        command = [bench.build / "peak_rss", *runtime.command("run", "peak_rss")]
        outputs = [subprocess.check_output(command) for _ in range(MEMORY_RUNS)]
        peaks[runtime.name] = int(statistics.median(int(output) for output in outputs))
    return peaks


def measure_created_anonymous(bench: Bench) -> dict[str, int]:
    return {runtime.name: int(statistics.median(read_created_anonymous(bench, runtime) for _ in range(MEMORY_RUNS)))
            for runtime in bench.runtimes}


def read_created_anonymous(bench: Bench, runtime: Runtime) -> int:
    """Of the process that waits for `start`, in KiB: what is its own, and not a page of a file others share."""
    execute(runtime.command("create", "waiting"), bench.errors)
    try:
        state = subprocess.check_output(runtime.command("state", "waiting"))
        rollup = pathlib.Path(f"/proc/{json.loads(state)['pid']}/smaps_rollup").read_text()
    finally:
        execute(runtime.command("delete_force", "waiting"), bench.errors)
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Anonymous:"))


def keeps_filters(runtime: Runtime, container: str) -> bool:
    cache = runtime.filter_cache(container) / "seccomp"
    return cache.is_dir() and any(cache.iterdir())
