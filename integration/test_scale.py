"""Many containers at once: what one more costs when there are hundreds, and that nothing is left of any of them.

SCALE is the largest number, 100 if it is not set. The figures are properties in pytest's XML file; perf/scale.py makes docs/scale.md of them.
"""

import json
import os
import statistics
import time

import pytest

from support import crowds, host_view, rootless, systemd, world
from support.marks import extension, slow
from support.tracing import observe
from support.waiting import eventually

MOST = int(os.environ.get("SCALE", 100))
FEW = 5
ROUNDS = 30  # of a single container: one time says nothing
NUMBERS = [number for number in (1, 10, 100, 1000) if number <= MOST]

pytestmark = [slow, pytest.mark.skipif(not crowds.is_available, reason="the programs of support/crowds.py are for x86-64")]


class Fleet:
    """Containers of one bundle, each a program that waits."""

    def __init__(self, runtime, root, bundle, number):
        self.runtime, self.root, self.bundle = runtime, root, bundle
        self.ids = [f"{world.mark}n{index}" for index in range(number)]
        self.figures = {"number": number, "runtime": runtime.name, "seconds": {}, "calls": {}, "kilobytes": {}}
        self.durations = {}

    def each(self, *words, after=()):
        """Runs a command on every one and notes the time that it takes for one: the median."""
        for identifier in self.ids:
            began = time.monotonic()
            self.runtime.call(*words, identifier, *after, root=self.root, timeout=60).succeeded()
            self.took(words[0], time.monotonic() - began)

    def took(self, name, seconds):
        self.durations.setdefault(name, []).append(seconds)
        self.note("seconds", name, statistics.median(self.durations[name]))

    def observe(self, name, *words):
        """System calls and memory of one command."""
        calls, kilobytes = observe([self.runtime.path, "--root", str(self.root), *words])
        self.note("calls", name, min(calls, self.figures["calls"].get(name, calls)))  # a kernel that is busy makes it try again
        self.note("kilobytes", name, kilobytes)

    def note(self, kind, name, figure):
        self.figures[kind][name] = figure

    def end(self):
        for identifier in self.ids:
            self.runtime.call("delete", "--force", identifier, root=self.root, timeout=60)
            world.remove_group(world.CGROUPS / identifier)


@pytest.fixture
def make_fleet(runtime, root, bundle, nothing_is_left_at_the_end):
    made = []

    def make(number):
        crowds.install(bundle, crowds.waiting())
        bundle.save()
        root.mkdir(exist_ok=True)
        made.append(Fleet(runtime, root, bundle, number))
        return made[-1]

    yield make
    for fleet in made:
        fleet.end()


def live(fleet):
    """A life of all: every command, on each."""
    fleet.each("create", "--bundle", fleet.bundle.path)
    fleet.each("start")
    fleet.each("state")
    began = time.monotonic()
    listed = fleet.runtime.call("list", "--format", "json", root=fleet.root, timeout=60).succeeded().json
    fleet.took("list", (time.monotonic() - began) / len(fleet.ids))
    assert sorted(entry["id"] for entry in listed) == sorted(fleet.ids)
    assert {entry["status"] for entry in listed} == {"running"}
    fleet.each("exec", after=["/bin/true"])
    fleet.each("ps", "--format", "json")
    fleet.each("pause")
    fleet.each("resume")
    fleet.observe("list", "list")
    fleet.observe("state", "state", fleet.ids[-1])
    fleet.observe("kill", "kill", fleet.ids[-1], "USR1")
    fleet.each("kill", after=["KILL"])
    eventually(all_are_gone, "all have ended", 60)
    for identifier in fleet.ids[-FEW:]:
        fleet.observe("delete --force", "delete", "--force", identifier)
    fleet.each("delete", "--force")


def all_are_gone():
    """Reaped too: of a process that only has ended, delete asks some things more."""
    world.reap_orphans()
    return not world.descendants()


def test_many_containers_live_and_nothing_of_them_is_left(make_fleet, nothing_left):
    fleet = make_fleet(MOST)
    nothing_left.from_now_on()

    live(fleet)

    nothing_left.soon()
    assert list(fleet.root.iterdir()) == [] or fleet.runtime.is_crun


@pytest.fixture
def the_host_in_view(pytestconfig):
    with systemd.host_in_view(pytestconfig.world):
        yield


@pytest.mark.skipif(not host_view.SYSTEMD_RUNS, reason="systemd is not PID 1 here, or cgroup v2 is not all there is")
@pytest.mark.skipif(rootless.ACTIVE, reason="an ordinary user has a service manager of its own")
def test_many_scopes_go_with_their_containers(the_host_in_view, make_fleet, nothing_left):
    fleet = make_fleet(MOST)
    nothing_left.from_now_on()

    fleet.each(*systemd.BY_SYSTEMD, "create", "--bundle", fleet.bundle.path)
    fleet.each("start")
    assert len(systemd.our_units()) == MOST
    fleet.each("delete", "--force")

    eventually(lambda: not systemd.our_units(), "systemd has forgotten every scope", 120)
    nothing_left.soon()
    assert list(fleet.root.iterdir()) == [] or fleet.runtime.is_crun


@extension("told by system calls, which are the same each time, as times are not")
def test_a_container_costs_no_more_among_many(make_fleet, record_property):
    rows = []
    for number in NUMBERS:
        fleet = make_fleet(number)
        for _ in range(max(1, ROUNDS // number)):
            live(fleet)
        record_property("scale", json.dumps(fleet.figures))
        rows.append(fleet.figures)

    one, many = rows[0], rows[-1]
    for command in ("state", "kill", "delete --force"):
        assert many["calls"][command] == one["calls"][command], command
    assert many["calls"]["list"] <= many["number"] * one["calls"]["list"]
