"""Seccomp filters around the runtime itself: they make the kernel look older than it is."""

import ctypes
import errno
import platform
import struct

from . import kernel

LOG, SPEC_ALLOW, NEW_LISTENER, WAIT_KILLABLE_RECV = 1 << 1, 1 << 2, 1 << 3, 1 << 5

PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
SECCOMP = {"x86_64": 317, "aarch64": 277}.get(platform.machine())  # its number
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NUMBER, SECOND_ARGUMENT = 0, 24  # offsets in struct seccomp_data


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def without_flag(flag):
    """For preexec_fn: seccomp(2) answers EINVAL to this flag, as a kernel that does not know it."""
    return lambda: install(about_flags(ANY_BIT, flag, matches=ERRNO | errno.EINVAL, otherwise=ALLOW))


def with_these_flags_alone(flags):
    """For preexec_fn: seccomp(2) answers EXDEV to any flags but exactly these."""
    return lambda: install(about_flags(EQUAL, flags, matches=ALLOW, otherwise=ERRNO | errno.EXDEV))


def about_flags(comparison, flags, matches, otherwise):
    return [
        (LOAD, 0, 0, NUMBER),
        (EQUAL, 0, 3, SECCOMP),
        (LOAD, 0, 0, SECOND_ARGUMENT),
        (comparison, 0, 2, flags),
        (RETURN, 0, 0, matches),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, otherwise),
    ]


def install(instructions):
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    program = Program(len(instructions), code)
    installed = kernel.libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)
    kernel.checked(installed, "prctl PR_SET_SECCOMP")
