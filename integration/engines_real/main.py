#!/usr/bin/env python3
"""Runs in the guest: makes the engines ready as docs/engines says, and does the table's actions with each runtime.

    main.py RESULTS.json [--engines podman,docker] [--runtimes capsule,crun,runc] [-k PATTERN]
"""

import argparse
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import engines
import pages
import rows

PAGES = ("podman", "docker", "containerd", "buildah", "cri-o", "kubernetes")
BINARY = pathlib.Path("/capsule/bin/capsule")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--engines", default=",".join(rows.ENGINES))
    parser.add_argument("--runtimes", default="capsule,crun,runc")
    parser.add_argument("-k", dest="pattern", default="", help="only actions that this is found in")
    return parser.parse_args()


def execute(script, engine, deadline):
    """(status, what it printed). The script is a session of its own, so that a deadline ends what it waits for too; what it
    prints goes to a file, which nobody waits for the end of."""
    words = ["sh", "-euc", script]
    environment = dict(os.environ)
    if engine.user:
        uid = engines.sh(f"id -u {engine.user}").strip()
        bus = f"DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/{uid}/bus"
        words = ["setpriv", f"--reuid={engine.user}", f"--regid={engine.user}", "--init-groups", "--reset-env",
                 "env", f"XDG_RUNTIME_DIR=/run/user/{uid}", bus, *words]
    where = f"/home/{engine.user}" if engine.user else "/root"
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(words, cwd=where, env=environment, stdin=subprocess.DEVNULL, stdout=printed,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = process.wait(deadline)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = "the deadline"
        printed.seek(0)
        return status, printed.read().decode(errors="replace")


def attempt(row, engine, runtime, number):
    """The row's outcome with that runtime, once it passed or was asked as often as it may be."""
    if runtime in row.without:
        return {"outcome": "not asked", "why": row.why}
    for asked in range(1, row.attempts + 1):
        result = attempt_once(row, engine, runtime, number)
        if result["outcome"] == "passed":
            break
        if asked < row.attempts:
            engine.clean(runtime)
    return result | {"asked": asked}


def attempt_once(row, engine, runtime, number):
    settings = f"export RUNTIME={runtime} RUNTIME_PATH={engines.PATHS[runtime]} N={runtime}-{number} I={engines.IMAGE}\n"
    began = time.monotonic()
    status, output = execute(settings + engine.prelude + row.run, engine, row.deadline)
    why = row.judge(status, output)
    result = {"outcome": "failed" if why else "passed", "seconds": round(time.monotonic() - began, 1)}
    if why:
        result |= {"why": why, "printed": output[-1500:]}
    return result


def tell(engine, runtime, row, result):
    mark = {"passed": "ok", "failed": "FAILED", "not asked": "--"}[result["outcome"]]
    again = f", asked {result['asked']} times" if result.get("asked", 1) > 1 else ""
    print(f"{mark:6} {engine} {runtime}: {row.action} ({result.get('seconds', 0)} s{again})", flush=True)
    if result["outcome"] == "failed":
        print(f"       {result['why']}\n" + "".join(f"       | {line}\n" for line in result["printed"].splitlines()[-12:]), flush=True)


def go_through(name, chosen, runtimes, results):
    """Row by row where an engine can be told at each, so that neighbours share the moment; else runtime by runtime."""
    engine = engines.KINDS[name]()
    engine.prepare()
    engine.spare()
    groups = [[runtime] for runtime in runtimes] if engine.one_at_a_time else [runtimes]
    for group in groups:
        engine.begin(group[0])
        for (number, row), runtime in itertools.product(chosen, group):
            result = attempt(row, engine, runtime, number)
            tell(name, runtime, row, result)
            results.setdefault(f"{name}: {row.action}", {})[runtime] = result
            if result["outcome"] == "failed":
                engine.clean(runtime)
        engine.end(group[0])


def follow_the_pages(wanted):
    """For each page what is wrong with it. All files were written before any engine is started; commands run where it is."""
    failures = {}
    for name in wanted:
        engine = engines.KINDS[name]()
        if not engine.page:
            continue
        page = pages.page(engine.page)
        try:
            engine.prepare()
            engine.begin("capsule")
            failures[engine.page] = pages.run_commands(page)
            engine.end("capsule")
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            failures[engine.page] = [f"{engine.page}.md: {error}"]
        print(f"page   docs/engines/{engine.page}.md: {len(page.commands)} blocks run, {len(failures[engine.page])} failed", flush=True)
    return failures


def versions():
    words = {"podman": "podman --version", "docker": "docker --version", "containerd": "containerd --version",
             "buildah": "buildah --version", "crun": "crun --version", "runc": "runc --version", "capsule": "capsule --version",
             "kernel": "uname -r"}
    return {name: engines.sh(command).splitlines()[0] for name, command in words.items()}


def main():
    options = arguments()
    os.environ.setdefault("HOME", "/root")
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    shutil.copy(BINARY, engines.PATHS["capsule"])
    engines.make_image()
    wanted = options.engines.split(",")
    results = {}
    for page in PAGES:
        pages.write_files(pages.page(page))
    failures = {} if options.pattern else follow_the_pages(wanted)
    for name in wanted:
        chosen = [(at, row) for at, row in enumerate(rows.of(name)) if re.search(options.pattern, row.action)]
        go_through(name, chosen, options.runtimes.split(","), results)
        document = {"versions": versions(), "pages": failures, "rows": results}
        options.results.write_text(json.dumps(document, indent=1))
    wrong = [failure for listed in failures.values() for failure in listed]
    for failure in wrong:
        print(f"FAILED the page {failure}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
