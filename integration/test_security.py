"""The security rules R1 to R26, one test or more named after each, and two old attacks.

Not here: R20 (messages between the runtime's own processes) and R21 (names given to CRIU), which are unit tests.
"""

import os
import re
import signal
import stat
import subprocess
import time
import threading

import pytest

from support import kernel, leftovers, mountinfo, tracing, world
from support.marks import extension
from support.rootfs import chown_tree
from support.terminals import ConsoleSocket
from support.waiting import eventually


class Outside:
    """A directory of the host that no container may touch, with a file that none may read or change."""

    def __init__(self, path):
        self.path = path
        self.path.mkdir(mode=0o700)
        victim = path / "victim"
        victim.write_text("secret of the host")
        victim.chmod(0o640)
        os.chown(victim, 123, 124)
        self.before = look(path)

    def __fspath__(self):
        return str(self.path)

    __str__ = __fspath__

    def untouched(self):
        assert look(self.path) == self.before


@pytest.fixture
def outside(work):
    return Outside(work / "outside")


def look(directory):
    """Everything about a directory and what is in it that an escape would change."""
    entries = {}
    for path in [directory, *sorted(directory.iterdir())]:
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        entries[path.name] = (status.st_ino, status.st_mode, status.st_uid, status.st_gid, status.st_rdev, content)
    return entries, [target for target in leftovers.mounted() if target.startswith(str(directory))]


def without_mount(bundle, *destinations):
    bundle.config["mounts"] = [entry for entry in bundle.mounts if entry["destination"] not in destinations]


# R1: the host's binary is out of reach.


def executables(container):
    """The paths under which the runtime's own program can be reached through the container's init."""
    return f"/proc/{container.pid}/exe"


def test_R01_the_program_of_a_created_container_cannot_be_written(container, bundle, runtime):
    container.create()
    descriptor = os.open(executables(container), os.O_PATH)
    before = open(runtime.path, "rb").read()

    container.delete("--force")

    with pytest.raises(OSError):
        writable = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY)
        os.write(writable, b"#!/evil")
    os.close(descriptor)
    assert open(runtime.path, "rb").read() == before


@extension("init is a small program of its own in sealed memory, not the host's file")
def test_R01_the_program_of_a_created_container_is_no_file_of_the_host(container, bundle, runtime):
    container.create()

    assert not os.path.samestat(os.stat(executables(container)), os.stat(runtime.path))
    assert "memfd" in os.readlink(executables(container))


def test_R01_proc_1_exe_of_a_running_container_is_a_file_of_the_container(container, bundle):
    container.launch_sleeper()

    inside = os.stat(executables(container))

    assert os.path.samestat(inside, os.stat(bundle.rootfs / "bin/busybox"))


def test_R01_running_proc_self_exe_does_not_run_the_hosts_program(container, bundle, runtime):
    bundle.args("/proc/self/exe", "--version")

    assert runtime.name not in container.try_run().out


# R2 and R4: image paths never leave the rootfs.


@pytest.mark.parametrize(
    "link",
    ["{outside}", "../../../../../../../../../..{outside}", "/proc/self/root{outside}", "hop"],
    ids=["absolute", "dots", "through-proc", "two-hops"],
)
@pytest.mark.parametrize("kind", ["tmpfs", "bind-directory", "bind-file", "create"])
def test_R02_mount_target_symlink_stays_in_rootfs(container, bundle, outside, work, link, kind):
    (bundle.rootfs / "link").symlink_to(link.format(outside=outside))
    (bundle.rootfs / "hop").symlink_to(str(outside))
    (work / "source").mkdir()
    (work / "source-file").write_text("")
    if kind == "tmpfs":
        bundle.mount("/link", "tmpfs")
    elif kind == "bind-directory":
        bundle.bind(work / "source", "/link/new", "bind")
    elif kind == "bind-file":
        bundle.bind(work / "source-file", "/link/victim", "bind")
    else:
        bundle.mount("/link/deep/new", "tmpfs")

    container.try_run()

    outside.untouched()


@pytest.mark.parametrize("attempt", range(3))
def test_R02_a_target_that_is_exchanged_for_a_symlink_meanwhile_stays_in_rootfs(make_container, bundle, outside, attempt):
    """CVE-2021-30465: while mounts are made, a directory of the image becomes a symlink and back, over and over."""
    (bundle.rootfs / "a").mkdir()
    (bundle.rootfs / "a/b").mkdir()
    (bundle.rootfs / "trap").symlink_to(outside)
    for number in range(10):
        bundle.mount("/a/b", "tmpfs").mount(f"/a/b/c{number}", "tmpfs").mount("/a/x/y", "tmpfs")
    stop = threading.Event()
    juggler = threading.Thread(target=exchange_until, args=(bundle.rootfs / "a", bundle.rootfs / "trap", stop))
    juggler.start()

    try:
        for number in range(4):
            container = make_container(bundle, f"race-{attempt}-{number}")
            bundle.linux["cgroupsPath"] = f"/{container.id}"
            container.try_run()
    finally:
        stop.set()
        juggler.join()

    outside.untouched()


def exchange_until(first, second, stop):
    at_fdcwd, exchange = -100, 2
    while not stop.is_set():
        kernel.libc.renameat2(at_fdcwd, str(first).encode(), at_fdcwd, str(second).encode(), exchange)


def test_R02_a_masked_path_behind_a_symlink_stays_in_rootfs(container, bundle, outside):
    (bundle.rootfs / "link").symlink_to(outside)
    bundle.linux["maskedPaths"] = ["/link/victim", "/link"]
    bundle.linux["readonlyPaths"] = ["/link"]

    container.try_run()

    outside.untouched()


def test_R02_a_device_behind_a_symlink_stays_in_rootfs(container, bundle, outside):
    (bundle.rootfs / "link").symlink_to(outside)
    bundle.linux["devices"] = [{"path": "/link/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o777, "uid": 5}]

    container.try_run()

    outside.untouched()


def test_R02_a_cwd_behind_a_symlink_is_created_in_rootfs(container, bundle, outside):
    (bundle.rootfs / "link").symlink_to(outside)
    bundle.process["cwd"] = "/link/new"

    container.try_run()

    outside.untouched()


def test_R04_the_mount_is_where_the_config_wants_it(container, bundle):
    bundle.mount("/mnt/a", "tmpfs", "tmpfs", ["size=4k"]).mount("/mnt/b", "tmpfs", "tmpfs", ["size=8k"])

    mounts = mountinfo.inside(container)

    assert "size=4k" in mounts["/mnt/a"].super_options
    assert "size=8k" in mounts["/mnt/b"].super_options


# R3: descriptors.


def test_R03_init_holds_no_directory_of_the_host(container, bundle):
    container.create()

    roots = os.stat(f"/proc/{container.pid}/root")
    for descriptor in os.listdir(f"/proc/{container.pid}/fd"):
        path = f"/proc/{container.pid}/fd/{descriptor}"
        try:
            found = os.stat(path)
        except FileNotFoundError:  # closed since we listed it
            continue
        assert not stat.S_ISDIR(found.st_mode) or found.st_dev == roots.st_dev and "rootfs" in os.readlink(path), (
            os.readlink(path)
        )


def test_R03_the_command_and_exec_have_three_descriptors(container):
    container.launch_sleeper()

    assert sorted(os.listdir(f"/proc/{container.pid}/fd")) == ["0", "1", "2"]
    assert container.exec("sh", "-c", "ls /proc/$$/fd; true").out.split() == ["0", "1", "2"]


def test_R03_the_runtimes_helpers_are_gone_when_create_returns(container):
    container.create()

    assert [process for process in world.descendants() if world.alive(process)] == [container.pid]


# R5: /proc is our own when it counts.


def test_R05_a_sysctl_is_set_without_the_containers_proc(container, bundle):
    without_mount(bundle, "/proc", "/sys")
    bundle.linux["sysctl"] = {"net.ipv4.ip_forward": "1"}
    bundle.sleeper()

    container.create()

    assert in_network_of(container.pid, "/proc/sys/net/ipv4/ip_forward") == "1"


def in_network_of(process, path):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        kernel.setns(f"/proc/{process}/ns/net")
        os.write(writer, open(path, "rb").read())
        os._exit(0)
    os.close(writer)
    text = os.read(reader, 100).decode().strip()
    os.close(reader)
    os.waitpid(child, 0)
    return text


def test_R05_a_fake_proc_of_the_image_is_not_written(container, bundle, outside):
    without_mount(bundle, "/proc")
    (bundle.rootfs / "proc/sys/net/ipv4").mkdir(parents=True)
    (bundle.rootfs / "proc/sys/net/ipv4/ip_forward").symlink_to(outside.path / "victim")
    (bundle.rootfs / "proc/self").mkdir()
    (bundle.rootfs / "proc/self/attr").symlink_to(outside)
    bundle.linux["sysctl"] = {"net.ipv4.ip_forward": "1"}

    container.try_run()

    outside.untouched()


# R6: nothing but /proc on /proc.


@pytest.mark.parametrize("target", ["proc", "sys"])
@pytest.mark.parametrize("link", ["tmp", "{outside}"])
def test_R06_proc_and_sys_must_be_directories_of_the_image(container, bundle, outside, target, link):
    (bundle.rootfs / target).rmdir()
    (bundle.rootfs / target).symlink_to(link.format(outside=outside))

    container.try_run().refused()

    outside.untouched()


@pytest.mark.parametrize("target", ["/proc", "/proc/self", "/proc/1", "/proc/sys", "/proc/sys/kernel", "/proc/self/attr"])
def test_R06_a_directory_is_not_bound_over_proc(container, bundle, work, target):
    (work / "fake").mkdir()
    bundle.bind(work / "fake", target, "bind")

    container.try_run().refused()


@pytest.mark.parametrize("link", ["/proc/self/attr", "/proc/sys/kernel", "/proc"])
def test_R06_a_symlink_of_the_image_does_not_lead_a_mount_below_proc(container, bundle, work, link):
    (work / "fake").mkdir()
    (bundle.rootfs / "innocent").symlink_to(link)
    bundle.bind(work / "fake", "/innocent", "bind")

    container.try_run().refused()


@pytest.mark.parametrize("name", ["cpuinfo", "meminfo", "stat", "uptime", "loadavg", "diskstats", "swaps"])
def test_R06_the_files_of_lxcfs_may_be_bound(container, bundle, work, name):
    (work / "fake").write_text("faked\n")
    bundle.bind(work / "fake", f"/proc/{name}", "bind")

    assert container.output(f"cat /proc/{name}") == "faked\n"


# R7: the working directory is inside.


@pytest.mark.parametrize("number", range(3, 12))
def test_R07_a_cwd_through_a_descriptor_is_refused(container, bundle, number):
    bundle.process["cwd"] = f"/proc/self/fd/{number}"

    container.try_run().refused()


@pytest.mark.parametrize("number", range(5, 10))
def test_R07_a_cwd_behind_a_symlink_to_a_descriptor_is_refused(container, bundle, number):
    (bundle.rootfs / "link").symlink_to(f"/proc/self/fd/{number}")
    bundle.process["cwd"] = "/link"

    container.try_run().refused()


@pytest.mark.parametrize("number", range(3, 12))
def test_R07_exec_refuses_a_cwd_through_a_descriptor(container, bundle, number):
    bundle.sleeper()
    container.launch()

    container.try_exec("pwd", flags=["--cwd", f"/proc/self/fd/{number}"]).refused()


def test_R07_exec_refuses_a_cwd_through_a_descriptor_that_was_passed_to_it(container, bundle, work):
    """Nothing but where it ends tells that this directory is the host's: the descriptor is there on purpose."""
    bundle.sleeper()
    container.launch()
    with_directory = ["sh", "-c", f'exec 3<{work}; exec "$@"', "sh"]

    flags = ["--preserve-fds=1", "--cwd", "/proc/self/fd/3"]
    container.try_exec("pwd", flags=flags, through=with_directory, close_fds=False).refused("breakout")


# R8: no peeking at the runtime inside.


def test_R08_init_is_not_dumpable_before_the_command_runs(container, bundle):
    bundle.map_ids((0, 100000, 65536))
    chown_tree(bundle.rootfs, 100000)
    container.create()

    assert os.stat(f"/proc/{container.pid}/environ").st_uid == 0


def test_R08_init_carries_nothing_of_the_callers_environment(container, bundle):
    container.create(env={**os.environ, "SECRET": "of-the-host"})

    assert "of-the-host" not in open(f"/proc/{container.pid}/environ").read()


# R9, R10, R11: /dev of an image is not trusted.


def test_R09_a_faked_dev_null_is_neither_changed_nor_used_as_a_mask(container, bundle, outside):
    without_mount(bundle, "/dev", "/dev/pts")
    (bundle.rootfs / "dev/null").symlink_to(outside.path / "victim")
    bundle.write("/masked", "to be masked")
    bundle.linux["maskedPaths"] = ["/masked"]
    bundle.sh("cat /masked")

    result = container.try_run()

    assert "secret of the host" not in result.out

    outside.untouched()


def test_R09_null_as_a_stream_is_not_given_away(container, bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    before = os.stat("/dev/null")

    container.run(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    after = os.stat("/dev/null")
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)


def test_R10_a_faked_ptmx_is_refused(container, bundle, outside, work):
    without_mount(bundle, "/dev/pts")
    fake = work / "pts"
    fake.mkdir()
    (fake / "ptmx").symlink_to(outside.path / "victim")
    bundle.bind(fake, "/dev/pts", "bind")
    bundle.process["terminal"] = True
    console = ConsoleSocket(work / "console.sock")

    container.try_create("--console-socket", console.path).refused()

    console.close()

    outside.untouched()


def test_R10_a_faked_console_is_not_followed(container, bundle, outside, work):
    without_mount(bundle, "/dev")
    (bundle.rootfs / "dev/pts").mkdir()
    (bundle.rootfs / "dev/console").symlink_to(outside.path / "victim")
    bundle.process["terminal"] = True
    console = ConsoleSocket(work / "console.sock")

    container.try_create("--console-socket", console.path)

    console.close()

    outside.untouched()


@pytest.mark.parametrize("name", ["null", "zero", "full", "tty", "random", "urandom"])
def test_R11_a_faked_device_is_not_followed(container, bundle, outside, name):
    without_mount(bundle, "/dev", "/dev/pts")
    (bundle.rootfs / "dev" / name).symlink_to(outside.path / "victim")

    container.try_run()

    outside.untouched()


def test_R11_a_dev_that_is_a_symlink_is_not_followed_out_of_the_rootfs(container, bundle, outside):
    without_mount(bundle, "/dev", "/dev/pts")
    (bundle.rootfs / "dev").rmdir()
    (bundle.rootfs / "dev").symlink_to(outside)

    container.try_run()

    outside.untouched()


# R12, R14: order.


def test_R12_masks_come_after_the_mounts_of_the_config(container, bundle, work):
    (work / "source").mkdir()
    (work / "source/file").write_text("unmasked")
    bundle.bind(work / "source", "/mnt", "bind")
    bundle.linux["maskedPaths"] = ["/mnt/file", "/proc/timer_list"]
    bundle.linux["readonlyPaths"] = ["/mnt"]

    output = container.output("cat /mnt/file; touch /mnt/new 2>/dev/null || echo refused")

    assert output == "refused\n"


def test_R14_the_first_thing_init_does_is_in_its_cgroup(container, bundle):
    bundle.without_namespace("cgroup")
    script = f"cat >/dev/null; cat /proc/self/cgroup >{bundle.path}/cgroup"
    bundle.config["hooks"] = {"createContainer": [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}

    container.create()

    assert f"0::/{container.id}" in (bundle.path / "cgroup").read_text().splitlines()


# R13: the host's hierarchy.


def test_R13_without_a_cgroup_namespace_the_hosts_hierarchy_cannot_be_written(container, bundle):
    bundle.without_namespace("cgroup")
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "rw"])
    bundle.sh("mkdir /sys/fs/cgroup/escaped /sys/fs/cgroup/suite/escaped 2>/dev/null; true")

    container.try_run("--keep")

    escaped = [group for group in world.subgroups(world.CGROUPS) if group.name == "escaped"]
    for group in escaped:
        world.remove_group(group)
    assert all(container.cgroup in group.parents for group in escaped)


# R15: capabilities that are not asked for.


def test_R15_nothing_is_inheritable_unless_the_config_says_so(container, bundle):
    bundle.sleeper()
    container.launch()

    for flags in ([], ["--cap", "CAP_NET_RAW"]):
        text = container.exec("grep", "-E", "Cap(Inh|Amb)", "/proc/self/status", flags=flags).out
        assert [line.split()[1] for line in text.splitlines()] == ["0" * 16, "0" * 16]


# R16: devices.


def test_R16_devices_are_denied_even_without_any_resources(container, bundle):
    bundle.capabilities("CAP_MKNOD", "CAP_SYSLOG")

    assert container.output("mknod /k c 1 11; (: </k) 2>/dev/null && echo open || echo denied") == "denied\n"


# R17: the filter.


def test_R17_the_filter_holds_although_no_privilege_is_left_to_load_it(container, bundle):
    bundle.process["noNewPrivileges"] = False
    bundle.process["capabilities"] = {}
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}],
    }

    output = container.output("mkdir /made 2>/dev/null || echo denied; grep -E '^Seccomp:' /proc/self/status")

    assert output.split() == ["denied", "Seccomp:", "2"]


# R18, R19: helpers and numbers.


def test_R18_a_program_in_the_bundle_is_not_taken_for_a_helper(container, bundle):
    for name in ("newuidmap", "newgidmap", "ps", "sh"):
        (bundle.path / name).write_text(f"#!/bin/sh\ntouch {bundle.path}/fooled\n")
        (bundle.path / name).chmod(0o755)
    bundle.map_ids((0, 100000, 1000))
    chown_tree(bundle.rootfs, 100000)
    bundle.process["env"] = [f"PATH={bundle.path}:.:/bin"]
    bundle.sleeper().save()

    container.call("create", cwd=bundle.path).succeeded()
    container.call("ps", cwd=bundle.path).succeeded()

    assert not (bundle.path / "fooled").exists()


@pytest.mark.parametrize("number", ["-1", "1x", "0x1", "", "99999999999999999999", " 1", "1.0"])
def test_R19_a_number_is_read_as_a_whole_or_refused(container, bundle, number):
    bundle.save()

    container.call_with(["create", "--bundle", bundle.path, f"--preserve-fds={number}", container.id]).failed()

    container.call("state").failed()


# R22: the right process.


def test_R22_a_process_that_took_over_the_pid_is_not_signalled(container, bundle):
    bundle.sleeper()
    container.launch()
    init = container.pid
    # Start times are counted in clock ticks, and a pid comes round much later than the next one.
    time.sleep(2 / os.sysconf("SC_CLK_TCK"))
    bystander = subprocess.Popen(["sleep", "1000"])
    container.kill("KILL")
    container.wait_for_status("stopped")

    for path in container.state_directory.glob("*"):
        replace_number(path, init, bystander.pid)

    status = container.call("state")
    container.call_with(["kill", container.id, "KILL"])
    container.call_with(["kill", "--all", container.id, "KILL"])
    container.call("delete", "--force")
    survived = bystander.poll() is None
    bystander.kill()
    bystander.wait()
    assert survived
    assert status.status != 0 or status.json["status"] == "stopped"


def replace_number(path, old, new):
    """In a JSON file; the state of a container as it would be after its pid was given to another process."""
    if path.is_file() and not stat.S_ISFIFO(path.stat().st_mode):
        text = path.read_text(errors="replace")
        if re.search(rf"\b{old}\b", text):
            path.write_text(re.sub(rf"\b{old}\b", str(new), text))


# R23: what is kept on disk.


def test_R23_only_root_can_write_the_state(container, runtime):
    container.create()

    for path in [container.root, container.state_directory, *container.state_directory.iterdir()]:
        status = path.stat()
        assert status.st_uid == runtime.user[0]
        assert stat.S_ISFIFO(status.st_mode) or not status.st_mode & 0o022, f"{path} {status.st_mode:o}"


def test_R23_the_state_directory_is_closed_to_others(container):
    container.create()

    assert container.state_directory.stat().st_mode & 0o066 == 0


def test_R23_exec_does_not_read_the_bundle_again(container, bundle):
    bundle.sleeper()
    container.launch()
    (bundle.path / "config.json").unlink()

    assert container.exec("echo", "works").out == "works\n"


# R24: a hostile pid namespace.


def test_R24_a_joined_pid_namespace_does_not_mislead_the_runtime(make_container, make_bundle):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    first.bundle.sleeper()
    first.launch()
    second.bundle.namespace("pid", f"/proc/{first.pid}/ns/pid").sleeper()

    second.launch("--pid-file", second.bundle.path / "pid")

    pid = int((second.bundle.path / "pid").read_text())
    assert world.own_cgroup(pid) == f"/{second.id}"
    assert second.pid == pid


# R25: locked flags.


@pytest.mark.parametrize("options", [["rbind", "ro"], ["bind"], ["bind", "noatime"]], ids=" ".join)
def test_R25_flags_locked_by_a_user_namespace_are_kept(container, bundle, work, options):
    source = work / "source"
    source.mkdir(mode=0o755)
    kernel.mount("tmpfs", source, "tmpfs", 0x2 | 0x4 | 0x8)  # nosuid, nodev, noexec
    try:
        bundle.map_ids((0, 100000, 65536))
        chown_tree(bundle.rootfs, 100000)
        bundle.bind(source, "/mnt", *options)

        found = mountinfo.inside(container)["/mnt"].options
    finally:
        kernel.unmount(source, kernel.MNT_DETACH)

    assert {"nosuid", "nodev", "noexec"} <= found
    assert "ro" in found or "ro" not in options


# R26: the host's propagation.


def test_R26_a_container_without_a_mount_namespace_leaves_the_hosts_propagation(container, bundle, work):
    (work / "shared").mkdir()
    kernel.mount("tmpfs", work / "shared", "tmpfs")
    kernel.mount("none", work / "shared", flags=kernel.MS_SHARED)
    before = propagation_of(work / "shared")
    bundle.without_namespace("mount")
    bundle.config["mounts"] = []

    container.try_run()

    after = propagation_of(work / "shared")
    kernel.unmount(work / "shared", kernel.MNT_DETACH)
    assert before and before == after


def propagation_of(target):
    return mountinfo.parse(open("/proc/self/mountinfo").read())[str(target)].propagation


# A runtime that is killed anywhere.


@extension("killed at any system call of create, delete --force cleans up")
@pytest.mark.parametrize("offset", range(8))
def test_delete_force_cleans_up_wherever_create_is_killed(make_container, make_bundle, runtime, root, nothing_left, offset):
    """Eight tests share the work: each kills create at every 24th stop (entry or exit of a system call)."""
    bundle = make_bundle()
    bundle.sleeper().save()
    root.mkdir()
    os.chown(root, runtime.user[0], runtime.user[0])
    container = make_container(bundle)
    bundle.save()
    nothing_left.from_now_on()
    command = [runtime.path, "--root", root, "create", "--bundle", bundle.path]
    command += ["--pid-file", bundle.path / "pid", container.id]

    stop = 1 + offset * 3
    while tracing.kill_at_stop([str(word) for word in command], stop):
        container.delete("--force")
        (bundle.path / "pid").unlink(missing_ok=True)
        nothing_left.soon(f"create was killed at stop {stop}")
        stop += 24

    container.delete("--force")


def test_a_container_that_dies_before_start_is_reported(container, bundle):
    container.create()
    container.kill("KILL")
    container.wait_for_status("stopped")

    container.call("start").refused()


def test_a_state_file_that_is_cut_in_half_is_an_error(container):
    container.create()
    init = container.pid
    for path in container.state_directory.iterdir():
        if path.is_file() and path.name in ("state.json", "status"):
            path.write_text(path.read_text()[:20])

    container.call("state").refused()
    container.call("delete", "--force")

    if world.alive(init):
        os.kill(init, signal.SIGKILL)
    eventually(lambda: not world.alive(init), "init is gone")
