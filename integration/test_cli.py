"""The command line: globals, spec, features, version, and where the runtime may be started."""

import itertools
import json
import os
import subprocess

import pytest

from support import filters, mountinfo, rootless
from support.marks import covers, engine_rule, extension, normative
from support.terminals import UserTerminal

COMMANDS = "create start run state kill delete list exec ps pause resume update spec features events".split()


# Telling about itself.


@pytest.mark.parametrize("flag", ["--version", "-v"])
def test_version_tells_name_version_commit_and_specification(runtime, flag):
    result = runtime.call(flag).succeeded()

    first, *rest = result.lines
    name, word, number = first.split()
    assert word == "version" and number[0].isdigit() and name == runtime.name
    assert any(line.startswith("commit: ") for line in rest)
    assert any(line.startswith("spec: 1.") for line in rest)
    assert result.err == ""
    assert not any("version" in line for line in rest)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(runtime, command):
    result = runtime.call(command, "--help").succeeded()

    assert command in result.out
    assert result.err == ""


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_command(runtime, flag):
    result = runtime.call(flag).succeeded()

    assert all(command in result.out for command in ("create", "start", "state", "kill", "delete", "exec"))


def test_an_unknown_command_is_refused(runtime):
    assert runtime.call("nonsense").failed().out == "" or not runtime.is_capsule


@pytest.mark.parametrize("command", ["create", "run", "exec", "kill", "list"])
def test_an_unknown_flag_is_refused(runtime, root, command):
    runtime.call(command, "--nonsense", "x", root=root).failed()


@pytest.mark.parametrize("command", ["create", "start", "run", "state", "kill", "delete", "exec", "ps", "pause", "resume"])
def test_a_missing_identifier_is_refused(runtime, root, command):
    runtime.call(command, root=root).failed()


@pytest.mark.parametrize("command", ["start", "state", "pause", "resume"])
def test_too_many_arguments_are_refused(container, command):
    container.create()

    container.call_with([command, container.id, "another"]).failed()


def test_a_flag_without_its_value_is_refused(runtime):
    runtime.call("--root").failed()


# features


def features(runtime, **options):
    return runtime.call("features", **options).succeeded().json


def test_features_names_versions_hooks_and_mount_options(runtime):
    told = features(runtime)

    assert told["ociVersionMin"] == "1.0.0"
    assert told["ociVersionMax"].startswith("1.")
    assert sorted(told["hooks"]) == sorted(
        ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
    )
    assert {"ro", "rro", "bind", "rbind", "nosuid", "rprivate"} <= set(told["mountOptions"])


@normative("B33")
def test_features_names_what_linux_offers(runtime):
    linux = features(runtime)["linux"]

    assert {"cgroup", "ipc", "mount", "network", "pid", "user", "uts"} <= set(linux["namespaces"])
    assert {"CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_BPF"} <= set(linux["capabilities"])
    assert linux["cgroup"]["v2"] is True
    assert linux["seccomp"]["enabled"] is True
    assert "SCMP_ACT_ERRNO" in linux["seccomp"]["actions"]
    assert "SCMP_CMP_MASKED_EQ" in linux["seccomp"]["operators"]
    assert "SCMP_ARCH_X86_64" in linux["seccomp"]["archs"]


@covers("features/linux/seccomp/enabled", "features/linux/seccomp/actions", "features/linux/seccomp/operators")
@covers("features/linux/seccomp/archs", "features/linux/seccomp/knownFlags")
@extension("every name that a profile may use")
def test_features_names_all_that_a_seccomp_profile_may_use(runtime):
    told = features(runtime)["linux"]["seccomp"]

    kinds = ("KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "ERRNO", "TRACE", "ALLOW", "LOG", "NOTIFY")
    assert set(told["actions"]) == {f"SCMP_ACT_{kind}" for kind in kinds}
    assert set(told["operators"]) == {f"SCMP_CMP_{kind}" for kind in ("NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ")}
    assert {f"SCMP_ARCH_{name}" for name in ("X86", "X86_64", "X32", "ARM", "AARCH64", "RISCV64")} <= set(told["archs"])
    flags = ("TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV")
    assert set(told["knownFlags"]) == {f"SECCOMP_FILTER_FLAG_{flag}" for flag in flags}
    assert set(told["supportedFlags"]) <= set(told["knownFlags"])


@covers("features/linux/seccomp/supportedFlags")
@extension("runc asks in another way")
def test_features_leaves_out_seccomp_flags_that_the_kernel_lacks(runtime):
    all_flags = features(runtime)["linux"]["seccomp"]["supportedFlags"]

    told = features(runtime, preexec_fn=filters.without_flag(filters.LOG))["linux"]["seccomp"]

    assert set(all_flags) - set(told["supportedFlags"]) == {"SECCOMP_FILTER_FLAG_LOG"}
    assert "SECCOMP_FILTER_FLAG_LOG" in told["knownFlags"]


def test_features_tells_of_the_newer_extensions(runtime):
    linux = features(runtime)["linux"]

    assert "time" in linux["namespaces"]
    assert linux["mountExtensions"]["idmap"]["enabled"] is True
    assert {"apparmor", "selinux", "intelRdt"} <= set(linux)


# Every key of features.md and features-linux.md (runtime-spec 1.3.0), and what it may be.
FEATURES = {
    "ociVersionMin": str,
    "ociVersionMax": str,
    "hooks": [str],
    "mountOptions": [str],
    "annotations": {},
    "potentiallyUnsafeConfigAnnotations": [str],
    "linux": {
        "namespaces": [str],
        "capabilities": [str],
        "cgroup": {key: bool for key in ("v1", "v2", "systemd", "systemdUser", "rdma")},
        "seccomp": {
            "enabled": bool,
            **{key: [str] for key in ("actions", "operators", "archs", "knownFlags", "supportedFlags")},
        },
        "apparmor": {"enabled": bool},
        "selinux": {"enabled": bool},
        "intelRdt": {"enabled": bool, "schemata": bool, "monitoring": bool},
        "memoryPolicy": {"modes": [str], "flags": [str]},
        "mountExtensions": {"idmap": {"enabled": bool}},
        "netDevices": {"enabled": bool},
    },
}


def wrong_features(wanted, found, place=""):
    """Where `found` lacks a key, has one too many, or has a value of another kind."""
    if isinstance(wanted, dict) and wanted:
        if not isinstance(found, dict) or set(wanted) != set(found):
            return [f"{place}: {sorted(wanted)} wanted, {sorted(found)} found"]
        return [wrong for key in wanted for wrong in wrong_features(wanted[key], found[key], f"{place}/{key}")]
    if isinstance(wanted, list):
        good = isinstance(found, list) and found and all(isinstance(item, str) for item in found)
        return [] if good and len(set(found)) == len(found) else [f"{place}: {found}"]
    return [] if isinstance(found, dict if wanted == {} else wanted) else [f"{place}: {found}"]


@covers(
    "features/ociVersionMin",
    "features/ociVersionMax",
    "features/hooks",
    "features/mountOptions",
    "features/annotations",
    "features/potentiallyUnsafeConfigAnnotations",
    "features/linux/namespaces",
    "features/linux/capabilities",
    "features/linux/cgroup/v1",
    "features/linux/cgroup/v2",
    "features/linux/cgroup/systemd",
    "features/linux/cgroup/systemdUser",
    "features/linux/cgroup/rdma",
    "features/linux/seccomp/enabled",
    "features/linux/seccomp/actions",
    "features/linux/seccomp/operators",
    "features/linux/seccomp/archs",
    "features/linux/seccomp/knownFlags",
    "features/linux/seccomp/supportedFlags",
    "features/linux/apparmor/enabled",
    "features/linux/selinux/enabled",
    "features/linux/intelRdt/enabled",
    "features/linux/intelRdt/schemata",
    "features/linux/intelRdt/monitoring",
    "features/linux/memoryPolicy/modes",
    "features/linux/memoryPolicy/flags",
    "features/linux/mountExtensions/idmap/enabled",
    "features/linux/netDevices/enabled",
)
@extension("every key of the specification")
def test_features_has_every_key_of_the_specification_and_no_other(runtime):
    assert wrong_features(FEATURES, features(runtime)) == []


@extension("what can be asked for, whatever the host has")
@pytest.mark.parametrize("module", ["apparmor", "selinux", "intelRdt"])
def test_features_promises_what_this_build_can_do(runtime, module):
    assert features(runtime)["linux"][module]["enabled"] is True


def test_features_says_nothing_on_stderr(runtime):
    assert runtime.call("features").succeeded().err == ""


def test_features_needs_no_root_and_no_environment(runtime):
    def become_nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    # By descriptor: the checkout may lie where only root may go.
    program = os.open(runtime.path, os.O_RDONLY)
    try:
        printed = subprocess.run(
            [f"/proc/self/fd/{program}", "features"],
            env={}, cwd="/", preexec_fn=become_nobody, pass_fds=[program], stdin=subprocess.DEVNULL, capture_output=True, check=True,
        )
    finally:
        os.close(program)
    assert "linux" in json.loads(printed.stdout)


# spec


def test_spec_writes_a_config_for_an_isolated_shell(runtime, work):
    runtime.call("spec", cwd=work).succeeded().silent()

    config = json.loads((work / "config.json").read_text())
    assert config["ociVersion"].startswith("1.")
    assert config["process"]["args"] == ["sh"]
    assert config["process"]["terminal"] is True
    assert config["process"]["noNewPrivileges"] is True
    assert config["process"]["cwd"] == "/"
    assert config["root"] == {"path": "rootfs", "readonly": True}
    assert config["hostname"] == runtime.name
    kinds = {entry["type"] for entry in config["linux"]["namespaces"]}
    assert {"pid", "network", "ipc", "uts", "mount", "cgroup"} <= kinds
    assert config["linux"]["resources"]["devices"] == [{"allow": False, "access": "rwm"}]
    assert "/proc/kcore" in config["linux"]["maskedPaths"]
    assert "/proc/sys" in config["linux"]["readonlyPaths"]
    assert [entry["destination"] for entry in config["mounts"]] == [
        "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup",
    ]  # fmt: skip


@pytest.mark.parametrize("flag", ["--bundle", "-b"])
def test_spec_writes_into_the_bundle_asked_for(runtime, work, flag):
    (work / "there").mkdir()

    runtime.call("spec", flag, work / "there").succeeded()

    assert (work / "there/config.json").exists()


def test_spec_never_overwrites(runtime, work):
    (work / "config.json").write_text("mine")

    runtime.call("spec", cwd=work).refused("config.json exists", crun="config.json")

    assert (work / "config.json").read_text() == "mine"


def test_spec_rootless_asks_for_a_user_namespace_and_no_resources(runtime, work):
    runtime.call("spec", "--rootless", cwd=work).succeeded()

    linux = json.loads((work / "config.json").read_text())["linux"]
    kinds = [entry["type"] for entry in linux["namespaces"]]
    assert "user" in kinds and "network" not in kinds
    assert linux["uidMappings"] == [{"containerID": 0, "hostID": runtime.user[0], "size": 1}]
    assert not linux.get("resources")


def spec_bundle(runtime, container):
    """The default bundle, but for its command and its group."""
    bundle = container.bundle
    runtime.call("spec", "--bundle", bundle.path).succeeded()
    bundle.config = json.loads((bundle.path / "config.json").read_text())
    bundle.linux["cgroupsPath"] = f"/{container.id}"
    return bundle


def test_the_default_bundle_shows_an_isolated_world(runtime, container):
    bundle = spec_bundle(runtime, container)
    bundle.process["terminal"] = False
    bundle.sh("id; hostname; ps -o pid,args; mount; cat /proc/self/cgroup")

    output = container.run().out

    lines = output.splitlines()
    assert lines[0].startswith("uid=0(root) gid=0(root)")
    assert lines[1] == runtime.name
    assert "0::/" in lines
    after_header = lines[lines.index("PID   COMMAND") + 1 :]
    processes = list(itertools.takewhile(lambda line: line.startswith(" "), after_header))
    assert processes[0].split()[0] == "1" and len(processes) <= 2
    assert any(line.startswith("mqueue on /dev/mqueue type mqueue") for line in lines)
    assert any(line.startswith("cgroup on /sys/fs/cgroup type cgroup2 (ro") for line in lines)


def test_the_default_bundle_is_closed_where_it_should_be(runtime, container):
    bundle = spec_bundle(runtime, container)
    bundle.process["terminal"] = False
    bundle.sh(
        "touch /x 2>/dev/null || echo root-is-read-only;"
        "echo x 2>/dev/null >/proc/sys/kernel/hostname || echo proc-sys-is-read-only;"
        "wc -c </proc/keys; ls /sys/firmware | wc -l; ulimit -n;"
        "mkdir /sys/fs/cgroup/x 2>/dev/null || echo cgroup-is-read-only"
    )

    assert container.run().lines == [
        "root-is-read-only", "proc-sys-is-read-only", "0", "0", "1024", "cgroup-is-read-only",
    ]  # fmt: skip


def test_the_default_bundle_runs_a_shell_on_a_terminal(runtime, container):
    spec_bundle(runtime, container).save()
    terminal = UserTerminal()

    runner = container.spawn_with(["run", "--bundle", container.bundle.path, container.id], **terminal.options)
    terminal.read_until("# ")
    terminal.write("echo $((6*7))\r")
    terminal.read_until("42")
    terminal.write("exit 5\r")

    assert runner.wait(10) == 5
    terminal.close()


def test_the_rootless_bundle_runs(runtime, container):
    bundle = container.bundle
    runtime.call("spec", "--rootless", "--bundle", bundle.path).succeeded()
    bundle.config = json.loads((bundle.path / "config.json").read_text())
    bundle.process["terminal"] = False
    bundle.sh("id -u; wc -l </proc/self/uid_map")

    assert container.run().lines == ["0", "1"]


# Global flags.


@pytest.mark.parametrize("form", [["--root", "ROOT"], ["--root=ROOT"], ["-root", "ROOT"], ["-root=ROOT"]], ids=" ".join)
def test_a_flag_may_be_written_in_every_form(container, form):
    container.create()

    result = container.runtime.call(*[word.replace("ROOT", str(container.root)) for word in form], "state", container.id)

    assert result.succeeded().json["status"] == "created"


@pytest.mark.parametrize("form", [["--bundle", "B"], ["--bundle=B"], ["-b", "B"], ["-b=B"], ["-bundle", "B"]], ids=" ".join)
def test_the_bundle_may_be_given_in_every_form(container, bundle, form):
    bundle.save()

    container.call_with(["create", *[word.replace("B", str(bundle.path)) for word in form], container.id]).succeeded()

    assert container.state["bundle"] == str(bundle.path)


def test_a_repeated_global_flag_counts_the_last_time(container, work):
    container.create()

    result = container.runtime.call(
        "--root", work / "nowhere", "--root", container.root, "--log-format", "text", "--log-format=json",
        "state", container.id,
    )  # fmt: skip

    result.succeeded()


def test_flags_and_operands_may_be_mixed_up_to_the_double_dash(container, bundle):
    bundle.save()

    container.call_with(["create", "--bundle", bundle.path, "--", container.id]).succeeded()


def test_debug_writes_more_into_the_log(container, bundle, work):
    bundle.save()

    container.call_with(
        ["--debug", "--log", work / "log", "--log-format", "json", "run", "--bundle", bundle.path, container.id]
    ).succeeded()

    for line in (work / "log").read_text().splitlines():
        assert {"level", "msg", "time"} <= set(json.loads(line))


@engine_rule(5)
def test_systemd_cgroup_is_only_looked_at_by_create(container):
    container.create()

    for command in (["state"], ["start"], ["kill", "--all"], ["delete", "--force"]):
        container.call_with(["--systemd-cgroup", *command, container.id]).succeeded()


@pytest.mark.parametrize("value", ["true", "false", "auto"])
def test_rootless_can_be_said(runtime, root, value):
    root.mkdir()

    runtime.call(f"--rootless={value}", "list", root=root).succeeded()


# --root


def default_root(runtime):
    return f"{rootless.RUNTIME_DIRECTORY if rootless.ACTIVE else '/run'}/{runtime.name}"


def test_the_default_root_is_in_run(make_container, bundle, runtime):
    container = make_container(bundle, root=default_root(runtime))
    bundle.save()

    container.call_with(["create", "--bundle", bundle.path, container.id], root=None).succeeded()

    assert os.path.isdir(f"{default_root(runtime)}/{container.id}")
    assert runtime.call("state", container.id).succeeded().json["status"] == "created"
    runtime.call("delete", "--force", container.id).succeeded()


def test_root_ignores_the_users_runtime_directory(make_container, bundle, runtime, work):
    container = make_container(bundle, root=default_root(runtime))
    bundle.save()

    container.call_with(
        ["create", "--bundle", bundle.path, container.id], root=None, env={**os.environ, "XDG_RUNTIME_DIR": str(work)}
    ).succeeded()

    assert os.path.isdir(f"{default_root(runtime)}/{container.id}")


def test_list_without_any_container_ever_is_empty(runtime):
    if os.path.isdir(default_root(runtime)):
        os.rename(default_root(runtime), default_root(runtime) + ".away")

    result = runtime.call("list", "-q")

    if os.path.isdir(default_root(runtime) + ".away"):
        os.rename(default_root(runtime) + ".away", default_root(runtime))
    assert result.succeeded().out == ""


def test_list_json_of_an_empty_root_is_empty(runtime, root):
    root.mkdir()

    assert runtime.call("list", "--format", "json", root=root).succeeded().json in ([], None)


def test_a_relative_root_is_relative_to_the_callers_directory(make_container, bundle, work):
    container = make_container(bundle, root=work / "some/root")
    bundle.save()
    (work / "some").mkdir()

    container.call_with(["create", "--bundle", bundle.path, container.id], root="some/root", cwd=work).succeeded()

    assert container.status == "created"
    container.call_with(["delete", "--force", container.id], root="./some/root", cwd=work).succeeded()


def test_the_root_directory_is_made_when_it_is_missing(make_container, bundle, work):
    container = make_container(bundle, root=work / "a/b/c")

    container.run()

    assert (work / "a/b/c").is_dir()


def test_the_root_of_the_file_system_is_refused_as_root(runtime):
    runtime.call("list", root="/").refused("should not be set to /")


# Where and how it is started.


def test_the_bundle_is_the_working_directory_by_default(container, bundle):
    bundle.save()

    container.call("create", cwd=bundle.path).succeeded()

    assert container.state["bundle"] == str(bundle.path)


def test_a_relative_bundle_becomes_absolute(container, bundle, work):
    bundle.save()

    container.call("create", "--bundle", bundle.path.name, cwd=work).succeeded()

    assert container.state["bundle"] == str(bundle.path)


def test_it_runs_in_a_directory_that_was_removed(container, bundle, work):
    (work / "gone").mkdir()
    bundle.save()
    from_nowhere = ["sh", "-c", f'cd {work}/gone && rmdir {work}/gone && exec "$@"', "sh"]

    container.call("run", "--bundle", bundle.path, through=from_nowhere).succeeded()


def test_it_runs_without_any_environment(container, bundle):
    bundle.sleeper().save()

    container.call("create", "--bundle", bundle.path, env={}).succeeded()
    container.call("start", env={}).succeeded()
    container.call("pause", env={}).succeeded()
    container.call("resume", env={}).succeeded()
    container.try_exec("true", env={}).succeeded()
    container.call_with(["kill", container.id, "KILL"], env={}).succeeded()
    container.wait_for_status("stopped")
    container.call("delete", env={}).succeeded()


def test_it_runs_with_its_standard_streams_closed(container, bundle):
    bundle.sh("ls /proc/1/fd | tr '\\n' ' ' >/fds; true").save()
    closed = ["sh", "-c", 'exec <&- >&- 2>&-; exec "$@"', "sh"]

    container.call("create", "--bundle", bundle.path, through=closed).succeeded()
    container.call("start", through=closed).succeeded()

    container.wait_for_status("stopped")
    assert (bundle.rootfs / "fds").read_text().split()[:3] == ["0", "1", "2"]


def test_it_runs_with_signals_blocked_and_ignored(container, bundle):
    import signal

    def awkward():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1})
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)

    bundle.sh("grep -E '^Sig(Blk|Ign)' /proc/self/status; sh -c 'exit 3'; echo $?")

    result = container.run(preexec_fn=awkward, timeout=10)

    assert result.lines[-1] == "3"


@extension("the command starts with no signal blocked or ignored, whatever the caller did")
def test_the_command_starts_with_default_signals(container, bundle):
    import signal

    def awkward():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM})
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)

    bundle.args("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status")

    lines = container.run(preexec_fn=awkward).lines

    assert [line.split()[1] for line in lines] == ["0" * 16, "0" * 16]


# A config elsewhere; the plan.


def test_another_config_file_may_be_used(container, bundle):
    bundle.sh("echo from-elsewhere").save()
    (bundle.path / "config.json").rename(bundle.path / "other.json")

    for flag in ("--config", "-f"):
        assert container.call("run", "--bundle", bundle.path, flag, bundle.path / "other.json").succeeded().out == (
            "from-elsewhere\n"
        )


@extension("`plan` prints what create would do")
def test_plan_prints_what_would_be_done_and_does_nothing(container, bundle, nothing_left):
    bundle.mount("/mnt", "tmpfs", "tmpfs", ["nosuid"]).save()
    nothing_left.from_now_on()

    result = container.runtime.call("plan", "--bundle", bundle.path).succeeded()

    assert "mnt" in result.out and "tmpfs" in result.out and "nosuid" in result.out
    assert result.out.count("\n") > 5
    nothing_left()


@extension("`plan` of a bad config is the error of create")
def test_plan_of_a_bad_config_is_refused_like_create(container, bundle):
    bundle.process["cwd"] = "relative"
    bundle.save()

    container.runtime.call("plan", "--bundle", bundle.path).refused("/process/cwd")


def test_mounts_of_the_suite_are_private():
    """If this fails, tests could reach the host: everything else relies on it."""
    mounts = mountinfo.parse(open("/proc/self/mountinfo").read())

    assert "ro" in mounts["/"].options
    assert mounts["/"].propagation == []
