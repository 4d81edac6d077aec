"""Polling instead of sleeping."""

import time

patience = 10.0  # seconds; shorter in tests that are known to fail


def eventually(condition, what, seconds=None):
    """Returns the first true value of `condition()`; fails with `what` when none came in time."""
    seconds = seconds or patience
    deadline = time.monotonic() + seconds
    pause = 0.001
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)
