"""The words of /mounts/*/options: each one `features` lists, what the kernel says of it, and what the last of two means."""

import json
import os

import pytest

from support import kernel, mountinfo
from support.marks import covers, extension

pytestmark = covers("/mounts/*/options")

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOSYMFOLLOW, MS_NOATIME, MS_NODIRATIME = 2, 4, 8, 256, 1024, 2048


@pytest.fixture
def source(work):
    """A directory of the host with a file in it."""
    directory = work / "source"
    directory.mkdir(mode=0o755)
    (directory / "file").write_text("from the host\n")
    return directory


@pytest.fixture
def make_nested(source):
    """make_nested(flags): `source` as a mount with a tmpfs on source/sub, both with these flags."""

    def make(flags=0):
        (source / "sub").mkdir()
        kernel.mount(source, source, flags=kernel.MS_BIND)
        kernel.mount("tmpfs", source / "sub", "tmpfs")
        (source / "sub/inner").write_text("deeper\n")
        for place in (source, source / "sub"):
            kernel.mount("none", place, flags=kernel.MS_REMOUNT | kernel.MS_BIND | flags)
        return source

    yield make
    kernel.unmount(source, kernel.MNT_DETACH)


@pytest.fixture
def nested(make_nested):
    return make_nested()


# One mount.

SEEN_ON_A_MOUNT = ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow"]


@pytest.mark.parametrize("option", [*SEEN_ON_A_MOUNT, "relatime", "rw"])
def test_an_option_is_set_on_a_tmpfs(container, bundle, option):
    bundle.mount("/mnt", "tmpfs", "tmpfs", [option])

    assert option in mountinfo.inside(container)["/mnt"].options


@pytest.mark.parametrize("option", SEEN_ON_A_MOUNT)
def test_an_option_is_set_on_a_bind(container, bundle, source, option):
    bundle.bind(source, "/mnt", "bind", option)

    assert option in mountinfo.inside(container)["/mnt"].options


def test_strictatime_drops_relatime(container, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["strictatime"])

    assert {"relatime", "noatime"}.isdisjoint(mountinfo.inside(container)["/mnt"].options)


@pytest.mark.parametrize("option", ["sync", "dirsync", "lazytime", "mand", "rsync", "rdirsync", "rmand"])
def test_an_option_of_the_file_system_is_set(container, bundle, option):
    bundle.mount("/mnt", "tmpfs", "tmpfs", [option])

    assert option.removeprefix("r") in mountinfo.inside(container)["/mnt"].super_options


@pytest.mark.parametrize(
    "option",
    "async atime defaults dev diratime exec iversion loud noiversion nolazytime nomand norelatime nostrictatime"
    " rw silent strictatime suid symfollow".split(),
)
def test_an_option_that_clears_or_changes_nothing_is_understood(container, bundle, option):
    bundle.mount("/mnt", "tmpfs", "tmpfs", [option])

    mount = mountinfo.inside(container)["/mnt"]
    assert "rw" in mount.options
    assert {"sync", "lazytime", "mand"}.isdisjoint(mount.super_options)
    assert set(SEEN_ON_A_MOUNT).isdisjoint(mount.options)


# Two words.


@pytest.mark.parametrize(
    "options, seen, unseen",
    [
        (["ro", "rw"], "rw", "ro"),
        (["rw", "ro"], "ro", "rw"),
        (["nosuid", "suid"], None, "nosuid"),
        (["suid", "nosuid"], "nosuid", None),
        (["noexec", "exec"], None, "noexec"),
        (["exec", "noexec"], "noexec", None),
        (["nodev", "dev"], None, "nodev"),
        (["dev", "nodev"], "nodev", None),
        (["noatime", "atime"], "relatime", "noatime"),
        (["atime", "noatime"], "noatime", None),
        (["strictatime", "relatime"], "relatime", None),
        (["relatime", "strictatime"], None, "relatime"),
        (["strictatime", "nostrictatime"], "relatime", None),
        (["nodiratime", "diratime"], None, "nodiratime"),
        (["diratime", "nodiratime"], "nodiratime", None),
        (["nosymfollow", "symfollow"], None, "nosymfollow"),
        (["symfollow", "nosymfollow"], "nosymfollow", None),
        (["rro", "rrw"], "rw", "ro"),
        (["rro", "rw"], "rw", "ro"),
        (["rw", "rro"], "ro", "rw"),
        (["rnosuid", "rsuid"], None, "nosuid"),
        (["ro", "rw", "ro"], "ro", "rw"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_the_last_of_contradicting_options_wins(container, bundle, source, options, seen, unseen):
    bundle.bind(source, "/mnt", "bind", *options)

    found = mountinfo.inside(container)["/mnt"].options

    assert seen is None or seen in found
    assert unseen is None or unseen not in found


@pytest.mark.parametrize(
    "options, seen, unseen",
    [
        (["sync", "async"], None, "sync"),
        (["async", "sync"], "sync", None),
        (["lazytime", "nolazytime"], None, "lazytime"),
        (["nolazytime", "lazytime"], "lazytime", None),
        (["mand", "nomand"], None, "mand"),
        (["rmand", "rnomand"], None, "mand"),
        (["rsync", "rasync"], None, "sync"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_the_last_of_contradicting_options_of_a_file_system_wins(container, bundle, options, seen, unseen):
    bundle.mount("/mnt", "tmpfs", "tmpfs", options)

    found = mountinfo.inside(container)["/mnt"].super_options

    assert seen is None or seen in found
    assert unseen is None or unseen not in found


# The mounts below.


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


@pytest.mark.parametrize(
    "option, flag, unseen, seen",
    [
        ("rrw", kernel.MS_RDONLY, "ro", "rw"),
        ("rsuid", MS_NOSUID, "nosuid", None),
        ("rdev", MS_NODEV, "nodev", None),
        ("rexec", MS_NOEXEC, "noexec", None),
        ("rdiratime", MS_NODIRATIME, "nodiratime", None),
        ("rsymfollow", MS_NOSYMFOLLOW, "nosymfollow", None),
        ("ratime", MS_NOATIME, "noatime", "relatime"),
        ("rrelatime", MS_NOATIME, "noatime", "relatime"),
        ("rstrictatime", MS_NOATIME, "noatime", None),
    ],
)
def test_a_recursive_option_clears_what_the_source_has(container, bundle, make_nested, option, flag, unseen, seen):
    bundle.bind(make_nested(flag), "/mnt", "rbind", option)

    mounts = mountinfo.inside(container)

    for target in ("/mnt", "/mnt/sub"):
        assert unseen not in mounts[target].options
        assert seen is None or seen in mounts[target].options


@pytest.mark.parametrize("option", ["rnorelatime", "rnostrictatime"])
def test_a_recursive_option_that_is_the_default_changes_nothing(container, bundle, nested, option):
    bundle.bind(nested, "/mnt", "rbind", option)

    mounts = mountinfo.inside(container)

    assert "relatime" in mounts["/mnt"].options
    assert "relatime" in mounts["/mnt/sub"].options


def test_a_plain_option_does_not_reach_the_mounts_below(container, bundle, nested):
    bundle.bind(nested, "/mnt", "rbind", "ro")

    mounts = mountinfo.inside(container)

    assert "ro" in mounts["/mnt"].options
    assert "rw" in mounts["/mnt/sub"].options


def test_recursive_options_do_not_change_the_host(container, bundle, nested):
    bundle.bind(nested, "/mnt", "rbind", "rro")

    container.run()

    (nested / "sub/still").write_text("writable")


# Propagation.


@pytest.mark.parametrize(
    "option, field",
    [
        ("shared", "shared:"),
        ("slave", None),
        ("private", None),
        ("unbindable", "unbindable"),
        ("rshared", "shared:"),
        ("rslave", None),
        ("rprivate", None),
        ("runbindable", "unbindable"),
    ],
)
def test_the_propagation_of_a_mount_is_set(container, bundle, option, field):
    bundle.mount("/mnt", "tmpfs", "tmpfs", [option])

    propagation = mountinfo.inside(container)["/mnt"].propagation

    assert any(item.startswith(field) for item in propagation) if field else propagation == []


@pytest.mark.parametrize("option, top, below", [("rshared", True, True), ("runbindable", False, False)])
def test_recursive_propagation_reaches_the_mounts_below(container, bundle, nested, option, top, below):
    bundle.bind(nested, "/mnt", "rbind", option)

    mounts = mountinfo.inside(container)

    for target in ("/mnt", "/mnt/sub"):
        fields = mounts[target].propagation
        assert any(item.startswith("shared:") for item in fields) == top
        assert ("unbindable" in fields) == (not below)


@pytest.mark.parametrize(
    "options, shared", [(["shared", "private"], False), (["private", "rshared"], True)], ids=["last-private", "last-shared"]
)
def test_the_last_propagation_wins(container, bundle, options, shared):
    bundle.mount("/mnt", "tmpfs", "tmpfs", options)

    propagation = mountinfo.inside(container)["/mnt"].propagation

    assert any(item.startswith("shared:") for item in propagation) == shared


@pytest.mark.parametrize("option, follows", [("rslave", True), ("slave", True), ("rprivate", False), ("private", False)])
def test_a_slave_follows_a_shared_source_and_a_private_one_does_not(container, bundle, source, option, follows):
    kernel.mount(source, source, flags=kernel.MS_BIND)
    kernel.mount("none", source, flags=kernel.MS_SHARED)
    try:
        bundle.linux["rootfsPropagation"] = "rslave"
        bundle.bind(source, "/mnt", "rbind", option)

        propagation = mountinfo.inside(container)["/mnt"].propagation
    finally:
        kernel.unmount(source, kernel.MNT_DETACH)

    assert any(item.startswith("master:") for item in propagation) == follows


# Data.


def test_an_unknown_option_is_data_of_the_file_system(container, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["nr_inodes=33", "nosuid"])

    assert "nr_inodes=33" in mountinfo.inside(container)["/mnt"].super_options


def test_data_that_the_file_system_does_not_know_is_refused(container, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["nonsense"])

    container.try_run().refused("/mnt" if not container.runtime.is_capsule else "nonsense")


@pytest.mark.parametrize("word", ["size=1m", "nonsense"])
def test_a_bind_takes_no_data(container, bundle, source, word):
    bundle.bind(source, "/mnt", "bind", word)

    container.try_run().refused("bind mounts cannot have any filesystem-specific options applied")


# What is filled, and what is followed.


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


@pytest.fixture
def link(source):
    """A symlink on the host to `source`/file."""
    path = source.parent / "link"
    path.symlink_to("source/file")
    return path


def test_a_symlink_as_a_source_is_followed(container, bundle, link):
    bundle.bind(link, "/mnt/file", "bind")

    assert container.output("cat /mnt/file") == "from the host\n"


@extension("crun's additions, of versions newer than Debian's")
def test_src_nofollow_binds_the_symlink_itself(container, bundle, link):
    (bundle.rootfs / "mnt/link").symlink_to("nowhere")
    bundle.bind(link, "/mnt/link", "bind", "src-nofollow", "dest-nofollow")

    assert container.output("readlink /mnt/link") == "source/file\n"
    assert os.readlink(bundle.rootfs / "mnt/link") == "nowhere"


@extension("crun's additions, of versions newer than Debian's")
def test_copy_symlink_makes_the_link_again(container, bundle, link):
    bundle.bind(link, "/mnt/link", "bind", "copy-symlink")

    assert container.output("readlink /mnt/link") == "source/file\n"
    assert os.readlink(bundle.rootfs / "mnt/link") == "source/file"


@extension("crun's additions, of versions newer than Debian's")
def test_dest_nofollow_mounts_on_the_symlink_itself(container, bundle, source):
    bundle.write("/etc/real", "real\n")
    (bundle.rootfs / "etc/link").symlink_to("real")
    bundle.bind(source / "file", "/etc/link", "bind", "dest-nofollow")

    assert container.output("cat /etc/link /etc/real") == "from the host\nreal\n"


@extension("the sentence")
@pytest.mark.parametrize(
    "kind, option, why",
    [
        ("ramfs", "tmpcopyup", "tmpcopyup is only supported for tmpfs"),
        ("tmpfs", "src-nofollow", "src-nofollow and copy-symlink are only supported for bind mounts"),
        ("tmpfs", "copy-symlink", "src-nofollow and copy-symlink are only supported for bind mounts"),
    ],
)
def test_an_option_of_another_kind_of_mount_is_refused(container, bundle, kind, option, why):
    bundle.mount("/mnt", kind, kind, [option])

    container.try_run().refused(f"/mounts/4/options: {why}")


# What is mounted already.


def test_remount_changes_the_flags_of_a_mount(container, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["nosuid"])
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["remount", "nosuid", "nodev", "ro"])

    assert {"ro", "nosuid", "nodev"} <= mountinfo.inside(container)["/mnt"].options


def test_remount_of_a_bind_leaves_its_file_system_alone(container, bundle, source):
    kernel.mount("tmpfs", source, "tmpfs")
    try:
        bundle.bind(source, "/mnt", "bind")
        bundle.bind(source, "/mnt", "bind", "remount", "ro")

        mount = mountinfo.inside(container)["/mnt"]
    finally:
        kernel.unmount(source, kernel.MNT_DETACH)

    assert "ro" in mount.options
    assert "rw" in mount.super_options


def test_remount_with_data_changes_the_file_system(container, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["size=64k"])
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["remount", "size=128k", "nosuid"])

    mount = mountinfo.inside(container)["/mnt"]

    assert "size=128k" in mount.super_options
    assert "nosuid" in mount.options


@extension("each word for itself; mount(2) sets all flags anew")
def test_remount_sets_and_clears_the_flags_of_the_file_system(container, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["sync", "lazytime", "size=64k"])
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["remount", "async", "mand"])

    super_options = mountinfo.inside(container)["/mnt"].super_options

    assert {"mand", "lazytime", "size=64k"} <= super_options
    assert "sync" not in super_options


@extension("the sentence")
def test_a_remount_cannot_change_dirsync(container, bundle):
    bundle.mount("/dev", "tmpfs", "tmpfs", ["remount", "dirsync"])

    container.try_run().refused("/mounts/4/options: dirsync cannot be changed by a remount")


@extension("the sentence")
def test_a_remount_that_the_file_system_refuses_says_why(container, bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["size=64k"])
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["remount", "size=nonsense"])

    container.try_run().refused("/mounts/5: remount: fsconfig /mnt size=nonsense: tmpfs: Bad value for 'size'")


@extension("the sentence")
def test_data_for_what_is_no_mount_is_refused(container, bundle):
    bundle.mount("/etc", "tmpfs", "tmpfs", ["remount", "size=64k"])

    container.try_run().refused("/mounts/4: remount: fspick /etc: ")


# All of them.


@extension("this suite knows every word that capsule knows")
def test_every_option_that_features_lists_has_a_test(runtime, request):
    elsewhere = {"bind", "rbind", "idmap", "ridmap"}  # test_mounts.py, test_idmap.py
    told = set(json.loads(runtime.call("features").succeeded().out)["mountOptions"])
    with open(__file__, encoding="utf-8") as this:
        text = this.read()

    untested = {word for word in told - elsewhere if f'"{word}"' not in text and f" {word} " not in text}

    assert untested == set()
