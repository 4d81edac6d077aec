"""Whether guests run on the processor itself (KVM) or on an emulated one (TCG).

/dev/kvm can be there and useless, where this machine is a guest itself: so a guest is booted once to find out, and
the answer is remembered for this kernel.
"""

import json
import os
import pathlib
import tempfile

import cache
import disks
from machine import Machine

SECONDS_TO_BOOT = 10


def choose(image, say):
    wanted = os.environ.get("CAPSULE_VM_ACCEL")
    if wanted:
        return wanted
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    with cache.locked():
        remembered = recall()
        question = os.uname().release
        if question not in remembered:
            say("finding out whether guests run with KVM …")
            remembered[question] = "kvm" if boots_with_kvm(image) else "tcg"
            notes().write_text(json.dumps(remembered, indent=1))
    return remembered[question]


def notes():
    return cache.directory() / "accelerator.json"


def recall():
    try:
        return json.loads(notes().read_text())
    except (OSError, ValueError):
        return {}


def boots_with_kvm(image):
    with tempfile.TemporaryDirectory(prefix="capsule-vm-") as directory:
        given = disks.make(pathlib.Path(directory) / "disks", [], "true\n")
        with Machine(image, directory, "kvm", given) as machine:
            outcome = machine.follow(lambda _: None, to_begin=SECONDS_TO_BOOT, to_end=2 * SECONDS_TO_BOOT)
    return outcome.status == 0
