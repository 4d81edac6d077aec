"""What is particular to an ordinary user: maps by newuidmap, cgroups that are delegated or not, the state directory.

These run as that user in the ordinary suite too.
"""

import json
import os
import stat

import pytest

from support import rootless, world
from support.container import kill_process
from support.marks import covers, extension, normative
from support.waiting import eventually

FIRST, COUNT = rootless.SUBORDINATE


@pytest.fixture(autouse=True)
def as_ordinary_user(monkeypatch, runtime, pytestconfig):
    monkeypatch.setattr(rootless, "ACTIVE", True)
    if os.path.dirname(runtime.path) != str(pytestconfig.world.work):
        monkeypatch.setattr(runtime, "path", runtime.path)
        runtime.lie_in(pytestconfig.world.work)


@pytest.fixture
def tables(pytestconfig):
    """tables(text) is what /etc/subuid and /etc/subgid say until the end of the test."""
    paths = [pytestconfig.world.work / name for name in ("subuid", "subgid")]
    before = [path.read_text() for path in paths]

    def write(text):
        for path in paths:
            path.write_text(text)

    yield write
    for path, text in zip(paths, before):
        path.write_text(text)


def maps(container, **options):
    """uid_map and gid_map as lists of tuples."""
    output = container.output("cat /proc/self/uid_map; echo; cat /proc/self/gid_map", **options)
    return [[tuple(map(int, line.split())) for line in half.splitlines()] for half in output.split("\n\n")]


def without_helpers(work):
    """An environment in which newuidmap is not to be found."""
    return {**os.environ, "PATH": str(work)}


# Maps.


@extension("a map is waited for by a process that notices when nobody will write it")
def test_a_create_that_is_killed_while_its_maps_are_written_leaves_nobody(container, bundle, work):
    begun = work / "root/begun"
    helper = work / "newuidmap"
    helper.write_text(f"#!/bin/sh\necho $$ > {begun}.new; mv {begun}.new {begun}; exec sleep 1000\n")
    helper.chmod(0o755)
    bundle.map_ids((0, rootless.USER, 1), (1, FIRST, 10))
    bundle.save()
    environment = {**os.environ, "PATH": f"{work}:{os.environ['PATH']}"}
    creator = container.spawn_with(["create", "--bundle", bundle.path, container.id], env=environment)
    eventually(begun.exists, "the helper is at work")

    creator.kill()
    creator.wait()
    helper.unlink()
    kill_process(int(begun.read_text()))

    eventually(lambda: world.reap_orphans() or not world.descendants(), "nobody is left")
    container.call("delete", "--force").succeeded()


@covers("/linux/uidMappings", "/linux/gidMappings")
def test_an_ordinary_user_maps_its_own_id_without_help(container, bundle, work):
    bundle.map_ids((0, rootless.USER, 1))

    assert maps(container, env=without_helpers(work)) == [[(0, rootless.USER, 1)]] * 2


@covers("/linux/uidMappings", "/linux/gidMappings")
def test_an_ordinary_user_maps_its_subordinate_ids(container, bundle):
    wanted = [(0, rootless.USER, 1), (1, FIRST, 1000), (5000, FIRST + 2000, 7)]
    bundle.map_ids(*wanted)

    assert maps(container) == [wanted, wanted]


def test_setgroups_is_denied_with_the_single_map_and_allowed_with_subordinate_ids(make_container, make_bundle):
    single, several = make_container(make_bundle()), make_container(make_bundle())
    single.bundle.map_ids((0, rootless.USER, 1))

    assert single.output("cat /proc/self/setgroups") == "deny\n"
    assert several.output("cat /proc/self/setgroups") == "allow\n"


@extension("the groups a map allows are set for an ordinary user too")
@covers("/process/user/additionalGids")
def test_additional_groups_are_set_where_setgroups_is_allowed(container, bundle):
    bundle.process["user"] = {"uid": 5, "gid": 6, "additionalGids": [7, 8]}

    assert sorted(container.output("id -G").split()) == ["6", "7", "8"]


@extension("crun leaves the groups out")
@covers("/process/user/additionalGids")
def test_additional_groups_are_refused_where_setgroups_is_denied(container, bundle):
    bundle.map_ids((0, rootless.USER, 1))
    bundle.process["user"]["additionalGids"] = [0]

    container.try_run().refused("/process/user/additionalGids: cannot be set, setgroups(2) is denied")


@extension("one sentence in the words of the helper")
@normative("B15")
def test_ids_that_are_not_the_users_are_refused_in_the_helpers_words(container, bundle, root, nothing_left):
    root.mkdir()
    bundle.map_ids((0, 5, 1))
    bundle.save()
    nothing_left.from_now_on()

    result = container.try_run()

    result.refused("/linux/uidMappings: newuidmap refused: ")
    assert "[0-1) -> [5-6) not allowed" in result.error and "/etc/subuid" in result.error
    nothing_left()


@extension("the package is named")
def test_a_missing_helper_is_named_with_its_package(container, bundle, work):
    container.try_run(env=without_helpers(work)).refused("newuidmap, which may do more, is not in PATH (package uidmap)")


@extension("R18: nothing of the caller's environment reaches a privileged helper")
def test_R18_the_helper_is_never_taken_from_the_bundle_or_a_relative_directory(container, bundle, work):
    for name in ("newuidmap", "newgidmap"):
        bundle.script(f"/bin/{name}", "exit 0")
        fake = work / name
        fake.write_text(f"#!/bin/sh\ntouch {work}/root/executed\n")
        fake.chmod(0o755)

    container.run(cwd=work, env={**os.environ, "PATH": f".:bin::{os.environ['PATH']}"})

    assert not (work / "root/executed").exists()


@extension("a user namespace without maps is given what the user has")
def test_a_user_namespace_without_maps_gets_the_users_subordinate_ids(container, bundle, tables):
    tables(f"somebody:7:7\n{rootless.NAME}:{FIRST}:1000\n{rootless.USER}:{FIRST + 5000}:10\nbroken:x:1\n")
    bundle.namespace("user")

    wanted = [(0, rootless.USER, 1), (1, FIRST, 1000), (1001, FIRST + 5000, 10)]
    assert maps(container) == [wanted, wanted]


@extension("a user namespace without maps is given what the user has")
@pytest.mark.parametrize("table", ["", f"{rootless.NAME}:{FIRST}:0x10\n"], ids=["none", "malformed"])
def test_a_user_without_subordinate_ids_gets_the_single_map(container, bundle, tables, table):
    tables(table)
    bundle.namespace("user")

    assert maps(container) == [[(0, rootless.USER, 1)]] * 2


@extension("a user namespace without maps is given what the user has")
def test_exec_enters_a_container_whose_maps_were_found(container, bundle):
    bundle.namespace("user").sleeper()
    container.launch()

    assert container.exec("sh", "-c", "id -u; cat /proc/self/setgroups").out == "0\nallow\n"


def test_exec_enters_a_container_without_setgroups(container, bundle):
    bundle.map_ids((0, rootless.USER, 1)).sleeper()
    container.launch()

    assert container.exec("sh", "-c", "id -u; cat /proc/self/setgroups; ls /proc/1/cmdline").out.split() == [
        "0", "deny", "/proc/1/cmdline"
    ]  # fmt: skip


@pytest.fixture
def as_root_of_a_namespace(bundle):
    """Rootless engines make a user namespace for themselves, and call the runtime as its root; the words to get there."""
    bundle.without_namespace("user")
    return ["unshare", "--user", "--map-root-user", "--mount", "--"]


@covers("/linux/devices")
def test_root_of_a_users_namespace_is_given_devices_that_it_cannot_make(container, bundle, as_root_of_a_namespace):
    bundle.linux["devices"] = [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}]

    listed = container.output("echo x >/dev/null; ls -l /dev/null /dev/fuse", through=as_root_of_a_namespace)

    assert [line.split()[0][0] for line in listed.splitlines()] == ["c", "c"]


@covers("/linux/resources/devices/*")
def test_rules_for_devices_do_not_keep_root_of_a_users_namespace_from_running(container, bundle, as_root_of_a_namespace):
    bundle.linux["resources"] = {"devices": [{"allow": False, "access": "rwm"}]}

    assert container.output("echo done", through=as_root_of_a_namespace) == "done\n"


@extension("said before anything exists")
def test_a_container_without_a_user_namespace_is_refused(container, bundle, nothing_left):
    bundle.without_namespace("user").save()
    nothing_left.from_now_on()

    container.try_create().refused("/linux/namespaces: rootless container requires user namespaces")
    nothing_left()


@extension("exec checks the maps of the container")
def test_exec_as_an_id_that_is_not_mapped_is_refused(container, bundle):
    bundle.map_ids((0, rootless.USER, 1)).sleeper()
    container.launch()

    container.try_exec("id", flags=["--user", "1000"]).refused("/process/user/uid: cannot setuid to unmapped uid 1000")


# Cgroups.


@covers("/linux/cgroupsPath")
def test_a_delegated_cgroup_holds_the_container(container, bundle):
    bundle.sleeper()
    container.launch()

    assert world.own_cgroup(container.pid) == f"/{container.id}"
    assert (container.cgroup.stat().st_uid, container.status) == (rootless.USER, "running")


def test_a_delegated_cgroup_is_frozen_and_thawed(container):
    container.launch_sleeper()

    container.call("pause").succeeded()
    assert container.status == "paused"
    container.call("resume").succeeded()
    assert container.status == "running"


def undelegated(bundle):
    """Below a group that belongs to root."""
    bundle.linux["cgroupsPath"] = "/suite/closed"
    return bundle


@extension("says what is missing")
@covers("/linux/cgroupsPath")
def test_a_path_below_somebody_elses_cgroup_is_refused(container, bundle, root, nothing_left):
    root.mkdir()
    undelegated(bundle).save()
    nothing_left.from_now_on()

    container.try_create().refused("/linux/cgroupsPath: needs a cgroup: ")
    nothing_left()


@extension("says what is missing")
def test_a_limit_without_a_delegated_cgroup_is_refused(container, bundle):
    undelegated(bundle)
    bundle.resources["unified"] = {"cgroup.max.depth": "3"}

    result = container.try_create().refused("/linux/resources/unified/cgroup.max.depth: needs a cgroup: ")
    assert "Delegate=yes" in result.error


@covers("/linux/resources/unified/*")
def test_a_limit_in_a_delegated_cgroup_is_written(container, bundle):
    bundle.resources["unified"] = {"cgroup.max.depth": "3"}
    bundle.sleeper()
    container.launch()

    assert (container.cgroup / "cgroup.max.depth").read_text() == "3\n"


@pytest.fixture
def unable(container, bundle):
    """A running container without a cgroup: nothing was asked for, and the user may make none."""
    files = [world.CGROUPS / name for name in rootless.DELEGATED]
    for path in files:
        os.chown(path, 0, 0)
    bundle.linux.pop("cgroupsPath")
    bundle.sleeper()
    try:
        container.launch()
        yield container
        container.delete("--force")
    finally:
        rootless.own(*files)


@extension("says what is missing")
def test_a_container_without_a_cgroup_runs_and_says_what_it_cannot_do(unable):
    assert world.own_cgroup(unable.pid) == "/suite"
    unable.call("ps").refused("container has no cgroup")
    unable.call("pause").refused("container has no cgroup")

    assert unable.exec("echo", "inside").out == "inside\n"
    unable.kill("--all", "KILL")
    unable.wait_for_status("stopped")


@extension("the user's own group, when that is where delegation begins")
def test_a_caller_at_the_top_of_its_delegation_gets_a_group_below_its_own(container, bundle):
    offered = (world.CGROUPS / "cgroup.controllers").read_text().split()
    (world.CGROUPS / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in offered))
    top = world.CGROUPS / "top"
    top.mkdir()
    files = [world.CGROUPS / name for name in rootless.DELEGATED]
    bundle.linux.pop("cgroupsPath")
    bundle.sleeper()
    try:
        enter = f'echo 0 >{top}/cgroup.procs && exec "$@"'
        os.chown(world.CGROUPS, 0, 0)  # the directory alone: who goes to another group must be able to leave this one
        container.create(through=["sh", "-c", enter, "sh"])

        assert world.own_cgroup(container.pid) == f"/top/{container.id}"
        assert (top / "cgroup.type").read_text() == "domain\n"  # not threaded: what is below it could hold no process
    finally:
        rootless.own(*files)
        container.delete("--force")
        world.remove_group(top)


# State.


def test_the_state_is_in_the_users_runtime_directory(make_container, bundle, runtime):
    directory = rootless.RUNTIME_DIRECTORY / runtime.name
    container = make_container(bundle, root=directory)
    bundle.save()

    container.call_with(["create", "--bundle", bundle.path, container.id], root=None).succeeded()

    assert (directory / container.id).is_dir()
    if runtime.is_capsule:
        assert stat.S_IMODE(directory.stat().st_mode) == 0o1700  # sticky: kept by who cleans up /run/user


@extension("without a place it asks for one")
def test_without_a_runtime_directory_the_root_must_be_given(runtime):
    environment = {"XDG_RUNTIME_DIR": "", "PATH": os.environ["PATH"]}

    runtime.call("list", env=environment).refused("set XDG_RUNTIME_DIR to an absolute path, or give --root")


@extension("spec writes what its user may run")
def test_the_rootless_bundle_of_spec_runs_as_its_writer(runtime, container, bundle):
    runtime.call("spec", "--rootless", "--bundle", bundle.path).succeeded()
    config = json.loads((bundle.path / "config.json").read_text())
    config["process"].update(terminal=False, args=["id", "-u"])
    bundle.config = config

    assert container.run().out == "0\n"
