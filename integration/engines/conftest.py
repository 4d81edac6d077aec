"""Callers that more than one file of tests needs."""

import pytest
from callers.conmon import Conmon
from callers.containerd import Shim


@pytest.fixture
def shim(container, work):
    shim = Shim(container, work)
    yield shim
    shim.close()


@pytest.fixture
def task(shim, bundle):
    """The shim's container, which sleeps until TERM."""
    bundle.sleeper()
    shim.create().start().container.wait_for_sleep()
    return shim


@pytest.fixture
def conmon(container, work):
    conmon = Conmon(container, work, ["--root", container.root])
    yield conmon
    conmon.close()
