#!/usr/bin/python3
"""Writes docs/performance.md from results of `make perf` and the output of `make syscalls`.

    page.py --syscalls FILE --latency FILE.json RESULTS.json...     one results.json of each run, in their order
"""

import argparse
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/performance.md"
TARGETS = json.loads((pathlib.Path(__file__).resolve().parent / "targets.json").read_text())

# Why `run` of capsule makes each call.
REASONS = {
    "close": "each descriptor ends where its use does; a child must not inherit one",
    "rt_sigaction": "64 signals to their defaults: what the caller ignored, its container must not",
    "prctl": "38 capabilities leave the bounding set, one by one: there is no call for all",
    "openat2": "every path inside the rootfs and the cgroup tree, so that no symlink leads out",
    "fsconfig": "the parameters of eight file systems",
    "openat": "config.json, state directory, record, cgroup mount, /dev/null",
    "fstat": "sizes of what is read; that /dev/null is /dev/null; that standard streams need no new owner",
    "move_mount": "each mount to its place, by descriptor",
    "read": "config.json, cgroup facts, the record",
    "fsmount": "/proc, /dev, /dev/pts, /dev/shm, /dev/mqueue, /sys, /sys/fs/cgroup, an empty directory to mask with",
    "fsopen": "the same",
    "fstatfs": "what a mount point lies on, asked by descriptor; whether the record lies in memory, and pidfds have inodes",
    "open_tree": "the rootfs, four read-only paths, three masks",
    "mount_setattr": "read-only, propagation",
    "fcntl": "descriptors 0 to 2 are open; seals; what init inherits",
    "mkdirat": "state directory, cgroup, /dev/pts, /dev/shm, /dev/mqueue",
    "mknodat": "six devices",
    "symlinkat": "six links in /dev",
    "write": "record, copy of config.json, init and its plan into their memfds, a controller",
    "bpf": "are we in a user namespace; device program: who is attached, load, attach",
    "memfd_create": "capsule-init and its plan, sealed: the container never sees the host's binary (CVE-2019-5736)",
    "execveat": "capsule-init",
    "signalfd4": "signals to forward; interruptions while the container is made",
    "poll": "ready, program executed, ended; whether init still lives",
    "sched_setaffinity": "we stay on our processor; the thread gets another, and ours once its own is init's; init all of them, whatever the caller is bound to",
    "keyctl": "a session keyring of its own",
    "flock": "one command at a time on a container: at its making and at its removal",
    "renameat": "the record is replaced, never half written",
    "newfstatat": "that the program is there and a file, before `start` could succeed",
    "faccessat2": "that it may be executed",
    "umount2": "the host's mounts, out of sight",
    "unshare": "the thread: network, mount, IPC, UTS; init: the cgroup namespace, once inside its cgroup",
    "close_range": "nothing of the caller's is inherited",
    "lstat": "that rootfs is a directory; that the state directory is still the one that was locked",
    "rt_sigprocmask": "signals are read from a descriptor; the program starts with none blocked",
    "unlinkat": "cgroup, record, config.json, state directory",
    "chdir": "into the new root, and to process.cwd, before and after the change of user",
    "geteuid": "who calls: what it may, where its state lies",
    "getegid": "the same",
    "capget": "may we administer; what init may",
    "dup3": "standard input that is /dev/null becomes the container's own",
    "execve": "capsule, the program",
    "fchmod": "the state directory's mode whatever the umask; init is for executing only",
    "getcwd": "that process.cwd lies inside (CVE-2024-21626)",
    "getdents64": "what is in the state directory, to remove it",
    "pidfd_open": "is init gone, at the end",
    "recvfrom": "go on",
    "recvmsg": "ready; executed",
    "umask": "devices with the modes they were asked for, then process.user.umask",
    "waitid": "its exit status",
    "arch_prctl": "musl: thread-local storage",
    "set_tid_address": "musl",
    "capset": "the capabilities of the program",
    "clone3": "a thread that makes namespaces meanwhile; init, out of them, into the cgroup, with a pidfd",
    "futex": "the thread and the launcher wait for each other; the child lets the launcher go on",
    "getcpu": "which processor is ours",
    "sched_getaffinity": "which there are",
    "fchdir": "pivot_root by descriptor",
    "ioctl": "the loopback device goes up: by the thread, and by init, which finds it so",
    "socket": "the same",
    "mmap": "init reads its plan",
    "pivot_root": "the root",
    "prlimit64": "RLIMIT_NOFILE of the default bundle",
    "sendmsg": "go on",
    "sendto": "ready",
    "setgroups": "no group of the caller's",
    "sethostname": "the hostname",
    "setresgid": "the user",
    "setresuid": "the user",
    "setsid": "a session of its own",
    "socketpair": "the conversation with init",
}

HEAD = """\
# Performance

What a container costs to start, beside crun and runc as Debian sid ships them and beside the *floor*: a program of some 900 lines that makes the system calls a configuration
needs and nothing else. `make perf` measures it (`integration/perf/README.md` tells how it is made fair) and first compares what the containers see. Ratios belong to one
run; microseconds belong to a machine.

![time of each operation, crun = 1](performance.svg)
"""

WHERE = """\
## Where the time of `run` goes

`capsule --log-level debug run` tells it; the medians of {count} runs of the default bundle, one after the other, in µs:

{parts}

"Namespaces, capsule-init executed" is what the launcher has to wait for: a thread begins with the network namespace, some 400 µs, as soon as config.json is known to be JSON, on another processor.

Above the floor is the price of three decisions:

- **A host program that is C++ with a C library** (musl): {start} µs from posix_spawn to the end of `--version`, beside {nop} µs of a program that ends at once; then JSON,
  validation and a plan that can be printed and tested before anything is done.
- **capsule-init is another program**, sealed in a memfd and executed inside, instead of a thread of the caller's memory. It keeps a hostile image away from the host's binary and memory.
- **A conversation**: init says that all is ready, the host completes the record, init goes on, so that `create` and `run` fail with a sentence and not with a dead container, and no
  container is heard of before its record. `exec` has none unless it needs one: init sets its limits itself and finds `start` in its socket.

The rest is the kernel's: the network namespace alone is the difference between `run` and `run_netns`, for the floor too.
"""

LIMITS = """\
## What was not reached, and why

Two things cost what they cost whatever the launcher does: capsule-init, executed from its sealed memfd and talked to, and a program that is there at all. The *sealed floor*
is the floor with capsule-init and a plan of capsule's in place of its own container process; a start is what `capsule --version` takes beyond a program that ends at once (with
several at once: of the processors' time). Their sum is the time of a launcher that reads no config.json, decides nothing, writes no record that could be found after its death
and keeps no hook, name or error. Where that is above the target the target cannot be met with these two decisions, and they are kept: the one protects the host's binary
and memory, the other is the product.

{limits}

- `run_mounts_1000`: the kernel copies the mounts of the host into the new namespace and takes them down again. The floor does only that and takes more than the target already
  (divide the columns); `OPEN_TREE_NAMESPACE`, which would not copy them, is refused by this kernel (6.18).
- `list_500`: the floor reads a record, asks a pidfd, looks for the gate and at `cgroup.freeze`, without which a paused container is called running, and takes more than the target.
- Missed, or met in some runs only, and not explained by the limit: `run` by a hundredth, `exec` of static crun, parallel runs of the floor.
- Where the network is given, nothing long is left to be done beside the rest; with as many starts at once as processors, nothing can be done beside anything.
- `run_seccomp`: crun reads a compiled filter from a cache; capsule compiles, in about 300 µs beside init's work, and needs no cache (cold it is the faster by far). `exec` finds the
  filter beside the record.
- The smallest `memory.max` in which a static program starts (`make -C integration/perf smallest-memory`, Debian 13 in the test machine): capsule 152 KiB, crun 140, runc 13,520; the
  target is half of crun's. The floor needs 104: who does nothing but enter a limited cgroup and execute the program, 48. Init is born in the container's cgroup, so its own memory
  and the kernel's for its mounts are the container's.
- Tried, and left: mount(2) on the descriptor's "." for five of the mounts makes 31 calls less and takes 1 to 2 % less, at the price of a second way to mount.
- Tried, and of no use: one `madvise` for the data, heap and stack pages of a start (13 faults instead of 26 for `state`, 0.998 of the time); inlining until a `run` executes 417,000 instructions
  instead of 569,000 (0.99-1.00); the launcher calling init over to its processor before `start`, or going over to init's before `ready` (1.02-1.06).

crun-static is crun 1.21 (Debian 13's source) linked statically with glibc, without systemd.

## Growth

10,000 runs, one after the other (`RUNS=10000`, `integration/test_growth.py`), in 27 s with the looks before and after: no cgroup more, none dying; the kernel's unreclaimable memory +84 KiB, per-processor memory 0,
stacks +64 KiB, page tables +16 KiB. 1 to 1,000 containers alive at once: [scale.md](scale.md).
"""


def cell(results, operation, reference):
    if operation == "peak_rss":
        kib = results["peak_rss_kib"]
        return kib["capsule"] / kib[reference]
    entry = results["operations"].get(operation, {}).get("capsule", {})
    return entry.get("ratio", {}).get(reference)


def ratios(runs, operation, reference):
    return " · ".join(f"{cell(run, operation, reference):.2f}" for run in runs)


def least_time(run, operation):
    """Of a launcher that costs nothing: the sealed floor, and the start of a program."""
    sealed = run["operations"][operation]["floor-sealed"]["median_us"]
    start, nothing = (run["operations"]["version"][name] for name in ("capsule", "floor"))
    if operation.startswith("parallel"):
        return sealed + (start["cpu_us"] - nothing["cpu_us"]) / run["machine"]["cores"]
    return sealed + start["median_us"] - nothing["median_us"]


def limit_row(runs, operation, reference, limit):
    def ratios_of(time):
        return " · ".join(f"{time(run) / run['operations'][operation][reference]['median_us']:.2f}" for run in runs)

    columns = [ratios_of(lambda run, name=name: run["operations"][operation][name]["median_us"]) for name in ("floor", "floor-sealed")]
    columns += [ratios_of(lambda run: least_time(run, operation)), ratios(runs, operation, reference)]
    return f"| {operation} of {reference} | {limit:g} | {' | '.join(columns)} |"


def limits_table(runs):
    rows = [limit_row(runs, operation, reference, limit)
            for operation, entries in runs[0]["operations"].items() if entries.get("floor-sealed", {}).get("samples")
            for reference, limit in TARGETS["max_ratio"].get(operation, {}).items() if reference in entries]
    return "\n".join(["| | target | floor | sealed floor | and a start | capsule |", "|---|---|---|---|---|---|", *rows])


def verdict(runs, operation, reference):
    limit = TARGETS["max_ratio"].get(operation, {}).get(reference)
    if limit is None:
        return "", ""
    met = sum(cell(run, operation, reference) <= limit for run in runs)
    return f"{limit:g}", "met" if met == len(runs) else f"met in {met} of {len(runs)}" if met else "missed"


def table(runs):
    references = [name for name in ("crun", "crun-static", "floor") if name in runs[0]["runtimes"]]
    lines = ["| operation |" + "".join(f" of {name} | target | |" for name in references), "|---|" + "---|---|---|" * len(references)]
    for operation in [name for name in runs[0]["operations"] if name != "version"] + ["peak_rss"]:
        cells = (f" {ratios(runs, operation, name)} | {' | '.join(verdict(runs, operation, name))} |" for name in references)
        lines.append(f"| {operation} |" + "".join(cells))
    anonymous = [run["created_anonymous_kib"] for run in runs]
    lines.append("")
    lines.append("Anonymous memory of a created, waiting container, KiB: "
                 + ", ".join(f"{name} {' · '.join(str(each[name]) for each in anonymous)}" for name in anonymous[0]) + " (target: 64).")
    return "\n".join(lines)


def with_reasons(text):
    rows = [line for line in text.splitlines() if line.startswith("|")]
    lines = [rows[0] + " why ours |", rows[1] + "---|"]
    for row in rows[2:]:
        name = row.split("|")[1].strip(" *")
        lines.append(f"{row} {REASONS.get(name, '')} |")
    return "\n".join(lines)


def describe_parts(latency):
    """Of `{"parts": [[what, us]...], "count": n, "start": us, "nop": us}`."""
    rows = [f"| {what} | {time} |" for what, time in latency["parts"]]
    return "\n".join(["| part | µs |", "|---|---:|", *rows])


def page(runs, syscalls, latency):
    first = runs[0]
    versions = ", ".join(each["version"] for name, each in first["runtimes"].items() if name not in ("floor", "capsule"))
    machine = first["machine"]
    setting = (f"{len(runs)} runs of {first['settings']['rounds']} rounds each, one after the other: {versions}; Linux {machine['kernel'].split('-')[0]}, {machine['cores']} "
               f"processors of a shared machine; a system call {machine['syscall_ns']} ns, a page fault {machine['page_fault_ns']} ns, CPUID {machine['cpuid_ns']} ns.")
    return "\n".join([HEAD, "## Ratios of capsule", "", setting, "", table(runs), "",
                      WHERE.format(parts=describe_parts(latency), **{key: latency[key] for key in ("count", "start", "nop")}),
                      LIMITS.format(limits=limits_table(runs)), "## System calls of `run`", "",
                      "`make -C integration/perf syscalls`, the default bundle, all processes together.", "", with_reasons(syscalls), ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--syscalls", type=pathlib.Path, required=True)
    parser.add_argument("--latency", type=pathlib.Path, required=True)
    parser.add_argument("results", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    PAGE.write_text(page([json.loads(path.read_text()) for path in options.results], options.syscalls.read_text(),
                         json.loads(options.latency.read_text())))


if __name__ == "__main__":
    main()
