"""Configs that must be refused: the error names what is wrong, and nothing is left."""

import dataclasses
import json
import os
import pathlib
import socket
import typing

import pytest

from support.marks import covers, engine_rule, extension, normative


@dataclasses.dataclass
class Bad:
    name: str
    because: str
    names: tuple  # what capsule's message contains, one of them
    spoil: typing.Callable  # changes the bundle


def bad(name, because, names, spoil):
    names = (names,) if isinstance(names, str) else names
    return pytest.param(Bad(name, because, names, spoil), id=name)


def put(*path_and_value):
    """A function that sets bundle.config[a][b]… to a value."""
    *path, last, value = path_and_value

    def spoil(bundle):
        place = bundle.config
        for key in path:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
        place[last] = value

    return spoil


def drop(*path):
    def spoil(bundle):
        place = bundle.config
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]

    return spoil


def mounting(**mount):
    return lambda bundle: bundle.mounts.append(mount)


def hook(kind, **fields):
    return lambda bundle: bundle.config.setdefault("hooks", {}).setdefault(kind, []).append(fields)


def seccomp(**fields):
    return put("linux", "seccomp", {"defaultAction": "SCMP_ACT_ALLOW", **fields})


def all_of(*spoilers):
    return lambda bundle: [spoil(bundle) for spoil in spoilers]


def without_namespace(kind):
    return lambda bundle: bundle.without_namespace(kind)


NEW_MOUNT = "/mounts/4"
A_RULE = {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}

WRONG_TYPES = [
    bad("root-path-is-a-number", "a path is a string", "/root/path", put("root", "path", 7)),
    bad("root-readonly-is-a-string", "readonly is a boolean", "/root/readonly", put("root", "readonly", "yes")),
    bad("root-is-a-string", "root is an object", "/root", put("root", "rootfs")),
    bad("process-is-an-array", "process is an object", "/process", put("process", [])),
    bad("args-is-a-string", "args is an array", "/process/args", put("process", "args", "true")),
    bad("args-holds-a-number", "arguments are strings", "/process/args/1", put("process", "args", ["echo", 1])),
    bad("env-is-an-object", "env is an array", "/process/env", put("process", "env", {"PATH": "/bin"})),
    bad("env-holds-a-number", "variables are strings", "/process/env/0", put("process", "env", [1])),
    bad("terminal-is-a-string", "terminal is a boolean", "/process/terminal", put("process", "terminal", "no")),
    bad("uid-is-a-string", "ids are numbers", "/process/user/uid", put("process", "user", "uid", "root")),
    bad("uid-is-negative", "ids are unsigned", "/process/user/uid", put("process", "user", "uid", -1)),
    bad("uid-has-33-bits", "ids have 32 bits", "/process/user/uid", put("process", "user", "uid", 1 << 32)),
    bad("gid-is-a-fraction", "ids are whole numbers", "/process/user/gid", put("process", "user", "gid", 0.5)),
    bad("umask-is-a-string", "a umask is a number", "/process/user/umask", put("process", "user", "umask", "022")),
    bad("rlimits-is-an-object", "rlimits is an array", "/process/rlimits", put("process", "rlimits", {"soft": 1})),
    bad(
        "capabilities-is-an-array",
        "capabilities is an object of five lists",
        "/process/capabilities",
        put("process", "capabilities", ["CAP_KILL"]),
    ),
    bad("hostname-is-a-number", "a name is a string", "/hostname", put("hostname", 1)),
    bad("annotation-is-a-number", "values are strings", "/annotations/a", put("annotations", {"a": 1})),
    bad("mounts-is-an-object", "mounts is an array", "/mounts", put("mounts", {})),
    bad(
        "mount-options-is-a-string",
        "options is an array",
        NEW_MOUNT + "/options",
        mounting(destination="/mnt", type="tmpfs", source="tmpfs", options="ro"),
    ),
    bad("linux-is-a-string", "linux is an object", "/linux", put("linux", "yes")),
    bad("namespaces-is-an-object", "namespaces is an array", "/linux/namespaces", put("linux", "namespaces", {})),
    bad("cgroups-path-is-a-number", "a path is a string", "/linux/cgroupsPath", put("linux", "cgroupsPath", 7)),
    bad(
        "memory-limit-is-a-string",
        "limits are numbers",
        "/linux/resources/memory/limit",
        put("linux", "resources", {"memory": {"limit": "512m"}}),
    ),
    bad(
        "pids-limit-is-a-string",
        "limits are numbers",
        "/linux/resources/pids/limit",
        put("linux", "resources", {"pids": {"limit": "10"}}),
    ),
    bad(
        "device-major-is-a-string",
        "device numbers are numbers",
        "/linux/devices/0/major",
        put("linux", "devices", [{"path": "/dev/x", "type": "c", "major": "1", "minor": 3}]),
    ),
    bad("hooks-is-an-array", "hooks is an object of lists", "/hooks", put("hooks", [])),
    bad("sysctl-is-a-number", "values are strings", "/linux/sysctl", put("linux", "sysctl", {"net.core.somaxconn": 1})),
]

PROCESS = [
    bad("args-missing", "there is nothing to run", "/process/args", drop("process", "args")),
    bad("args-empty", "there is nothing to run", "/process/args", put("process", "args", [])),
    bad("argument-with-nul", "no program could receive it", "/process/args/1",
        put("process", "args", ["echo", "a\0b"])),
    bad("variable-with-nul", "no program could receive it", "/process/env/1",
        put("process", "env", ["PATH=/bin", "A=a\0b"])),
    bad("variable-without-equals", "a variable has a value", "/process/env/1",
        put("process", "env", ["PATH=/bin", "A"])),
    bad("hostname-too-long", "the kernel takes 64 bytes", "hostname", put("hostname", "x" * 65)),
    bad("cwd-missing", "the working directory is required", "/process/cwd", drop("process", "cwd")),
    bad("cwd-relative", "the working directory is absolute", "/process/cwd", put("process", "cwd", "tmp")),
    bad("cwd-is-a-file", "a file is no directory", ("/process/cwd", "/etc/passwd"), put("process", "cwd", "/etc/passwd")),
    bad("command-not-found", "no such program in PATH", '"nonsense"', put("process", "args", ["nonsense"])),
    bad("absolute-command-not-found", "no such file", "/bin/nonsense", put("process", "args", ["/bin/nonsense"])),
    bad("command-not-executable", "no x bit", "/etc/passwd", put("process", "args", ["/etc/passwd"])),
    bad("command-is-a-directory", "nobody can run a directory", "/etc", put("process", "args", ["/etc"])),
    bad("rlimit-unknown", "no such limit", ("/process/rlimits/0", "RLIMIT_NONSENSE"),
        put("process", "rlimits", [{"type": "RLIMIT_NONSENSE", "soft": 1, "hard": 1}])),
    bad("rlimit-twice", "which one is meant?", ("/process/rlimits/1", "RLIMIT_NOFILE"),
        put("process", "rlimits", [{"type": "RLIMIT_NOFILE", "soft": n, "hard": n} for n in (64, 128)])),
    bad("rlimit-soft-above-hard", "the kernel refuses it", ("/process/rlimits/0", "RLIMIT_NOFILE"),
        put("process", "rlimits", [{"type": "RLIMIT_NOFILE", "soft": 99, "hard": 9}])),
    bad("oom-score-out-of-range", "-1000 to 1000", ("/process/oomScoreAdj", "oom_score_adj"),
        put("process", "oomScoreAdj", 5000)),
    bad("apparmor-is-absent", "a profile needs AppArmor", ("/process/apparmorProfile", "apparmor"),
        put("process", "apparmorProfile", "nonsense")),
    bad("apparmor-is-absent-stacked", "no_new_privs changes nothing about it", ("/process/apparmorProfile", "apparmor"),
        all_of(put("process", "apparmorProfile", "nonsense"), put("process", "noNewPrivileges", True))),
    bad("selinux-is-absent", "a label needs SELinux", "/process/selinuxLabel",
        put("process", "selinuxLabel", "system_u:system_r:container_t:s0")),
    bad("selinux-is-absent-for-mounts", "a label needs SELinux", "/linux/mountLabel",
        put("linux", "mountLabel", "system_u:object_r:container_file_t:s0")),
    bad("scheduler-nice-out-of-range", "-20 to 19", "/process/scheduler/nice",
        put("process", "scheduler", {"policy": "SCHED_OTHER", "nice": 20})),
    bad("scheduler-priority-of-an-ordinary-policy", "only real-time policies have one", "/process/scheduler/priority",
        put("process", "scheduler", {"policy": "SCHED_OTHER", "priority": 1})),
    bad("scheduler-runtime-without-deadline", "only deadlines have one", "/process/scheduler",
        put("process", "scheduler", {"policy": "SCHED_BATCH", "runtime": 1})),
    bad("scheduler-flag-unknown", "no such flag", "/process/scheduler/flags/0",
        put("process", "scheduler", {"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_NONSENSE"]})),
    bad("scheduler-deadline-impossible", "the runtime is longer than its deadline", "/process/scheduler",
        put("process", "scheduler",
            {"policy": "SCHED_DEADLINE", "runtime": 30_000_000, "deadline": 10_000_000, "period": 10_000_000})),
    bad("io-priority-out-of-range", "0 to 7", "/process/ioPriority/priority",
        put("process", "ioPriority", {"class": "IOPRIO_CLASS_BE", "priority": 8})),
    bad("exec-affinity-malformed", "no list of processors", "/process/execCPUAffinity/initial",
        put("process", "execCPUAffinity", {"initial": "0-x"})),
    bad("exec-final-affinity-malformed", "no list of processors", "/process/execCPUAffinity/final",
        put("process", "execCPUAffinity", {"final": "2-1"})),
    bad("additional-gids-hold-a-string", "ids are numbers", "/process/user/additionalGids/0",
        put("process", "user", "additionalGids", ["audio"])),
    bad("no-new-privileges-is-a-number", "it is a boolean", "/process/noNewPrivileges",
        put("process", "noNewPrivileges", 1)),
    bad("console-size-is-negative", "nobody has such a terminal", "/process/consoleSize/height",
        put("process", "consoleSize", {"height": -1, "width": 80})),
    bad("capability-set-is-a-string", "a set is an array", "/process/capabilities/bounding",
        put("process", "capabilities", "bounding", "CAP_KILL")),
    bad("oom-score-is-a-string", "it is a number", "/process/oomScoreAdj", put("process", "oomScoreAdj", "0")),
    bad("scheduler-unknown", "no such policy", "/process/scheduler/policy",
        put("process", "scheduler", {"policy": "SCHED_NONSENSE"})),
    bad("io-priority-unknown", "no such class", "/process/ioPriority/class",
        put("process", "ioPriority", {"class": "IOPRIO_CLASS_NONSENSE", "priority": 1})),
]  # fmt: skip


def a_file_as_rootfs(bundle):
    (bundle.path / "file").write_text("")
    bundle.config["root"]["path"] = "file"


def a_symlink_as_rootfs(bundle):
    (bundle.path / "link").symlink_to("rootfs")
    bundle.config["root"]["path"] = "link"


def a_symlink_loop_as_target(bundle):
    (bundle.rootfs / "loop").symlink_to("loop")
    bundle.mount("/loop/x")


def a_target_below_a_file(bundle):
    bundle.mount("/etc/passwd/x")


def a_target_below_a_read_only_mount(bundle):
    (bundle.path / "source").mkdir()
    bundle.bind(bundle.path / "source", "/mnt", "bind", "ro").mount("/mnt/new")


def a_directory_over_a_file(bundle):
    (bundle.path / "source").mkdir()
    bundle.bind(bundle.path / "source", "/etc/passwd", "bind")


def proc_behind_a_symlink(bundle):
    (bundle.rootfs / "proc").rmdir()
    (bundle.rootfs / "proc").symlink_to("/tmp")


FILE_SYSTEM = [
    bad("root-missing", "a container has a root", "/root", drop("root")),
    bad("rootfs-missing", "no such directory", ("/root/path", "nowhere"), put("root", "path", "nowhere")),
    bad("rootfs-is-a-file", "a file is no directory", ("/root/path", "file"), a_file_as_rootfs),
    bad("rootfs-is-a-symlink", "it may be exchanged", ("/root/path", "link"), a_symlink_as_rootfs),
    bad("rootfs-propagation-unknown", "no such propagation", "/linux/rootfsPropagation",
        put("linux", "rootfsPropagation", "nonsense")),
    bad("mount-without-destination", "where to?", NEW_MOUNT, mounting(type="tmpfs", source="tmpfs")),
    bad("mount-source-missing", "nothing to bind", ("/nowhere", NEW_MOUNT),
        mounting(destination="/mnt", type="bind", source="/nowhere", options=["bind"])),
    bad("mount-type-unknown", "the kernel knows no such file system", ("nonsensefs", NEW_MOUNT),
        mounting(destination="/mnt", type="nonsensefs", source="none")),
    bad("mount-option-unknown", "tmpfs refuses it", ("nonsense", NEW_MOUNT),
        mounting(destination="/mnt", type="tmpfs", source="tmpfs", options=["nonsense=1"])),
    bad("bind-with-data", "a bind takes no data", ("nonsense", NEW_MOUNT),
        mounting(destination="/mnt", type="bind", source="/tmp", options=["bind", "nonsense=1"])),
    bad("mount-inside-proc", "/proc tells the truth", NEW_MOUNT,
        mounting(destination="/proc/self", type="tmpfs", source="tmpfs")),
    bad("tmpfs-on-proc", "/proc tells the truth", NEW_MOUNT,
        mounting(destination="/proc", type="tmpfs", source="tmpfs")),
    bad("proc-is-a-symlink", "/proc is a directory", ("/mounts/0", "/proc"), proc_behind_a_symlink),
    bad("mount-target-loops", "a path must end somewhere", ("loop", NEW_MOUNT), a_symlink_loop_as_target),
    bad("mount-target-below-a-file", "a file has no children", ("/etc/passwd/x", NEW_MOUNT), a_target_below_a_file),
    bad("mount-target-below-a-read-only-mount", "the target cannot be made", ("/mnt/new", "/mounts/5"),
        a_target_below_a_read_only_mount),
    bad("directory-over-a-file", "kinds must agree", ("/etc/passwd", NEW_MOUNT), a_directory_over_a_file),
    bad("masked-paths-without-mount-namespace", "it would mask the host's", "/linux/maskedPaths",
        all_of(put("linux", "maskedPaths", ["/proc/keys"]), put("mounts", []), without_namespace("mount"))),
    bad("device-type-unknown", "c, b, u or p", "/linux/devices/0",
        put("linux", "devices", [{"path": "/dev/x", "type": "x", "major": 1, "minor": 3}])),
    bad("device-without-path", "where to?", "/linux/devices/0",
        put("linux", "devices", [{"type": "c", "major": 1, "minor": 3}])),
]  # fmt: skip


def user_namespace_without_maps(bundle):
    bundle.namespace("user")


NAMESPACES = [
    bad("namespace-unknown", "the kernel has no such namespace", "/linux/namespaces/6",
        lambda bundle: bundle.namespace("nonsense")),
    bad("namespace-twice", "which one is meant?", "/linux/namespaces/6",
        lambda bundle: bundle.linux["namespaces"].append({"type": "uts"})),
    bad("namespace-path-missing", "no such file", ("/nowhere", "/linux/namespaces"),
        lambda bundle: bundle.namespace("ipc", "/nowhere")),
    bad("namespace-path-relative", "paths are absolute", ("/linux/namespaces", "proc/self/ns/ipc"),
        lambda bundle: bundle.namespace("ipc", "proc/self/ns/ipc")),
    bad("namespace-path-of-another-type", "a uts namespace is no ipc namespace", ("/proc/1/ns/uts", "/linux/namespaces"),
        lambda bundle: bundle.namespace("ipc", "/proc/1/ns/uts")),
    bad("namespace-path-is-a-plain-file", "a file is no namespace", ("/etc/hostname", "/linux/namespaces"),
        lambda bundle: bundle.namespace("ipc", "/etc/hostname")),
    bad("user-namespace-without-maps", "nobody would be mapped", ("/linux/uidMappings", "/linux/namespaces"),
        user_namespace_without_maps),
    bad("maps-without-user-namespace", "there is nothing to map", "/linux/uidMappings",
        put("linux", "uidMappings", [{"containerID": 0, "hostID": 0, "size": 1}])),
    bad("maps-overlap", "one id, two meanings", ("/linux/uidMappings", "uid_map"),
        lambda bundle: bundle.map_ids((0, 100000, 10), (5, 200000, 10))),
    bad("user-not-mapped", "the id does not exist inside", ("/process/user/uid", "unmapped"),
        lambda bundle: (bundle.map_ids((0, 100000, 10)), put("process", "user", "uid", 50)(bundle))),
    bad("hostname-without-uts-namespace", "it would rename the host", "/hostname", without_namespace("uts")),
    bad("domainname-without-uts-namespace", "it would rename the host", "/domainname",
        all_of(drop("hostname"), put("domainname", "x"), without_namespace("uts"))),
    bad("time-offsets-without-time-namespace", "there is no clock to move", "/linux/timeOffsets",
        put("linux", "timeOffsets", {"boottime": {"secs": 7}})),
    bad("sysctl-not-namespaced", "it would change the host", ("vm.swappiness", "/linux/sysctl"),
        put("linux", "sysctl", {"vm.swappiness": "1"})),
    bad("sysctl-net-of-the-host", "it would change the host", ("net.ipv4.ip_forward", "/linux/sysctl"),
        all_of(put("linux", "sysctl", {"net.ipv4.ip_forward": "0"}), without_namespace("network"))),
    bad("sysctl-ipc-of-the-host", "it would change the host", ("kernel.msgmax", "/linux/sysctl"),
        all_of(put("linux", "sysctl", {"kernel.msgmax": "8192"}), without_namespace("ipc"))),
    bad("sysctl-hostname", "hostname has a field of its own", ("kernel.hostname", "/linux/sysctl"),
        put("linux", "sysctl", {"kernel.hostname": "x"})),
    bad("sysctl-missing", "no such file in /proc/sys", ("net.nonsense", "/linux/sysctl"),
        put("linux", "sysctl", {"net.nonsense": "1"})),
]  # fmt: skip

SECCOMP_AND_MORE = [
    bad("seccomp-action-unknown", "no such action", "/linux/seccomp/syscalls/0",
        seccomp(syscalls=[{**A_RULE, "action": "SCMP_ACT_NONSENSE"}])),
    bad("seccomp-default-action-unknown", "no such action", "/linux/seccomp/defaultAction",
        seccomp(defaultAction="SCMP_ACT_NONSENSE")),
    bad("seccomp-architecture-unknown", "no such machine", "/linux/seccomp/architectures/0",
        seccomp(architectures=["SCMP_ARCH_NONSENSE"], syscalls=[A_RULE])),
    bad("seccomp-operator-unknown", "no such comparison", "/linux/seccomp/syscalls/0/args/0",
        seccomp(syscalls=[{**A_RULE, "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_NONSENSE"}]}])),
    bad("seccomp-flag-unknown", "no such flag", "/linux/seccomp/flags/0",
        seccomp(flags=["SECCOMP_FILTER_FLAG_NONSENSE"], syscalls=[A_RULE])),
    bad("seccomp-notify-without-listener", "nobody would answer", "/linux/seccomp",
        seccomp(syscalls=[{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}])),
    bad("device-rule-type-unknown", "a, b or c", "/linux/resources/devices/0",
        put("linux", "resources", {"devices": [{"allow": True, "type": "z", "access": "rwm"}]})),
    bad("device-rule-access-unknown", "r, w or m", "/linux/resources/devices/0",
        put("linux", "resources", {"devices": [{"allow": True, "type": "c", "major": 1, "minor": 3, "access": "q"}]})),
    bad("hugepage-size-unknown", "no such page size", ("/linux/resources/hugepageLimits", "3MB"),
        put("linux", "resources", {"hugepageLimits": [{"pageSize": "3MB", "limit": 0}]})),
    bad("unified-file-missing", "the cgroup has no such file", ("nonsense.max", "/linux/resources/unified"),
        put("linux", "resources", {"unified": {"nonsense.max": "1"}})),
    bad("unified-key-is-a-path", "only files of the cgroup itself", "/linux/resources/unified",
        put("linux", "resources", {"unified": {"../cgroup.max.depth": "1"}})),
    bad("hook-path-relative", "paths are absolute", "/hooks/createRuntime/0",
        hook("createRuntime", path="bin/true")),
    bad("hook-missing", "no such program", ("/nowhere/hook", "/hooks/createRuntime/0"),
        hook("createRuntime", path="/nowhere/hook")),
    bad("hook-fails", "its failure is ours", ("createRuntime", "/hooks/createRuntime/0"),
        hook("createRuntime", path="/bin/false")),
    bad("container-hook-fails", "its failure is ours", ("createContainer", "/hooks/createContainer/0"),
        hook("createContainer", path="/bin/false")),
    bad("terminal-without-console-socket", "nobody would hold the terminal", ("terminal", "tty"),
        put("process", "terminal", True)),
    bad("rdt-is-absent", "this machine divides no cache", ("intelRdt", "rdt"),
        put("linux", "intelRdt", {"closID": "one", "l3CacheSchema": "L3:0=f"})),
    bad("net-device-missing", "there is no such device", ("nonsense0", "/linux/netDevices"),
        put("linux", "netDevices", {"nonsense0": {}})),
    bad("net-devices-without-network-namespace", "it would stay where it is", "/linux/netDevices",
        all_of(put("linux", "netDevices", {"lo": {}}), without_namespace("network"))),
    bad("memory-policy-mode-unknown", "no such mode", "/linux/memoryPolicy/mode",
        put("linux", "memoryPolicy", {"mode": "MPOL_NONSENSE", "nodes": "0"})),
    bad("memory-policy-flag-unknown", "no such flag", "/linux/memoryPolicy/flags/0",
        put("linux", "memoryPolicy", {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_NONSENSE"]})),
    bad("memory-policy-without-nodes", "bound to which?", "/linux/memoryPolicy/nodes",
        put("linux", "memoryPolicy", {"mode": "MPOL_BIND", "nodes": ""})),
    bad("memory-policy-nodes-malformed", "no list of nodes", "/linux/memoryPolicy/nodes",
        put("linux", "memoryPolicy", {"mode": "MPOL_BIND", "nodes": "0-x"})),
    bad("memory-policy-node-missing", "this machine has no such node", "/linux/memoryPolicy",
        put("linux", "memoryPolicy", {"mode": "MPOL_BIND", "nodes": "900"})),
    bad("time-offsets-of-another-clock", "only two clocks can be moved", "/linux/timeOffsets",
        all_of(put("linux", "timeOffsets", {"nonsense": {"secs": 1}}),
               lambda bundle: bundle.linux["namespaces"].append({"type": "time"}))),
    bad("sysctl-domainname-twice", "which one is meant?", ("kernel.domainname", "/linux/sysctl"),
        all_of(put("domainname", "a.example"), put("linux", "sysctl", {"kernel.domainname": "b.example"}))),
    bad("sysctl-climbs", "it would leave /proc/sys", "/linux/sysctl",
        put("linux", "sysctl", {"net/../kernel/core_pattern": "x"})),
    bad("personality-unknown", "no such personality", "/linux/personality",
        put("linux", "personality", {"domain": "NONSENSE"})),
]  # fmt: skip

ALL = WRONG_TYPES + PROCESS + FILE_SYSTEM + NAMESPACES + SECCOMP_AND_MORE


@normative("B1")
@normative("B10")
@pytest.mark.parametrize("case", ALL)
@normative("B13")
def test_a_bad_config_is_refused_and_leaves_nothing(case, container, bundle, nothing_left):
    case.spoil(bundle)
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()

    result = container.try_create("--pid-file", bundle.path / "pid")

    result.refused()
    if container.runtime.is_capsule:
        assert any(name in result.error for name in case.names), f"{result} should have named {case.names}"
    nothing_left.soon()


@pytest.mark.parametrize("case", [case for case in ALL if case.id in ("command-not-found", "mount-source-missing")])
def test_run_leaves_nothing_either(case, container, bundle, nothing_left):
    case.spoil(bundle)
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()

    container.try_run("--pid-file", bundle.path / "pid").refused()

    nothing_left.soon()


def test_a_missing_config_json_is_named(container, bundle, nothing_left):
    bundle.save()
    (bundle.path / "config.json").unlink()
    container.root.mkdir()
    nothing_left.from_now_on()

    result = container.call("create", "--bundle", bundle.path)

    result.refused("config.json", crun="config.json")
    nothing_left()


@pytest.mark.parametrize(
    "text",
    ["", "{", "no json", "[]", '"text"', '{"ociVersion": "1.0.2"} more', '{"root": {"path": "x",}}', "[" * 100000],
    ids=["empty", "open", "words", "array", "string", "trailing-words", "trailing-comma", "deep"],
)
def test_a_config_that_is_no_json_object_is_refused(container, bundle, text, nothing_left):
    (bundle.path / "config.json").write_text(text)
    container.root.mkdir()
    nothing_left.from_now_on()

    container.call("create", "--bundle", bundle.path).refused()

    nothing_left()


def test_a_missing_bundle_is_named(container, work):
    container.call("create", "--bundle", work / "nowhere").refused("nowhere", crun="nowhere")


@pytest.mark.parametrize(
    "identifier", ["a/b", "..", ".", "", "a b", "../x", "ü", "a\nb", "a" * 2000], ids=lambda text: repr(text)[:9]
)
@extension("identifiers are letters, digits and _+-. only")
def test_an_invalid_identifier_is_refused(runtime, bundle, root, identifier, nothing_left):
    bundle.save()
    root.mkdir()
    nothing_left.from_now_on()

    runtime.call("create", "--bundle", bundle.path, "--", identifier, root=root).refused()

    nothing_left()


@pytest.mark.parametrize("identifier", ["a/b", "../x", "a b"])
def test_an_identifier_that_could_leave_the_root_is_refused(make_container, bundle, identifier):
    make_container(bundle, identifier).try_create().refused("invalid container ID format")


@extension("however long the reason, the error stays readable")
def test_an_error_about_something_long_is_still_one_short_line(container, bundle):
    bundle.args("x" * 100000)

    container.try_create().refused()


# What is not an error.


@pytest.mark.parametrize("identifier", ["a", "A-z_0.9+x", "0", "x" * 100])
def test_an_identifier_of_letters_digits_and_a_few_signs_is_accepted(make_container, bundle, identifier):
    make_container(bundle, identifier).run()


def test_a_large_config_is_accepted(container, bundle):
    bundle.process["env"] += [f"VARIABLE_{number}={'x' * 100}" for number in range(1000)]
    bundle.config["annotations"] = {f"org.example.{number}": "y" * 100 for number in range(1000)}
    bundle.args("sh", "-c", 'echo $# ${#1} $VARIABLE_999 | cut -c1-14', "sh", *["z" * 1000] * 100)

    assert container.run().out == "100 1000 xxxxx\n"


@covers("/process/capabilities/bounding")
def test_an_unknown_capability_is_only_a_warning(container, bundle):
    bundle.capabilities("CAP_NONSENSE", "CAP_KILL")

    container.run()


def test_unknown_properties_are_ignored(container, bundle):
    bundle.config["nonsense"] = {"a": 1}
    bundle.process["nonsense"] = [1]
    bundle.linux["nonsense"] = "x"

    container.run().silent()


@covers("/ociVersion")
def test_a_newer_minor_version_of_the_specification_is_accepted(container, bundle):
    bundle.config["ociVersion"] = "1.99.0"

    container.run().silent()


def test_a_config_without_mounts_is_accepted(container, bundle):
    del bundle.config["mounts"]

    container.run()


# The words engines look for.


@pytest.mark.parametrize(
    "command, words",
    [
        ("nonsense", 'exec: "nonsense": executable file not found in $PATH'),
        ("/bin/nonsense", "stat /bin/nonsense: no such file or directory"),
        ("/etc/passwd", "permission denied"),
        ("/etc", "is a directory"),
    ],
)
@covers("/process/args")
@engine_rule(14)
def test_a_command_that_cannot_run_is_explained_in_the_words_engines_look_for(container, bundle, command, words):
    bundle.args(command)

    container.try_create().refused(words)


def test_a_script_whose_interpreter_is_missing_is_named_at_start(container, bundle):
    bundle.write("/run.sh", "#!/nowhere\n", 0o755)
    bundle.args("/run.sh")

    container.try_run().refused("/run.sh: no such file or directory")


@extension("errno words come lower case and with their letters")
def test_errno_appears_in_words_and_letters(container, bundle):
    bundle.bind("/nowhere", "/mnt")

    container.try_create().refused("no such file or directory (ENOENT)")


# Logs.


def test_a_failure_makes_exactly_one_json_line_in_the_log(container, bundle, work):
    bundle.args("nonsense").save()

    result = container.call_with(
        ["--log", work / "log", "--log-format", "json", "create", "--bundle", bundle.path, container.id]
    )

    result.refused('executable file not found in $PATH', crun="nonsense")
    (line,) = (work / "log").read_text().splitlines()
    entry = json.loads(line)
    assert entry["level"] == "error"
    assert "nonsense" in entry["msg"]
    assert entry["time"][:2] == "20" and "T" in entry["time"]


def test_a_text_log_tells_level_and_message(container, bundle, work):
    bundle.args("nonsense").save()

    container.call_with(["--log", work / "log", "create", "--bundle", bundle.path, container.id]).refused("nonsense")

    (line,) = (work / "log").read_text().splitlines()
    assert "level=error" in line and "msg=" in line and "nonsense" in line


def test_the_log_file_is_made_even_when_nothing_is_logged(container, bundle, work):
    bundle.save()

    container.call_with(["--log", work / "log", "--log-format=json", "run", "--bundle", bundle.path, container.id])

    assert (work / "log").read_text() == ""
    assert (work / "log").stat().st_mode & 0o777 == 0o644


def test_the_log_file_is_appended_to(container, bundle, work):
    bundle.args("nonsense").save()

    for _ in range(2):
        container.call_with(["--log", work / "log", "create", "--bundle", bundle.path, container.id]).refused()

    assert len((work / "log").read_text().splitlines()) == 2


@pytest.fixture
def journal():
    """A socket where journald has its own; /run is this suite's alone."""
    place = pathlib.Path("/run/systemd/journal/socket")
    place.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(place))
        place.chmod(0o666)  # as journald's own
        listener.settimeout(5)
        yield listener
    place.unlink()


@extension("the journal as a log, as newer crun has it")
def test_the_journal_gets_the_error_with_its_priority_and_identifier(container, bundle, journal):
    bundle.args("nonsense").save()

    container.call_with(["--log", "journald:my-id", "create", "--bundle", bundle.path, container.id]).refused()

    fields = dict(line.split("=", 1) for line in journal.recv(65536).decode().splitlines() if "=" in line)
    assert fields["PRIORITY"] == "3"
    assert fields["SYSLOG_IDENTIFIER"] == "my-id"
    assert "nonsense" in fields["MESSAGE"]


@extension("a log that cannot be written is an error")
@pytest.mark.skipif(os.path.exists("/dev/log"), reason="somebody listens")
def test_a_log_service_that_is_not_there_is_named(runtime, root):
    runtime.call("--log", "syslog:my-id", "list", root=root).refused("/dev/log")


def test_a_log_file_may_be_named_with_its_kind(container, bundle, work):
    bundle.args("nonsense").save()
    container.call_with(["--log", f"file:{work}/log", "create", "--bundle", bundle.path, container.id]).refused()

    assert "nonsense" in (work / "log").read_text()


def test_an_unknown_log_format_is_refused(runtime, root):
    runtime.call("--log-format", "nonsense", "list", root=root).refused("nonsense")


@extension("one write, so that an engine reading once has it all")
def test_an_error_is_written_to_stderr_in_one_write(container, bundle):
    import socket

    bundle.args("nonsense").save()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    container.call("create", "--bundle", bundle.path, stderr=theirs)

    theirs.close()
    packets = []
    while packet := ours.recv(65536):
        packets.append(packet)
    ours.close()
    assert len(packets) == 1
    assert packets[0].endswith(b"\n")
