"""create, start, run, pause, resume, kill, delete, state, list: the states of a container and the ways between them."""

import re
import signal
import subprocess
import time

import pytest

from support import world
from support.marks import covers, engine_rule, extension, normative
from support.waiting import eventually


# The way through the states.


def test_a_container_goes_from_created_to_running_to_paused_to_stopped_and_is_gone(container, bundle):
    bundle.sleeper()

    seen = []
    container.create()
    seen.append(container.status)
    container.start()
    seen.append(container.status)
    container.call("pause").succeeded()
    seen.append(container.status)
    container.call("resume").succeeded()
    seen.append(container.status)
    container.kill("KILL")
    container.wait_for_status("stopped")
    seen.append(container.status)
    container.delete()

    assert seen == ["created", "running", "paused", "running", "stopped"]
    container.call("state").refused("does not exist", crun="No such file")


@normative("B2")
def test_create_does_not_run_the_command(container, bundle):
    bundle.sh("touch /ran; sleep 100")

    container.create()

    assert not (bundle.rootfs / "ran").exists()
    container.start()
    eventually((bundle.rootfs / "ran").exists, "the command runs after start")


def test_lifecycle_commands_say_nothing_when_they_succeed(container, bundle):
    bundle.sleeper()

    container.create().silent()
    container.start().silent()
    container.call("pause").succeeded().silent()
    container.call("resume").succeeded().silent()
    container.kill("KILL").silent()
    container.wait_for_status("stopped")
    container.delete().silent()


def test_a_command_that_ends_by_itself_leaves_a_stopped_container(container, bundle):
    bundle.args("true")

    container.launch()

    container.wait_for_status("stopped")


@normative("B6")
def test_an_identifier_can_be_used_again_after_delete(container, bundle):
    for _ in range(2):
        container.create()
        container.delete("--force")

    container.call("state").failed()


def test_containers_in_different_roots_do_not_see_each_other(make_container, make_bundle, root, work):
    here = make_container(make_bundle(), "twin")
    there = make_container(make_bundle(), "twin", root=work / "other")
    there.bundle.linux["cgroupsPath"] = "/other-twin"
    here.create()
    there.create()

    here.delete("--force")

    assert there.status == "created"


def test_of_two_creates_at_the_same_time_one_wins(make_container, make_bundle):
    rivals = [make_container(make_bundle(), "one-name") for _ in range(4)]
    for rival in rivals:
        rival.bundle.save()

    creators = [rival.spawn_with(["create", "--bundle", rival.bundle.path, rival.id]) for rival in rivals]
    statuses = [creator.wait(30) for creator in creators]

    assert statuses.count(0) == 1
    winner = rivals[statuses.index(0)]
    assert winner.state["bundle"] == str(winner.bundle.path)
    winner.start()


# Transitions that are refused.


@normative("B3")
def test_start_of_a_running_container_is_refused(container, bundle):
    container.bundle.sleeper()
    container.launch()

    container.call("start").refused("cannot start an already running container")

    assert container.status == "running"


def test_start_of_a_paused_container_is_refused(container, bundle):
    bundle.sleeper()
    container.launch()
    container.call("pause").succeeded()

    container.call("start").refused()

    assert container.status == "paused"


@normative("B3")
def test_start_of_a_stopped_container_is_refused(container):
    container.launch()
    container.wait_for_status("stopped")

    container.call("start").refused("cannot start a container that has stopped")


@normative("B1")
def test_create_with_an_identifier_in_use_is_refused(container):
    container.create()

    container.try_create().refused("container with given ID already exists", crun="already exists")

    assert container.status == "created"


def test_run_with_an_identifier_in_use_is_refused_and_the_first_container_stays(container):
    container.create()

    container.try_run().refused("container with given ID already exists", crun="already exists")

    assert container.status == "created"


@normative("B5")
@engine_rule(16)
def test_delete_of_a_running_container_is_refused(container, bundle):
    bundle.sleeper()
    container.launch()

    container.call("delete").refused(f"cannot delete container {container.id} that is not stopped: running")

    assert container.status == "running"


@normative("B5")
def test_delete_of_a_paused_container_is_refused(container, bundle):
    bundle.sleeper()
    container.launch()
    container.call("pause").succeeded()

    container.call("delete").refused(f"cannot delete container {container.id} that is not stopped: paused")

    assert container.status == "paused"


@engine_rule(16)
def test_delete_of_a_created_container_ends_its_init(container, bundle):
    container.create()
    init = container.pid

    container.delete()

    eventually(lambda: not world.alive(init), "init is gone")
    container.call("state").failed()


def test_pause_of_a_paused_container_is_refused(container, bundle):
    bundle.sleeper()
    container.launch()
    container.call("pause").succeeded()

    container.call("pause").refused("container not running")

    assert container.status == "paused"


def test_pause_of_a_stopped_container_is_refused(container):
    container.launch()
    container.wait_for_status("stopped")

    container.call("pause").refused("container not running")


def test_resume_of_a_running_container_is_refused(container, bundle):
    bundle.sleeper()
    container.launch()

    container.call("resume").refused("container not paused")

    assert container.status == "running"


@normative("B4")
@engine_rule(15)
def test_kill_of_a_stopped_container_is_refused(container):
    container.launch()
    container.wait_for_status("stopped")

    container.call_with(["kill", container.id, "KILL"]).refused("container not running", crun="is not running")


@pytest.mark.parametrize("command", ["start", "state", "delete", "pause", "resume", "kill", "ps"])
@engine_rule(15)
def test_a_command_on_an_unknown_container_is_refused(runtime, root, command):
    runtime.call(command, "nobody", root=root).refused("container does not exist", crun="nobody")


def test_exec_in_an_unknown_container_is_refused(runtime, root):
    runtime.call("exec", "nobody", "true", root=root).refused("container does not exist")


@normative("B3")
def test_start_without_a_process_is_refused_and_changes_nothing(container, bundle):
    del bundle.config["process"]
    container.create()

    container.call("start").refused("/process")

    assert container.status == "created"


@normative("B4")
def test_kill_of_an_unknown_container_changes_nothing(container, runtime, root):
    container.create()

    runtime.call("kill", "nobody", "KILL", root=root).refused("container does not exist", crun="nobody")

    assert container.status == "created"


# Several at once.


@pytest.fixture
def three(make_container, make_bundle):
    """Running containers called web-1, web-2 and db-1, with the name of the test before."""
    made = []
    for suffix in ("web-1", "web-2", "db-1"):
        bundle = make_bundle()
        made.append(make_container(bundle, f"{bundle.path.parent.name}-{suffix}"))
        bundle.sleeper()
        made[-1].launch()
    return made


def test_kill_regex_signals_every_container_that_matches(three):
    three[0].call_with(["kill", "--regex", "web-[0-9]$", "KILL"]).succeeded().silent()

    three[0].wait_for_status("stopped")
    three[1].wait_for_status("stopped")
    assert three[2].status == "running"


def test_delete_regex_removes_every_container_that_matches(three):
    three[0].call_with(["delete", "--force", "-r", "web-(1|2)$"]).succeeded()

    three[0].call("state").failed()
    three[1].call("state").failed()
    assert three[2].status == "running"


@extension("a failure with one container does not keep the others from being deleted")
def test_delete_regex_goes_on_after_a_failure_and_tells_it(three):
    three[1].kill("KILL")
    three[1].wait_for_status("stopped")

    three[0].call_with(["delete", "--regex", "web-"]).refused("that is not stopped: running")

    assert three[0].status == "running"
    three[1].call("state").failed()


@extension("what is no regular expression is refused")
@pytest.mark.parametrize("words", [["kill", "--regex", "("], ["delete", "-r", "[a"]], ids=["kill", "delete"])
def test_a_bad_regular_expression_is_refused(container, words):
    container.create()

    container.call_with(words).refused("--regex")

    assert container.status == "created"


@pytest.mark.parametrize("command", ["kill", "delete"])
def test_a_regular_expression_that_matches_nothing_is_no_failure(container, command):
    container.create()

    container.call_with([command, "--regex", "^nobody$"]).succeeded()

    assert container.status == "created"


# delete --force


def test_delete_force_ends_a_running_container(container, bundle):
    bundle.sleeper()
    container.launch()
    init = container.pid

    container.delete("--force").silent()

    eventually(lambda: not world.alive(init), "init is gone")
    assert not container.cgroup.exists()
    assert not container.state_directory.exists()


def test_delete_force_ends_a_paused_container(container, bundle):
    bundle.sleeper()
    container.launch()
    container.call("pause").succeeded()

    container.delete("--force").silent()

    assert not container.cgroup.exists()


@engine_rule(16)
def test_delete_force_of_an_unknown_container_succeeds_silently(runtime, root):
    runtime.call("delete", "--force", "nobody", root=root).succeeded().silent()


def test_delete_force_removes_a_state_directory_without_a_state_file(runtime, container):
    container.state_directory.mkdir(parents=True)

    container.delete("--force")

    assert not container.state_directory.exists()


def test_delete_force_accepts_the_short_flag(container, bundle):
    bundle.sleeper()
    container.launch()

    container.delete("-f")

    container.call("state").failed()


@normative("B5")
def test_delete_leaves_the_bundle_as_it_was(container, bundle):
    before = sorted(path.name for path in bundle.path.iterdir())
    container.launch()
    container.wait_for_status("stopped")

    container.delete()

    assert sorted(path.name for path in bundle.path.iterdir()) == sorted(set(before) | {"config.json"})
    assert (bundle.rootfs / "bin/busybox").exists()


def test_nothing_is_left_after_a_full_life(container, bundle, nothing_left):
    bundle.sleeper().save()
    container.root.mkdir()
    nothing_left.from_now_on()

    container.launch_sleeper("--pid-file", bundle.path / "pid")
    container.kill("TERM")
    container.wait_for_status("stopped")
    container.delete()

    (bundle.path / "pid").unlink()
    nothing_left()


def test_nothing_is_left_after_run(container, bundle, nothing_left):
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()

    container.run()

    nothing_left()


# kill


@pytest.mark.parametrize("form", ["15", "TERM", "SIGTERM", "term", "sigterm", "Term"])
@engine_rule(18)
def test_kill_takes_a_signal_by_number_and_by_name_in_any_case(container, bundle, form):
    bundle.sh("trap 'touch /terminated; exit 0' TERM; touch /ready; while :; do sleep 0.01; done")
    container.launch()
    eventually((bundle.rootfs / "ready").exists, "the trap is set")

    container.kill(form)

    eventually((bundle.rootfs / "terminated").exists, "the signal arrives")


@engine_rule(18)
def test_kill_sends_term_when_no_signal_is_given(container, bundle):
    bundle.sh("trap 'touch /terminated; exit 0' TERM; touch /ready; while :; do sleep 0.01; done")
    container.launch()
    eventually((bundle.rootfs / "ready").exists, "the trap is set")

    container.kill()

    eventually((bundle.rootfs / "terminated").exists, "the signal arrives")


@pytest.mark.parametrize("form", ["34", "RTMIN", "SIGRTMIN+3", "rtmin+3", "SIGRTMAX-2", "64"])
@extension("realtime signals by every name")
@engine_rule(18)
def test_kill_takes_realtime_signals(container, bundle, form):
    bundle.sleeper()
    container.launch()

    container.kill(form)


@pytest.mark.parametrize("signal_name", ["NONSENSE", "SIGNONSENSE", "99999", "-1", "9x"])
@engine_rule(18)
def test_kill_with_an_unknown_signal_is_refused(container, bundle, signal_name):
    bundle.sleeper()
    container.launch()

    container.call_with(["kill", container.id, signal_name]).refused()

    assert container.status == "running"


def test_kill_names_the_unknown_signal(container, bundle):
    bundle.sleeper()
    container.launch()

    container.call_with(["kill", container.id, "NONSENSE"]).refused("unknown signal", crun="unknown signal")


def test_kill_of_a_created_container_is_allowed(container):
    container.create()

    container.kill("KILL")

    container.wait_for_status("stopped")


def test_kill_with_kill_ends_a_paused_container(container, bundle):
    bundle.sleeper()
    container.launch()
    container.call("pause").succeeded()

    container.kill("KILL")

    container.wait_for_status("stopped")


def test_kill_all_ends_every_process_of_the_container(container, bundle):
    bundle.sh("sleep 1000 & sleep 1000 & wait").without_namespace("pid")
    container.launch()
    eventually(lambda: len(container.call("ps", "--format", "json").json) == 3, "three processes run")

    container.call_with(["kill", "--all", container.id, "KILL"]).succeeded()

    eventually(lambda: (container.cgroup / "cgroup.procs").read_text() == "", "the cgroup is empty")


@engine_rule(17)
def test_kill_all_ends_the_stragglers_after_init_has_died(container, bundle):
    bundle.sh("sleep 1000 & echo $! >/straggler; exit 0").without_namespace("pid")
    container.launch()
    container.wait_for_status("stopped")
    assert (container.cgroup / "cgroup.procs").read_text().split()

    container.call_with(["kill", "--all", container.id, "9"]).succeeded().silent()

    eventually(lambda: (container.cgroup / "cgroup.procs").read_text() == "", "the cgroup is empty")


@engine_rule(17)
def test_kill_all_of_a_stopped_container_succeeds(container):
    container.launch()
    container.wait_for_status("stopped")

    container.call_with(["kill", "-a", container.id, "KILL"]).succeeded()


@engine_rule(17)
def test_kill_with_kill_ends_all_processes_when_there_is_no_own_pid_namespace(container, bundle):
    bundle.sh("sleep 1000 & sleep 1000 & wait").without_namespace("pid")
    container.launch()
    eventually(lambda: len(container.call("ps", "--format", "json").json) == 3, "three processes run")

    container.kill("KILL")

    eventually(lambda: (container.cgroup / "cgroup.procs").read_text() == "", "the cgroup is empty")


def test_delete_removes_stragglers_that_outlived_init(container, bundle):
    bundle.sh("sleep 1000 & exit 0").without_namespace("pid")
    container.launch()
    container.wait_for_status("stopped")

    container.delete("--force")

    assert not container.cgroup.exists()


# pause and resume


def test_a_paused_container_does_not_run(container, bundle):
    bundle.sh("while :; do echo x >>/ticks; sleep 0.01; done")
    container.launch()
    ticks = bundle.rootfs / "ticks"
    eventually(ticks.exists, "the container ticks")

    container.call("pause").succeeded()

    size = ticks.stat().st_size
    assert "frozen 1" in (container.cgroup / "cgroup.events").read_text()
    container.call("state").succeeded()
    assert ticks.stat().st_size == size
    container.call("resume").succeeded()
    eventually(lambda: ticks.stat().st_size > size, "it ticks again")


def test_a_created_container_can_be_paused_and_resumed(container):
    container.create()

    container.call("pause").succeeded()
    paused = container.status
    container.call("resume").succeeded()

    assert (paused, container.status) == ("paused", "created")


# run


def test_run_returns_the_exit_status_of_the_command(container, bundle):
    bundle.sh("exit 42")

    container.try_run().failed(42)


def test_run_returns_128_plus_the_signal_that_ended_the_command(container, bundle):
    bundle.sh("kill -9 $$").without_namespace("pid")

    container.try_run().failed(137)


def test_a_kill_inside_shows_as_137(container, bundle):
    bundle.sh("sh -c 'kill -9 $$'; exit $?")

    container.try_run().failed(137)


def test_run_returns_137_when_the_init_is_killed_from_outside(container, bundle):
    bundle.sleeper().save()
    runner = container.spawn_with(["run", "--bundle", bundle.path, container.id])
    eventually(lambda: container.call("state").status == 0 and container.status == "running", "it runs")

    container.kill("KILL")

    assert runner.wait(10) == 137


def test_run_deletes_the_container_at_the_end(container):
    container.run()

    container.call("state").failed()
    assert not container.cgroup.exists()
    assert not container.state_directory.exists()


@extension("run knows the container that it made")
def test_run_leaves_another_container_alone_that_has_its_identifier_at_the_end(container, bundle):
    bundle.sleeper().save()
    runner = container.spawn_with(["run", "--bundle", bundle.path, container.id], stderr=subprocess.PIPE, text=True)
    eventually(lambda: container.call("state").status == 0 and container.status == "running", "it runs")
    runner.send_signal(signal.SIGSTOP)
    container.delete("--force")
    container.create()
    runner.send_signal(signal.SIGCONT)

    assert "container does not exist" in runner.communicate(timeout=10)[1]
    assert container.status == "created"


def test_run_passes_stdin_stdout_and_stderr(container, bundle):
    bundle.sh("cat; echo oops >&2")

    result = container.run(input="from stdin\n")

    assert (result.out, result.err) == ("from stdin\n", "oops\n")


@engine_rule(29)
def test_run_keep_leaves_a_stopped_container_with_its_cgroup(container):
    container.run("--keep")

    assert container.status == "stopped"
    assert container.cgroup.exists()
    container.delete()
    assert not container.cgroup.exists()


def test_run_detach_returns_while_the_command_runs(container, bundle):
    bundle.sleeper()

    container.run("--detach", "--pid-file", bundle.path / "pid").silent()

    assert container.status == "running"
    assert container.pid == int((bundle.path / "pid").read_text())


def test_run_forwards_signals_to_the_command(container, bundle):
    bundle.sh("trap 'exit 7' USR1; touch /ready; while :; do sleep 0.01; done").save()
    runner = container.spawn_with(["run", "--bundle", bundle.path, container.id])
    eventually((bundle.rootfs / "ready").exists, "the trap is set")

    runner.send_signal(signal.SIGUSR1)

    assert runner.wait(10) == 7


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, 34, 64])
def test_run_survives_and_forwards_signals_that_would_end_it(container, bundle, number):
    bundle.sh(f"trap 'exit 7' {int(number)}; touch /ready; while :; do sleep 0.01; done").save()
    runner = container.spawn_with(["run", "--bundle", bundle.path, container.id])
    eventually((bundle.rootfs / "ready").exists, "the trap is set")

    runner.send_signal(number)

    assert runner.wait(10) == 7
    container.call("state").failed()


@pytest.mark.parametrize("flag", ["--no-subreaper", "-no-subreaper", "--no-new-keyring", "--no-pivot", "--no-pivot=false"])
def test_run_accepts_the_flags_engines_send(container, flag):
    container.run(flag).silent()


# What the commands tell.


@normative("B7")
@covers(
    "state/ociVersion",
    "state/id",
    "state/status",
    "state/pid",
    "state/bundle",
    "state/annotations",
    "/annotations/*",
)
def test_state_tells_what_engines_read(container, bundle):
    bundle.config["annotations"] = {"org.example.colour": "blue"}
    container.create()

    state = container.state

    assert state["id"] == container.id
    assert state["status"] == "created"
    assert world.alive(state["pid"])
    assert state["bundle"] == str(bundle.path)
    assert state["rootfs"] == str(bundle.rootfs)
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", state["created"])
    assert state["annotations"] == {"org.example.colour": "blue"}
    assert re.match(r"1\.\d+\.\d+", state["ociVersion"])
    assert "owner" in state


def test_state_writes_to_stdout_alone_and_ends_the_line(container):
    container.create()

    result = container.call("state").succeeded()

    assert result.err == ""
    assert result.out.endswith("\n")


@normative("B7")
def test_state_of_a_stopped_container_has_pid_0(container):
    container.launch()
    container.wait_for_status("stopped")

    assert container.state["pid"] == 0


def test_state_list_and_ps_agree(container, bundle):
    bundle.sleeper()
    container.launch()

    listed = container.runtime.call("list", "--format", "json", root=container.root).succeeded().json
    processes = container.call("ps", "--format", "json").succeeded().json

    entry = next(entry for entry in listed if entry["id"] == container.id)
    assert (entry["pid"], entry["status"]) == (container.pid, "running")
    assert container.pid in processes


def test_list_json_has_an_object_for_every_container(make_container, make_bundle, runtime, root):
    first, second = make_container(make_bundle()), make_container(make_bundle())
    first.create()
    second.launch()
    second.wait_for_status("stopped")

    listed = runtime.call("list", "--format=json", root=root).succeeded().json

    by_id = {entry["id"]: entry for entry in listed}
    assert by_id[first.id]["status"] == "created"
    assert by_id[second.id]["status"] == "stopped"
    assert by_id[second.id]["pid"] == 0
    assert by_id[first.id]["bundle"] == str(first.bundle.path)
    assert all(entry["owner"] == runtime.user[1] for entry in listed)


def test_list_json_carries_the_keys_of_state(container, runtime, root, bundle):
    bundle.config["annotations"] = {"org.example.colour": "blue"}
    container.create()

    (entry,) = runtime.call("list", "-f", "json", root=root).succeeded().json

    assert entry["rootfs"] == str(bundle.rootfs)
    assert entry["annotations"] == {"org.example.colour": "blue"}
    assert entry["ociVersion"].startswith("1.")


def test_list_table_has_a_header_and_a_row_for_each(container, runtime, root, bundle):
    container.create()

    header, row = runtime.call("list", root=root).succeeded().lines

    if not runtime.is_crun:
        assert header.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    assert row.split()[:4] == [container.id, str(container.pid), "created", str(bundle.path)]
    assert row.split()[-1] == runtime.user[1]


def test_list_quiet_prints_identifiers_alone(make_container, make_bundle, runtime, root):
    containers = [make_container(make_bundle()) for _ in range(3)]
    for container in containers:
        container.create()

    result = runtime.call("list", "-q", root=root).succeeded()

    assert sorted(result.lines) == sorted(container.id for container in containers)


def test_ps_json_lists_host_pids(container, bundle):
    bundle.sh("sleep 1000 & sleep 1000 & wait")
    container.launch()

    processes = eventually(
        lambda: (found := container.call("ps", "--format", "json").json) and len(found) == 3 and found,
        "three processes run",
    )

    assert container.pid in processes
    assert all(f"/{container.id}" in world.own_cgroup(process) for process in processes)


def test_ps_table_has_a_pid_column(container, bundle):
    bundle.sleeper()
    container.launch()

    lines = container.call("ps").succeeded().lines

    assert "PID" in lines[0].split()
    assert any(str(container.pid) in line.split() for line in lines[1:])


def test_ps_passes_its_options_to_ps(container, bundle):
    bundle.sleeper()
    container.launch()

    lines = container.call_with(["ps", container.id, "-eo", "pid,args"]).succeeded().lines

    assert lines[0].split() == ["PID", "COMMAND"]
    assert any(line.split()[0] == str(container.pid) and "sh" in line for line in lines[1:])


def test_ps_accepts_format_table_before_the_identifier_and_options_after(container, bundle):
    bundle.sleeper()
    container.launch()

    lines = container.call_with(["ps", "--format", "table", container.id, "-ef"]).succeeded().lines

    assert "PID" in lines[0].split()


def test_ps_of_a_stopped_container_lists_nothing(container):
    container.launch()
    container.wait_for_status("stopped")

    result = container.call("ps", "--format", "json")

    assert result.status != 0 or result.json in ([], None)


# The config counts when the container is created.


@normative("B8")
def test_changes_to_config_json_after_create_have_no_effect(container, bundle):
    bundle.sh("touch /first")
    container.create()

    bundle.sh("touch /second").save()
    container.start()

    container.wait_for_status("stopped")
    assert (bundle.rootfs / "first").exists()
    assert not (bundle.rootfs / "second").exists()


def test_delete_works_after_the_bundle_is_gone(container, bundle):
    container.create()
    (bundle.path / "config.json").unlink()

    container.delete("--force")

    container.call("state").failed()


# A runtime that is killed half-way.


@pytest.mark.parametrize("milliseconds", [0, 1, 2, 3, 4, 5, 7, 9, 12, 15, 20, 25, 30, 40])
def test_delete_force_cleans_up_after_the_runtime_was_killed_mid_create(
    container, bundle, nothing_left, milliseconds
):
    bundle.sleeper().save()
    container.root.mkdir()
    nothing_left.from_now_on()
    creator = container.spawn_with(["create", "--bundle", bundle.path, "--pid-file", bundle.path / "pid", container.id])

    time.sleep(milliseconds / 1000)  # the moment of the kill is what is tested
    creator.kill()
    creator.wait()
    container.delete("--force")

    (bundle.path / "pid").unlink(missing_ok=True)
    nothing_left.soon()
