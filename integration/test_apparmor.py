"""AppArmor where it is: the profile of the config confines the process, at create and at exec. Runs in the test machine."""

import pathlib
import shutil
import subprocess

import pytest

from support.marks import covers, extension

ENABLED = pathlib.Path("/sys/module/apparmor/parameters/enabled")

pytestmark = pytest.mark.skipif(
    not ENABLED.exists() or ENABLED.read_text() != "Y\n" or not shutil.which("apparmor_parser"),
    reason="AppArmor is not enabled here, or apparmor_parser is missing",
)

PROFILES = """
profile capsule-suite flags=(attach_disconnected,mediate_deleted) {
  file, capability, network, mount, umount, pivot_root, signal, ptrace, unix,
  deny /secret r,
  change_profile,
}
profile capsule-suite-other flags=(attach_disconnected,mediate_deleted) {
  file, capability, network, mount, umount, pivot_root, signal, ptrace, unix,
  deny /other r,
  change_profile,
}
"""

CURRENT = "cat /proc/self/attr/apparmor/current 2>/dev/null || cat /proc/self/attr/current"


def parser(flag):
    done = subprocess.run(["apparmor_parser", flag, "--skip-cache"], input=PROFILES, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module", autouse=True)
def profiles():
    parser("--replace")
    yield
    parser("--remove")


@pytest.fixture
def confined(bundle):
    bundle.process["apparmorProfile"] = "capsule-suite"
    bundle.write("/secret", "hidden")
    bundle.write("/other", "open")
    return bundle


@covers("/process/apparmorProfile")
def test_the_process_runs_under_the_profile(container, confined):
    assert container.output(CURRENT) == "capsule-suite (enforce)\n"


@covers("/process/apparmorProfile")
def test_what_the_profile_denies_is_refused(container, confined):
    assert container.output("cat /other; cat /secret 2>/dev/null || echo refused") == "openrefused\n"


@covers("/process/apparmorProfile")
def test_a_profile_that_is_not_loaded_is_refused(container, bundle):
    bundle.process["apparmorProfile"] = "capsule-nonsense"

    container.try_run().refused("apparmor")


def test_exec_runs_under_the_containers_profile(container, confined):
    confined.sleeper()
    container.launch()

    assert container.exec("sh", "-c", CURRENT).out == "capsule-suite (enforce)\n"


def test_exec_runs_under_the_profile_asked_for(container, confined):
    confined.sleeper()
    container.launch()

    asked = container.exec("sh", "-c", CURRENT, flags=["--apparmor", "capsule-suite-other"])

    assert asked.out == "capsule-suite-other (enforce)\n"


@covers("/process/apparmorProfile")
def test_it_holds_with_no_new_privileges(container, confined):
    confined.process["noNewPrivileges"] = True

    assert container.output(CURRENT + "; cat /secret 2>/dev/null || echo refused") == "capsule-suite (enforce)\nrefused\n"


@extension("a runtime that is confined itself, and may not leave its profile, stacks the container's on it")
def test_under_a_confined_runtime_the_profiles_are_stacked(container, confined):
    confined.process["noNewPrivileges"] = True
    confined.sh(CURRENT).save()
    under = ["aa-exec", "-p", "capsule-suite-other", "--"]
    if not shutil.which("aa-exec"):
        pytest.skip("aa-exec is missing")

    result = container.call("run", "--bundle", confined.path, through=under).succeeded()

    assert {"capsule-suite", "capsule-suite-other"} <= set(result.out.replace("(enforce)", " ").replace("//&", " ").split())
