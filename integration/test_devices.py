"""Devices: the default ones, those of the config, and a /dev that is somebody else's."""

import os
import stat

import pytest

from support.marks import covers, extension, normative
from support.rootfs import chown_tree

DEFAULT_DEVICES = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "tty": (5, 0),
}


@normative("B16")
def test_the_default_devices_exist(container):
    output = container.output("cd /dev && stat -c '%n %t %T %a %u %g' null zero full random urandom tty")

    for line in output.splitlines():
        name, major, minor, mode, uid, gid = line.split()
        assert (int(major, 16), int(minor, 16)) == DEFAULT_DEVICES[name]
        assert (mode, uid, gid) == ("666", "0", "0")
    assert len(output.splitlines()) == 6


def test_the_default_devices_work(container):
    assert container.output("echo x >/dev/null; head -c 3 /dev/zero | wc -c; head -c 5 /dev/urandom | wc -c") == "3\n5\n"


@normative("B32")
def test_the_standard_links_exist(container):
    output = container.output("cd /dev && for i in fd stdin stdout stderr ptmx; do readlink $i; done")

    assert [line.replace("/dev/", "") for line in output.splitlines()] == [
        "/proc/self/fd",
        "/proc/self/fd/0",
        "/proc/self/fd/1",
        "/proc/self/fd/2",
        "pts/ptmx",
    ]


@covers("/linux/devices/*")
def test_a_device_is_made_with_mode_and_owner(container, bundle):
    bundle.linux["devices"] = [
        {"path": "/dev/mine", "type": "c", "major": 1, "minor": 3, "fileMode": 0o620, "uid": 7, "gid": 8}
    ]

    assert container.output("stat -c '%F %t:%T %a %u:%g' /dev/mine") == "character special file 1:3 620 7:8\n"


@covers("/linux/devices/*/path", "/linux/devices/*/type")
def test_a_device_outside_dev_is_made_with_its_directories(container, bundle):
    bundle.linux["devices"] = [{"path": "/opt/devices/mine", "type": "u", "major": 1, "minor": 5, "fileMode": 0o666}]

    assert container.output("stat -c '%F %t:%T' /opt/devices/mine") == "character special file 1:5\n"


@covers("/linux/devices/*/type")
def test_a_block_device_and_a_fifo_are_made(container, bundle):
    bundle.linux["devices"] = [
        {"path": "/dev/block", "type": "b", "major": 7, "minor": 3, "fileMode": 0o600},
        {"path": "/dev/pipe", "type": "p", "fileMode": 0o644},
    ]

    output = container.output("stat -c '%F' /dev/block /dev/pipe")

    assert output == "block special file\nfifo\n"


@covers("/linux/devices/*/fileMode")
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


# Devices that are there already.


def node(bundle, path, kind, major=0, minor=0, mode=0o640):
    target = bundle.rootfs / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    os.mknod(target, mode | kind, os.makedev(major, minor))


@normative("B16")
@covers("/linux/devices/*/path")
def test_a_device_that_is_there_and_matches_is_left_as_it_is(container, bundle):
    node(bundle, "/opt/null", stat.S_IFCHR, 1, 3)
    bundle.linux["devices"] = [{"path": "/opt/null", "type": "c", "major": 1, "minor": 3}]

    assert container.output("stat -c '%t:%T' /opt/null") == "1:3\n"


@normative("B16")
@extension("runc and crun look at nothing that is there")
@pytest.mark.parametrize(
    "there",
    [(stat.S_IFCHR, 1, 5), (stat.S_IFCHR, 5, 3), (stat.S_IFBLK, 1, 3), (stat.S_IFIFO,), (stat.S_IFREG,)],
    ids=["minor", "major", "block", "fifo", "file"],
)
def test_a_device_that_is_there_and_does_not_match_is_refused(container, bundle, there):
    node(bundle, "/opt/null", *there)
    bundle.linux["devices"] = [{"path": "/opt/null", "type": "c", "major": 1, "minor": 3}]

    container.try_run().refused(
        '/linux/devices/0: make device: "/opt/null" exists and is not the device that is asked for'
    )


@extension("runc and crun look at nothing that is there")
def test_a_symlink_in_place_of_a_device_is_refused(container, bundle, work):
    (bundle.rootfs / "opt").mkdir()
    (bundle.rootfs / "opt/null").symlink_to(work)
    bundle.linux["devices"] = [{"path": "/opt/null", "type": "c", "major": 1, "minor": 3}]

    container.try_run().refused("exists and is not the device that is asked for")


# In a user namespace.


@pytest.mark.parametrize("path", ["/dev/pipe", "/opt/pipe"])
@covers("/linux/devices/*/type")
def test_a_fifo_is_made_in_a_user_namespace(container, bundle, path):
    bundle.map_ids((0, 100000, 65536))
    (bundle.rootfs / "opt").mkdir()
    chown_tree(bundle.rootfs, 100000)
    bundle.linux["devices"] = [{"path": path, "type": "p", "fileMode": 0o600, "uid": 0, "gid": 0}]

    assert container.output(f"stat -c '%F %a %u' {path}") == "fifo 600 0\n"


@extension("the sentence")
def test_a_device_that_the_host_does_not_have_is_refused_in_a_user_namespace(container, bundle):
    bundle.map_ids((0, 100000, 65536))
    chown_tree(bundle.rootfs, 100000)
    bundle.linux["devices"] = [{"path": "/dev/nowhere", "type": "c", "major": 1, "minor": 3}]

    container.try_run().refused("/linux/devices/0: make device: open_tree /dev/nowhere")


@extension("the sentence")
@pytest.mark.parametrize(
    "device, why",
    [
        ({"path": "/dev/x", "type": "c", "major": 1}, "/linux/devices/0/minor: is required"),
        ({"path": "/dev/x", "type": "c", "major": 4096, "minor": 0}, "/linux/devices/0/major: must be between 0 and 4095"),
        ({"path": "dev/x", "type": "p"}, "/linux/devices/0/path: must be an absolute path"),
    ],
)
def test_a_device_that_makes_no_sense_is_refused(container, bundle, device, why):
    bundle.linux["devices"] = [device]

    container.try_run().refused(why)
