#!/usr/bin/env python3
"""Checks who includes whom: folders use what lies below them, and nothing else;
and that tables are read-only.

    layers.py [ROOT]       prints one line for each finding, like
                           spec/read.cc:7: spec may not use cgroups
                           and exits with 1 if there is any
    layers.py --self-test  plants each kind of finding in a tree of its own and expects to be told
"""
import pathlib
import re
import sys
import tempfile

# folder: what it may use besides itself. A new folder needs a line here.
MAY_USE = {
    "runtime/base": set(),
    "spec": {"runtime/base"},
    "runtime/plan": {"runtime/base"},
    "cgroups": {"runtime/base", "spec"},
    "namespaces": {"runtime/base", "spec", "runtime/plan"},
    "runtime/process": {"runtime/base", "spec", "runtime/plan"},
    "runtime/container": {"runtime/base", "spec", "runtime/plan", "cgroups"},
    "runtime/init": set(),
    "runtime/startup": set(),  # linked into the program, included by nobody
}
MAY_USE["runtime/launch"] = set(MAY_USE) - {"runtime/init", "runtime/startup"}
MAY_USE["runtime/checkpoint"] = MAY_USE["runtime/launch"] | {"runtime/launch"}
MAY_USE["runtime/cli"] = MAY_USE["runtime/checkpoint"] | {"runtime/checkpoint"}

# Single headers that a folder may use although it may not use theirs.
SINGLE_HEADERS = {
    "runtime/init": {
        "runtime/plan/plan.h", "runtime/plan/view.h", "runtime/plan/fields.h", "runtime/plan/protocol.h",
        "runtime/base/kernel_abi.h",
    },
    # Between clone and exec a child shares our memory, and a thread has no storage of its own: they make init's raw calls,
    # not the C library's.
    "runtime/launch": {"runtime/init/raw.h", "runtime/init/loopback.h"},
}

# Compiled into capsule-init as well, so: types and numbers only, no C library and no C++ library.
FREESTANDING = {
    "runtime/plan/plan.h", "runtime/plan/view.h", "runtime/plan/view.cc", "runtime/plan/fields.h",
    "runtime/plan/protocol.h", "runtime/base/kernel_abi.h",
}
FREESTANDING_INCLUDE = re.compile(r"<(stddef\.h|stdint\.h|linux/.*|asm/.*)>$")

# header (as a pattern): where it may be included
OUTSIDE_HEADERS = [
    (re.compile(r"<nlohmann/"), {"spec", "tests/fuzz/fuzz_json.cc"}, "the JSON library belongs to spec"),
    (re.compile(r"<seccomp\.h>"), {"runtime/process", "tests/process"}, "libseccomp belongs to runtime/process"),
    (re.compile(r"<dbus/"), {"cgroups/systemd_bus.cc"}, "libdbus belongs to cgroups/systemd_bus.cc"),
    (re.compile(r"<(iostream|filesystem|regex)>"), {"tests"}, "too heavy for product code"),
]

RAW_CALL = re.compile(r"(?<![\w:>])::(mount|umount2?|syscall|clone3?|unshare|setns|pivot_root|chroot)\(")
RAW_CALLS_ALLOWED = ("runtime/base/sys.cc", "runtime/init/", "tests/")
# (file, call): why it is not a wrapper in runtime/base/sys.h. An entry that nothing needs any more is a finding.
RAW_CALL_EXCEPTIONS = {
    ("runtime/launch/spawn.cc", "syscall"):
        "glibc's sched_setaffinity has no room for masks of any size, and only the clone needs it",
    ("runtime/launch/plan_create.cc", "syscall"): "capget has no wrapper in glibc, and is asked once",
}

# A table whose element type and size are deduced: g++ 12 forgets that it is constant, and puts it where it can be written.
DEDUCED_TABLE = re.compile(r"constexpr (const )?std::array \w+\s*[={]")

INCLUDE = re.compile(r'\s*#\s*include\s+(".*?"|<.*?>)')
PRODUCT = ("cgroups", "namespaces", "runtime", "spec")


def folder_of(path):
    """'runtime/plan' for runtime/plan/view.cc, 'spec' for spec/read.cc, 'tests/process' for a test of it."""
    parts = path.split("/")
    depth = 2 if parts[0] in ("runtime", "tests") and len(parts) > 2 else 1
    return "/".join(parts[:depth])


def is_below(path, places):
    return any(path == place or path.startswith(place.rstrip("/") + "/") for place in places)


def check_own_include(path, name):
    folder = folder_of(path)
    if path.startswith("tests/"):
        return None
    if folder not in MAY_USE:
        return f"{folder} is not in the layer table"
    if "/" not in name:
        return f'"{name}" must be a path from the top of the repository'
    if name.startswith("tests/"):
        return f"{folder} may not use tests"
    target = folder_of(name)
    if target == folder or target in MAY_USE[folder]:
        return None
    single = SINGLE_HEADERS.get(folder, set())
    if name in single:
        return None
    in_part = target in {folder_of(header) for header in single}
    return f"{folder} may not use {name if in_part else target}"


def check_outside_include(path, name):
    if (path in FREESTANDING or path.startswith("runtime/init/")) and not FREESTANDING_INCLUDE.match(name):
        return f"{name} is not freestanding"
    for pattern, places, why in OUTSIDE_HEADERS:
        if pattern.match(name) and not is_below(path, places):
            return f"{folder_of(path)} may not include {name}: {why}"
    return None


def check_line(path, line, used):
    include = INCLUDE.match(line)
    if include:
        name = include.group(1)
        return check_own_include(path, name[1:-1]) if name[0] == '"' else check_outside_include(path, name)
    if path.startswith(PRODUCT) and DEDUCED_TABLE.search(line):
        return "a deduced std::array is not read-only with g++ 12: std::to_array"
    call = RAW_CALL.search(line.split("//")[0])
    if not call or path.startswith(RAW_CALLS_ALLOWED):
        return None
    if (path, call.group(1)) in RAW_CALL_EXCEPTIONS:
        used.add((path, call.group(1)))
        return None
    return f"::{call.group(1)}() belongs to runtime/base/sys.cc or runtime/init"


def sources(root):
    for top in PRODUCT + ("tests",):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".h", ".cc", ".S"):
                yield path.relative_to(root).as_posix(), path


def findings(root):
    used = set()
    for path, file in sources(root):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            finding = check_line(path, line, used)
            if finding:
                yield f"{path}:{number}: {finding}"
    for path, call in sorted(RAW_CALL_EXCEPTIONS.keys() - used):
        if (root / path).exists():
            yield f"{path}:1: makes no ::{call}() any more; take it off the list of exceptions"


# What is planted where, and what must be said of it; None: nothing.
PLANTED = [
    ("spec/a.cc", '#include "cgroups/plan.h"', "spec/a.cc:1: spec may not use cgroups"),
    ("spec/b.cc", '#include "runtime/base/fd.h"\n#include <nlohmann/json.hpp>\n#include "spec/spec.h"', None),
    ("cgroups/a.cc", '\n#include "namespaces/plan.h"', "cgroups/a.cc:2: cgroups may not use namespaces"),
    ("cgroups/b.h", "#include <nlohmann/json.hpp>",
     "cgroups/b.h:1: cgroups may not include <nlohmann/json.hpp>: the JSON library belongs to spec"),
    ("runtime/base/a.cc", '#include "spec/spec.h"', "runtime/base/a.cc:1: runtime/base may not use spec"),
    ("runtime/plan/view.h", "#include <string>", "runtime/plan/view.h:1: <string> is not freestanding"),
    ("runtime/plan/builder.h", "#include <string>", None),
    ("runtime/container/a.cc", '#include "cgroups/cgroup.h"', None),
    ("runtime/container/b.cc", '#include "runtime/launch/launch.h"',
     "runtime/container/b.cc:1: runtime/container may not use runtime/launch"),
    ("runtime/init/a.cc", '#include "runtime/plan/view.h"\n#include "runtime/plan/builder.h"',
     "runtime/init/a.cc:2: runtime/init may not use runtime/plan/builder.h"),
    ("runtime/init/b.cc", "#include <unistd.h>", "runtime/init/b.cc:1: <unistd.h> is not freestanding"),
    ("runtime/init/c.cc", "  ::mount(a, b);", None),
    ("runtime/launch/a.cc", '#include "runtime/init/raw.h"', None),
    ("runtime/launch/b.cc", '#include "runtime/init/context.h"',
     "runtime/launch/b.cc:1: runtime/launch may not use runtime/init/context.h"),
    ("runtime/launch/c.cc", "  if (::clone(f) < 0) {}",
     "runtime/launch/c.cc:1: ::clone() belongs to runtime/base/sys.cc or runtime/init"),
    ("runtime/launch/d.cc", "  sys::mount(a);  // not ::mount(a)", None),
    ("runtime/launch/spawn.cc", "int x;",
     "runtime/launch/spawn.cc:1: makes no ::syscall() any more; take it off the list of exceptions"),
    ("runtime/cli/a.cc", "#include <CLI/CLI.hpp>\n#include <iostream>",
     "runtime/cli/a.cc:2: runtime/cli may not include <iostream>: too heavy for product code"),
    ("runtime/process/a.cc", "#include <seccomp.h>", None),
    ("runtime/novel/a.cc", '#include "runtime/base/fd.h"', "runtime/novel/a.cc:1: runtime/novel is not in the layer table"),
    ("namespaces/a.cc", '#include "plan.h"', 'namespaces/a.cc:1: "plan.h" must be a path from the top of the repository'),
    ("namespaces/b.cc", '#include "tests/support/catch.h"', "namespaces/b.cc:1: namespaces may not use tests"),
    ("tests/spec/a.cc", '#include <filesystem>\n#include "cgroups/plan.h"', None),
    ("cgroups/c.cc", "constexpr std::array kA = {1};",
     "cgroups/c.cc:1: a deduced std::array is not read-only with g++ 12: std::to_array"),
    ("cgroups/d.cc", "constexpr auto kA = std::to_array({1});\nconstexpr std::array<int, 1> kB = {1};", None),
    ("tests/spec/c.cc", "constexpr std::array kA = {1};", None),
    ("tests/spec/b.cc", "#include <seccomp.h>",
     "tests/spec/b.cc:1: tests/spec may not include <seccomp.h>: libseccomp belongs to runtime/process"),
]


def self_test():
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, text, _ in PLANTED:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text + "\n", encoding="utf-8")
        said = set(findings(root))
    expected = {finding for _, _, finding in PLANTED if finding}
    for finding in sorted(expected - said):
        print(f"not noticed: {finding}")
    for finding in sorted(said - expected):
        print(f"said without reason: {finding}")
    return 0 if said == expected else 1


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parents[2]
    if not any(True for _ in sources(root)):
        print(f"{root} holds no sources")
        return 1
    found = list(findings(root))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
