"""The systemd cgroup manager where there is no systemd to talk to: the suite hides it, or it does not run at all."""

import pytest

from support.marks import engine_rule

WORDS = {"flag": ["--systemd-cgroup"], "manager": ["--cgroup-manager", "systemd"]}
BY_SYSTEMD = pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)


@BY_SYSTEMD
@pytest.mark.parametrize("command", ["create", "run"])
@pytest.mark.parametrize("path", ["", "system.slice:capsule:one", "/one"], ids=["none", "scope", "path"])
def test_systemd_that_is_not_there_is_told_and_nothing_is_left(container, bundle, nothing_left, words, command, path):
    bundle.linux["cgroupsPath"] = path
    bundle.save()
    container.root.mkdir()
    nothing_left.from_now_on()

    refused = container.call_with([*words, command, "--bundle", bundle.path, container.id])

    refused.refused("systemd", crun="sd-bus")
    nothing_left()


@BY_SYSTEMD
@engine_rule(5)
def test_engine_rule_5_a_container_of_the_files_does_not_mind_that_later_commands_name_systemd(container, bundle, words):
    container.launch_sleeper()
    later = lambda *command: container.call_with([*words, *command]).succeeded()

    assert later("state", container.id).json["status"] == "running"
    later("pause", container.id)
    later("resume", container.id)
    assert later("exec", container.id, "echo", "alive").out == "alive\n"
    later("kill", container.id, "KILL")
    container.wait_for_status("stopped")
    later("delete", container.id).silent()

    assert not container.cgroup.exists()
