#!/usr/bin/env python3
"""Starts with an engine, its monitor or the runtime killed (SIGKILL) at a random moment; then the engine's own clean-up (and its
restart, if that was not enough), and nothing may be left. Runs in the guest, in place of main.py.

What an engine forgot, having died before it wrote down what it had asked for, no restart finds; `delete --force` of the
runtime then has to remove all of it. Both are told apart: FORGOT is the engine's, LEFT the runtime's.

    killed.py [--starts 200] [--runtime capsule] [--seed N]
"""

import argparse
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import engines
import main
import pages

PAYLOAD = "86399"  # the seconds that containers sleep: no other process has this word
GROUPS = pathlib.Path("/sys/fs/cgroup")
STATES = {"podman": "/run/{}", "ctr": "/run/containerd/runc/default"}
# What is killed, by the name its process has; a client is the process that was started.
VICTIMS = {
    "podman": ["client", "conmon", "runtime", "runtime"],
    "ctr": ["client", "containerd-shim", "runtime", "runtime", "containerd"],
}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--starts", type=int, default=200)
    parser.add_argument("--runtime", default="capsule")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 16))
    return parser.parse_args()


def start(kind, name, runtime):
    if kind == "podman":
        words = ["podman", "--runtime", runtime, "run", "-d", "--network", "none", "--memory", "64m", "--name", name]
    else:
        words = ["ctr", "run", "-d", "--runc-binary", engines.PATHS[runtime]]
    words += [engines.IMAGE, *([name] if kind == "ctr" else []), "sleep", PAYLOAD]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def pids():
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def appear(wanted, before, client):
    """The first new process of that name, while the client lives."""
    known = set(before)
    while client.poll() is None:
        new = pids() - known
        for pid in new:
            if name_of(pid).startswith(wanted):
                return pid
        known |= {pid for pid in new if name_of(pid) not in ("podman", "ctr", "sh", "conmon", "containerd-shim", "runc:[2:INIT]")}
    return None


def kill_one(kind, victim, runtime, client, before, chance):
    """Whether somebody was killed."""
    if victim == "client":
        time.sleep(chance.uniform(0, 2.5))
        found = client.pid if client.poll() is None else None
    elif victim == "containerd":
        time.sleep(chance.uniform(0, 2))
        found = int(engines.sh("systemctl show -p MainPID --value engine-containerd")) or None
    else:
        found = appear(runtime if victim == "runtime" else victim, before, client)
        time.sleep(chance.uniform(0, 0.4))
    return found is not None and kill(found)


def kill(pid):
    """Whether it was still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def finish(client):
    try:
        client.wait(30)
    except subprocess.TimeoutExpired:
        client.kill()
        client.wait()


def clean_up(kind):
    """What a user does; twice, as an engine may need one look to notice what happened."""
    for _ in range(2):
        if kind == "podman":
            engines.sh("podman rm -fa -t 0", check=False)
        else:
            wait_for_containerd()
            engines.sh("for i in $(ctr task ls -q); do ctr task kill -a -s 9 $i; ctr task rm -f $i; done;"
                       "for i in $(ctr c ls -q); do ctr c rm $i; done", check=False)


def wait_for_containerd():
    for _ in range(120):
        if subprocess.run(["ctr", "version"], capture_output=True).returncode == 0:
            return
        time.sleep(0.5)
    raise RuntimeError("containerd does not come again")


def left(runtime):
    """What is there of any start: processes, states, groups, mounts."""
    found = [describe(pid) for pid in pids() if is_ours(pid, runtime)]
    for kind, pattern in STATES.items():
        state = pathlib.Path(pattern.format(runtime))
        listed = state.iterdir() if state.exists() else ()
        found += [f"state of {kind}: {path}" for path in listed if not path.name.startswith(".")]
    found += [f"group {path}" for path in GROUPS.rglob("libpod-*") if path.is_dir() and "conmon" not in path.name]
    found += [f"group {path}" for path in (GROUPS / "default").glob("*") if path.is_dir()]
    mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return found + [f"mount {line.split()[4]}" for line in mounts if "/merged " in line or "io.containerd.runtime.v2.task" in line]


def words_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return []


def is_ours(pid, runtime):
    return PAYLOAD in words_of(pid) or name_of(pid) in (runtime, "conmon", "containerd-shim", "capsule-init")


def describe(pid):
    """What it is, whose child, and what it waits for."""
    try:
        fields = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
        place = pathlib.Path(f"/proc/{pid}/wchan").read_text()
    except OSError:
        return f"process {pid}, gone while it was looked at"
    parent = fields["PPid"]
    return f"process {pid} of {parent} ({name_of(parent)}), {fields['State']} in {place}: {' '.join(words_of(pid)).strip() or name_of(pid)}"


def until_nothing_is_left(runtime):
    for _ in range(120):  # an engine's own clean-up in the background may take its time in an emulated machine
        if not (found := left(runtime)):
            return []
        time.sleep(0.25)
    return found


def restart(kind):
    """Podman has nothing that runs."""
    if kind == "ctr":
        engines.sh("systemctl restart engine-containerd", check=False)
        wait_for_containerd()


def delete_by_hand(runtime):
    """What an administrator does about a container that no engine knows any more."""
    for kind, pattern in STATES.items():
        root = pathlib.Path(pattern.format(runtime))
        for state in root.iterdir() if root.exists() else ():
            if not state.name.startswith("."):
                engines.sh(f"{engines.PATHS[runtime]} --root {root} delete --force {state.name}", check=False)


def end_processes(is_wanted):
    for pid in [pid for pid in pids() if is_wanted(pid)]:
        kill(pid)


def is_monitor(pid):
    """It may wait for a container that is not there any more, or never was."""
    return name_of(pid) in ("conmon", "containerd-shim")


def judge(kind, runtime):
    """What the engine's clean-up left, and of that what the runtime's own leaves too. Nothing is there afterwards."""
    if not until_nothing_is_left(runtime):
        return [], []
    restart(kind)
    clean_up(kind)
    if not (forgotten := until_nothing_is_left(runtime)):
        return [], []
    delete_by_hand(runtime)
    end_processes(is_monitor)
    remains = until_nothing_is_left(runtime)
    sweep(runtime)
    return forgotten, remains


def sweep(runtime):
    """What one start left is not to be found again after the next."""
    end_processes(lambda pid: is_ours(pid, runtime))
    clean_up("podman")
    clean_up("ctr")


def go(options):
    chance = random.Random(options.seed)
    counts, failures, forgotten = {}, set(), set()
    for number in range(options.starts):
        kind = ("podman", "ctr")[number % 2]
        victim = VICTIMS[kind][number // 2 % len(VICTIMS[kind])]
        before = pids()
        client = start(kind, f"k{number}", options.runtime)
        hit = kill_one(kind, victim, options.runtime, client, before, chance)
        finish(client)
        counts.setdefault(f"{kind}: {victim}", [0, 0])[0 if hit else 1] += 1
        clean_up(kind)
        for word, starts, things in zip(("FORGOT", "LEFT"), (forgotten, failures), judge(kind, options.runtime)):
            for thing in things:
                starts.add(number)
                print(f"{word:<6} start {number}, {kind}, {victim} killed: {thing}", flush=True)
        if number % 20 == 19:
            print(f"       {number + 1} starts; engines forgot {len(forgotten)}, {len(failures)} left something", flush=True)
    return counts, failures, forgotten


def run():
    options = arguments()
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    shutil.copy(main.BINARY, engines.PATHS["capsule"])
    engines.make_image()
    for name in ("podman", "containerd"):
        pages.write_files(pages.page(name))
    engines.Containerd().prepare()
    print(f"seed {options.seed}, {options.runtime}", flush=True)
    counts, failures, forgotten = go(options)
    for what, (hit, missed) in counts.items():
        print(f"{what}: {hit} killed, {missed} had ended before")
    print(f"{len(forgotten)} containers forgotten by their engine")
    print(f"{options.starts - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(run())
