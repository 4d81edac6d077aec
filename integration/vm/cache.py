"""Where what is expensive to make is kept: one directory for each content key, outside the checkout.

An entry counts only with its marker, which is written last and tells what the files were like. A directory without one, or with
files that are no longer what the marker says, is made again.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import tempfile
import time

MARKER = "complete.json"
SECONDS_TO_KEEP = 30 * 24 * 3600
ENTRIES_TO_KEEP = 2  # of a kind: today's, and that of the branch one comes from


def directory():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = pathlib.Path(os.environ.get("CAPSULE_VM_CACHE") or os.path.join(base, "capsule", "vm"))
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def locked():
    """One at a time: two checkouts may want the same entry at once."""
    with open(directory() / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def key_of(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def entry(name, make):
    """The directory `name`; `make(directory)` fills it when it is missing or broken."""
    with locked():
        path = directory() / name
        if not is_whole(path):
            remove_leftovers(path.parent)
            renew(path, make)
            remove_older_ones(path)
        (path / MARKER).touch()
        return path


def remove_leftovers(parent):
    """What an interrupted build left, and what nobody used for weeks. The lock is held: no build is under way."""
    for path in parent.iterdir():
        marker = path / MARKER
        if path.name.startswith("making-") or (marker.exists() and time.time() - marker.stat().st_mtime > SECONDS_TO_KEEP):
            shutil.rmtree(path)


def remove_older_ones(made):
    """Entries of other keys, but for those used last. A guest that still runs on one keeps the file it has open."""
    kind = made.name.rpartition("-")[0]
    others = [path for path in made.parent.glob(f"{kind}-*") if path != made and (path / MARKER).exists()]
    others.sort(key=lambda path: (path / MARKER).stat().st_mtime, reverse=True)
    for path in others[ENTRIES_TO_KEEP - 1 :]:
        shutil.rmtree(path)


def renew(path, make):
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="making-", dir=path.parent))
    try:
        make(scratch)
        seal(scratch)
        shutil.rmtree(path, ignore_errors=True)
        scratch.rename(path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def seal(path):
    found = {file.name: fingerprint(file) for file in path.iterdir()}
    (path / MARKER).write_text(json.dumps(found, indent=1))


def is_whole(path):
    try:
        marker = json.loads((path / MARKER).read_text())
    except (OSError, ValueError):
        return False
    return bool(marker) and all(is_as_sealed(path / name, told) for name, told in marker.items())


def is_as_sealed(file, told):
    """Content is read again only when the file was touched: a gigabyte takes seconds."""
    try:
        status = file.stat()
    except OSError:
        return False
    if status.st_size != told["size"]:
        return False
    return status.st_mtime_ns == told["mtime_ns"] or digest(file) == told["sha256"]


def fingerprint(file):
    status = file.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": digest(file)}


def digest(file):
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
