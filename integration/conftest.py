"""Fixtures of the integration suite. README.md says how to run it."""

import itertools
import json
import os
import shutil
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(__file__))

import pytest

from support import leftovers, peers, rootless, waiting, world
from support.bundle import Bundle
from support.container import Container
from support.rootfs import Template
from support.runtime import Runtime, runtime_path


def pytest_configure(config):
    if os.geteuid() != 0:
        raise pytest.UsageError("the integration suite needs root: it makes namespaces, mounts and cgroups")
    path = os.path.abspath(runtime_path())
    if not os.access(path, os.X_OK):
        raise pytest.UsageError(f"no runtime at {path}: build it, or set RUNTIME to the path of one")
    for name in ("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "XDG_RUNTIME_DIR"):
        os.environ.pop(name, None)
    os.umask(0o022)
    # A shell has jobs in its background ignore the first two, and what is ignored stays so in whatever we execute.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup
    config.world = world.World(must_stay_visible=[path, os.path.abspath(__file__)])
    config.runtime = Runtime(path)
    if rootless.ACTIVE:
        config.runtime.lie_in(config.world.work)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if hasattr(session.config, "world"):
        session.config.world.leave()


def pytest_report_header(config):
    return f"runtime: {config.runtime.path} ({config.runtime.name})"


def pytest_collection_modifyitems(config, items):
    for item in items:
        extension = item.get_closest_marker("extension")
        if extension and not config.runtime.is_capsule:
            item.add_marker(pytest.mark.skip(reason=f"only capsule promises this: {extension.args[0]}"))
        reason = peers.reason_to_fail(config.runtime.name, item.name)
        if reason:
            harmless = not peers.is_dangerous(config.runtime.name, item.name)
            item.add_marker(pytest.mark.xfail(reason=reason, run=harmless, strict=config.runtime.is_capsule))
        if rootless.ACTIVE and peers.reason_to_fail("rootless", item.name):
            harmless = not peers.is_dangerous("rootless", item.name)
            item.add_marker(pytest.mark.xfail(reason=peers.reason_to_fail("rootless", item.name), run=harmless))


def pytest_runtest_setup(item):
    waiting.patience = 0.5 if item.get_closest_marker("xfail") else 10.0


@pytest.fixture(scope="session")
def runtime(pytestconfig):
    return pytestconfig.runtime


@pytest.fixture(scope="session")
def session_directory(pytestconfig):
    return pytestconfig.world.work


@pytest.fixture(scope="session")
def template(session_directory):
    return Template(session_directory / "template")


@pytest.fixture
def measured(record_property):
    """measured("cpu.max", "20 % of a processor", effect): a line of docs/limits.md, which vm/limits.py makes of several runtimes' results."""

    def record(limit, asked, effect):
        record_property("limit", json.dumps([limit, asked, effect]))

    return record


@pytest.fixture
def work(session_directory, request, counter=itertools.count(1)):
    """An empty directory (0755) for this test alone."""
    directory = session_directory / f"t{next(counter)}"
    directory.mkdir(mode=0o755)
    if rootless.ACTIVE:
        rootless.own(directory)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def root(work):
    """The runtime's --root."""
    return work / "root"


@pytest.fixture
def make_bundle(work, template):
    numbers = itertools.count(1)
    return lambda: Bundle(work / f"bundle{next(numbers)}", template)


@pytest.fixture
def bundle(make_bundle):
    return make_bundle()


@pytest.fixture
def make_container(runtime, root, work, nothing_is_left_at_the_end):
    """make_container(bundle) is a container that will be removed at the end of the test, whatever happens."""
    made = []

    def make(bundle, identifier=None, root=root):
        container = Container(runtime, bundle, root, identifier or f"{work.name}-{len(made)}")
        made.append(container)
        return container

    yield make
    for container in made:
        container.discard()


@pytest.fixture
def container(make_container, bundle):
    return make_container(bundle)


@pytest.fixture(autouse=True)
def nothing_is_left_at_the_end(runtime, request):
    """Every test ends with the processes, cgroups and mounts it began with; a runtime that leaks makes an error."""
    world.reaped.clear()
    before = leftovers.take(runtime)
    yield
    left = lambda: [line for line in leftovers.take(runtime).added_since(before) if not line.startswith("files:")]
    try:
        waiting.eventually(lambda: not left(), "nothing is left")
    except AssertionError:
        what = left()
        leftovers.remove(leftovers.take(runtime), before)
        assert what == [] or request.node.get_closest_marker("xfail")


@pytest.fixture
def nothing_left(runtime):
    """nothing_left() fails if there is more in the world (files too) than when the fixture was made or last told."""
    memory = {"before": leftovers.take(runtime)}

    def left():
        return leftovers.take(runtime).added_since(memory["before"])

    def check():
        assert left() == []

    def check_soon(when=""):
        try:
            waiting.eventually(lambda: not left(), "nothing is left")
        except AssertionError:
            assert left() == [], when

    check.soon = check_soon
    check.from_now_on = lambda: memory.update(before=leftovers.take(runtime))
    return check
