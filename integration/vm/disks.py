"""What the guest is given beside its root: the checkout with the program under test, and empty disks."""

import os
import pathlib
import shutil
import subprocess

from image import make_file_system, run
from machine import Disks

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
MEGABYTE = 1 << 20
OUTPUT_BYTES = 256 * MEGABYTE
SCRATCH_BYTES = 512 * MEGABYTE
SLOW_BYTES = 64 * MEGABYTE
SWAP_BYTES = 256 * MEGABYTE


def make(directory, programs, command):
    """All disks of one boot. `command` is a shell script for the guest, where the checkout is /capsule/checkout
    and each of the programs /capsule/bin/NAME."""
    directory = pathlib.Path(directory)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    tree = directory / "tree"
    fill(tree, programs, command)
    disks = Disks(*(directory / name for name in ("input.img", "output.tar", "scratch.img", "slow.img", "swap.img")))
    make_file_system(disks.input, size_of(tree) * 3 // 2 + 16 * MEGABYTE, tree)
    make_file_system(disks.scratch, SCRATCH_BYTES)
    make_file_system(disks.slow, SLOW_BYTES)
    for path, size in ((disks.output, OUTPUT_BYTES), (disks.swap, SWAP_BYTES)):
        with open(path, "wb") as file:
            file.truncate(size)
    shutil.rmtree(tree)
    return disks


def fill(tree, programs, command):
    for path in checkout():
        target = tree / "checkout" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / path, target, follow_symlinks=False)
    shutil.copytree(REPOSITORY / "integration/vm", tree / "vm", ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "bin").mkdir()
    for program in programs:
        shutil.copy(program, tree / "bin" / os.path.basename(program))
    (tree / "command").write_text(command)
    run(["chmod", "-R", "a+rX,go-w", tree])
    run(["chown", "-R", "0:0", tree])


def checkout():
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={REPOSITORY}", "-C", REPOSITORY, "ls-files", "-coz", "--exclude-standard"],
        capture_output=True, text=True, check=True,
    )
    return [path for path in listed.stdout.split("\0") if path and os.path.lexists(REPOSITORY / path)]


def size_of(tree):
    return int(subprocess.run(["du", "-s", "-B1", tree], capture_output=True, text=True, check=True).stdout.split()[0])


def unpack_output(disks, target):
    """What the job left in /output. Nothing if it did not come to its end."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    if holds_an_archive(disks.output):
        run(["tar", "-C", target, "--no-same-owner", "-xf", disks.output])  # names that lead out of target are refused


def holds_an_archive(disk):
    with open(disk, "rb") as file:
        return file.read(512)[257:262] == b"ustar"
