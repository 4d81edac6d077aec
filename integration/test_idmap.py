"""Id-mapped mounts: whose files a mount shows, and as whose it makes them."""

import os

import pytest

from support import kernel, mountinfo
from support.marks import covers, extension
from support.rootfs import chown_tree


def mapping(inside, outside, size):
    return [{"containerID": inside, "hostID": outside, "size": size}]


def own_maps(inside, outside, size):
    return {"uidMappings": mapping(inside, outside, size), "gidMappings": mapping(inside, outside, size)}


@pytest.fixture
def users(bundle):
    """The bundle with a user namespace, 0 being 100000."""
    bundle.map_ids((0, 100000, 65536))
    chown_tree(bundle.rootfs, 100000)
    return bundle


@pytest.fixture
def source(work):
    directory = work / "source"
    directory.mkdir(mode=0o777)
    directory.chmod(0o777)
    (directory / "file").write_text("from the host\n")
    os.chown(directory / "file", 1000, 1001)
    return directory


@covers("/mounts/*/options", "/mounts/*/uidMappings/*", "/mounts/*/gidMappings/*")
def test_an_idmapped_bind_shows_other_owners(container, users, source):
    users.mount("/mnt", "bind", source, ["rbind", "idmap"], **own_maps(0, 100000, 65536))

    assert container.output("stat -c %u:%g /mnt/file") == "1000:1001\n"


@covers("/mounts/*/uidMappings/*", "/mounts/*/gidMappings/*")
def test_mappings_of_a_bind_ask_for_it_without_the_option(container, users, source):
    users.mount("/mnt", "bind", source, ["bind"], **own_maps(1000, 100007, 2))

    assert container.output("stat -c %u:%g /mnt/file") == "7:8\n"


@covers("/mounts/*/options")
def test_an_idmapped_bind_takes_the_containers_maps(container, users, source):
    users.mount("/mnt", "bind", source, ["bind", "idmap"])

    assert container.output("stat -c %u:%g /mnt/file; echo x >/mnt/new") == "1000:1001\n"
    assert (source / "new").stat().st_uid == 0


@extension("an id-mapped mount in a container without a user namespace")
@covers("/mounts/*/uidMappings/*", "/mounts/*/gidMappings/*")
def test_a_bind_is_idmapped_without_a_user_namespace_of_the_container(container, bundle, source):
    bundle.mount("/mnt", "bind", source, ["bind"], **own_maps(1000, 40, 2))

    assert container.output("stat -c %u:%g /mnt/file") == "40:41\n"


@extension("crun's additions, of versions newer than Debian's")
@pytest.mark.parametrize(
    "option, seen",
    [
        ("idmap=uids=1000-100020-1;gids=1001-100030-1", "20:30"),
        ("idmap=uids=@1000-21-1;gids=@1001-31-1", "21:31"),
        ("idmap=uids=0-100000-10#1000-100022-1", "22:1001"),
    ],
)
def test_the_option_may_carry_the_maps(container, users, source, option, seen):
    users.mount("/mnt", "bind", source, ["bind", option])

    assert container.output("stat -c %u:%g /mnt/file") == seen + "\n"


@pytest.mark.parametrize("option, below", [("idmap", "65534"), ("ridmap", "1000")])
@covers("/mounts/*/options")
def test_ridmap_maps_the_mounts_below_as_well(container, users, source, option, below):
    (source / "sub").mkdir()
    kernel.mount("tmpfs", source / "sub", "tmpfs", data="mode=755")
    try:
        (source / "sub/inner").write_text("")
        os.chown(source / "sub/inner", 1000, 1000)
        users.mount("/mnt", "bind", source, ["rbind", option], **own_maps(0, 100000, 65536))

        output = container.output("stat -c %u /mnt/file /mnt/sub/inner")
    finally:
        kernel.unmount(source / "sub", kernel.MNT_DETACH)

    assert output.split() == ["1000", below]


# File systems.


@extension("id-mapped file systems")
@covers("/mounts/*/type", "/mounts/*/options", "/mounts/*/uidMappings/*", "/mounts/*/gidMappings/*")
def test_a_tmpfs_is_idmapped(container, bundle):
    bundle.capabilities("CAP_CHOWN", "CAP_SETUID", "CAP_SETGID", "CAP_FOWNER", "CAP_DAC_OVERRIDE")
    bundle.mount("/plain", "tmpfs", "tmpfs", ["mode=777", "uid=5"])
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["mode=777", "uid=5"], **own_maps(0, 1000, 10))

    output = container.output(
        "stat -c %u /plain /mnt; "
        "touch /mnt/as-root 2>/dev/null || echo nobody is mapped to root; "
        "chown 1003:1004 /mnt && stat -c %u:%g /mnt"
    )

    assert output == "5\n1005\nnobody is mapped to root\n1003:1004\n"


@extension("id-mapped file systems")
@pytest.mark.parametrize("words", [["idmap"], ["idmap=uids=@0-0-65536;gids=@0-0-65536"]])
@covers("/mounts/*/options")
def test_an_idmapped_tmpfs_of_a_user_namespace_belongs_to_its_root(container, users, words):
    users.mount("/mnt", "tmpfs", "tmpfs", ["nosuid", "noexec", "size=64k", *words])

    output = container.output("echo x >/mnt/file && stat -c %u:%g /mnt /mnt/file; cat /proc/self/mountinfo")

    owners, _, table = output.partition("\n0:0\n")
    assert owners == "0:0"
    mount = mountinfo.parse(table)["/mnt"]
    assert {"nosuid", "noexec"} <= mount.options
    assert "size=64k" in mount.super_options


@extension("id-mapped file systems")
def test_an_idmapped_tmpfs_inherits_the_mode_and_is_filled(container, users):
    users.write("/data/file", "kept\n", 0o640)
    (users.rootfs / "data").chmod(0o2770)
    chown_tree(users.rootfs, 100000)
    users.mount("/data", "tmpfs", "tmpfs", ["idmap", "tmpcopyup", "rshared"])

    output = container.output("stat -c %a:%u /data /data/file; cat /data/file; cat /proc/self/mountinfo")

    lines = output.splitlines()
    assert lines[:3] == ["2770:0", "640:0", "kept"]
    assert any(field.startswith("shared:") for field in mountinfo.parse("\n".join(lines[3:]))["/data"].propagation)


@extension("id-mapped file systems")
def test_an_idmapped_tmpfs_becomes_read_only_when_it_is_filled(container, users):
    users.write("/data/file", "kept\n")
    chown_tree(users.rootfs, 100000)
    users.mount("/data", "tmpfs", "tmpfs", ["idmap", "tmpcopyup", "ro"])

    assert container.output("cat /data/file; touch /data/x 2>/dev/null || echo refused") == "kept\nrefused\n"


@extension("which file system it was")
@pytest.mark.parametrize("kind", ["proc", "sysfs", "mqueue", "devpts", "cgroup"])
def test_a_file_system_that_is_never_mapped_is_refused(container, users, kind):
    users.mount("/mnt", kind, kind, ["idmap"])

    container.try_run().refused(f'/mounts/4: a file system of type "{kind}" cannot be id-mapped')


@extension("which file system it was")
def test_a_file_system_that_the_kernel_does_not_map_is_named(container, users):
    users.mount("/mnt", "ramfs", "ramfs", ["idmap"])

    container.try_run().refused("/mounts/4: mount_setattr ramfs: ")


@extension("id-mapped file systems")
def test_a_parameter_that_the_file_system_refuses_is_explained(container, users):
    users.mount("/mnt", "tmpfs", "tmpfs", ["idmap", "size=nonsense"])

    container.try_run().refused("/mounts/4: fsconfig tmpfs size=nonsense: ")


@extension("the sentence")
def test_a_remount_cannot_be_idmapped(container, users):
    users.mount("/dev", "tmpfs", "tmpfs", ["remount", "idmap"])

    container.try_run().refused("/mounts/4: a mount cannot be id-mapped any more when it is remounted")


@extension("the sentence")
def test_half_a_mapping_is_refused(container, users, source):
    users.mount("/mnt", "bind", source, ["bind"], uidMappings=mapping(0, 1, 1))

    container.try_run().refused("/mounts/4: id-mapped mounts must have both uid and gid mappings specified")
