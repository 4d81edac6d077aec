"""containerd's shim as the caller of everything that comes after create and exec, and what is done when it is gone."""

import os
import signal

import pytest
from callers.containerd import decode_stream
from callers.go_runc import GoRunc, atoi
from callers.streams import wait

from support import leftovers, world
from support.marks import engine_rule
from support.quotas import needs
from support.waiting import eventually


@engine_rule(15)
def test_a_kill_that_finds_nobody_is_told_from_other_errors(task):
    alive = task.kill(signal.SIGKILL)
    task.wait()
    dead = task.kill(signal.SIGTERM)
    task.delete()
    unknown = task.kill(signal.SIGTERM)

    assert (alive, dead, unknown) == (None, "process already finished", "no such container")


@engine_rule(16)
def test_the_shim_deletes_what_is_gone_already(task):
    task.kill(signal.SIGKILL)
    task.wait()

    task.delete()
    task.delete()
    task.clean_up()


@engine_rule(17)
def test_the_shim_ends_what_outlived_init_in_a_shared_pid_namespace(shim, bundle):
    bundle.without_namespace("pid").sh("sleep 1000 & exit 3")
    shim.create().start()
    group = shim.container.cgroup

    assert shim.wait() == 3
    assert (group / "cgroup.procs").read_text()
    shim.runc.kill(shim.id, 9, all=True)

    eventually(lambda: "populated 0" in (group / "cgroup.events").read_text(), "the group is empty")
    shim.runc.kill(shim.id, 9, all=True)
    shim.delete()


@engine_rule(17)
def test_kill_all_succeeds_when_the_group_has_gone_before(task):
    task.kill(signal.SIGKILL)
    task.wait()
    group = task.container.cgroup
    eventually(lambda: "populated 0" in (group / "cgroup.events").read_text(), "the group is empty")
    for directory in reversed(world.subgroups(group)):
        directory.rmdir()

    task.runc.kill(task.id, 9, all=True)


@engine_rule(8)
@engine_rule(33)
def test_a_task_is_paused_resumed_and_listed(task):
    assert task.runc.pause(task.id) == ""
    assert task.runc.state(task.id)["status"] == "paused"
    assert task.runc.resume(task.id) == ""

    assert task.pid in task.runc.ps(task.id)
    assert [entry["id"] for entry in task.runc.list()] == [task.id]


@engine_rule(4)
@engine_rule(33)
@pytest.mark.parametrize("options", ["-ef", "-opid,args"])
def test_top_finds_the_column_pid(task, options):
    header, rows = task.runc.top(task.id, options)

    assert "PID" in header
    assert str(task.pid) in [row["PID"] for row in rows]


@engine_rule(30)
@needs("memory")
def test_the_memory_of_a_task_is_counted_in_the_group_of_its_process(task):
    assert "oom_kill " in (task.cgroup() / "memory.events").read_text()


@engine_rule(36)
def test_statistics_come_as_one_object(task):
    assert set(task.runc.stats(task.id)) >= {"cpu", "memory", "pids"}


@engine_rule(36)
def test_a_stream_of_events_ends_when_the_container_does(task, work):
    with open(work / "events", "wb") as events:
        listening = task.runc.spawn("events", "--interval=1s", task.id, stdout=events)
    eventually(lambda: (work / "events").read_text().endswith("\n"), "the first object comes")

    task.kill(signal.SIGKILL)
    task.wait()

    assert listening.wait(10) == 0
    assert {entry["id"] for entry in decode_stream((work / "events").read_text())} == {task.id}


@engine_rule(32)
@needs("pids")
def test_an_update_comes_over_standard_input(task):
    assert task.runc.update(task.id, {"pids": {"limit": 77}}) == ""

    assert (task.cgroup() / "pids.max").read_text() == "77\n"


@engine_rule(2)
def test_flags_with_one_dash_are_gos(shim, bundle):
    bundle.sleeper().save()
    pid_file = shim.bundle / "init.pid"

    with open(os.devnull, "r+b") as null:
        words = ["run", "-detach", "-no-subreaper", "-no-new-keyring", "-b", shim.bundle, f"-pid-file={pid_file}", shim.id]
        process = shim.runc.spawn(*words, stdin=null, stdout=null, stderr=null)

    assert wait(process, shim.container.runtime) == 0
    assert shim.runc.state(shim.id)["pid"] == atoi(pid_file)


@engine_rule(35)
def test_after_a_restart_the_identifier_and_the_root_are_enough(task):
    restarted = GoRunc(task.container.runtime, root=task.container.root)
    restarted.options = {"env": {}, "cwd": "/"}

    state = restarted.state(task.id)
    restarted.pause(task.id)
    restarted.resume(task.id)
    restarted.kill(task.id, 9, all=True)

    assert (state["status"], state["pid"]) == ("running", task.pid)
    assert task.wait() == 137
    restarted.delete(task.id)


@engine_rule(16)
@engine_rule(38)
def test_after_a_crash_of_the_shim_its_manager_leaves_nothing(task):
    """The container runs on, and whoever cleans up knows the identifier alone."""
    group = task.container.cgroup

    task.clean_up()

    assert task.wait() == 137
    assert not group.exists() and not (task.container.root / task.id).exists()
    assert [entry for entry in leftovers.mounted() if task.id in entry] == []
    task.clean_up()


@engine_rule(38)
@pytest.mark.parametrize("kind", ["createRuntime", "createContainer"])
def test_a_shim_that_is_killed_takes_the_runtime_along_and_its_manager_cleans_up(shim, bundle, work, kind):
    """The hook shows where it was, half-way, and ends once the way is given free."""
    os.mkfifo(bundle.path / "gate")
    gate = os.open(bundle.path / "gate", os.O_RDWR)  # open in both directions: nobody waits for the other to open it
    script = f"touch {bundle.path}/begun; read word < {bundle.path}/gate"
    bundle.config["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}
    bundle.save()
    words = ["create", "--bundle", bundle.path, "--pid-file", bundle.path / "init.pid", shim.id]
    doomed, runtime = start_in_another_process(shim, words)
    eventually((bundle.path / "begun").exists, "the hook runs")

    os.kill(doomed, signal.SIGKILL)

    assert world.exit_status(runtime) == -signal.SIGKILL
    shim.clean_up()
    assert shim.runc.list() == []
    os.write(gate, b"free\n")
    os.close(gate)


def start_in_another_process(shim, words):
    """A shim of its own, that only waits: (its pid, that of the runtime)."""
    reading, writing = os.pipe()
    doomed = os.fork()
    if doomed == 0:
        try:
            process = shim.runc.spawn(*words)
            os.write(writing, str(process.pid).encode())
            signal.pause()
        finally:
            os._exit(1)
    os.close(writing)
    runtime = int(os.read(reading, 100))
    os.close(reading)
    return doomed, runtime
