#!/usr/bin/env python3
"""What CI asks of the test machine: the tests that need it, in both modes, side by side or one after the other.

    check.py [--image-only | --in-turn]

Nothing is printed while the guests run, so that it can be started in the background; each guest's output is in
build/vm/MODE.log, and is printed whole at the end, the failures last. A few tests that failed are asked once more, by
themselves in a boot of their own: an emulated guest beside other work is stalled for seconds now and then. The status is
0 when every test passed, then or in the end, and what passed only alone is named.
"""

import argparse
import dataclasses
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import accelerator
import image
from processes import dies_with_parent, end_orderly_when_told
from run import REPOSITORY, refuse_without_what_it_needs, say
from support.results import MOST_AGAIN, failed_tests

SUITE = REPOSITORY / "integration"
SECONDS = 1500  # for one guest (350 on a quiet machine, twice that beside other tests); a hanging one is ended and its output shown
OUTPUT = REPOSITORY / "build/vm"
TESTS = {
    "minimal": ["test_quotas_*.py", "test_update.py", "test_events.py", "test_apparmor.py", "test_seccomp_profile.py"],
    "systemd": ["test_systemd.py", "test_rootless_machine.py", "test_rootless.py"],
}


@dataclasses.dataclass
class Run:
    mode: str
    log: pathlib.Path
    process: subprocess.Popen
    began: float
    seconds: float = 0.0
    again: "Run | None" = None
    tests_again: list = dataclasses.field(default_factory=list)

    @property
    def failed(self):
        return self.process.returncode != 0 and (self.again is None or self.again.failed)

    def __str__(self):
        ending = f"failed with {self.process.returncode}" if self.process.returncode else "passed"
        told = f"{self.mode} {ending} after {self.seconds:.0f} s ({self.log})"
        if self.again is None:
            return told
        return f"{told}; alone, {' '.join(self.tests_again)}: {self.again}"


def files_of(mode):
    """Every pattern must name a file: a renamed one is not to be left out in silence."""
    found = []
    for pattern in TESTS[mode]:
        matches = sorted(SUITE.glob(pattern))
        if not matches:
            sys.exit(f"vm: there is no integration/{pattern}, which the check of mode {mode} runs")
        found += [str(path.relative_to(REPOSITORY)) for path in matches]
    return found


def start(mode, tests, output=OUTPUT):
    output.mkdir(parents=True, exist_ok=True)
    log = output / f"{mode}.log"
    words = ["--mode", mode, f"--deadline={SECONDS}", f"--output={output}", *tests]
    with open(log, "wb") as file:
        process = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "integration/vm/run.py"), *words],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            preexec_fn=dies_with_parent,
        )
    return Run(mode, log, process, time.monotonic())


def ask_again(runs):
    for run in runs:
        if run.process.returncode != 1:  # pytest's: tests failed; the guest came to its end
            continue
        run.tests_again = failed_tests(OUTPUT / run.mode / "output/capsule.xml")
        if 0 < len(run.tests_again) <= MOST_AGAIN:
            run.again = start(run.mode, run.tests_again, OUTPUT / "again")
            wait_for_all([run.again])


def run_in_turn(files):
    """For a machine whose processors have other work too: one that a guest shares is no measure of what a limit does."""
    runs = []
    for mode in TESTS:
        runs.append(start(mode, files[mode]))
        wait_for_all(runs[-1:])
    return runs


def run_side_by_side(files):
    runs = [start(mode, files[mode]) for mode in TESTS]
    wait_for_all(runs)
    return runs


def wait_for_all(runs):
    waiting = list(runs)
    while waiting:
        for run in [run for run in waiting if run.process.poll() is not None]:
            run.seconds = time.monotonic() - run.began
            waiting.remove(run)
        time.sleep(0.1)


def tell(runs):
    for run in sorted(runs, key=lambda run: run.failed):
        print(f"\n== the test machine, {run.mode} ==", flush=True)
        for part in filter(None, (run, run.again)):
            sys.stdout.buffer.write(part.log.read_bytes())
        sys.stdout.buffer.flush()
    for run in runs:
        say(str(run))


def main():
    parser = argparse.ArgumentParser(description="the tests that need the test machine")
    parser.add_argument("--image-only", action="store_true", help="make the image, find out about KVM, run nothing")
    parser.add_argument("--in-turn", action="store_true", help="one guest at a time")
    options = parser.parse_args()
    refuse_without_what_it_needs()
    end_orderly_when_told()
    files = {mode: files_of(mode) for mode in TESTS}
    accelerator.choose(image.ensure(say), say)
    if options.image_only:
        return 0
    runs = run_in_turn(files) if options.in_turn else run_side_by_side(files)
    ask_again(runs)
    tell(runs)
    return 1 if any(run.failed for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
