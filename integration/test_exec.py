"""exec: another process in a running container."""

import json
import os
import signal

import pytest

from support import world
from support.marks import covers, extension, normative
from support.waiting import eventually


@pytest.fixture
def running(container):
    """A running container with two processes: its init and a sleep."""
    return container.launch_sleeper()


def process_file(work, *arguments, **fields):
    path = work / "process.json"
    path.write_text(
        json.dumps(
            {
                "user": {"uid": 0, "gid": 0},
                "args": list(arguments),
                "env": ["PATH=/bin"],
                "cwd": "/",
                "capabilities": {"bounding": [], "effective": [], "permitted": []},
                **fields,
            }
        )
    )
    return path


# Running a command.


def test_exec_runs_a_command_in_the_container(running):
    assert running.exec("hostname").out == "capsule\n"


def test_exec_passes_all_three_streams(running):
    result = running.exec("sh", "-c", "cat; echo oops >&2", input="from stdin\n")

    assert (result.out, result.err) == ("from stdin\n", "oops\n")


def test_exec_returns_the_exit_status(running):
    running.try_exec("sh", "-c", "exit 42").failed(42)


def test_exec_returns_128_plus_the_signal(running):
    running.try_exec("sh", "-c", "kill -9 $$").failed(137)
    running.try_exec("sh", "-c", "kill -15 $$").failed(143)


def test_options_after_the_identifier_belong_to_the_command(running):
    assert running.exec("echo", "-d", "--tty", "--pid-file=x", "--").out == "-d --tty --pid-file=x --\n"


def test_exec_accepts_a_double_dash_before_the_identifier(running):
    assert running.call_with(["exec", "--", running.id, "echo", "-x"]).succeeded().out == "-x\n"


def test_the_executed_process_shares_every_namespace_of_init(running):
    kinds = ["cgroup", "ipc", "mnt", "net", "pid", "uts", "user"]

    seen = running.exec("sh", "-c", "cd /proc/self/ns; for i in " + " ".join(kinds) + "; do readlink $i; done").lines

    assert seen == [os.readlink(f"/proc/{running.pid}/ns/{kind}") for kind in kinds]


def test_the_executed_process_is_in_the_containers_cgroup(running):
    running.exec("sleep", "1000", flags=["--detach"])

    eventually(lambda: len((running.cgroup / "cgroup.procs").read_text().split()) >= 3, "it is in the cgroup")


def test_the_executed_process_sees_the_containers_root(running, bundle):
    running.exec("touch", "/made-by-exec")

    assert (bundle.rootfs / "made-by-exec").exists()


def test_the_executed_process_has_the_containers_environment_and_home(running):
    result = running.exec("env")

    assert "TERM=xterm" in result.lines
    assert "HOME=/root" in result.lines


def test_the_executed_process_has_the_containers_capabilities(running):
    result = running.exec("grep", "Cap", "/proc/self/status")

    expected = 1 << 29 | 1 << 5 | 1 << 10
    assert f"CapBnd:\t{expected:016x}" in result.lines
    assert f"CapInh:\t{0:016x}" in result.lines


def test_the_executed_process_has_no_new_privileges_like_the_container(running):
    assert "NoNewPrivs:\t1" in running.exec("cat", "/proc/self/status").lines


def test_the_executed_process_has_the_containers_umask(container, bundle):
    bundle.process["user"]["umask"] = 0o027
    bundle.sleeper()
    container.launch()

    assert container.exec("sh", "-c", "umask").out.strip() == "0027"


def test_the_executed_process_has_the_containers_rlimits(container, bundle):
    bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}]
    bundle.sleeper()
    container.launch()

    assert container.exec("sh", "-c", "ulimit -Sn; ulimit -Hn").lines == ["100", "200"]


def test_the_executed_process_has_three_open_descriptors(running):
    first, second = os.pipe()
    try:
        result = running.exec("sh", "-c", "ls /proc/$$/fd; true", pass_fds=(first, second))
    finally:
        os.close(first)
        os.close(second)

    assert sorted(map(int, result.lines)) == [0, 1, 2]


def test_exec_passes_preserved_descriptors(running, work):
    (work / "three").write_text("drei")
    with_file = ["sh", "-c", f'exec 3<{work}/three 4</dev/null; exec "$@"', "sh"]

    result = running.exec(
        "sh", "-c", "cat <&3; echo; ls /proc/$$/fd; true",
        flags=["--preserve-fds=1"], through=with_file, close_fds=False,
    )  # fmt: skip

    assert result.lines == ["drei", "0", "1", "2", "3"]


def test_exec_uses_the_config_of_the_create(running, bundle):
    bundle.process["env"].append("LATER=yes")
    bundle.save()

    assert "LATER=yes" not in running.exec("env").lines


def test_exec_works_in_a_created_container(container):
    container.create()

    assert container.exec("echo", "early").out == "early\n"


def test_many_execs_at_once_all_succeed(running):
    processes = [running.spawn_with(["exec", running.id, "sh", "-c", f"exit {n}"]) for n in range(10)]

    assert [process.wait(30) for process in processes] == list(range(10))


def test_exec_of_a_command_that_ends_at_once_never_fails(running):
    for _ in range(10):
        running.exec("true").silent()


# Flags.


@pytest.mark.parametrize("flags", [["--cwd", "/etc"], ["--cwd=/etc"]], ids=" ".join)
def test_exec_starts_in_the_cwd_asked_for(running, flags):
    assert running.exec("pwd", flags=flags).out == "/etc\n"


@pytest.mark.parametrize(
    "flags",
    [["-e", "A=1", "-e", "B=2,C=3"], ["--env", "A=1", "--env", "B=2,C=3"], ["--env=A=1", "--env=B=2,C=3"]],
    ids=" ".join,
)
def test_exec_adds_variables(running, flags):
    lines = running.exec("env", flags=flags).lines

    assert "A=1" in lines and "B=2,C=3" in lines and "TERM=xterm" in lines


@pytest.mark.parametrize(
    "flags, ids",
    [(["--user", "1000:50"], "1000\n50\n"), (["-u", "1000"], "1000\n0\n")],
    ids=["user-and-group", "user"],
)
def test_exec_runs_as_the_user_asked_for(running, flags, ids):
    assert running.exec("sh", "-c", "id -u; id -g", flags=flags).out == ids


def test_exec_takes_the_additional_groups_asked_for(running):
    result = running.exec("id", "-G", flags=["--user=1000:1000", "--additional-gids", "50", "--additional-gids", "77"])

    assert sorted(result.out.split()) == ["1000", "50", "77"]


@pytest.mark.parametrize("user", ["4294967296", "-1", "nobody", "0:4294967296", "1x", "0:"])
@extension("ids are read strictly")
def test_exec_refuses_a_user_that_is_no_id(running, user):
    running.try_exec("true", flags=["--user", user]).refused()


def test_exec_adds_capabilities_but_never_inheritable_ones(running):
    lines = running.exec("cat", "/proc/self/status", flags=["--cap", "CAP_NET_RAW"]).lines

    expected = 1 << 29 | 1 << 5 | 1 << 10 | 1 << 13
    assert f"CapBnd:\t{expected:016x}" in lines
    assert f"CapEff:\t{expected:016x}" in lines
    assert f"CapInh:\t{0:016x}" in lines


def test_exec_sets_no_new_privileges(container, bundle):
    bundle.process["noNewPrivileges"] = False
    bundle.sleeper()
    container.launch()

    assert "NoNewPrivs:\t1" in container.exec("cat", "/proc/self/status", flags=["--no-new-privs"]).lines
    assert "NoNewPrivs:\t0" in container.exec("cat", "/proc/self/status").lines


def test_exec_joins_the_subgroup_asked_for(running):
    (running.cgroup / "sub").mkdir()

    result = running.exec("cat", "/proc/self/cgroup", flags=["--cgroup", "sub"])

    assert "0::/sub" in result.lines


@pytest.mark.parametrize("path", ["../suite", "/../suite", "missing"])
@extension("the subgroup lies below the container's group")
def test_exec_refuses_a_subgroup_outside_of_the_containers_group(running, path):
    running.try_exec("true", flags=["--cgroup", path]).refused()


def test_exec_reads_the_process_from_a_file(running, work):
    fields = {"user": {"uid": 7, "gid": 8}, "cwd": "/etc", "env": ["PATH=/bin", "A=1"]}
    path = process_file(work, "sh", "-c", "id -u; pwd; echo $A", **fields)

    assert running.exec(flags=["--process", path]).lines == ["7", "/etc", "1"]


def test_the_process_file_may_be_removed_as_soon_as_exec_returns(running, work):
    path = process_file(work, "sh", "-c", "sleep 0.05; touch /done")

    running.exec(flags=["--detach", "--process", path])
    path.unlink()

    eventually((running.bundle.rootfs / "done").exists, "it ran to its end")


def test_exec_reads_the_process_from_standard_input(running, work):
    path = process_file(work, "echo", "hello")

    assert running.exec(flags=["--process", "/dev/stdin"], input=path.read_text()).out == "hello\n"


@pytest.mark.parametrize(
    "fields, word",
    [({"args": []}, "args"), ({"cwd": "etc"}, "cwd"), ({"cwd": ""}, "cwd"), ({"args": ["nonsense"]}, "nonsense")],
    ids=["no-args", "relative-cwd", "no-cwd", "no-such-command"],
)
def test_a_bad_process_file_is_refused(running, work, fields, word):
    path = process_file(work, "true")
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))

    result = running.try_exec(flags=["--process", path]).failed()

    assert word in result.error.lower() or running.runtime.is_crun


@covers("/process/execCPUAffinity/initial", "/process/execCPUAffinity/final")
@normative("B28")
def test_exec_pins_its_process_to_the_cpus_asked_for(running, work):
    affinity = {"initial": "0", "final": "0"}
    path = process_file(work, "grep", "Cpus_allowed_list", "/proc/self/status", execCPUAffinity=affinity)

    assert running.exec(flags=["--process", path]).out.split() == ["Cpus_allowed_list:", "0"]


@extension("what exec is bound to is not the container's, as for create")
@pytest.mark.skipif(os.cpu_count() < 2, reason="one processor alone")
def test_exec_is_not_bound_to_the_processors_of_its_caller(running):
    everywhere = os.sched_getaffinity(0)

    result = running.exec(
        "grep", "Cpus_allowed_list", "/proc/self/status", "/proc/1/status",
        preexec_fn=lambda: os.sched_setaffinity(0, {min(everywhere)}),
    )

    own, init = [line.split(":")[-1] for line in result.lines]
    assert own == init


@pytest.mark.skipif(os.cpu_count() < 2, reason="one processor alone")
@covers("/process/execCPUAffinity/initial")
def test_exec_without_a_final_affinity_keeps_the_initial_one(running, work):
    path = process_file(
        work, "grep", "Cpus_allowed_list", "/proc/self/status", execCPUAffinity={"initial": "1"}
    )

    assert running.exec(flags=["--process", path]).out.split() == ["Cpus_allowed_list:", "1"]


@extension("a label nobody can apply is an error")
@pytest.mark.skipif(os.path.exists("/sys/kernel/security/apparmor"), reason="AppArmor is here")
@covers("/process/apparmorProfile")
def test_exec_with_a_profile_that_cannot_be_applied_is_refused(running):
    running.try_exec("true", flags=["--apparmor", "nonsense"]).refused("AppArmor is not enabled")


@extension("a label nobody can apply is an error")
@pytest.mark.skipif(os.path.exists("/sys/fs/selinux/enforce"), reason="SELinux is here")
@covers("/process/selinuxLabel")
def test_exec_with_a_label_that_cannot_be_applied_is_refused(running):
    running.try_exec("true", flags=["--process-label", "a:b:c:s0"]).refused("SELinux is not enabled")


# Detached.


def test_a_detached_exec_returns_at_once_and_is_silent(running):
    running.exec("sleep", "1000", flags=["--detach"], timeout=10).silent()

    assert len(running.call("ps", "--format", "json").json) >= 3


def test_a_detached_exec_writes_a_pid_file_of_digits(running, work):
    running.exec("sleep", "1000", flags=["-d", "--pid-file", work / "pid"])

    pid = int((work / "pid").read_text())
    assert (work / "pid").read_text() == str(pid)
    assert f"/{running.id}" in world.own_cgroup(pid)


def test_a_detached_process_becomes_a_child_of_the_nearest_subreaper(running, work):
    running.exec("sh", "-c", "exit 5", flags=["-d", "--pid-file", work / "pid"])

    assert world.exit_status(int((work / "pid").read_text())) == 5


def test_a_foreground_exec_writes_its_pid_file_too(running, work):
    running.exec("true", flags=["--pid-file", work / "pid"])

    assert (work / "pid").read_text().isdigit()


def test_the_options_engines_use_together_work(running, work):
    result = running.call_with(["exec", "-d", f"--pid-file={work}/pid", running.id, "sh", "-c", "exit 0"])

    result.succeeded()
    assert (work / "pid").read_text().isdigit()


# Errors.


def test_exec_of_a_missing_command_fails_with_255_and_says_why(running):
    result = running.try_exec("nonsense").refused('exec: "nonsense": executable file not found in $PATH', crun="nonsense")

    assert result.status == 255 or running.runtime.is_crun


def test_exec_of_a_missing_path_says_so(running):
    running.try_exec("/bin/nonsense").refused("stat /bin/nonsense: no such file or directory")


def test_exec_of_a_file_that_is_not_executable_says_so(running):
    running.try_exec("/etc/passwd").refused("permission denied", crun="ermission denied")


def test_exec_of_a_directory_says_so(running):
    running.try_exec("/etc").refused("is a directory")


def test_exec_in_a_missing_cwd_says_so(running):
    running.try_exec("true", flags=["--cwd", "/nowhere"]).refused("no such file or directory", crun="No such file")


def test_a_failed_exec_leaves_no_pid_file(running, work):
    running.try_exec("nonsense", flags=["--detach", "--pid-file", work / "pid"]).failed()

    assert not (work / "pid").exists()


def test_a_failed_exec_leaves_the_container_running_and_nothing_else(running, nothing_left):
    nothing_left.from_now_on()

    running.try_exec("nonsense").failed()

    nothing_left.soon()
    assert running.status == "running"


def test_exec_without_a_command_is_refused(running):
    running.call_with(["exec", running.id]).failed()


def test_exec_in_a_stopped_container_is_refused(container):
    container.launch()
    container.wait_for_status("stopped")

    container.try_exec("true").refused("cannot exec in a stopped container")


def test_exec_in_a_paused_container_is_refused(running):
    running.call("pause").succeeded()

    running.try_exec("true").refused("cannot exec in a paused container (use --ignore-paused to override)")


def test_exec_with_ignore_paused_runs_once_the_container_resumes(running):
    running.call("pause").succeeded()

    runner = running.spawn_with(["exec", "--ignore-paused", running.id, "true"])
    members = running.cgroup / "cgroup.procs"
    eventually(lambda: len(members.read_text().split()) >= 3 or runner.poll() is not None, "it waits")
    running.call("resume").succeeded()

    assert runner.wait(10) == 0


def test_exec_failures_make_one_json_line_in_the_log(running, work):
    running.call_with(["--log", work / "log", "--log-format", "json", "exec", running.id, "nonsense"]).failed()

    entries = [json.loads(line) for line in (work / "log").read_text().splitlines()]
    assert entries[-1]["level"] == "error"
    assert "nonsense" in entries[-1]["msg"]
    assert len(entries) == 1 or not running.runtime.is_capsule


# Signals.


def test_exec_forwards_signals(running):
    runner = running.spawn_with(
        ["exec", running.id, "sh", "-c", "trap 'exit 7' USR1; touch /ready; while :; do sleep 0.01; done"]
    )
    eventually((running.bundle.rootfs / "ready").exists, "the trap is set")

    runner.send_signal(signal.SIGUSR1)

    assert runner.wait(10) == 7


@pytest.mark.skipif(os.cpu_count() < 2, reason="one processor alone")
def test_an_exec_that_waits_for_long_may_run_on_every_processor(running):
    runner = running.spawn_with(["exec", running.id, "sh", "-c", "touch /ready; exec sleep 1000"])
    eventually((running.bundle.rootfs / "ready").exists, "it runs")

    eventually(lambda: os.sched_getaffinity(runner.pid) == os.sched_getaffinity(0), "the caller's processors")
    running.kill("KILL")
    runner.wait(10)


def test_exec_ends_when_the_container_is_killed(running):
    runner = running.spawn_with(["exec", running.id, "sh", "-c", "touch /ready; exec sleep 1000"])
    eventually((running.bundle.rootfs / "ready").exists, "it runs")

    running.kill("KILL")

    assert runner.wait(10) == 137


def test_exec_does_not_wait_for_processes_it_left_in_the_background(running):
    running.try_exec("sh", "-c", "sleep 1000 & exit 4", timeout=3).failed(4)
