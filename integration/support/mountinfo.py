"""Reads /proc/PID/mountinfo."""

import dataclasses
import re


@dataclasses.dataclass
class Mount:
    root: str
    target: str
    options: set
    propagation: list
    kind: str
    source: str
    super_options: set


def parse(text):
    """Mounts by target; of several on one target the last, which is the visible one."""
    return {mount.target: mount for mount in map(parse_line, text.splitlines())}


def parse_line(line):
    fields = line.split()
    separator = fields.index("-")
    return Mount(
        root=fields[3],
        target=re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), fields[4]),
        options=set(fields[5].split(",")),
        propagation=fields[6:separator],
        kind=fields[separator + 1],
        source=fields[separator + 2],
        super_options=set(fields[separator + 3].split(",")),
    )


def inside(container):
    """The mounts the container's own command sees."""
    return parse(container.output("cat /proc/self/mountinfo"))
