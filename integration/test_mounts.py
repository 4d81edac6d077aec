"""Mounts, devices, masks and the root itself."""

import os

import pytest

from support import kernel, mountinfo
from support.marks import covers, extension, normative
from support.rootfs import chown_tree


@pytest.fixture
def source(work):
    """A directory of the host with a file in it."""
    directory = work / "source"
    directory.mkdir(mode=0o755)
    (directory / "file").write_text("from the host\n")
    return directory


@pytest.fixture
def nested(source):
    """`source` with a tmpfs mounted on source/sub."""
    (source / "sub").mkdir()
    kernel.mount("tmpfs", source / "sub", "tmpfs")
    (source / "sub/inner").write_text("deeper\n")
    yield source
    kernel.unmount(source / "sub", kernel.MNT_DETACH)


# File systems.


def test_proc_shows_the_containers_own_processes(container):
    assert container.output("cd /proc && ls -d [0-9]* | head -1; readlink /proc/1/exe | tail -c 8").startswith("1\n")


def test_sysfs_is_mounted_read_only_when_asked_for(container):
    mounts = mountinfo.inside(container)

    assert mounts["/sys"].kind == "sysfs"
    assert {"ro", "nosuid", "nodev", "noexec"} <= mounts["/sys"].options


@covers("/mounts/*/type", "/mounts/*/options")
@normative("B11")
def test_tmpfs_takes_its_data_options(container, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["nosuid", "mode=0750", "size=64k", "uid=7"])

    output = container.output("stat -c '%a %u' /mnt; cat /proc/self/mountinfo")

    mode, _, table = output.partition("\n")
    assert mode == "750 7"
    assert "size=64k" in mountinfo.parse(table)["/mnt"].super_options


def test_devpts_is_a_new_instance(container):
    assert container.output("ls /dev/pts") == "ptmx\n"


@covers("/mounts/*/type", "/mounts/*/destination")
def test_mqueue_is_mounted(container, bundle):
    bundle.mount("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"])

    mounts = mountinfo.inside(container)

    assert mounts["/dev/mqueue"].kind == "mqueue"
    assert {"nosuid", "nodev", "noexec"} <= mounts["/dev/mqueue"].options


def test_a_cgroup_mount_shows_the_containers_own_group(container, bundle):
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"])

    output = container.output("cat /sys/fs/cgroup/cgroup.procs; echo; cat /proc/self/mountinfo")

    processes, _, table = output.partition("\n\n")
    assert "1" in processes.split()
    mount = mountinfo.parse(table)["/sys/fs/cgroup"]
    assert (mount.kind, "ro" in mount.options) == ("cgroup2", True)


def test_a_cgroup_mount_without_a_cgroup_namespace_works_too(container, bundle):
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"])
    bundle.without_namespace("cgroup")

    assert "cgroup.controllers" in container.output("ls /sys/fs/cgroup")


# Binds.


@covers("/mounts/*/source")
def test_a_bound_directory_shows_the_hosts_files(container, bundle, source):
    bundle.bind(source, "/mnt", "bind")

    assert container.output("cat /mnt/file; echo more >/mnt/new") == "from the host\n"
    assert (source / "new").read_text() == "more\n"


def test_a_bound_file_covers_the_file_below(container, bundle, source):
    bundle.bind(source / "file", "/etc/passwd", "bind", "ro")

    assert container.output("cat /etc/passwd") == "from the host\n"


def test_a_read_only_bind_cannot_be_written(container, bundle, source):
    bundle.bind(source, "/mnt", "bind", "ro")

    assert container.output("touch /mnt/x 2>/dev/null && echo written; true") == ""
    assert sorted(os.listdir(source)) == ["file"]


@covers("/mounts/*/source")
def test_a_relative_source_is_relative_to_the_bundle(container, bundle):
    (bundle.path / "data").mkdir()
    (bundle.path / "data/here").write_text("")
    bundle.bind("data", "/mnt", "bind")

    assert container.output("ls /mnt") == "here\n"


@covers("/mounts/*/destination")
def test_a_missing_target_directory_is_created(container, bundle, source):
    bundle.bind(source, "/deep/new/place", "bind")

    assert container.output("cat /deep/new/place/file") == "from the host\n"
    assert (bundle.rootfs / "deep/new/place").is_dir()


def test_a_missing_target_file_is_created(container, bundle, source):
    bundle.bind(source / "file", "/deep/new/file", "bind")

    assert container.output("cat /deep/new/file") == "from the host\n"
    assert (bundle.rootfs / "deep/new/file").read_text() == ""


@covers("/mounts/*/options")
def test_bind_leaves_mounts_below_the_source_out(container, bundle, nested):
    bundle.bind(nested, "/mnt", "bind")

    assert container.output("ls /mnt/sub") == ""


@covers("/mounts/*/options")
def test_rbind_takes_mounts_below_the_source_along(container, bundle, nested):
    bundle.bind(nested, "/mnt", "rbind")

    assert container.output("cat /mnt/sub/inner") == "deeper\n"


@covers("/mounts/*/options")
def test_bind_is_implied_by_the_option_whatever_the_type(container, bundle, source):
    bundle.mount("/mnt", "none", source, ["rbind"])

    assert container.output("ls /mnt") == "file\n"


def test_a_unix_socket_can_be_bound(container, bundle, work):
    import socket

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(work / "socket"))
    bundle.bind(work / "socket", "/run/socket", "bind")

    assert container.output("test -S /run/socket && echo yes") == "yes\n"
    listener.close()


def test_a_device_can_be_bound(container, bundle):
    bundle.bind("/dev/null", "/dev/mine", "bind")

    assert container.output("stat -c '%F %t:%T' /dev/mine") == "character special file 1:3\n"


@normative("B11")
def test_mounts_happen_in_the_order_of_the_list(container, bundle):
    bundle.mount("/mnt", "tmpfs").mount("/mnt/inner", "tmpfs").mount("/mnt", "tmpfs")

    assert container.output("ls /mnt") == ""


# Symlinks in the image stay in the image.


@pytest.mark.parametrize("link_to", ["/etc", "../etc", "../../../../../../../../../etc", "/../../etc"])
def test_a_symlinked_target_is_resolved_inside_the_rootfs(container, bundle, link_to):
    (bundle.rootfs / "var/link").symlink_to(link_to)
    bundle.mount("/var/link/made", "tmpfs")

    assert "/etc/made" in mountinfo.inside(container)
    assert (bundle.rootfs / "etc/made").is_dir()
    assert not os.path.exists("/etc/made")


def test_a_missing_target_behind_a_symlink_is_created_inside_the_rootfs(container, bundle, source, work):
    outside = work / "outside"
    outside.mkdir()
    (bundle.rootfs / "link").symlink_to(outside)
    bundle.bind(source, "/link/new", "bind")

    container.try_run()

    assert os.listdir(outside) == []


# The root.


@covers("/root/readonly")
def test_a_read_only_root_refuses_writes_but_tmpfs_takes_them(container, bundle):
    bundle.config["root"]["readonly"] = True
    bundle.mount("/tmp", "tmpfs")

    assert container.output("touch /x 2>/dev/null || echo refused; touch /tmp/x && echo taken") == "refused\ntaken\n"
    assert "ro" in mountinfo.inside(container)["/"].options


@covers("/root/readonly")
def test_a_writable_root_takes_writes(container, bundle):
    container.output("echo hello >/x")

    assert (bundle.rootfs / "x").read_text() == "hello\n"


@covers("/root/path")
def test_an_absolute_root_path_works(container, bundle, template, work):
    elsewhere = template.clone_to(work / "elsewhere-rootfs")
    (elsewhere / "marker").write_text("")
    bundle.config["root"]["path"] = str(elsewhere)

    assert "marker" in container.output("ls /")


def test_the_root_holds_nothing_of_the_host(container):
    targets = mountinfo.inside(container)

    assert all(not target.startswith(("/oldroot", "/put_old", "/.pivot")) for target in targets)
    assert container.output("ls /").split() == sorted(
        ["bin", "dev", "etc", "home", "mnt", "proc", "root", "run", "sys", "tmp", "usr", "var"]
    )


def test_no_pivot_works(container, bundle):
    bundle.sh("ls /bin/busybox; cat /proc/self/mountinfo")

    assert container.run("--no-pivot").lines[0] == "/bin/busybox"


def test_a_source_only_root_can_reach_is_bound_into_a_user_namespace(container, bundle, work):
    closed = work / "closed"
    closed.mkdir(mode=0o700)
    (closed / "inner").mkdir()
    (closed / "inner/file").write_text("reached\n")
    (closed / "inner").chmod(0o755)
    bundle.map_ids((0, 100000, 65536))
    chown_tree(bundle.rootfs, 100000)
    bundle.bind(closed / "inner", "/mnt", "bind")

    assert container.output("cat /mnt/file") == "reached\n"


# On top of everything.


@covers("/mounts/*/destination")
def test_a_mount_on_the_root_takes_its_place(container, bundle, template, work):
    """runc refuses it."""
    other = template.clone_to(work / "other-rootfs")
    (other / "marker").write_text("")
    bundle.mounts.insert(0, {"destination": "/", "type": "bind", "source": str(other), "options": ["rbind", "nodev"]})
    bundle.mount("/mnt/below", "tmpfs")
    bundle.linux["maskedPaths"] = ["/etc/passwd"]

    output = container.output("ls /marker; cat /etc/passwd; grep -c . /etc/group; cat /proc/self/mountinfo")

    lines = output.splitlines()
    assert lines[:2] == ["/marker", "3"]
    assert [line.split()[4] for line in lines[2:]].count("/") == 1
    mounts = mountinfo.parse("\n".join(lines[2:]))
    assert "nodev" in mounts["/"].options
    assert mounts["/mnt/below"].kind == "tmpfs"
    assert (other / "mnt/below").is_dir() and not (bundle.rootfs / "mnt/below").exists()


@extension("the root is what is mounted on it, read-only included")
def test_a_tmpfs_on_the_root_may_be_filled_by_binds_and_made_read_only(container, bundle):
    bundle.config["root"]["readonly"] = True
    bundle.mounts.insert(0, {"destination": "/", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755", "nodev"]})
    bundle.mount("/bin", "bind", bundle.rootfs / "bin", ["bind", "ro"])

    output = container.output("ls /; touch /x 2>/dev/null || echo refused; ls /dev/null")

    assert output.split() == ["bin", "dev", "proc", "sys", "refused", "/dev/null"]


@extension("nothing of what was covered stays")
def test_R03_the_host_is_gone_however_often_the_root_is_covered(container, bundle):
    for _ in range(3):
        bundle.mounts.insert(0, {"destination": "/", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]})
    bundle.mount("/bin", "bind", bundle.rootfs / "bin", ["bind", "ro"])

    table = container.output("cat /proc/self/mountinfo").splitlines()

    assert [line.split()[4] for line in table].count("/") == 1


@extension("also without pivot_root")
def test_a_mount_on_the_root_is_entered_with_no_pivot(container, bundle, template, work):
    other = template.clone_to(work / "other-rootfs")
    (other / "marker").write_text("")
    bundle.mount("/", "bind", other, ["bind"])
    bundle.mounts.sort(key=lambda entry: len(entry["destination"]))
    bundle.sh("ls /marker")

    assert container.run("--no-pivot").out == "/marker\n"


@extension("the sentences")
@pytest.mark.parametrize(
    "options, why",
    [
        (["tmpcopyup"], "and is not copied"),
        (["rshared"], "whose propagation is what /linux/rootfsPropagation says"),
    ],
)
def test_what_makes_no_sense_on_the_root_is_refused(container, bundle, options, why):
    bundle.mount("/", "tmpfs", "tmpfs", options)

    container.try_run().refused(f'/mounts/4/destination: "/" is the top of the rootfs, {why}')


@extension("the host's root is not covered")
def test_R26_a_mount_on_the_root_needs_a_mount_namespace(container, bundle):
    bundle.without_namespace("mount")
    bundle.config["mounts"] = []
    bundle.mount("/", "tmpfs")

    container.try_run().refused("may be covered in a mount namespace of the container's own only")


# Destinations and sources.


@covers("/mounts/*/destination")
def test_a_relative_destination_counts_from_the_root(container, bundle):
    bundle.mount("relative//place", "tmpfs")

    assert "/relative/place" in mountinfo.inside(container)


@normative("B11")
def test_a_missing_source_fails(container, bundle, work):
    bundle.bind(work / "nowhere", "/mnt", "bind")

    container.try_run().refused("nowhere", crun="nowhere")


@normative("B12")
def test_nothing_is_mounted_that_the_config_does_not_list(container, bundle):
    bundle.config["mounts"] = [{"destination": "/proc", "type": "proc", "source": "proc"}]

    targets = set(mountinfo.inside(container))

    assert targets.isdisjoint({"/sys", "/dev/pts", "/dev/shm", "/dev/mqueue"})


# /proc and /sys (R6); more of it in test_security.py.

BELOW_PROC = "cpuinfo diskstats loadavg meminfo slabinfo stat swaps uptime sys/kernel/ns_last_pid".split()


@pytest.mark.parametrize("name", BELOW_PROC)
def test_R06_what_lxcfs_provides_may_be_bound_below_proc(container, bundle, source, name):
    bundle.bind(source / "file", f"/proc/{name}", "bind")

    assert container.output(f"cat /proc/{name}") == "from the host\n"


@extension("crun has no such rule, and runc no such test")
@pytest.mark.parametrize("name", ["kcore", "sysrq-trigger", "sys/kernel/core_pattern", "self/attr", "cpuinfo/x", "sys"])
def test_R06_nothing_else_may_be_bound_below_proc(container, bundle, source, name):
    bundle.bind(source / "file", f"/proc/{name}", "bind")

    container.try_run().refused("cannot be mounted because it is inside /proc")


# What rootfsPropagation makes of the root.


@pytest.mark.parametrize(
    "value, field",
    [
        ("shared", "shared:"),
        ("rshared", "shared:"),
        ("private", None),
        ("rprivate", None),
        ("slave", None),
        ("rslave", None),
        ("unbindable", "unbindable"),
        ("runbindable", "unbindable"),
    ],
)
@covers("/linux/rootfsPropagation")
@normative("B23")
def test_the_propagation_of_the_root_is_set(container, bundle, value, field):
    bundle.linux["rootfsPropagation"] = value

    propagation = mountinfo.inside(container)["/"].propagation

    assert any(item.startswith(field) for item in propagation) if field else propagation == []


@pytest.mark.parametrize("value, follows", [("slave", True), ("rslave", True), ("private", False), ("rprivate", False)])
@covers("/linux/rootfsPropagation")
def test_a_slave_root_follows_a_shared_one_of_the_host(container, bundle, value, follows):
    kernel.mount(bundle.rootfs, bundle.rootfs, flags=kernel.MS_BIND)
    kernel.mount("none", bundle.rootfs, flags=kernel.MS_SHARED)
    try:
        bundle.linux["rootfsPropagation"] = value

        propagation = mountinfo.inside(container)["/"].propagation
    finally:
        kernel.unmount(bundle.rootfs, kernel.MNT_DETACH)

    assert any(item.startswith("master:") for item in propagation) == follows
    assert not any(item.startswith("shared:") for item in propagation)


@covers("/linux/rootfsPropagation")
def test_a_slave_root_receives_mounts_of_the_host(container, bundle, source):
    kernel.mount(source, source, flags=kernel.MS_BIND)
    kernel.mount("none", source, flags=kernel.MS_SHARED)
    try:
        bundle.linux["rootfsPropagation"] = "rslave"
        bundle.bind(source, "/mnt", "rbind", "rslave")

        propagation = mountinfo.inside(container)["/mnt"].propagation
    finally:
        kernel.unmount(source, kernel.MNT_DETACH)

    assert any(item.startswith("master:") for item in propagation)


@pytest.mark.parametrize("value", ["private", "rprivate"])
def test_private_is_refused_without_pivot_root(container, bundle, value):
    bundle.linux["rootfsPropagation"] = value

    container.try_run("--no-pivot").refused("rootfsPropagation of [r]private is not safe without pivot_root")
