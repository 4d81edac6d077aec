"""Engines that die, or ask, at the worst moment."""

import json
import time

import pytest
from callers.streams import hear

from support import world
from support.marks import engine_rule
from support.waiting import eventually

COMMANDS = {
    "start": ["start"],
    "exec": ["exec", "--detach"],
    "pause": ["pause"],
    "kill": ["kill"],
    "delete": ["delete", "--force"],
}


@engine_rule(38)
@pytest.mark.parametrize("microseconds", [0, 500, 1000, 1500, 2000, 3000, 5000])
@pytest.mark.parametrize("command", COMMANDS)
def test_whatever_the_runtime_was_killed_in_can_be_deleted_by_force(container, bundle, command, microseconds):
    bundle.sleeper()
    container.create()
    pid = container.pid
    if command != "start":
        container.start()
        container.wait_for_sleep()
    words = [*COMMANDS[command], container.id, *(["sleep", "1000"] if command == "exec" else [])]
    runtime = container.spawn_with(words)

    time.sleep(microseconds / 1e6)  # the moment is what is tested
    runtime.kill()
    runtime.wait()
    container.delete("--force")

    eventually(lambda: not world.alive(pid), "init is dead")
    assert not container.cgroup.exists() and not container.state_directory.exists()
    assert hear(container.runtime, "--root", container.root, "list", "-q").out == ""


@engine_rule(19)
def test_whoever_polls_the_state_reads_a_whole_one_at_every_moment(container, bundle):
    """From before create until after delete, while other commands work."""
    bundle.sleeper().save()
    pid_file = bundle.path / "pid"
    commands = (
        ["create", "--bundle", bundle.path, "--pid-file", pid_file, container.id], ["start", container.id],
        ["pause", container.id], ["resume", container.id], ["kill", container.id, "9"], ["delete", container.id],
    )  # fmt: skip
    seen = []

    for words in commands:
        working = container.spawn_with(words)
        while working.poll() is None:
            seen.append(status_of(container))
            if words[0] == "create" and pid_file.exists():
                assert pid_file.read_text().isdigit()
        assert working.returncode == 0, words
        if words[0] == "kill":
            container.wait_for_status("stopped")

    known = ["unknown", "creating", "created", "running", "paused", "running", "stopped", "unknown"]
    assert is_in_order(seen, known), seen


def status_of(container):
    heard = hear(container.runtime, "--root", container.root, "state", container.id)
    if heard.status != 0:
        assert "does not exist" in heard.err, heard
        return "unknown"
    return json.loads(heard.out)["status"]


def is_in_order(seen, known):
    """Whether `seen` is `known` with some left out and some repeated."""
    place = 0
    for status in seen:
        while place < len(known) and known[place] != status:
            place += 1
    return place < len(known)
