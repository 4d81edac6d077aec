"""Namespaces: new, joined by path, inherited; user namespaces and their maps."""

import os
import re

import pytest

from support import kernel, mountinfo, world
from support.marks import covers, extension, normative
from support.rootfs import BUSYBOX, chown_tree
from support.waiting import eventually

LINKS = {
    "pid": "pid",
    "network": "net",
    "ipc": "ipc",
    "uts": "uts",
    "mount": "mnt",
    "cgroup": "cgroup",
    "user": "user",
    "time": "time",
}
WIDE_MAP = (0, 100000, 65536)


def own(kind):
    return os.readlink(f"/proc/self/ns/{LINKS[kind]}")


def of(container, kind):
    return os.readlink(f"/proc/{container.pid}/ns/{LINKS[kind]}")


def in_user_namespace(bundle, *ranges):
    bundle.map_ids(*(ranges or [WIDE_MAP]))
    chown_tree(bundle.rootfs, (ranges or [WIDE_MAP])[0][1])
    return bundle


# New and inherited.


@pytest.mark.parametrize("kind", ["pid", "network", "ipc", "uts", "mount", "cgroup"])
@covers("/linux/namespaces/*/type")
def test_a_listed_namespace_is_new(container, bundle, kind):
    bundle.sleeper()
    container.launch()

    assert of(container, kind) != own(kind)


def test_a_user_namespace_is_new(container, bundle):
    in_user_namespace(bundle).sleeper()
    container.launch()

    assert of(container, "user") != own("user")


def test_a_time_namespace_is_new(container, bundle):
    bundle.namespace("time").sleeper()
    container.launch()

    assert of(container, "time") != own("time")


@pytest.mark.parametrize("kind", ["pid", "network", "ipc", "uts", "cgroup", "user", "time"])
@normative("B14")
def test_an_unlisted_namespace_is_the_callers(container, bundle, kind):
    bundle.without_namespace(kind).sleeper()
    if kind == "uts":
        del bundle.config["hostname"]
    container.launch()

    assert of(container, kind) == own(kind)


def test_an_empty_path_means_a_new_namespace(container, bundle):
    bundle.without_namespace("ipc").linux["namespaces"].append({"type": "ipc", "path": ""})
    bundle.sleeper()
    container.launch()

    assert of(container, "ipc") != own("ipc")


def test_a_container_without_a_mount_namespace_runs_in_its_root(container, bundle):
    bundle.without_namespace("mount")
    bundle.config["mounts"] = []

    assert container.output("ls -d /bin/busybox /etc/passwd") == "/bin/busybox\n/etc/passwd\n"


# What the namespaces are for.


def test_the_first_process_has_pid_1(container):
    assert container.output("echo $$") == "1\n"


def test_a_new_network_namespace_has_the_loopback_up(container):
    output = container.output("ip -o addr show")

    assert re.search(r"lo +inet 127\.0\.0\.1/8", output)
    assert len({line.split()[1] for line in output.splitlines()}) == 1


def test_the_loopback_carries_traffic(container):
    # Again until it arrives: on a busy machine busybox's nc may leave before it has sent what it read.
    exchange = "nc -l -p 9999 >/out & until echo hi | nc -w 10 127.0.0.1 9999 2>/dev/null; do sleep 0.01; done; wait"
    script = f"until [ -s /out ]; do {exchange}; done; cat /out"

    assert container.output(script) == "hi\n"


def test_a_new_cgroup_namespace_hides_where_the_container_is(container):
    lines = container.output("cat /proc/self/cgroup").splitlines()

    assert "0::/" in lines


def test_without_a_cgroup_namespace_the_path_is_the_configured_one(container, bundle):
    bundle.without_namespace("cgroup")

    assert f"0::/{container.id}" in container.output("cat /proc/self/cgroup").splitlines()


@covers("/linux/timeOffsets/*/secs", "/linux/timeOffsets/*/nanosecs")
def test_time_offsets_move_the_clocks(container, bundle):
    bundle.namespace("time")
    bundle.linux["timeOffsets"] = {
        "boottime": {"secs": 1000000, "nanosecs": 5},
        "monotonic": {"secs": 2000, "nanosecs": 7},
    }

    output = container.output("cat /proc/self/timens_offsets; cut -d. -f1 /proc/uptime")

    assert re.search(r"monotonic +2000 +7", output)
    assert re.search(r"boottime +1000000 +5", output)
    assert int(output.splitlines()[-1]) >= 1000000


# Joined by path.


@pytest.mark.parametrize("kind", ["network", "ipc", "uts", "pid", "cgroup"])
def test_a_namespace_is_joined_by_path(make_container, make_bundle, kind):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    first.bundle.sleeper()
    first.launch()
    second.bundle.namespace(kind, f"/proc/{first.pid}/ns/{LINKS[kind]}").sleeper()
    if kind == "uts":
        del second.bundle.config["hostname"]

    second.launch()

    assert of(second, kind) == of(first, kind)
    others = {"network", "ipc", "uts", "pid", "mount", "cgroup"} - {kind}
    assert all(of(second, other) != of(first, other) for other in others)


def test_a_joined_pid_namespace_shows_the_other_container(make_container, make_bundle):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    first.bundle.sleeper()
    first.launch()
    second.bundle.namespace("pid", f"/proc/{first.pid}/ns/pid")

    assert "while :" in second.output("cat /proc/1/cmdline | tr '\\0' ' '; test $$ -gt 1")


def test_a_joined_uts_namespace_has_the_others_name(make_container, make_bundle):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    first.bundle.config["hostname"] = "shared-name"
    first.bundle.sleeper()
    first.launch()
    second.bundle.namespace("uts", f"/proc/{first.pid}/ns/uts")
    del second.bundle.config["hostname"]

    assert second.output("hostname") == "shared-name\n"


def test_a_joined_time_namespace_has_the_others_clock(make_container, make_bundle):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    first.bundle.namespace("time").sleeper()
    first.bundle.linux["timeOffsets"] = {"boottime": {"secs": 1000000}}
    first.launch()
    second.bundle.namespace("time", f"/proc/{first.pid}/ns/time")

    assert int(second.output("cut -d. -f1 /proc/uptime")) >= 1000000


def test_a_user_namespace_is_joined_by_path_together_with_its_others(make_container, make_bundle):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    in_user_namespace(first.bundle).sleeper()
    first.launch()
    chown_tree(second.bundle.rootfs, WIDE_MAP[1])
    for kind in ("user", "network", "ipc"):
        second.bundle.namespace(kind, f"/proc/{first.pid}/ns/{LINKS[kind]}")
    second.bundle.sleeper()

    second.launch()

    assert [of(second, kind) for kind in ("user", "network", "ipc")] == [
        of(first, kind) for kind in ("user", "network", "ipc")
    ]
    assert os.stat(f"/proc/{second.pid}").st_uid == WIDE_MAP[1]


def joins_user_namespace_of(first, second, *maps):
    """`second` joins the user namespace of the running `first`, and has `maps` beside the path."""
    chown_tree(second.bundle.rootfs, WIDE_MAP[1])
    second.bundle.map_ids(*maps)
    kept = {key: second.bundle.linux[key] for key in ("uidMappings", "gidMappings")}
    second.bundle.namespace("user", f"/proc/{first.pid}/ns/user").linux.update(kept)
    return second


@extension("the maps beside a path are compared with those behind it")
@covers("/linux/uidMappings", "/linux/gidMappings", "/linux/namespaces/*/path")
@pytest.mark.parametrize("maps", [[WIDE_MAP], [(1000, 101000, 64536), (0, 100000, 1000)]], ids=["as-written", "in-pieces"])
def test_maps_beside_the_path_of_a_user_namespace_may_be_its_own(make_container, make_bundle, maps):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    in_user_namespace(first.bundle).sleeper()
    first.launch()

    assert joins_user_namespace_of(first, second, *maps).output("id -u") == "0\n"


@extension("the maps beside a path are compared with those behind it")
@covers("/linux/uidMappings", "/linux/gidMappings")
@pytest.mark.parametrize("kind", ["uidMappings", "gidMappings"])
def test_other_maps_beside_the_path_of_a_user_namespace_are_refused(make_container, make_bundle, kind, nothing_left):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    in_user_namespace(first.bundle).sleeper()
    first.launch()
    joins_user_namespace_of(first, second, WIDE_MAP).bundle.linux[kind][0]["size"] -= 1
    second.bundle.save()
    nothing_left.from_now_on()

    second.try_create().refused(
        f"/linux/{kind}: user namespaces enabled, but both namespace path and non-matching mapping specified"
    )
    nothing_left()


def test_a_mount_namespace_is_joined_by_path(container, bundle):
    holder = os.fork()
    if holder == 0:
        kernel.unshare(kernel.CLONE_NEWNS)
        os.kill(os.getpid(), 19)  # SIGSTOP: tells the parent that the namespace is there
        os._exit(0)
    try:
        os.waitpid(holder, os.WUNTRACED)
        bundle.namespace("mount", f"/proc/{holder}/ns/mnt").sleeper()

        container.launch()

        assert of(container, "mount") == os.readlink(f"/proc/{holder}/ns/mnt")
        container.delete("--force")
    finally:
        os.kill(holder, 9)
        os.waitpid(holder, 0)


def test_a_joined_namespace_outlives_the_container(make_container, make_bundle):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    first.bundle.sleeper()
    first.launch()
    second.bundle.namespace("network", f"/proc/{first.pid}/ns/net")

    second.run()

    assert "LOOPBACK" in first.exec("ip", "link", "show", "lo").out


def test_the_loopback_of_a_joined_network_namespace_is_left_as_it_is(make_container, make_bundle):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    first.bundle.sleeper().capabilities("CAP_NET_ADMIN")
    first.launch()
    first.exec("ip", "link", "set", "lo", "down")
    second.bundle.namespace("network", f"/proc/{first.pid}/ns/net")

    assert "UP" not in second.output("ip -o link show lo").split(">")[0]


# User namespaces.


@covers("/linux/uidMappings/*", "/linux/gidMappings/*")
def test_the_maps_are_those_of_the_config(container, bundle):
    in_user_namespace(bundle, (0, 100000, 1000), (1000, 300000, 500), (5000, 400000, 1))

    lines = container.output("cat /proc/self/uid_map").splitlines()

    assert [tuple(map(int, line.split())) for line in lines] == [
        (0, 100000, 1000),
        (1000, 300000, 500),
        (5000, 400000, 1),
    ]


def test_a_user_of_the_second_range_is_mapped(container, bundle):
    in_user_namespace(bundle, (0, 100000, 1000), (1000, 300000, 500))
    bundle.process["user"] = {"uid": 1007, "gid": 1008}
    os.chmod(bundle.rootfs / "tmp", 0o1777)

    container.output("id -u >/tmp/made")

    made = (bundle.rootfs / "tmp/made").stat()
    assert (made.st_uid, made.st_gid) == (300007, 300008)


def test_root_inside_is_nobody_outside(container, bundle):
    in_user_namespace(bundle)

    assert container.output("id -u; echo x >/made") == "0\n"
    assert (bundle.rootfs / "made").stat().st_uid == 100000


def test_additional_groups_work_in_a_user_namespace(container, bundle):
    in_user_namespace(bundle)
    bundle.process["user"] = {"uid": 5, "gid": 6, "additionalGids": [7, 8]}

    assert sorted(container.output("id -G").split()) == ["6", "7", "8"]


def test_the_other_namespaces_belong_to_the_user_namespace(container, bundle):
    in_user_namespace(bundle)
    bundle.capabilities("CAP_NET_ADMIN", "CAP_SYS_ADMIN")

    assert container.output("ip link set lo mtu 1000 && hostname new-name && hostname") == "new-name\n"


def test_the_standard_mounts_work_in_a_user_namespace(container, bundle):
    in_user_namespace(bundle)

    mounts = mountinfo.inside(container)

    assert {mounts[target].kind for target in ("/proc", "/dev", "/dev/pts", "/sys")} == {
        "proc", "tmpfs", "devpts", "sysfs"
    }  # fmt: skip


def test_exec_into_a_user_namespace_is_root_inside(container, bundle):
    in_user_namespace(bundle).sleeper()
    container.launch()

    assert container.exec("id", "-u").out == "0\n"
    assert container.exec("cat", "/proc/self/uid_map").out.split() == ["0", "100000", "65536"]


@covers("/linux/sysctl/*")
def test_sysctls_of_the_user_namespace_are_set(container, bundle):
    in_user_namespace(bundle)
    bundle.linux["sysctl"] = {"user.max_mnt_namespaces": "77"}

    assert container.output("cat /proc/sys/user/max_mnt_namespaces").strip() == "77"


def test_a_killed_user_namespace_container_leaves_nothing(container, bundle):
    in_user_namespace(bundle).sleeper()
    container.launch()
    init = container.pid

    container.delete("--force")

    eventually(lambda: not world.alive(init), "init is gone")
