"""Decorators for tests."""

import pytest


def extension(reason):
    """Only capsule promises this; other runtimes skip it."""
    return pytest.mark.extension(reason)
