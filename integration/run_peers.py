#!/usr/bin/env python3
"""The suite against Debian's crun and runc: tests that only we pass are wrong, or an extension.

    run_peers.py [-k EXPRESSION] [RUNTIME …]

A few tests that failed are asked once more by themselves, and named: that a peer is late on a busy machine is nothing
this suite is to find out. For capsule's own runs there is no second question.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

from support.results import MOST_AGAIN, failed_tests

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
PEERS = ("/usr/bin/crun", "/usr/sbin/runc")
TESTS_FAILED = 1  # pytest's status


def ask(runtime, tests, results):
    words = ["-q", "-c", "integration/pytest.ini", f"--junitxml={results}", *tests]
    environment = {**os.environ, "RUNTIME": runtime}
    return subprocess.run([sys.executable, "-m", "pytest", *words], cwd=REPOSITORY, env=environment).returncode


def passes(runtime, selection, results):
    status = ask(runtime, ["integration", *selection], results)
    if status != TESTS_FAILED:
        return status == 0
    failed = failed_tests(results)
    if len(failed) > MOST_AGAIN:
        return False
    print(f"\npeers: {runtime}: asked again by themselves: {' '.join(failed)}", flush=True)
    return ask(runtime, failed, results) == 0


def main():
    parser = argparse.ArgumentParser(description="the integration suite against other runtimes")
    parser.add_argument("-k", dest="expression", help="pytest's -k")
    parser.add_argument("runtimes", nargs="*", default=PEERS)
    options = parser.parse_args()
    selection = ["-k", options.expression] if options.expression else []
    with tempfile.TemporaryDirectory() as directory:
        results = pathlib.Path(directory, "results.xml")
        verdicts = [passes(runtime, selection, results) for runtime in options.runtimes]
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
