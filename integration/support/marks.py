"""Decorators for tests."""

import pytest


def extension(reason):
    """Only capsule promises this; other runtimes skip it."""
    return pytest.mark.extension(reason)


def covers(*pointers):
    """The fields of the configuration (JSON pointers, * for a key or an index) that this test proves."""
    return pytest.mark.covers(*pointers)
