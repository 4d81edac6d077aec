"""`mounts add` and `mounts remove`: mounts of a container that lives."""

import json
import os

import pytest

from support import kernel, mountinfo
from support.marks import extension
from support.rootfs import chown_tree

pytestmark = extension("`mounts`, as newer versions of crun have it")

TMPFS = {"destination": "/mnt", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "size=64k"]}


@pytest.fixture
def change(container, work):
    """change("add", mount, …) calls the command with a file that holds these mounts."""

    def call(action, *mounts):
        path = work / f"{action}.json"
        path.write_text(json.dumps(mounts))
        return container.call_with(["mounts", action, container.id, path])

    return call


@pytest.fixture
def source(work):
    directory = work / "source"
    directory.mkdir(mode=0o755)
    (directory / "file").write_text("from the host\n")
    return directory


def bind(source, destination, *options):
    return {"destination": destination, "source": str(source), "options": list(options) or ["bind"]}


def mounts_of(container):
    return mountinfo.parse(container.exec("cat", "/proc/self/mountinfo").out)


def test_a_file_system_is_added_and_removed(container, change):
    container.launch_sleeper()

    change("add", TMPFS).succeeded().silent()
    added = mounts_of(container)["/mnt"]
    change("remove", {"destination": "/mnt"}).succeeded().silent()

    assert added.kind == "tmpfs"
    assert "nosuid" in added.options and "size=64k" in added.super_options
    assert "/mnt" not in mounts_of(container)


def test_binds_are_added_with_their_options(container, change, source):
    container.launch_sleeper()

    change("add", bind(source, "/data/new", "bind", "ro"), bind(source / "file", "/etc/passwd")).succeeded()

    assert container.exec("cat", "/data/new/file", "/etc/passwd").out == "from the host\n" * 2
    assert "ro" in mounts_of(container)["/data/new"].options


def test_a_bound_file_is_removed(container, change, source):
    container.launch_sleeper()
    change("add", bind(source / "file", "/etc/passwd")).succeeded()

    change("remove", {"destination": "/etc/passwd"}).succeeded()

    assert container.exec("cat", "/etc/passwd").out.startswith("root:")


def test_a_relative_source_is_relative_to_the_bundle(container, change, bundle):
    (bundle.path / "data").mkdir()
    (bundle.path / "data/here").write_text("")
    container.launch_sleeper()

    change("add", bind("data", "/mnt")).succeeded()

    assert container.exec("ls", "/mnt").out == "here\n"


def test_mounts_are_added_to_a_created_container(container, change, bundle):
    bundle.sh("cat /proc/self/mountinfo")
    container.create()

    change("add", TMPFS).succeeded()

    with open(f"/proc/{container.pid}/mountinfo", encoding="utf-8") as table:
        assert "/mnt" in mountinfo.parse(table.read())


def test_the_mounts_are_the_containers_alone_and_end_with_it(container, change, source):
    container.launch_sleeper()
    change("add", bind(source, "/mnt", "rbind", "rshared")).succeeded()

    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        assert not any(target.endswith("rootfs/mnt") for target in mountinfo.parse(table.read()))


def test_they_are_not_remembered(container, change):
    container.launch_sleeper()
    frozen = (container.state_directory / "config.json").read_text()

    change("add", TMPFS).succeeded()

    assert (container.state_directory / "config.json").read_text() == frozen


def test_file_systems_of_the_containers_namespaces_are_its_own(container, change):
    container.launch_sleeper()

    change(
        "add",
        {"destination": "/new/proc", "type": "proc", "source": "proc"},
        {"destination": "/new/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]},
        {"destination": "/new/mqueue", "type": "mqueue", "source": "mqueue"},
        {"destination": "/new/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]},
    ).succeeded()

    assert container.exec("cat", "/new/proc/1/comm").out == "sh\n"
    assert container.exec("ls", "/new/sys/class/net").out == "lo\n"
    assert "1" in container.exec("cat", "/new/cgroup/cgroup.procs").out.split()


def test_a_tmpfs_is_filled_and_then_read_only(container, change, bundle):
    bundle.write("/data/file", "kept\n")
    container.launch_sleeper()

    change("add", {"destination": "/data", "type": "tmpfs", "options": ["tmpcopyup", "ro"]}).succeeded()

    assert container.exec("cat", "/data/file").out == "kept\n"
    assert "ro" in mounts_of(container)["/data"].options


def test_mounts_are_added_in_a_user_namespace(container, change, bundle, source):
    bundle.map_ids((0, 100000, 65536))
    chown_tree(bundle.rootfs, 100000)
    source.chmod(0o700)
    container.launch_sleeper()

    change("add", TMPFS, bind(source, "/etc", "bind", "idmap")).succeeded()

    assert container.exec("stat", "-c", "%u", "/mnt", "/etc", "/etc/file").out == "0\n" * 3
    change("remove", TMPFS, bind(source, "/etc")).succeeded()
    assert "/mnt" not in mounts_of(container)


def test_a_remount_changes_what_is_there(container, change, source):
    container.launch_sleeper()
    change("add", TMPFS).succeeded()

    change("add", {**TMPFS, "options": ["remount", "ro", "size=128k"]}).succeeded()

    mount = mounts_of(container)["/mnt"]
    assert "ro" in mount.options and "size=128k" in mount.super_options


def test_a_container_that_did_not_pivot_gets_its_mounts_too(container, change):
    container.launch_sleeper("--no-pivot")

    change("add", TMPFS).succeeded()

    with open(f"/proc/{container.pid}/mountinfo", encoding="utf-8") as table:
        assert mountinfo.parse(table.read())["/mnt"].kind == "tmpfs"


# All or nothing.


def test_if_one_cannot_be_added_none_is(container, change, source):
    container.launch_sleeper()
    before = mounts_of(container)

    change("add", TMPFS, bind(source, "/data"), {**TMPFS, "options": ["nonsense"]}).refused("/mounts/2: mount: ")

    assert set(mounts_of(container)) == set(before)


def test_what_is_undone_is_not_what_a_copied_link_leads_to(container, change, work):
    container.launch_sleeper()
    (work / "link").symlink_to("/proc")
    before = mounts_of(container)

    link = bind(work / "link", "/link", "bind", "copy-symlink")
    change("add", TMPFS, link, {**TMPFS, "options": ["nonsense"]}).refused("/mounts/2: mount: ")

    assert set(mounts_of(container)) == set(before)


@pytest.mark.parametrize(
    "mount, why",
    [
        ({"type": "tmpfs"}, "mounts file: /mounts/0/destination: is required"),
        ({**TMPFS, "destination": ""}, "mounts file: /mounts/0/destination: must not be empty"),
        ({**TMPFS, "options": "ro"}, "mounts file: /mounts/0/options: must be an array"),
        ({**TMPFS, "destination": "/"}, '/mounts/0/destination: "/" is the top of the rootfs of a container that lives'),
        ({**TMPFS, "destination": "/proc/self"}, "cannot be mounted because it is inside /proc"),
        ({"destination": "/mnt", "source": "/nowhere", "options": ["bind"]}, "/mounts/0: open_tree /nowhere"),
        ("text", "mounts file: /mounts/0: must be an object"),
    ],
)
def test_what_cannot_be_added_is_refused(container, change, mount, why):
    container.launch_sleeper()

    change("add", mount).refused(why)


def test_the_file_must_hold_an_array(container, work):
    container.launch_sleeper()
    (work / "file.json").write_text('{"mounts": []}')

    container.call_with(["mounts", "add", container.id, work / "file.json"]).refused("/mounts: must be an array")
    container.call_with(["mounts", "add", container.id, work / "missing"]).refused("mounts file: ")


@pytest.mark.parametrize(
    "target, why",
    [("/etc", '"/etc" is not a mount point'), ("/nowhere", "openat2 /nowhere"), ("/", "is the top of the rootfs")],
)
def test_what_is_not_mounted_is_not_removed(container, change, target, why):
    container.launch_sleeper()

    change("remove", {"destination": target}).refused(why)


# Who may be changed.


def test_a_paused_or_stopped_container_is_left_alone(container, change):
    container.launch_sleeper()
    container.call("pause").succeeded()
    for action in ("add", "remove"):
        change(action, TMPFS).refused("cannot change the mounts of a container that is paused")
    container.call("resume").succeeded()
    container.stop()

    change("add", TMPFS).refused("cannot change the mounts of a container that is stopped")


def test_a_container_without_a_mount_namespace_is_left_alone(container, change, bundle):
    bundle.without_namespace("mount")
    bundle.config["mounts"] = []
    container.launch_sleeper()

    change("add", TMPFS).refused("the container has no mount namespace of its own")


def test_another_word_is_refused(container, work):
    container.call_with(["mounts", "list", container.id, work / "x"]).refused('"list" is neither "add" nor "remove"')


# What the container may do against it.


@pytest.fixture
def outside(work):
    directory = work / "outside"
    directory.mkdir()
    return directory


@pytest.mark.parametrize("link", ["absolute", "climbing"])
def test_R02_a_symlink_of_the_container_does_not_lead_out_of_it(container, change, source, outside, link):
    inside = str(outside).lstrip("/")
    (container.bundle.rootfs / inside).mkdir(parents=True)
    (container.bundle.rootfs / "way").symlink_to(outside if link == "absolute" else "../" * 20 + inside)
    container.launch_sleeper()

    change("add", bind(source, "/way/made")).succeeded()

    assert f"{outside}/made" in mounts_of(container)
    assert os.listdir(outside) == []


def test_R02_a_symlink_of_the_container_does_not_unmount_the_host(container, change, outside):
    kernel.mount("tmpfs", outside, "tmpfs")
    try:
        (container.bundle.rootfs / str(outside).lstrip("/")).mkdir(parents=True)
        (container.bundle.rootfs / "way").symlink_to(outside)
        container.launch_sleeper()

        change("remove", {"destination": "/way"}).refused('"/way" is not a mount point')

        assert os.path.ismount(outside)
    finally:
        kernel.unmount(outside, kernel.MNT_DETACH)


def test_R06_a_symlinked_sys_is_refused(container, change):
    (container.bundle.rootfs / "sys").rmdir()
    (container.bundle.rootfs / "sys").symlink_to("etc")
    container.bundle.config["mounts"] = [m for m in container.bundle.mounts if m["destination"] != "/sys"]
    container.launch_sleeper()

    change("add", {"destination": "/sys", "type": "sysfs", "source": "sysfs"}).refused("without symlinks")


def test_R02_a_device_named_by_a_file_system_is_the_hosts(container, change, work):
    """The source of a file system is looked up outside: the container cannot exchange it."""
    lower, upper = work / "lower", work / "upper"
    for directory in (lower, upper):
        directory.mkdir()
    (lower / "host").write_text("")
    container.launch_sleeper()
    container.exec("mkdir", "-p", str(lower))
    container.exec("touch", str(lower / "container"))

    change(
        "add", {"destination": "/mnt", "type": "overlay", "source": "overlay", "options": [f"lowerdir={lower}:{upper}"]}
    ).succeeded()

    assert container.exec("ls", "/mnt").out == "host\n"


def test_R03_nothing_of_the_helper_stays(container, change, source):
    container.launch_sleeper()

    change("add", bind(source, "/mnt")).succeeded()

    running = container.exec("ps", "-o", "comm").out.split()
    assert set(running) <= {"COMMAND", "sh", "sleep", "ps"}
