#!/usr/bin/env python3
"""Runs a part of the integration suite in a virtual machine; README.md tells what for and how.

    run.py [--mode minimal|systemd] [--runtimes capsule,crun,runc] [-k EXPRESSION] [TEST FILE …]
    run.py --command 'SHELL COMMAND'      anything else, in the same guest
"""

import argparse
import os
import pathlib
import shlex
import shutil
import sys
import time

sys.dont_write_bytecode = True

import accelerator
import disks
import image
import image_engines
import image_kubernetes
from machine import Machine
from processes import end_orderly_when_told

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PEERS = {"crun": "/usr/bin/crun", "runc": "/usr/sbin/runc"}
NEEDED = {"qemu-system-x86_64": "qemu-system-x86", "mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs"}
IMAGES = {"suite": image.ensure, "engines": image_engines.ensure, "kubernetes": image_kubernetes.ensure}
PASSED_ON = ("SCALE",)  # of the environment, to the tests in the guest
NO_ANSWER = 124  # the status of a guest that did not come to its end


def say(text):
    print(f"vm: {text}", file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description="the integration suite in a virtual machine")
    parser.add_argument("--mode", choices=("minimal", "systemd"), default="minimal")
    parser.add_argument("--image", choices=IMAGES, default="suite", help="what is installed in the guest")
    parser.add_argument("--binary", default=REPOSITORY / "build/release/capsule", type=pathlib.Path)
    parser.add_argument("--with", dest="programs", action="append", default=[], type=pathlib.Path,
                        help="one more program beside it, in /capsule/bin")
    parser.add_argument("--runtimes", default="capsule", help="one after the other in one boot: capsule, crun, runc")
    parser.add_argument("--command", help="instead of tests")
    parser.add_argument("-k", dest="expression", default="", help="pytest's -k")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--megabytes", type=int, default=2048)
    parser.add_argument("--deadline", type=int, default=3600, help="seconds for everything")
    parser.add_argument("--output", default=REPOSITORY / "build/vm", type=pathlib.Path)
    parser.add_argument("tests", nargs="*", default=["integration"])
    return parser.parse_args()


def command(options):
    """The guest's script: pytest for one runtime after the other; the first failure is its status."""
    if options.command:
        return options.command + "\n"
    lines = ["cd /capsule/checkout", "export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1", "status=0"]
    lines += [f"export {name}={shlex.quote(os.environ[name])}" for name in PASSED_ON if name in os.environ]
    for name in options.runtimes.split(","):
        lines.append(f"echo; echo '== {name}, {options.mode}'")
        lines.append(f"RUNTIME={path_in_guest(name, options.binary)} {pytest(options, name)} || status=${{status#0}}$?")
    return "\n".join([*lines, 'exit "$(echo "$status" | cut -c 1)"', ""])


def path_in_guest(name, binary):
    return shlex.quote(PEERS.get(name, f"/capsule/bin/{binary.name}"))


def pytest(options, name):
    words = ["/usr/bin/python3", "-m", "pytest", "-q", "-rs", "-c", "integration/pytest.ini", *options.tests]
    words += [f"--junit-xml=/output/{name}.xml"]
    words += ["-k", options.expression] if options.expression else []
    return shlex.join(words)


def refuse_without_what_it_needs():
    if os.geteuid() != 0:
        sys.exit("vm: root is needed: the image holds files of several owners")
    for program, package in NEEDED.items():
        if not shutil.which(program):
            sys.exit(f"vm: {program} is missing: packaging/install-dependencies.sh vm (Debian: {package})")


def refuse_without_a_binary(options):
    if not options.command and not options.binary.exists():
        sys.exit(f"vm: no binary at {options.binary}: make release")
    for program in options.programs:
        if not program.exists():
            sys.exit(f"vm: --with {program}: there is no such file")


def boot(options, where, chosen, built):
    programs = [*([options.binary] if options.binary.exists() else []), *options.programs]
    given = disks.make(where / "disks", programs, command(options))
    started = time.monotonic()

    def write(text):
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()

    size = {"cpus": options.cpus, "megabytes": options.megabytes}
    with Machine(built, where, chosen, given, mode=options.mode, **size) as machine:
        outcome = machine.follow(write, to_end=options.deadline)
    say(f"the guest ({options.mode}, {chosen}) ran for {time.monotonic() - started:.1f} s")
    disks.unpack_output(given, where / "output")
    shutil.rmtree(where / "disks")
    return outcome


def tell_why(outcome, where):
    say(f"{outcome.why}; its console ({where / 'console.log'}):")
    lines = (where / "console.log").read_text(errors="replace").splitlines()
    print("\n".join(lines[-80:]), file=sys.stderr, flush=True)


def main():
    options = arguments()
    refuse_without_what_it_needs()
    refuse_without_a_binary(options)
    end_orderly_when_told()
    built = IMAGES[options.image](say)
    chosen = accelerator.choose(built, say)
    where = options.output / options.mode
    outcome = boot(options, where, chosen, built)
    if outcome.panicked:
        tell_why(outcome, where)
        say("once more")  # a rare panic of an emulated processor says nothing about the program under test
        outcome = boot(options, where, chosen, built)
    if outcome.status is None:
        tell_why(outcome, where)
        return NO_ANSWER
    return outcome.status


if __name__ == "__main__":
    sys.exit(main())
