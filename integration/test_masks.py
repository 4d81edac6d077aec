"""Masked and read-only paths."""

import os

import pytest

from support import kernel, mountinfo
from support.marks import covers, extension, normative


@pytest.fixture
def source(work):
    """A directory of the host with a file in it."""
    directory = work / "source"
    directory.mkdir(mode=0o755)
    (directory / "file").write_text("from the host\n")
    return directory


@covers("/linux/maskedPaths")
@normative("B23")
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


@covers("/linux/readonlyPaths")
@normative("B23")
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


def devices_of(table):
    """The file system of each mount, by target."""
    return {line.split()[4]: line.split()[2] for line in table.splitlines()}


@extension("one superblock for all of them")
@covers("/linux/maskedPaths")
def test_masked_directories_share_one_file_system(container, bundle):
    for name in ("a", "b", "c"):
        (bundle.rootfs / name).mkdir()
    bundle.linux["maskedPaths"] = ["/a", "/b", "/c"]

    devices = devices_of(container.output("cat /proc/self/mountinfo"))

    assert len({devices[target] for target in ("/a", "/b", "/c")}) == 1
    assert devices["/a"] != devices["/"]


def test_a_masked_path_may_be_listed_twice(container, bundle):
    bundle.write("/secret", "secret")
    (bundle.rootfs / "secrets").mkdir()
    bundle.linux["maskedPaths"] = ["/secret", "/secrets", "/secret", "/secrets"]

    assert container.output("cat /secret; ls -A /secrets; echo end") == "end\n"


@extension("each path is masked once")
def test_a_masked_path_is_masked_once_however_it_is_spelled(container, bundle):
    bundle.write("/secret", "secret")
    bundle.linux["maskedPaths"] = ["/secret", "//secret", "/./secret"]

    table = container.output("cat /proc/self/mountinfo")

    assert [line.split()[4] for line in table.splitlines()].count("/secret") == 1


def test_what_a_masked_symlink_means_is_masked(container, bundle):
    bundle.write("/secret", "secret")
    (bundle.rootfs / "link").symlink_to("secret")
    bundle.linux["maskedPaths"] = ["/link"]

    assert container.output("cat /secret; echo end") == "end\n"


def test_a_path_that_is_masked_and_read_only_is_masked(container, bundle):
    bundle.write("/secret", "secret")
    bundle.linux["maskedPaths"] = ["/secret"]
    bundle.linux["readonlyPaths"] = ["/secret"]

    assert container.output("cat /secret; echo end") == "end\n"


@covers("/linux/readonlyPaths")
def test_a_read_only_path_keeps_the_flags_it_had(container, bundle, source):
    bundle.bind(source, "/mnt", "bind", "nosuid", "nodev", "noexec")
    bundle.linux["readonlyPaths"] = ["/mnt"]

    assert {"ro", "nosuid", "nodev", "noexec"} <= mountinfo.inside(container)["/mnt"].options


@extension("what is mounted below as well")
@covers("/linux/readonlyPaths")
def test_a_read_only_path_is_so_with_what_is_mounted_below(container, bundle, source):
    (source / "sub").mkdir()
    kernel.mount("tmpfs", source / "sub", "tmpfs")
    try:
        bundle.bind(source, "/mnt", "rbind")
        bundle.linux["readonlyPaths"] = ["/mnt"]

        output = container.output("touch /mnt/sub/x 2>/dev/null || echo refused")
    finally:
        kernel.unmount(source / "sub", kernel.MNT_DETACH)

    assert output == "refused\n"


@extension("crun covers the host's own files")
@pytest.mark.parametrize("kind", ["maskedPaths", "readonlyPaths"])
def test_R26_paths_of_the_host_are_not_covered(container, bundle, kind):
    bundle.without_namespace("mount")
    bundle.linux[kind] = ["/etc"]

    container.try_run().refused(f"/linux/{kind}: ")
    assert not os.path.ismount(bundle.rootfs / "etc")
