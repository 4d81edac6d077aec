"""Control groups: where a container is placed, what its devices are, and that the group goes away."""

import os

import pytest

from support import world
from support.marks import covers, engine_rule, extension, normative
from support.waiting import eventually

CONTROLLERS = set((world.CGROUPS / "cgroup.controllers").read_text().split())

KMSG = (1, 11)  # a device that no default rule allows


def lacking(controller):
    return pytest.mark.skipif(controller in CONTROLLERS, reason=f"this host has the {controller} controller")


def needs(controller):
    return pytest.mark.skipif(controller not in CONTROLLERS, reason=f"this host lacks the {controller} controller")


def kmsg_node(bundle):
    bundle.linux["devices"] = [{"path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11, "fileMode": 0o666}]
    bundle.capabilities("CAP_SYSLOG")


def rule(allow, access="rwm", kind="c", major=None, minor=None):
    numbers = {"major": major, "minor": minor}
    return {"allow": allow, "type": kind, "access": access, **{k: v for k, v in numbers.items() if v is not None}}


DENY_ALL = rule(False, kind="a")
READ_KMSG = "(: </dev/kmsg) 2>/dev/null && echo read || echo refused"
WRITE_KMSG = "(: >/dev/kmsg) 2>/dev/null && echo written || echo refused"


# Where.


@pytest.mark.parametrize("path", ["/one", "/one/two/three", "//one//two/", "/one/./two"])
@covers("/linux/cgroupsPath")
@normative("B18")
@engine_rule(31)
def test_an_absolute_path_is_below_the_root_of_the_hierarchy(container, bundle, path):
    bundle.linux["cgroupsPath"] = path
    bundle.sleeper()

    container.launch()

    assert world.own_cgroup(container.pid) == os.path.normpath("/" + path.strip("/"))
    container.delete("--force")


@covers("/linux/cgroupsPath")
@engine_rule(31)
def test_dots_in_the_path_do_not_leave_the_hierarchy(container, bundle):
    bundle.linux["cgroupsPath"] = "/../../../one"
    bundle.sleeper()

    container.launch()

    assert world.own_cgroup(container.pid) == "/one"
    container.delete("--force")


@covers("/linux/cgroupsPath")
@engine_rule(31)
def test_a_relative_path_is_beside_the_group_of_the_runtime(container, bundle):
    bundle.linux["cgroupsPath"] = "one/two"
    bundle.sleeper()
    (world.CGROUPS / "nest").mkdir()
    (world.CGROUPS / "nest/caller").mkdir()
    enter = f"echo 0 >{world.CGROUPS}/nest/caller/cgroup.procs"

    try:
        container.create(through=["sh", "-c", enter + '; exec "$@"', "sh"])

        assert world.own_cgroup(container.pid) == "/nest/one/two"
    finally:
        container.delete("--force")
        world.remove_group(world.CGROUPS / "nest")


@engine_rule(31)
def test_without_a_path_the_group_is_named_after_the_container(container, bundle):
    del bundle.linux["cgroupsPath"]
    bundle.sleeper()

    container.launch()

    assert world.own_cgroup(container.pid).endswith(f"/{container.id}")
    assert "suite/" not in world.own_cgroup(container.pid)


def test_init_is_in_its_group_before_it_runs_anything(container, bundle):
    script = f"cat >/dev/null; cp {world.CGROUPS}/{container.id}/cgroup.procs {bundle.path}/procs"
    bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}

    container.create()

    assert str(container.pid) in (bundle.path / "procs").read_text().split()


def test_the_runtime_itself_never_enters_the_group(container, bundle):
    bundle.sh("sleep 0.02; cat /proc/self/cgroup").save()
    runner = container.spawn_with(["run", "--bundle", bundle.path, container.id])
    eventually(lambda: (container.cgroup / "cgroup.procs").exists(), "the group is made")

    groups = {world.own_cgroup(runner.pid)}

    assert runner.wait(10) == 0
    assert groups == {"/suite"}


def test_the_caller_stays_in_its_group(container):
    container.create()

    assert world.own_cgroup() == "/suite"


# The end.


def test_delete_removes_the_group(container):
    container.launch()
    container.wait_for_status("stopped")
    assert container.cgroup.exists()

    container.delete()

    assert not container.cgroup.exists()


def test_delete_removes_groups_the_container_made(container, bundle):
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "rw"])
    bundle.sh("mkdir -p /sys/fs/cgroup/a/b /sys/fs/cgroup/c; sleep 0.01 & echo $! >/sys/fs/cgroup/a/b/cgroup.procs; wait")
    container.launch()
    container.wait_for_status("stopped")
    assert (container.cgroup / "a/b").exists()

    container.delete()

    assert not container.cgroup.exists()


def test_delete_force_ends_processes_in_groups_the_container_made(container, bundle):
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "rw"])
    bundle.sh("mkdir /sys/fs/cgroup/a; sleep 1000 & echo $! >/sys/fs/cgroup/a/cgroup.procs; touch /ready; wait")
    container.launch()
    eventually((bundle.rootfs / "ready").exists, "the inner group is used")

    container.delete("--force")

    assert not container.cgroup.exists()


@normative("B18")
def test_a_group_that_existed_before_may_be_used(container):
    container.cgroup.mkdir()

    container.run()


def test_create_refuses_a_group_with_processes_in_it(make_container, make_bundle):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    first.create()
    second.bundle.linux["cgroupsPath"] = f"/{first.id}"

    second.try_create().refused("cgroup is not empty")

    assert first.status == "created"


def test_create_refuses_a_frozen_group(container):
    container.cgroup.mkdir()
    (container.cgroup / "cgroup.freeze").write_text("1")

    container.try_create(timeout=2).refused("frozen")


# Devices.


def test_the_default_devices_can_be_used(container, bundle):
    bundle.resources["devices"] = [DENY_ALL]

    output = container.output("for d in null zero full random urandom; do head -c 1 /dev/$d >/dev/null && echo $d; done")

    assert output.split() == ["null", "zero", "full", "random", "urandom"]


@covers("/linux/resources/devices/*/allow")
def test_a_denied_device_cannot_be_opened(container, bundle):
    kmsg_node(bundle)
    bundle.resources["devices"] = [DENY_ALL]

    assert container.output(READ_KMSG) == "refused\n"


def test_devices_are_denied_unless_a_rule_allows_them(container, bundle):
    kmsg_node(bundle)

    assert container.output(READ_KMSG) == "refused\n"


@pytest.mark.parametrize(
    "allowed",
    [rule(True, "rw", major=1, minor=11), rule(True, "rwm", major=1), rule(True, kind="a")],
    ids=["one", "all-of-a-major", "all"],
)
@covers(
    "/linux/resources/devices/*/allow",
    "/linux/resources/devices/*/major",
    "/linux/resources/devices/*/minor",
)
def test_an_allowed_device_can_be_opened(container, bundle, allowed):
    kmsg_node(bundle)
    bundle.resources["devices"] = [DENY_ALL, allowed]

    assert container.output("(: </dev/kmsg) && (: >/dev/kmsg) && echo works") == "works\n"


@covers("/linux/resources/devices/*/access")
def test_the_access_of_a_rule_counts(container, bundle):
    kmsg_node(bundle)
    bundle.resources["devices"] = [DENY_ALL, rule(True, "w", major=1, minor=11)]

    output = container.output("(: </dev/kmsg) 2>/dev/null || echo no-reading; (: >/dev/kmsg) && echo writing")

    assert output == "no-reading\nwriting\n"


def test_a_later_rule_takes_back_what_an_earlier_one_allowed(container, bundle):
    kmsg_node(bundle)
    bundle.resources["devices"] = [rule(True, kind="a"), rule(False, "rw", major=1, minor=11)]

    assert container.output(READ_KMSG + "; " + WRITE_KMSG) == "refused\nrefused\n"


@covers("/linux/resources/devices/*/type")
def test_the_kind_of_a_rule_counts(container, bundle):
    kmsg_node(bundle)
    bundle.resources["devices"] = [DENY_ALL, rule(True, "rwm", kind="b", major=1, minor=11)]

    assert container.output(READ_KMSG) == "refused\n"


def test_nodes_may_be_made_but_not_opened(container, bundle):
    bundle.capabilities("CAP_MKNOD")
    bundle.resources["devices"] = [DENY_ALL]

    output = container.output("mknod /dev/k c 1 11 && echo made; (: </dev/k) 2>/dev/null || echo refused")

    assert output == "made\nrefused\n"


def test_exec_is_bound_by_the_device_rules(container, bundle):
    kmsg_node(bundle)
    bundle.resources["devices"] = [DENY_ALL]
    bundle.sleeper()
    container.launch()

    assert container.exec("sh", "-c", READ_KMSG).out == "refused\n"


# Other resources.


@covers("/linux/resources/unified/*")
def test_a_file_of_the_group_is_set_by_unified(container, bundle):
    bundle.resources["unified"] = {"cgroup.max.depth": "5", "cgroup.max.descendants": "7"}
    container.create()

    assert (container.cgroup / "cgroup.max.depth").read_text() == "5\n"
    assert (container.cgroup / "cgroup.max.descendants").read_text() == "7\n"


@needs("hugetlb")
@covers("/linux/resources/hugepageLimits/*/pageSize", "/linux/resources/hugepageLimits/*/limit")
def test_a_hugepage_limit_is_set(container, bundle):
    bundle.resources["hugepageLimits"] = [{"pageSize": "2MB", "limit": 4 << 20}]
    container.create()

    assert (container.cgroup / "hugetlb.2MB.max").read_text() == f"{4 << 20}\n"


@needs("memory")
@covers("/linux/resources/memory/limit")
def test_a_memory_limit_is_set(container, bundle):
    bundle.resources["memory"] = {"limit": 64 << 20}
    container.create()

    assert (container.cgroup / "memory.max").read_text() == f"{64 << 20}\n"


@needs("pids")
@covers("/linux/resources/pids/limit")
def test_a_pids_limit_is_set(container, bundle):
    bundle.resources["pids"] = {"limit": 50}
    container.create()

    assert (container.cgroup / "pids.max").read_text() == "50\n"


@needs("cpu")
@covers("/linux/resources/cpu/quota", "/linux/resources/cpu/period")
def test_a_cpu_quota_is_set(container, bundle):
    bundle.resources["cpu"] = {"quota": 50000, "period": 100000}
    container.create()

    assert (container.cgroup / "cpu.max").read_text() == "50000 100000\n"


LIMITS = [
    pytest.param("memory", {"memory": {"limit": 64 << 20}}, marks=lacking("memory"), id="memory"),
    pytest.param("cpu", {"cpu": {"shares": 512}}, marks=lacking("cpu"), id="cpu-shares"),
    pytest.param("cpu", {"cpu": {"quota": 50000, "period": 100000}}, marks=lacking("cpu"), id="cpu-quota"),
    pytest.param("cpuset", {"cpu": {"cpus": "0"}}, marks=lacking("cpuset"), id="cpuset"),
    pytest.param("pids", {"pids": {"limit": 50}}, marks=lacking("pids"), id="pids"),
    pytest.param("io", {"blockIO": {"weight": 50}}, marks=lacking("io"), id="io"),
    pytest.param("memory", {"unified": {"memory.high": "1000000"}}, marks=lacking("memory"), id="unified"),
]


@pytest.mark.parametrize("controller, resources", LIMITS)
def test_a_limit_without_its_controller_is_refused_and_leaves_nothing(
    container, bundle, controller, resources, nothing_left
):
    bundle.linux["resources"] = resources
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()

    result = container.try_create().refused()

    assert controller in result.error or not container.runtime.is_capsule
    nothing_left.soon()


@extension("the missing controller is named, and where it was looked for")
@pytest.mark.parametrize("controller, resources", LIMITS)
def test_a_limit_without_its_controller_names_the_field(container, bundle, controller, resources):
    bundle.linux["resources"] = resources

    result = container.try_create().refused("/linux/resources/")

    assert f"{controller}" in result.error and "controller" in result.error


# Who manages them.


def test_the_cgroupfs_manager_can_be_named(container, bundle):
    bundle.save()

    container.call_with(
        ["--cgroup-manager", "cgroupfs", "create", "--bundle", bundle.path, container.id]
    ).succeeded().silent()

    assert world.own_cgroup(container.pid) == f"/{container.id}"


def test_with_the_cgroup_manager_disabled_the_container_stays_in_the_callers_group(container, bundle):
    del bundle.linux["cgroupsPath"]
    bundle.sleeper().save()

    container.call_with(["--cgroup-manager=disabled", "create", "--bundle", bundle.path, container.id]).succeeded()

    assert world.own_cgroup(container.pid) == "/suite"
    container.delete("--force")


def test_an_unknown_cgroup_manager_is_refused(container, bundle):
    bundle.save()

    container.call_with(["--cgroup-manager=nonsense", "create", "--bundle", bundle.path, container.id]).refused()


@pytest.mark.skipif(os.path.exists("/run/systemd/system"), reason="systemd runs here")
def test_the_systemd_manager_without_systemd_is_refused_and_leaves_nothing(container, bundle, nothing_left):
    bundle.linux["cgroupsPath"] = "system.slice:capsule:one"
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()

    container.call_with(["--systemd-cgroup", "create", "--bundle", bundle.path, container.id]).refused()

    nothing_left.soon()
