"""Processes that must not outlive us, not even if we are killed."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def dies_with_parent():
    """For Popen's preexec_fn."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_orderly_when_told():
    """TERM and HUP unwind like an interrupt does, so that every `with` block cleans up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _: sys.exit(128 + got))
