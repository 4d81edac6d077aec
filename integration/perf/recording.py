"""What capsule gives its init, recorded for the sealed floor (floor_sealed.cc): init's program, and the plan.

The plan's table of descriptors is written anew, with the numbers under which the sealed floor donates them.
"""

import pathlib
import re
import struct
import subprocess

from bundles import Runtime

# As in floor_sealed.cc.
SYNC, ROOT, JOINED = 40, 41, 42
# runtime/plan/plan.h: PlanHeader ends where the table begins, whose length it tells; the first slots are known.
TABLE, COUNT_AT = 40, 12
SYNC_SLOT, GATE_SLOT = 0, 1
LONGEST_WRITE = 1 << 20
SUBJECT = "capsule"


def trace(command: list[str], output: pathlib.Path) -> str:
    words = ["strace", "-f", "-xx", "-s", str(LONGEST_WRITE), "-e", "trace=memfd_create,write,open_tree", "-o", str(output)]
    subprocess.run([*words, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return output.read_text()


def bytes_of(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def written(calls: str, name: str) -> bytes:
    """What was written into the memfd of that name."""
    hexadecimal = "".join(f"\\x{byte:02x}" for byte in name.encode())
    made = re.search(rf'memfd_create\("{re.escape(hexadecimal)}".* = (\d+)', calls)
    return bytes_of(re.search(rf'write\({made[1]}, "([^"]*)"', calls[made.end():])[1])


def with_our_numbers(plan: bytes, rootfs: int) -> bytes:
    """`rootfs`: the number it had when this was recorded. What is neither it nor known by its slot is what is joined."""
    count = struct.unpack_from("<I", plan, COUNT_AT)[0]
    table = list(struct.unpack_from(f"<{count}i", plan, TABLE))
    for slot, number in enumerate(table):
        if slot == SYNC_SLOT:
            table[slot] = SYNC
        elif slot != GATE_SLOT:
            table[slot] = ROOT if number == rootfs else JOINED
    changed = bytearray(plan)
    struct.pack_into(f"<{count}i", changed, TABLE, *table)
    return bytes(changed)


def record(capsule: Runtime, operation: str, container: str, sealed: list[pathlib.Path]) -> None:
    """What init is given for that operation on that container, into the sealed floor's bundles of that kind."""
    take = record_exec if operation.startswith("exec") else record_run
    calls = take(capsule, container, sealed[0] / "calls")
    rootfs = re.search(r"open_tree\(AT_FDCWD, .* = (\d+)", calls)
    plan = with_our_numbers(written(calls, "capsule-plan"), int(rootfs[1]) if rootfs else -1)
    for bundle in sealed:
        (bundle / "init").write_bytes(written(calls, "capsule-init"))
        (bundle / "plan").write_bytes(plan)


def record_run(capsule: Runtime, container: str, calls: pathlib.Path) -> str:
    return trace(capsule.command("run", container), calls)


def record_exec(capsule: Runtime, container: str, calls: pathlib.Path) -> str:
    """Of a container that lives meanwhile."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
    subprocess.run(capsule.command("create", container), **quiet)
    subprocess.run(capsule.command("start", container), **quiet)
    try:
        return trace(capsule.command("exec", container, "/executed"), calls)
    finally:
        subprocess.run(capsule.command("delete_force", container), **quiet)
