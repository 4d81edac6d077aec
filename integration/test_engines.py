"""The sequences of commands that engines really send, with their flags and environments."""

import json
import os
import signal

from support import world
from support.marks import engine_rule
from support.terminals import ConsoleSocket
from support.waiting import eventually


def globals_of_containerd(container, work):
    return ["--root", container.root, "--log", work / "log.json", "--log-format", "json"]


def as_engine(container, globals_, *arguments, **options):
    return container.runtime.call(*globals_, *arguments, **options)


def test_the_life_of_a_container_under_containerd(container, bundle, work):
    bundle.sh("echo out; echo err >&2; exit 9").save()
    globals_ = globals_of_containerd(container, work)
    out = os.open(work / "out", os.O_CREAT | os.O_WRONLY)

    as_engine(
        container, globals_, "create", "--bundle", bundle.path, "--pid-file", work / "init.pid", container.id,
        stdout=out, stderr=out,
    ).succeeded()  # fmt: skip
    pid = int((work / "init.pid").read_text())
    as_engine(container, globals_, "start", container.id).succeeded().silent()
    status = world.exit_status(pid)
    as_engine(container, globals_, "kill", "--all", container.id, "9").succeeded()
    as_engine(container, globals_, "delete", container.id).succeeded().silent()

    os.close(out)
    assert status == 9
    assert (work / "out").read_text() == "out\nerr\n"
    assert (work / "log.json").read_text() == ""


def test_containerd_reads_the_reason_of_a_failure_from_the_log(container, bundle, work):
    bundle.args("nonsense").save()

    as_engine(container, globals_of_containerd(container, work), "create", "--bundle", bundle.path, container.id).failed()

    entries = [json.loads(line) for line in (work / "log.json").read_text().splitlines()]
    errors = [entry["msg"] for entry in entries if entry["level"] == "error"]
    assert "executable file" in errors[-1] and "not found in $PATH" in errors[-1]


def test_exec_under_containerd(container, bundle, work):
    bundle.sleeper()
    container.launch()
    process = {"user": {"uid": 0, "gid": 0}, "args": ["sh", "-c", "exit 6"], "env": ["PATH=/bin"], "cwd": "/"}
    (work / "process.json").write_text(json.dumps(process))

    as_engine(
        container, globals_of_containerd(container, work), "exec", "--process", work / "process.json", "--detach",
        "--pid-file", work / "exec.pid", container.id,
    ).succeeded().silent()  # fmt: skip

    assert world.exit_status(int((work / "exec.pid").read_text())) == 6


def test_the_life_of_a_container_under_conmon(container, bundle, work):
    bundle.sleeper().save()
    globals_ = ["--root", container.root, "--log-format=json", f"--log={work}/oci-log"]

    as_engine(
        container, globals_, "create", "--bundle", bundle.path, "--pid-file", work / "pidfile", "--no-new-keyring",
        container.id,
    ).succeeded()  # fmt: skip
    pid = int((work / "pidfile").read_text())
    session = os.getsid(pid)
    as_engine(container, globals_, "start", container.id).succeeded()
    os.kill(-os.getpgid(pid), signal.SIGKILL)
    status = world.exit_status(pid)
    as_engine(container, globals_, "delete", "--force", container.id, env={"XDG_RUNTIME_DIR": "/run"}).succeeded()

    assert session == pid
    assert status == -signal.SIGKILL


def test_podman_reads_one_json_object_from_the_log(container, bundle, work):
    bundle.args("nonsense").save()
    globals_ = ["--root", container.root, "--log-format=json", f"--log={work}/oci-log"]

    as_engine(container, globals_, "create", "--bundle", bundle.path, container.id).failed()

    assert "nonsense" in json.loads((work / "oci-log").read_text())["msg"]


def test_podman_stops_with_hardly_any_environment(container):
    container.launch_sleeper()
    environment = {"XDG_RUNTIME_DIR": "/run"}
    globals_ = ["--root", container.root]

    as_engine(container, globals_, "pause", container.id, env=environment).succeeded().silent()
    as_engine(container, globals_, "resume", container.id, env=environment).succeeded().silent()
    as_engine(container, globals_, "kill", container.id, "15", env=environment).succeeded().silent()

    container.wait_for_status("stopped")
    as_engine(container, globals_, "delete", "--force", container.id, env=environment).succeeded().silent()


def test_conmon_rs_repeats_globals_and_writes_options_before_the_identifier(container, bundle, work):
    bundle.sleeper()
    container.launch()
    globals_ = [f"--root={container.root}", f"--root={container.root}"]

    as_engine(
        container, globals_, "exec", "-d", f"--pid-file={work}/pid", container.id, "sh", "-c", "exit 3"
    ).succeeded()

    assert world.exit_status(int((work / "pid").read_text())) == 3


@engine_rule(29)
def test_buildkit_runs_keeps_and_deletes(container, bundle, work):
    bundle.sh("exit 4").save()

    as_engine(
        container, ["--root", container.root, "--log", work / "log", "--log-format", "json"],
        "run", "--bundle", bundle.path, "--keep", "-no-subreaper", container.id,
    ).failed(4)  # fmt: skip

    assert container.status == "stopped"
    assert (container.cgroup / "cgroup.events").exists()
    container.delete()
    assert not container.cgroup.exists()


def test_buildah_waits_for_the_pid_and_polls_the_state(container, bundle, work):
    bundle.sh("sleep 0.05; exit 8")

    container.create("--pid-file", work / "pid")
    container.start()
    statuses = set()
    eventually(lambda: statuses.add(container.status) or "stopped" in statuses, "it stops")

    assert statuses <= {"running", "stopped"}
    assert world.exit_status(int((work / "pid").read_text())) == 8
    container.delete()


def test_docker_attaches_a_terminal_over_a_socket(container, bundle, work):
    console = ConsoleSocket(work / "console.sock")
    bundle.process["terminal"] = True
    bundle.sh("echo hello; read answer; exit $answer").save()

    as_engine(
        container, globals_of_containerd(container, work), "create", "--bundle", bundle.path,
        "--pid-file", work / "init.pid", "--console-socket", console.path, container.id,
    ).succeeded()  # fmt: skip
    terminal, _, _ = console.receive()
    container.start()
    terminal.read_until("hello")
    terminal.write("11\r")

    assert world.exit_status(int((work / "init.pid").read_text())) == 11
    terminal.close()
    console.close()


def test_commands_work_from_the_state_directory_alone(container, bundle):
    """After an engine's restart nothing but the identifier is known."""
    bundle.sleeper()
    container.launch()

    for command in (["state"], ["ps", "--format", "json"], ["pause"], ["resume"], ["kill", "--all"]):
        container.call_with([*command, container.id], cwd="/", env={}).succeeded()


def test_a_crashed_engine_cleans_up_by_force(container, bundle, nothing_left, work):
    bundle.sleeper().save()
    container.root.mkdir()
    nothing_left.from_now_on()
    container.launch("--pid-file", work / "pid")

    as_engine(container, globals_of_containerd(container, work), "delete", "--force", container.id).succeeded()

    (work / "pid").unlink()
    (work / "log.json").unlink()
    nothing_left.soon()


def test_a_pod_shares_namespaces_of_its_first_container(make_container, make_bundle):
    sandbox, application = make_container(make_bundle(), "sandbox"), make_container(make_bundle(), "application")
    sandbox.bundle.linux["cgroupsPath"] = "/pod/sandbox"
    sandbox.bundle.sleeper()
    sandbox.launch()
    for kind, link in (("network", "net"), ("ipc", "ipc"), ("uts", "uts")):
        application.bundle.namespace(kind, f"/proc/{sandbox.pid}/ns/{link}")
    del application.bundle.config["hostname"]
    application.bundle.linux["cgroupsPath"] = "/pod/application"

    assert application.output("hostname") == "capsule\n"
    assert sandbox.status == "running"


def test_a_dozen_containers_at_once_live_and_die(make_container, make_bundle, runtime, root):
    containers = [make_container(make_bundle()) for _ in range(12)]
    for container in containers:
        container.bundle.save()

    runners = [
        container.spawn_with(["run", "--bundle", container.bundle.path, container.id]) for container in containers
    ]

    assert [runner.wait(60) for runner in runners] == [0] * len(containers)
    assert runtime.call("list", "-q", root=root).succeeded().out == ""
