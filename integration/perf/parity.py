"""Do the runtimes do the same work? A number from one that skips some is void.

Runs containers of the benchmark's configuration under every runtime, with `probe` as their payload, and
compares what the probe saw. Two runtimes may differ in details that cost nothing (which of two equal nodes a
masked file is hidden by); what counts as such is for the reader to judge, so every difference is printed.
"""

import os
import re
import subprocess

STATUS_KEYS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
               "Uid", "Gid", "Groups", "Umask", "SigBlk", "SigIgn")


def normalise_mount(line: str, identifier: str) -> str:
    """mountinfo without what cannot be equal: mount ids, device numbers, the place of the bundle."""
    before, after = line.split(" - ", 1)
    _, _, _, root, target, options, *propagation = before.split()
    kind, source, super_options = after.split()
    root = re.sub(r"^/.*" + re.escape(identifier), "BUNDLE", root)
    options = ",".join(sorted(options.split(",")))
    super_options = ",".join(sorted(super_options.split(",")))
    return " ".join([target, kind, f"root={root}", f"source={source}", options, super_options, *propagation])


def normalise_status(line: str) -> str | None:
    key, _, value = line.partition(":")
    if key not in STATUS_KEYS:
        return None
    if key in ("SigBlk", "SigIgn"):
        # Signals 32 and 33 belong to the C library, which lets nobody change what was inherited.
        value = f"{int(value, 16) & ~0x180000000:016x}"
    return f"{key} {' '.join(value.split())}"


def normalise_namespace(fact: str) -> str:
    kind = fact.split(":", 1)[0]
    return f"{kind} {'of the host' if os.readlink(f'/proc/self/ns/{kind}') == fact else 'of its own'}"


def normalise(topic: str, fact: str, identifier: str) -> str | None:
    if topic == "mount":
        return normalise_mount(fact, identifier)
    if topic == "namespace":
        # The two links *_for_children show the type of the namespace, which is printed already.
        return normalise_namespace(fact)
    if topic == "status":
        return normalise_status(fact)
    if topic == "cgroup":
        return fact.replace(identifier, "ID") if fact.startswith("0::") else None
    if topic == "descriptor":
        return re.sub(r"\d+", "N", fact)
    return fact


def observe(command: list[str], identifier: str) -> set[str]:
    """The facts a container printed. The write side of its output is a pipe, its input /dev/null."""
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip() or result.returncode}")
    facts = set()
    for line in result.stdout.splitlines():
        topic, _, fact = line.partition("\t")
        normalised = normalise(topic, fact, identifier)
        if normalised is not None:
            facts.add(f"{topic:<11} {normalised}")
    return facts


def compare(facts: dict[str, set[str]], reference: str) -> dict[str, list[str]]:
    """For each other runtime: lines only the reference printed with '-', lines only it printed with '+'."""
    differences = {}
    for runtime, own in facts.items():
        if runtime != reference:
            missing = [(line, "-") for line in facts[reference] - own]
            added = [(line, "+") for line in own - facts[reference]]
            differences[runtime] = [f"{sign} {line}" for line, sign in sorted(missing + added)]
    return differences


def describe(differences: dict[str, list[str]], reference: str) -> str:
    lines = [f"Parity with {reference} (- only {reference}, + only the other):"]
    for runtime, changed in differences.items():
        lines.append(f"  {runtime}: {'equal' if not changed else f'{len(changed)} differing lines'}")
        lines += [f"    {line}" for line in changed]
    return "\n".join(lines)
