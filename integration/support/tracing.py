"""Runs a program up to its Nth system call and kills it there."""

import ctypes
import os
import signal

from . import kernel, rootless, world

PTRACE_TRACEME = 0
PTRACE_SYSCALL = 24
PTRACE_SETOPTIONS = 0x4200
PTRACE_O_TRACESYSGOOD = 1
PTRACE_O_TRACEEXIT = 0x40
PTRACE_EVENT_EXIT = 6


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
    world.reap_orphans()
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


def observe(command):
    """Runs `command` to its end, which must be a good one; (system calls, KiB of memory at most) of its first process."""
    process = os.fork()
    if process == 0:
        run_traced(command)
    os.waitpid(process, 0)
    ptrace(PTRACE_SETOPTIONS, process, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXIT)
    stops, kilobytes, pending = 0, 0, 0
    while True:
        ptrace(PTRACE_SYSCALL, process, pending)
        _, status = os.waitpid(process, 0)
        if not os.WIFSTOPPED(status):
            assert os.waitstatus_to_exitcode(status) == 0, command
            return (stops + 1) // 2, kilobytes
        pending = 0
        if status >> 8 == signal.SIGTRAP | PTRACE_EVENT_EXIT << 8:
            kilobytes = peak_of(process)
        elif os.WSTOPSIG(status) == signal.SIGTRAP | 0x80:
            stops += 1
        elif os.WSTOPSIG(status) != signal.SIGTRAP:
            pending = os.WSTOPSIG(status)


def peak_of(process):
    with open(f"/proc/{process}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
