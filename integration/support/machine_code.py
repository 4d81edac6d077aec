"""A program of some 200 bytes that makes one system call through an entry of choice and exits with its errno.

What an assembler would do; containers have no libraries, and a C library never uses the other entries.
"""

import os
import platform
import struct
import subprocess

BASE = 0x400000  # below 4 GiB, so that 32-bit calls can point into it
HEADERS = 64 + 56
STRINGS = 0x200
EXIT_GROUP = 231
X32_BIT = 0x40000000  # __X32_SYSCALL_BIT

is_available = platform.machine() == "x86_64"


def native(number, *arguments):
    """syscall, in 64-bit numbers"""
    return program(arguments, lambda values: registers_64(values) + move_eax(number) + b"\x0f\x05")


def x32(number, *arguments):
    """syscall, with the bit that makes it an x32 call"""
    return native(number | X32_BIT, *arguments)


def i386(number, *arguments):
    """int $0x80, in 32-bit numbers"""
    return program(arguments, lambda values: registers_32(values) + move_eax(number) + b"\xcd\x80")


def program(arguments, call):
    """An ELF file. Arguments are numbers, or bytes of which the address is passed."""
    values, strings = [], b""
    for argument in arguments:
        if isinstance(argument, bytes):
            values.append(BASE + STRINGS + len(strings))
            strings += argument + b"\0"
        else:
            values.append(argument)
    code = call(values) + exit_with_errno()
    size = STRINGS + len(strings)
    return (headers(size) + code).ljust(STRINGS, b"\0") + strings


def headers(size):
    identity = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    elf = struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, BASE + HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    loaded = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 0x1000)
    return identity + elf + loaded


def move_eax(value):
    return b"\xb8" + struct.pack("<I", value)


def registers_64(values):
    moves = (b"\x48\xbf", b"\x48\xbe", b"\x48\xba", b"\x49\xba", b"\x49\xb8", b"\x49\xb9")  # rdi rsi rdx r10 r8 r9
    return b"".join(move + struct.pack("<Q", value & 2**64 - 1) for move, value in zip(moves, values))


def registers_32(values):
    moves = (b"\xbb", b"\xb9", b"\xba", b"\xbe", b"\xbf", b"\xbd")  # ebx ecx edx esi edi ebp
    return b"".join(move + struct.pack("<I", value & 2**32 - 1) for move, value in zip(moves, values))


def exit_with_errno():
    negate = b"\xf7\xd8"  # neg %eax: a positive error number, or a negative result
    zero_unless_error = b"\x79\x02\x31\xc0"  # jns over; xor %eax,%eax
    return negate + zero_unless_error + b"\x89\xc7" + move_eax(EXIT_GROUP) + b"\x0f\x05"


def outcome_here(work, code):
    """What the program exits with outside of any container; negative: the signal that ended it."""
    path = work / "probe"
    path.write_bytes(code)
    path.chmod(0o755)
    status = subprocess.run([path], check=False).returncode
    os.unlink(path)
    return status
