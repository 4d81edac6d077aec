"""Mounts, devices, masks and the root itself."""

import os
import stat

import pytest

from support import kernel, mountinfo
from support.rootfs import chown_tree


def numbers(path):
    device = os.stat(path).st_rdev
    return os.major(device), os.minor(device)


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


def test_tmpfs_takes_its_data_options(container, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["nosuid", "mode=0750", "size=64k", "uid=7"])

    output = container.output("stat -c '%a %u' /mnt; cat /proc/self/mountinfo")

    mode, _, table = output.partition("\n")
    assert mode == "750 7"
    assert "size=64k" in mountinfo.parse(table)["/mnt"].super_options


def test_devpts_is_a_new_instance(container):
    assert container.output("ls /dev/pts") == "ptmx\n"


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


def test_a_relative_source_is_relative_to_the_bundle(container, bundle):
    (bundle.path / "data").mkdir()
    (bundle.path / "data/here").write_text("")
    bundle.bind("data", "/mnt", "bind")

    assert container.output("ls /mnt") == "here\n"


def test_a_missing_target_directory_is_created(container, bundle, source):
    bundle.bind(source, "/deep/new/place", "bind")

    assert container.output("cat /deep/new/place/file") == "from the host\n"
    assert (bundle.rootfs / "deep/new/place").is_dir()


def test_a_missing_target_file_is_created(container, bundle, source):
    bundle.bind(source / "file", "/deep/new/file", "bind")

    assert container.output("cat /deep/new/file") == "from the host\n"
    assert (bundle.rootfs / "deep/new/file").read_text() == ""


def test_bind_leaves_mounts_below_the_source_out(container, bundle, nested):
    bundle.bind(nested, "/mnt", "bind")

    assert container.output("ls /mnt/sub") == ""


def test_rbind_takes_mounts_below_the_source_along(container, bundle, nested):
    bundle.bind(nested, "/mnt", "rbind")

    assert container.output("cat /mnt/sub/inner") == "deeper\n"


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


# Options.


@pytest.mark.parametrize(
    "option", ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime", "nosymfollow"]
)
def test_an_option_is_set_on_a_tmpfs(container, bundle, option):
    bundle.mount("/mnt", "tmpfs", "tmpfs", [option])

    assert option in mountinfo.inside(container)["/mnt"].options


@pytest.mark.parametrize("option", ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow"])
def test_an_option_is_set_on_a_bind(container, bundle, source, option):
    bundle.bind(source, "/mnt", "bind", option)

    assert option in mountinfo.inside(container)["/mnt"].options


@pytest.mark.parametrize("option", ["sync", "dirsync", "lazytime", "mand"])
def test_an_option_of_the_file_system_is_set(container, bundle, option):
    bundle.mount("/mnt", "tmpfs", "tmpfs", [option])

    assert option in mountinfo.inside(container)["/mnt"].super_options or option == "mand"


@pytest.mark.parametrize(
    "option",
    "async atime defaults dev diratime exec iversion loud noiversion nolazytime nomand norelatime nostrictatime"
    " rw silent strictatime suid symfollow".split(),
)
def test_an_option_that_clears_or_changes_nothing_is_understood(container, bundle, option):
    bundle.mount("/mnt", "tmpfs", "tmpfs", [option])

    assert "rw" in mountinfo.inside(container)["/mnt"].options


@pytest.mark.parametrize(
    "options, seen, unseen",
    [
        (["ro", "rw"], "rw", "ro"),
        (["rw", "ro"], "ro", "rw"),
        (["nosuid", "suid"], None, "nosuid"),
        (["suid", "nosuid"], "nosuid", None),
        (["noexec", "exec"], None, "noexec"),
        (["nodev", "dev"], None, "nodev"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_the_last_of_contradicting_options_wins(container, bundle, source, options, seen, unseen):
    bundle.bind(source, "/mnt", "bind", *options)

    found = mountinfo.inside(container)["/mnt"].options

    assert seen is None or seen in found
    assert unseen is None or unseen not in found


@pytest.mark.parametrize(
    "option, seen",
    [
        ("rro", "ro"),
        ("rnosuid", "nosuid"),
        ("rnodev", "nodev"),
        ("rnoexec", "noexec"),
        ("rnoatime", "noatime"),
        ("rnodiratime", "nodiratime"),
        ("rnosymfollow", "nosymfollow"),
    ],
)
def test_a_recursive_option_reaches_the_mounts_below(container, bundle, nested, option, seen):
    bundle.bind(nested, "/mnt", "rbind", option)

    mounts = mountinfo.inside(container)

    assert seen in mounts["/mnt"].options
    assert seen in mounts["/mnt/sub"].options


def test_a_plain_option_does_not_reach_the_mounts_below(container, bundle, nested):
    bundle.bind(nested, "/mnt", "rbind", "ro")

    mounts = mountinfo.inside(container)

    assert "ro" in mounts["/mnt"].options
    assert "rw" in mounts["/mnt/sub"].options


def test_recursive_options_do_not_change_the_host(container, bundle, nested):
    bundle.bind(nested, "/mnt", "rbind", "rro")

    container.run()

    (nested / "sub/still").write_text("writable")


def test_mounts_happen_in_the_order_of_the_list(container, bundle):
    bundle.mount("/mnt", "tmpfs").mount("/mnt/inner", "tmpfs").mount("/mnt", "tmpfs")

    assert container.output("ls /mnt") == ""


@pytest.mark.parametrize(
    "option, field",
    [("shared", "shared:"), ("slave", None), ("private", None), ("unbindable", "unbindable"), ("rshared", "shared:")],
)
def test_the_propagation_of_a_mount_is_set(container, bundle, option, field):
    bundle.mount("/mnt", "tmpfs", "tmpfs", [option])

    propagation = mountinfo.inside(container)["/mnt"].propagation

    assert any(item.startswith(field) for item in propagation) if field else propagation == []


@pytest.mark.parametrize(
    "value, field", [("shared", "shared:"), ("private", None), ("unbindable", "unbindable"), ("rprivate", None)]
)
def test_the_propagation_of_the_root_is_set(container, bundle, value, field):
    bundle.linux["rootfsPropagation"] = value

    propagation = mountinfo.inside(container)["/"].propagation

    assert any(item.startswith(field) for item in propagation) if field else propagation == []


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


def test_tmpcopyup_fills_the_tmpfs_with_what_was_there(container, bundle):
    bundle.write("/data/a/file", "kept\n", 0o640)
    bundle.mount("/data", "tmpfs", "tmpfs", ["tmpcopyup"])

    assert container.output("cat /data/a/file; stat -c %a /data/a/file; echo x >/data/new") == "kept\n640\n"
    assert not (bundle.rootfs / "data/new").exists()


def test_a_tmpfs_inherits_the_mode_of_its_directory(container, bundle):
    (bundle.rootfs / "data").mkdir()
    (bundle.rootfs / "data").chmod(0o1770)
    bundle.mount("/data", "tmpfs")

    assert container.output("stat -c %a /data") == "1770\n"


def test_a_read_only_tmpfs_is_read_only_at_the_end(container, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["ro"])

    assert container.output("touch /mnt/x 2>/dev/null || echo refused") == "refused\n"


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


def test_a_read_only_root_refuses_writes_but_tmpfs_takes_them(container, bundle):
    bundle.config["root"]["readonly"] = True
    bundle.mount("/tmp", "tmpfs")

    assert container.output("touch /x 2>/dev/null || echo refused; touch /tmp/x && echo taken") == "refused\ntaken\n"
    assert "ro" in mountinfo.inside(container)["/"].options


def test_a_writable_root_takes_writes(container, bundle):
    container.output("echo hello >/x")

    assert (bundle.rootfs / "x").read_text() == "hello\n"


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


# Devices.

DEFAULT_DEVICES = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "tty": (5, 0),
}


def test_the_default_devices_exist(container):
    output = container.output("cd /dev && stat -c '%n %t %T %a %u %g' null zero full random urandom tty")

    for line in output.splitlines():
        name, major, minor, mode, uid, gid = line.split()
        assert (int(major, 16), int(minor, 16)) == DEFAULT_DEVICES[name]
        assert (mode, uid, gid) == ("666", "0", "0")
    assert len(output.splitlines()) == 6


def test_the_default_devices_work(container):
    assert container.output("echo x >/dev/null; head -c 3 /dev/zero | wc -c; head -c 5 /dev/urandom | wc -c") == "3\n5\n"


def test_the_standard_links_exist(container):
    output = container.output("cd /dev && for i in fd stdin stdout stderr ptmx; do readlink $i; done")

    assert [line.replace("/dev/", "") for line in output.splitlines()] == [
        "/proc/self/fd",
        "/proc/self/fd/0",
        "/proc/self/fd/1",
        "/proc/self/fd/2",
        "pts/ptmx",
    ]


def test_a_device_is_made_with_mode_and_owner(container, bundle):
    bundle.linux["devices"] = [
        {"path": "/dev/mine", "type": "c", "major": 1, "minor": 3, "fileMode": 0o620, "uid": 7, "gid": 8}
    ]

    assert container.output("stat -c '%F %t:%T %a %u:%g' /dev/mine") == "character special file 1:3 620 7:8\n"


def test_a_device_outside_dev_is_made_with_its_directories(container, bundle):
    bundle.linux["devices"] = [{"path": "/opt/devices/mine", "type": "u", "major": 1, "minor": 5, "fileMode": 0o666}]

    assert container.output("stat -c '%F %t:%T' /opt/devices/mine") == "character special file 1:5\n"


def test_a_block_device_and_a_fifo_are_made(container, bundle):
    bundle.linux["devices"] = [
        {"path": "/dev/block", "type": "b", "major": 7, "minor": 3, "fileMode": 0o600},
        {"path": "/dev/pipe", "type": "p", "fileMode": 0o644},
    ]

    output = container.output("stat -c '%F' /dev/block /dev/pipe")

    assert output == "block special file\nfifo\n"


def test_a_device_without_a_mode_is_for_everyone(container, bundle):
    bundle.linux["devices"] = [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 3}]

    assert container.output("stat -c %a /dev/mine") == "666\n"


def test_a_device_of_the_config_replaces_a_default_one(container, bundle):
    bundle.linux["devices"] = [
        {"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o600, "uid": 0, "gid": 0}
    ]

    assert container.output("stat -c %a /dev/null") == "600\n"


def test_devices_in_a_user_namespace_are_those_of_the_host(container, bundle):
    bundle.map_ids((0, 100000, 65536))
    chown_tree(bundle.rootfs, 100000)

    output = container.output("stat -c '%n %t:%T' /dev/null /dev/zero; echo x >/dev/null && echo works")

    assert output == "/dev/null 1:3\n/dev/zero 1:5\nworks\n"


def test_a_bound_dev_is_left_alone(container, bundle, work):
    own_dev = work / "own-dev"
    own_dev.mkdir()
    os.mknod(own_dev / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    for name in ("pts", "shm"):
        (own_dev / name).mkdir()
    bundle.config["mounts"] = [entry for entry in bundle.mounts if entry["destination"] != "/dev"]
    bundle.mounts.insert(0, {"destination": "/dev", "type": "bind", "source": str(own_dev), "options": ["rbind"]})

    container.run()

    assert sorted(os.listdir(own_dev)) == ["null", "pts", "shm"]


# Masks.


def test_a_masked_file_is_empty_and_a_masked_directory_too(container, bundle):
    bundle.write("/secret/file", "secret")
    bundle.write("/secrets/a", "secret")
    bundle.linux["maskedPaths"] = ["/secret/file", "/secrets", "/not/there"]

    assert container.output("cat /secret/file; ls -A /secrets; echo end") == "end\n"


def test_a_masked_directory_cannot_be_written(container, bundle):
    (bundle.rootfs / "secrets").mkdir()
    bundle.linux["maskedPaths"] = ["/secrets"]

    assert container.output("touch /secrets/x 2>/dev/null || echo refused") == "refused\n"
    assert os.listdir(bundle.rootfs / "secrets") == []


def test_the_usual_masks_of_proc_work(container, bundle):
    bundle.linux["maskedPaths"] = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/acpi", "/proc/scsi"]

    assert container.output("wc -c </proc/keys; ls -A /proc/acpi 2>/dev/null | wc -l") == "0\n0\n"


def test_read_only_paths_cannot_be_written(container, bundle):
    (bundle.rootfs / "fixed").mkdir()
    bundle.write("/etc/fixed", "as it was")
    bundle.linux["readonlyPaths"] = ["/proc/sys", "/fixed", "/etc/fixed", "/not/there"]

    output = container.output(
        "for f in /proc/sys/kernel/hostname /fixed/x /etc/fixed; do echo x 2>/dev/null >$f || echo refused; done"
    )

    assert output == "refused\n" * 3
    assert (bundle.rootfs / "etc/fixed").read_text() == "as it was"


def test_masks_cover_user_mounts(container, bundle, source):
    bundle.bind(source, "/mnt", "bind")
    bundle.linux["maskedPaths"] = ["/mnt/file"]

    assert container.output("cat /mnt/file; echo end") == "end\n"


# Mapped ids on mounts.


def test_an_idmapped_bind_shows_other_owners(container, bundle, source):
    os.chown(source / "file", 1000, 1000)
    bundle.map_ids((0, 100000, 65536))
    chown_tree(bundle.rootfs, 100000)
    mapping = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    bundle.mount("/mnt", "bind", source, ["rbind", "idmap"], uidMappings=mapping, gidMappings=mapping)

    assert container.output("stat -c %u:%g /mnt/file") == "1000:1000\n"


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
