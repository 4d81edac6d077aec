"""Runs a program up to its Nth system call and kills it there."""

import ctypes
import os
import signal

from . import kernel, rootless, world

PTRACE_TRACEME = 0
PTRACE_SYSCALL = 24
PTRACE_SETOPTIONS = 0x4200
PTRACE_O_TRACESYSGOOD = 1


def ptrace(request, process, data=0):
    kernel.libc.ptrace.argtypes = [ctypes.c_long] * 4
    kernel.libc.ptrace.restype = ctypes.c_long
    return kernel.checked(kernel.libc.ptrace(request, process, 0, data), f"ptrace {request}")


def kill_at_stop(command, stop):
    """Starts `command` and kills it at the `stop`th of its system call entries and exits.

    True when it was killed there, False when it ended before. Only its first process is traced, not its children.
    """
    process = os.fork()
    if process == 0:
        run_traced(command)
    os.waitpid(process, 0)
    ptrace(PTRACE_SETOPTIONS, process, PTRACE_O_TRACESYSGOOD)
    pending = 0
    for _ in range(stop):
        ptrace(PTRACE_SYSCALL, process, pending)
        _, status = os.waitpid(process, 0)
        if not os.WIFSTOPPED(status):
            return False
        stopped_by = os.WSTOPSIG(status)
        pending = stopped_by if stopped_by not in (signal.SIGTRAP, signal.SIGTRAP | 0x80) else 0
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    world.reap_orphans(keep=())
    return True


def run_traced(command):
    try:
        null = os.open("/dev/null", os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        if rootless.ACTIVE:
            rootless.become_user()
        ptrace(PTRACE_TRACEME, 0)
        os.execv(command[0], command)
    finally:
        os._exit(127)
