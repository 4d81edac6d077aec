"""The guest's disk: Debian packages in a file system, and a kernel beside it. Made by Debian's own tools."""

import os
import pathlib
import re
import subprocess
import sys

import cache

HERE = pathlib.Path(__file__).resolve().parent
SUITE = "trixie"
FREE_BYTES = 1 << 30
SECONDS = 900  # for one command of those that make it; a mirror that does not answer is not waited for any longer
# What decides how the packages arrive on this machine also decides it for the guest's.
APT_SETTINGS = re.compile(r"^Acquire::(https?::|[\w:]*Proxy|Check-Valid-Until|Retries)")


class CannotBeMade(Exception):
    """Says which command, why, and from where its packages were to come."""


class Image:
    def __init__(self, directory):
        self.disk = directory / "root.img"
        self.kernel = directory / "vmlinuz"
        self.name = directory.name


def ensure(say):
    """The image of today's package list, from the cache or made now."""
    key = cache.key_of(SUITE, *(path.read_text() for path in inputs()))

    def make(directory):
        say(f"making the guest's image ({len(packages())} packages and what they need) …")
        make_tree(directory)
        make_disk(directory)

    try:
        return Image(cache.entry(f"{SUITE}-{key}", make))
    except CannotBeMade as error:
        sys.exit(f"vm: the test machine's image cannot be made: {error}")


def inputs():
    """The files that an image is made of."""
    return [HERE / "packages.txt", HERE / "customize.sh", HERE / "guest/stub.sh", HERE / "image.py"]


def packages():
    lines = (line.strip() for line in (HERE / "packages.txt").read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def mirror():
    return os.environ.get("CAPSULE_VM_MIRROR") or mirror_of_this_machine() or "http://deb.debian.org/debian"


def mirror_of_this_machine():
    """The first archive in apt's sources here."""
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], capture_output=True, text=True)
    archives = [line.rstrip("/") for line in listed.stdout.split() if line.rstrip("/").endswith("/debian")]
    return archives[0] if archives else None


def apt_settings():
    dumped = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return [line for line in dumped.splitlines() if APT_SETTINGS.match(line)]


def make_tree(directory):
    """In a mount and a pid namespace of its own, so that an interrupted build leaves neither mounts nor processes."""
    settings = directory / "apt.conf"
    settings.write_text("\n".join(['APT::Install-Recommends "false";', *apt_settings()]) + "\n")
    own_namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=apt", "--format=directory", f"--aptopt={settings}"]
    command += [f"--include={','.join(packages())}", f"--customize-hook=sh {HERE}/customize.sh \"$1\" {directory}"]
    run([*own_namespaces, *command, SUITE, directory / "tree", mirror()])
    settings.unlink()


def make_disk(directory):
    tree, disk = directory / "tree", directory / "root.img"
    used = int(subprocess.run(["du", "-s", "-B1", tree], capture_output=True, text=True, check=True).stdout.split()[0])
    make_file_system(disk, used + used // 8 + FREE_BYTES, tree)
    run(["rm", "-rf", "--one-file-system", tree])


def make_file_system(disk, size, content=None):
    """ext4 without what costs time on a disk that nobody keeps."""
    with open(disk, "wb") as file:
        file.truncate(size - size % 4096)
    features = "^metadata_csum,^has_journal"
    filling = ["-d", content] if content else []
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", features, "-E", "lazy_itable_init=0,nodiscard", "-m", "0", *filling, disk])


def run(command):
    words = [str(word) for word in command]
    try:
        finished = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as late:
        raise CannotBeMade(f"{words[0]} did not end within {SECONDS} s (packages come from {mirror()})") from late
    if finished.returncode != 0:
        said = finished.stderr.strip()[-2000:]
        raise CannotBeMade(f"{words[0]} ended with {finished.returncode} (packages come from {mirror()}):\n{said}")
