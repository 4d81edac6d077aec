"""Decorators for tests."""

import pytest


def extension(reason):
    """Only capsule promises this; other runtimes skip it."""
    return pytest.mark.extension(reason)


def covers(*pointers):
    """The fields of the configuration (JSON pointers, * for a key or an index) that this test proves."""
    return pytest.mark.covers(*pointers)


def normative(requirement):
    """The demand of the specification's prose ("B7" of tests/coverage/requirements.txt) that this test proves."""
    return pytest.mark.normative(requirement)


def engine_rule(number):
    """The rule of tests/coverage/engine_rules.txt, on which an engine depends, that this test proves."""
    return pytest.mark.engine_rule(number)


slow = pytest.mark.slow  # takes minutes in an emulated machine
