"""The rate of the time stamp counter, which guests are told. Needs no guest."""

import pathlib
import platform
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import time_stamps


@pytest.mark.skipif(platform.machine() != "x86_64", reason="needs an x86-64 processor")
def test_the_rate_is_the_same_each_time():
    rates = [time_stamps.kilohertz() for _ in range(5)]

    assert min(rates) > 100_000
    assert max(rates) - min(rates) < min(rates) / 1000


def test_another_processor_has_none(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")

    assert time_stamps.kilohertz() is None
