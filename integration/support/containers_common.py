"""The seccomp profile that Podman ships, in the form runtimes read.

Engines resolve it for a machine and a set of capabilities; here is what they do, for tests.
"""

import json
import pathlib
import platform

PROFILE = pathlib.Path("/usr/share/containers/seccomp.json")  # Debian: golang-github-containers-common
GO_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
NATIVE_ARCHITECTURES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}

# What a container has unless it asks for more.
DEFAULT_CAPABILITIES = [
    f"CAP_{name}"
    for name in "CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split()
]


def profile_for(capabilities, machine=platform.machine()):
    """linux.seccomp for a container with these capabilities."""
    with open(PROFILE) as file:
        document = json.load(file)
    return {
        "defaultAction": document["defaultAction"],
        **({"defaultErrnoRet": document["defaultErrnoRet"]} if "defaultErrnoRet" in document else {}),
        "architectures": architectures(document, machine),
        "syscalls": [
            resolved(rule) for rule in document["syscalls"] if applies(rule, capabilities, GO_ARCHITECTURES[machine])
        ],
    }


def architectures(document, machine):
    native = NATIVE_ARCHITECTURES[machine]
    for entry in document["archMap"]:
        if entry["architecture"] == native:
            return [native, *entry["subArchitectures"]]
    return [native]


def applies(rule, capabilities, architecture):
    includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
    if "arches" in includes and architecture not in includes["arches"]:
        return False
    if architecture in excludes.get("arches", ()):
        return False
    if not set(includes.get("caps", ())) <= set(capabilities):
        return False
    return not set(excludes.get("caps", ())) & set(capabilities)


def resolved(rule):
    known = ("names", "action", "errnoRet", "args")
    return {key: rule[key] for key in known if rule.get(key) not in (None, [])}


def first_unnamed(calls):
    """The number of the first of `calls` (name → number) in no rule of the profile; profiles of later years name more of them."""
    if not PROFILE.exists():
        return None
    named = {name for rule in json.loads(PROFILE.read_text())["syscalls"] for name in rule["names"]}
    return next(number for name, number in calls.items() if name not in named)
