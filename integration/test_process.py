"""What the container's process is given: identity, limits, environment, descriptors."""

import ctypes
import os
import re
import resource
import socket
import struct

import pytest

from support import world
from support.marks import covers, extension, normative
from support.processors import parse_processors
from support.terminals import ConsoleSocket
from support.waiting import eventually


def status_fields(text):
    """/proc/PID/status as a dictionary"""
    return dict(re.split(r":\s*", line, maxsplit=1) for line in text.splitlines() if ":" in line)


def capability_sets(text):
    fields = status_fields(text)
    return {kind: int(fields[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")}


CHOWN, KILL, NET_BIND_SERVICE, NET_RAW = 1 << 0, 1 << 5, 1 << 10, 1 << 13


# The default bundle: an isolated world.


def test_the_container_sees_itself_alone(container, bundle):
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"])

    output = container.output("id; hostname; ps -o pid,args; mount; cat /proc/self/cgroup")

    lines = output.splitlines()
    assert lines[0].startswith("uid=0(root) gid=0(root)")
    assert lines[1] == "capsule"
    processes = [line.split()[0] for line in lines if re.match(r"^ *\d+ ", line)]
    assert processes[0] == "1" and len(processes) <= 2
    assert any(line.startswith("proc on /proc type proc") for line in lines)
    assert not any("suite" in line for line in lines)
    assert "0::/" in lines


# Identity.


@covers("/process/user/uid", "/process/user/gid")
def test_the_process_has_the_uid_and_gid_asked_for(container, bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 50}

    assert container.output("id -u; id -g") == "1000\n50\n"


@covers("/process/user/additionalGids")
def test_the_process_has_the_additional_groups_and_no_others(container, bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [50, 77]}

    assert sorted(container.output("id -G").split()) == ["1000", "50", "77"]


def test_root_has_no_groups_of_the_caller(container, bundle):
    container.bundle.sh("grep Groups /proc/self/status")

    result = container.run(preexec_fn=lambda: os.setgroups([4242]))

    assert "4242" not in result.out


@pytest.mark.parametrize("umask, shown", [(None, "0022"), (0o027, "0027"), (0, "0000")])
@covers("/process/user/umask")
@normative("B30")
def test_the_umask_is_022_or_the_one_asked_for(container, bundle, umask, shown):
    if umask is not None:
        bundle.process["user"]["umask"] = umask

    assert container.output("umask", preexec_fn=lambda: os.umask(0o077)).strip() == shown


def test_init_leads_its_own_session(container, bundle):
    bundle.sleeper()
    container.launch()

    assert os.getsid(container.pid) == container.pid
    assert os.getpgid(container.pid) == container.pid


def test_init_becomes_a_child_of_the_nearest_subreaper(container):
    container.create()

    assert container.pid in world.children_of("self")


@covers("/process/noNewPrivileges")
def test_no_new_privileges_is_set_when_asked_for(container, bundle):
    bundle.process["noNewPrivileges"] = True

    assert status_fields(container.output("cat /proc/self/status"))["NoNewPrivs"] == "1"


@covers("/process/noNewPrivileges")
def test_no_new_privileges_is_not_set_when_not_asked_for(container, bundle):
    bundle.process["noNewPrivileges"] = False

    assert status_fields(container.output("cat /proc/self/status"))["NoNewPrivs"] == "0"


# Capabilities.


@covers("/process/capabilities/bounding", "/process/capabilities/effective", "/process/capabilities/permitted")
def test_root_has_the_capabilities_of_the_config_and_no_others(container, bundle):
    bundle.capabilities("CAP_KILL", "CAP_CHOWN")

    sets = capability_sets(container.output("cat /proc/self/status"))

    assert sets == {"Inh": 0, "Prm": CHOWN | KILL, "Eff": CHOWN | KILL, "Bnd": CHOWN | KILL, "Amb": 0}


@covers(
    "/process/capabilities/bounding",
    "/process/capabilities/effective",
    "/process/capabilities/permitted",
    "/process/capabilities/inheritable",
    "/process/capabilities/ambient",
)
def test_the_five_capability_sets_are_exactly_those_of_the_config(container, bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.process["capabilities"] = {
        "bounding": ["CAP_NET_RAW", "CAP_KILL", "CAP_CHOWN"],
        "permitted": ["CAP_NET_RAW", "CAP_KILL"],
        "inheritable": ["CAP_NET_RAW", "CAP_KILL"],
        "effective": ["CAP_NET_RAW"],
        "ambient": ["CAP_NET_RAW"],
    }

    sets = capability_sets(container.output("cat /proc/self/status"))

    assert sets == {
        "Inh": NET_RAW | KILL,
        "Prm": NET_RAW,
        "Eff": NET_RAW,
        "Bnd": NET_RAW | KILL | CHOWN,
        "Amb": NET_RAW,
    }


def test_a_user_has_no_capabilities_without_ambient_ones(container, bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000}

    sets = capability_sets(container.output("cat /proc/self/status"))

    assert (sets["Prm"], sets["Eff"], sets["Amb"]) == (0, 0, 0)


@covers("/process/capabilities/bounding", "/process/capabilities/permitted")
def test_empty_sets_leave_no_capability(container, bundle):
    bundle.process["capabilities"] = {}

    assert set(capability_sets(container.output("cat /proc/self/status")).values()) == {0}


@covers("/process/capabilities/bounding", "/process/capabilities/permitted")
def test_without_a_capabilities_object_nothing_is_kept(container, bundle):
    del bundle.process["capabilities"]

    assert set(capability_sets(container.output("cat /proc/self/status")).values()) == {0}


# Limits.


def test_rlimits_are_set_for_an_ordinary_user_too(container, bundle):
    """Also without CAP_SYS_RESOURCE, which root in most containers lacks."""
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 300, "hard": 400}]

    assert container.output("ulimit -Sn; ulimit -Hn; id -u") == "300\n400\n1000\n"


@covers("/process/rlimits/*/type", "/process/rlimits/*/soft", "/process/rlimits/*/hard")
def test_rlimits_are_set_soft_and_hard(container, bundle):
    bundle.process["rlimits"] = [
        {"type": "RLIMIT_NOFILE", "soft": 300, "hard": 400},
        {"type": "RLIMIT_CORE", "soft": 0, "hard": 4096},
    ]

    limits = container.output("cat /proc/self/limits")

    assert re.search(r"Max open files +300 +400 ", limits)
    assert re.search(r"Max core file size +0 +4096 ", limits)


@pytest.mark.parametrize(
    "name, row",
    [
        ("RLIMIT_AS", "Max address space"),
        ("RLIMIT_CORE", "Max core file size"),
        ("RLIMIT_CPU", "Max cpu time"),
        ("RLIMIT_DATA", "Max data size"),
        ("RLIMIT_FSIZE", "Max file size"),
        ("RLIMIT_LOCKS", "Max file locks"),
        ("RLIMIT_MEMLOCK", "Max locked memory"),
        ("RLIMIT_MSGQUEUE", "Max msgqueue size"),
        ("RLIMIT_NICE", "Max nice priority"),
        ("RLIMIT_NOFILE", "Max open files"),
        ("RLIMIT_NPROC", "Max processes"),
        ("RLIMIT_RSS", "Max resident set"),
        ("RLIMIT_RTPRIO", "Max realtime priority"),
        ("RLIMIT_RTTIME", "Max realtime timeout"),
        ("RLIMIT_SIGPENDING", "Max pending signals"),
        ("RLIMIT_STACK", "Max stack size"),
    ],
)
@covers("/process/rlimits/*/type")
def test_every_rlimit_is_known(container, bundle, name, row):
    hard = hard_limit(name)
    wanted = 1 << 30 if hard == resource.RLIM_INFINITY else hard
    bundle.process["rlimits"] = [{"type": name, "soft": wanted, "hard": wanted}]

    limits = container.output("cat /proc/self/limits")

    assert re.search(rf"{row} +{wanted} +{wanted} ", limits)


def hard_limit(name):
    """Of this process: nobody may raise it without CAP_SYS_RESOURCE."""
    missing_in_python = {"RLIMIT_LOCKS": 10, "RLIMIT_MSGQUEUE": 12, "RLIMIT_NICE": 13, "RLIMIT_RTTIME": 15}
    return resource.getrlimit(getattr(resource, name, missing_in_python.get(name, -1)))[1]


@pytest.mark.parametrize("configured, inherited, seen", [(200, 0, "200"), (None, 300, "300"), (300, 300, "300")])
@covers("/process/oomScoreAdj")
def test_the_oom_score_is_the_one_asked_for_or_the_inherited_one(container, bundle, configured, inherited, seen):
    if configured is not None:
        bundle.process["oomScoreAdj"] = configured
    with_score = ["sh", "-c", f'echo {inherited} >/proc/self/oom_score_adj; exec "$@"', "sh"]

    assert container.output("cat /proc/self/oom_score_adj", through=with_score).strip() == seen


@covers("/process/oomScoreAdj")
def test_an_oom_score_of_0_is_set_too(container, bundle):
    bundle.process["oomScoreAdj"] = 0
    with_score = ["sh", "-c", 'echo 300 >/proc/self/oom_score_adj; exec "$@"', "sh"]

    assert container.output("cat /proc/self/oom_score_adj", through=with_score).strip() == "0"


# Environment and working directory.


@covers("/process/env")
def test_the_environment_is_the_one_of_the_config_alone(container, bundle):
    bundle.process["env"] = ["PATH=/bin", "HOME=/here", "COLOUR=blue", "EMPTY="]
    bundle.args("env")

    result = container.run(env={**os.environ, "SECRET": "of the host"})

    assert sorted(result.lines) == ["COLOUR=blue", "EMPTY=", "HOME=/here", "PATH=/bin"]


@pytest.mark.parametrize("number", [900, 1020, 1100, 5000])
def test_a_program_gets_however_many_variables_there_are(container, bundle, number):
    bundle.process["env"] = ["PATH=/bin", "HOME=/here", *(f"V{i}={i}" for i in range(number))]
    bundle.args("env", "WORD=last")

    lines = container.run().lines

    assert len(lines) == number + 3
    assert {"HOME=/here", "V0=0", f"V{number - 1}={number - 1}", "WORD=last"} <= set(lines)


def test_a_value_may_contain_anything_but_nul(container, bundle):
    bundle.process["env"] += ["ODD=a=b c\n'\"$x"]

    assert container.output('printf %s "$ODD"') == "a=b c\n'\"$x"


@covers("/process/env")
def test_the_last_of_two_variables_wins(container, bundle):
    bundle.process["env"] += ["COLOUR=red", "COLOUR=blue"]
    bundle.args("env")

    assert [line for line in container.run().lines if line.startswith("COLOUR")] == ["COLOUR=blue"]


@pytest.mark.parametrize("uid, home", [(0, "/root"), (1000, "/home/walter"), (4711, "/")])
@covers("/process/env")
def test_home_comes_from_the_containers_passwd(container, bundle, uid, home):
    bundle.process["user"] = {"uid": uid, "gid": 0}

    assert container.output("echo $HOME").strip() == home


@covers("/process/args", "/process/env")
def test_the_command_is_searched_in_the_path_of_the_config(container, bundle):
    bundle.script("/opt/tools/mine", "echo found")
    bundle.process["env"] = ["PATH=/nowhere:/opt/tools:/bin"]
    bundle.args("mine")

    assert container.run().out == "found\n"


@covers("/process/args")
def test_arguments_arrive_unchanged(container, bundle):
    bundle.args("printf", "<%s>", "", "a b", "$HOME", "*", "-x", "ü")

    assert container.run().out == "<><a b><$HOME><*><-x><ü>"


@covers("/process/cwd")
def test_the_command_starts_in_cwd(container, bundle):
    bundle.process["cwd"] = "/home/walter"

    assert container.output("pwd").strip() == "/home/walter"


@covers("/process/cwd")
def test_a_missing_cwd_is_created(container, bundle):
    bundle.process["cwd"] = "/new/deep/place"

    assert container.output("pwd").strip() == "/new/deep/place"
    assert (bundle.rootfs / "new/deep/place").stat().st_mode & 0o777 == 0o755


def test_a_cwd_only_the_user_may_enter_works(container, bundle):
    home = bundle.rootfs / "home/walter"
    os.chown(home, 1000, 1000)
    home.chmod(0o700)
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.process["cwd"] = "/home/walter"

    assert container.output("pwd").strip() == "/home/walter"


# Names and sysctls.


@covers("/hostname")
def test_the_hostname_is_set(container, bundle):
    bundle.config["hostname"] = "pollux.example"

    assert container.output("hostname").strip() == "pollux.example"
    assert os.uname().nodename != "pollux.example"


@covers("/domainname")
def test_the_domainname_is_set(container, bundle):
    bundle.config["domainname"] = "example.org"

    assert container.output("cat /proc/sys/kernel/domainname").strip() == "example.org"


@pytest.mark.parametrize(
    "name, value",
    [
        ("net.ipv4.ip_forward", "1"),
        ("net.ipv4.ping_group_range", "0\t42"),
        ("kernel.msgmax", "4096"),
        ("kernel.shm_rmid_forced", "1"),
        ("kernel.sem", "100\t32000\t100\t128"),
        ("fs.mqueue.msg_max", "7"),
    ],
)
@covers("/linux/sysctl/*")
@normative("B21")
def test_sysctls_of_own_namespaces_are_set(container, bundle, name, value):
    bundle.linux["sysctl"] = {name: value}
    bundle.config["mounts"] = [entry for entry in bundle.mounts if entry["destination"] != "/sys"]

    assert container.output(f"cat /proc/sys/{name.replace('.', '/')}").strip() == value


@covers("/linux/sysctl/*")
def test_a_sysctl_named_with_slashes_is_set(container, bundle):
    bundle.linux["sysctl"] = {"net/ipv4/ip_forward": "1"}

    assert container.output("cat /proc/sys/net/ipv4/ip_forward").strip() == "1"


# Keyrings, scheduling and personality.


def test_a_session_keyring_named_after_the_container_is_joined(container):
    assert container.id in container.output("cat /proc/keys")


def test_no_new_keyring_keeps_the_callers(container, bundle):
    bundle.sh("cat /proc/keys")

    assert container.id not in container.run("--no-new-keyring").out


@covers("/linux/personality/domain")
@normative("B26")
def test_the_personality_is_set(container, bundle):
    bundle.linux["personality"] = {"domain": "LINUX32"}

    assert container.output("uname -m").strip() in ("i686", "armv8l")


@covers("/process/scheduler/policy", "/process/scheduler/nice")
def test_the_scheduler_is_set(container, bundle):
    bundle.process["scheduler"] = {"policy": "SCHED_BATCH", "nice": 3}

    fields = container.output("cat /proc/self/stat").rsplit(")", 1)[1].split()

    nice, policy = fields[16], fields[38]
    assert (nice, policy) == ("3", "3")  # 3 is SCHED_BATCH


@covers("/process/ioPriority/class", "/process/ioPriority/priority")
def test_the_io_priority_is_set(container, bundle):
    bundle.process["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 6}

    assert container.output("ionice -p $$").strip() == "best-effort: prio 6"


def scheduling_of(container, process):
    """(nice, policy number, real-time priority) from /proc/PROCESS/stat, read inside"""
    fields = container.output(f"cat /proc/{process}/stat").rsplit(")", 1)[1].split()
    return int(fields[16]), int(fields[38]), int(fields[37])


def can_be_real_time():
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except OSError:
        return False
    return True


real_time = pytest.mark.skipif(not can_be_real_time(), reason="no real-time policies here")


@covers("/process/scheduler/nice")
def test_the_nice_value_is_set_without_a_policy_of_its_own(container, bundle):
    bundle.process["scheduler"] = {"policy": "SCHED_OTHER", "nice": 7}

    assert scheduling_of(container, "self") == (7, 0, 0)


@pytest.mark.parametrize("policy, number", [("SCHED_FIFO", 1), ("SCHED_RR", 2)])
@real_time
@covers("/process/scheduler/policy", "/process/scheduler/priority")
def test_a_real_time_policy_has_its_priority(container, bundle, policy, number):
    bundle.process["scheduler"] = {"policy": policy, "priority": 11}

    assert scheduling_of(container, "self") == (0, number, 11)


@real_time
@covers("/process/scheduler/flags")
def test_the_flag_reset_on_fork_keeps_children_ordinary(container, bundle):
    bundle.process["scheduler"] = {"policy": "SCHED_FIFO", "priority": 11, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}
    bundle.sh("cat /proc/$$/stat; cat /proc/self/stat; true")

    policies = [line.rsplit(")", 1)[1].split()[38] for line in container.run().lines]

    assert policies == ["1", "0"]


@real_time
@covers("/process/scheduler/runtime", "/process/scheduler/deadline", "/process/scheduler/period")
def test_a_deadline_has_its_runtime_deadline_and_period(container, bundle):
    flags = ["SCHED_FLAG_RESET_ON_FORK"]  # a deadline task may not fork otherwise
    times = {"runtime": 10_000_000, "deadline": 30_000_000, "period": 100_000_000}
    bundle.process["scheduler"] = {"policy": "SCHED_DEADLINE", "flags": flags, **times}
    bundle.sleeper()
    container.launch()

    assert deadline_of(container.pid) == (6, 10_000_000, 30_000_000, 100_000_000)


def deadline_of(pid):
    """(policy, runtime, deadline, period) as sched_getattr(2) says"""
    attributes = (ctypes.c_uint8 * 48)()
    number = {"x86_64": 315, "aarch64": 275}[os.uname().machine]
    assert ctypes.CDLL(None).syscall(number, pid, attributes, 48, 0) == 0
    _, policy, _, _, _, runtime, deadline, period = struct.unpack("=IIQiIQQQ", bytes(attributes))
    return policy, runtime, deadline, period


@covers("/linux/personality/flags")
def test_flags_of_a_personality_are_only_a_warning(container, bundle):
    """The specification defines none."""
    bundle.linux["personality"] = {"domain": "LINUX", "flags": ["NONSENSE"]}

    assert container.output("uname -m").strip() == os.uname().machine


@pytest.mark.parametrize("name, shown", [("IOPRIO_CLASS_RT", "realtime: prio 3"), ("IOPRIO_CLASS_IDLE", "idle")])
@covers("/process/ioPriority/class")
def test_the_io_priority_has_the_class_asked_for(container, bundle, name, shown):
    bundle.process["ioPriority"] = {"class": name, "priority": 3}

    assert container.output("ionice -p $$").strip() == shown


@pytest.mark.skipif(os.cpu_count() < 2, reason="one processor alone")
def test_the_processors_of_the_caller_are_not_the_containers(container, bundle):
    everywhere = os.sched_getaffinity(0)
    bundle.sh("grep Cpus_allowed_list /proc/self/status")

    result = container.run(preexec_fn=lambda: os.sched_setaffinity(0, {min(everywhere)}))

    assert parse_processors(result.out.split()[1]) == everywhere


@pytest.mark.skipif(os.cpu_count() < 2, reason="one processor alone")
def test_a_run_that_waits_for_long_may_run_on_every_processor(container, bundle):
    bundle.sh("touch /ready; exec sleep 1000")
    bundle.save()
    runner = container.spawn_with(["run", "--bundle", bundle.path, container.id])
    eventually((bundle.rootfs / "ready").exists, "it runs")

    eventually(lambda: os.sched_getaffinity(runner.pid) == os.sched_getaffinity(0), "the caller's processors")
    container.kill("KILL")
    runner.wait(10)


@pytest.mark.skipif(not os.path.exists("/proc/self/numa_maps"), reason="a kernel without NUMA")
@pytest.mark.parametrize(
    "policy, shown",
    [
        ({"mode": "MPOL_BIND", "nodes": "0"}, "bind:0"),
        ({"mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}, "interleave=static:0"),
        ({"mode": "MPOL_PREFERRED", "nodes": "0"}, "prefer:0"),
        ({"mode": "MPOL_LOCAL"}, "local"),
    ],
)
@covers("/linux/memoryPolicy/mode", "/linux/memoryPolicy/nodes", "/linux/memoryPolicy/flags")
@normative("B25")
def test_the_memory_policy_is_set(container, bundle, policy, shown):
    bundle.linux["memoryPolicy"] = policy

    assert container.output("cat /proc/self/numa_maps").split()[1] == shown


# Security modules. What they do needs a kernel that runs them; that they are not ignored can be seen everywhere.


@extension("without AppArmor everybody is unconfined")
@pytest.mark.skipif(os.path.exists("/sys/kernel/security/apparmor"), reason="AppArmor is here")
@covers("/process/apparmorProfile")
def test_the_profile_unconfined_needs_no_apparmor(container, bundle):
    bundle.process["apparmorProfile"] = "unconfined"

    assert container.output("echo ran") == "ran\n"


@pytest.mark.parametrize("field", ["apparmorProfile", "selinuxLabel"])
def test_an_empty_label_asks_for_nothing(container, bundle, field):
    bundle.process[field] = ""
    bundle.linux["mountLabel"] = ""

    assert container.output("echo ran") == "ran\n"


# Descriptors.


def open_descriptors(container, **options):
    return sorted(map(int, container.output("ls /proc/1/fd; true", **options).split()))


@normative("B31")
def test_the_command_has_three_open_descriptors(container):
    assert open_descriptors(container) == [0, 1, 2]


def test_descriptors_of_the_caller_are_not_inherited(container):
    first, second = os.pipe()
    try:
        assert open_descriptors(container, pass_fds=(first, second)) == [0, 1, 2]
    finally:
        os.close(first)
        os.close(second)


@normative("B31")
def test_a_detached_container_has_three_open_descriptors(container):
    container.launch_sleeper()

    assert sorted(os.listdir(f"/proc/{container.pid}/fd")) == ["0", "1", "2"]


@normative("B31")
def test_preserve_fds_passes_descriptors_from_3_on(container, bundle, work):
    (work / "three").write_text("drei")
    (work / "four").write_text("vier")
    (work / "five").write_text("fünf")
    with_files = ["sh", "-c", f'exec 3<{work}/three 4<{work}/four 5<{work}/five; exec "$@"', "sh"]
    bundle.sh("cat <&3; cat <&4; echo; ls /proc/1/fd; true")

    result = container.run("--preserve-fds", "2", through=with_files, close_fds=False)

    assert result.lines == ["dreivier", "0", "1", "2", "3", "4"]


@extension("no count of descriptors is so large that it comes out small")
@pytest.mark.parametrize("count", [2**30 + 1, 2**31 - 1, 2**32 - 4, 2**32 - 1])
@pytest.mark.parametrize("command", ["run", "exec"])
def test_R03_descriptors_beyond_what_a_process_can_have_are_refused(container, bundle, command, count):
    refusal = f"--preserve-fds {count} with LISTEN_FDS=0: no process has so many descriptors"
    if command == "run":
        container.try_run("--preserve-fds", str(count)).refused(refusal)
    else:
        container.launch_sleeper()
        container.try_exec("true", flags=["--preserve-fds", str(count)]).refused(refusal)


def test_preserve_fds_may_cover_closed_descriptors(container, bundle):
    """Podman passes --preserve-fds 38 for descriptors 9 and 40, and closes those between."""
    bundle.sh("ls /proc/self/fd | wc -l")

    result = container.run("--preserve-fds", "200")

    assert result.lines == ["4"]


def test_listen_fds_are_passed_with_their_variables(container, bundle, work):
    (work / "three").write_text("drei")
    with_listen = ["sh", "-c", f'exec 3<{work}/three; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"', "sh"]
    bundle.sh("cat <&3; echo; echo $LISTEN_FDS $LISTEN_PID")

    result = container.run(through=with_listen, close_fds=False)

    assert result.lines == ["drei", "1 1"]


# The pid file.


def test_the_pid_file_holds_digits_alone(container, bundle):
    container.create("--pid-file", bundle.path / "pid")

    assert (bundle.path / "pid").read_text() == str(container.pid)


def test_a_relative_pid_file_lies_in_the_working_directory_of_the_caller(container, bundle, work):
    bundle.save()

    container.call("create", "--bundle", bundle.path, "--pid-file", "my.pid", cwd=work).succeeded()

    assert (work / "my.pid").read_text() == str(container.pid)


def test_the_pid_file_replaces_an_older_one(container, bundle):
    (bundle.path / "pid").write_text("an older and much longer content")

    container.create("--pid-file", bundle.path / "pid")

    assert (bundle.path / "pid").read_text() == str(container.pid)


def test_the_pid_file_appears_at_once_and_complete(container, bundle):
    """A new inode takes the old one's place, so no reader ever sees half a number."""
    old = bundle.path / "pid"
    old.write_text("1")
    with open(old) as reader:
        container.create("--pid-file", old)

        assert reader.read() == "1"


def test_a_pid_file_in_a_missing_directory_is_an_error_that_leaves_nothing(container, bundle, nothing_left):
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()

    container.try_create("--pid-file", bundle.path / "nowhere/pid").refused()

    nothing_left.soon()


def test_a_pidfd_is_sent_over_the_pidfd_socket(container, bundle, work):
    receiver = ConsoleSocket(work / "pidfd.sock")
    container.create("--pidfd-socket", receiver.path)

    pidfd, _, descriptors = receiver.receive()

    information = open(f"/proc/self/fdinfo/{pidfd.descriptor}").read()
    pidfd.close()
    receiver.close()
    assert descriptors == 1
    assert re.search(rf"^Pid:\s*{container.pid}$", information, re.MULTILINE)


# The service manager.


def test_ready_is_passed_on_to_the_service_manager(container, bundle, work):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(work / "notify"))
    manager.settimeout(5)
    bundle.sh("echo $NOTIFY_SOCKET >/path; sleep 1000")
    bundle.save()
    environment = {**os.environ, "NOTIFY_SOCKET": str(work / "notify")}
    container.create(env=environment)
    starter = container.spawn_with(["start", container.id], env=environment)
    path = eventually(
        lambda: (bundle.rootfs / "path").exists() and (bundle.rootfs / "path").read_text().strip(), "it has a socket"
    )

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service:
        service.connect(f"/proc/{container.pid}/root{path}")
        service.send(b"READY=1\n")

    assert b"READY=1" in manager.recv(4096)
    manager.close()
    starter.kill()
    starter.wait()
    assert str(work) not in path


# Interplay.


def test_a_zombie_of_the_container_is_no_reason_to_hang(container, bundle):
    bundle.sh("sh -c 'sleep 0.01 & exit 0'; sleep 0.05; exit 3")

    container.try_run().failed(3)


def test_run_does_not_wait_for_background_processes_of_a_private_pid_namespace(container, bundle):
    bundle.sh("sleep 1000 & exit 4")

    container.try_run(timeout=10).failed(4)
