"""Programs of some 200 bytes that are many: processes, threads, zombies, a parent in vfork(2), a fork bomb.

They need no library and next to no memory, so that thousands of processes, or of containers, fit into a small machine.
"""

import struct

from .machine_code import HEADERS, headers, is_available, move_eax

CLONE, PAUSE, EXIT, EXIT_GROUP = 56, 34, 60, 231
SYSCALL = b"\x0f\x05"
PROCESS = 17  # SIGCHLD to the parent at the end
VFORK = 0x4000 | 0x100 | PROCESS
THREAD = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000  # as pthread_create(3) does


def call(number):
    return move_eax(number) + SYSCALL


def jump(distance):
    return b"\xeb" + struct.pack("<b", distance)


WAIT = call(PAUSE) + jump(-9)  # for ever: whatever wakes it, it goes back to sleep


def end_of_thread():
    return b"\x31\xff" + call(EXIT)  # the first thread may end before the others


def clone(flags):
    no_stack_of_its_own = b"\x31\xf6\x31\xd2\x45\x31\xd2\x45\x31\xc0"  # esi, edx, r10d, r8d = 0: nothing here uses one
    return b"\xbf" + struct.pack("<I", flags) + no_stack_of_its_own + call(CLONE)


def program(count, flags=PROCESS, child=WAIT, parent=WAIT):
    """Makes `count` children by clone(2), each of which does `child`; then does `parent`."""
    make = clone(flags)
    to_child = b"\x85\xc0\x74\x04"  # test %eax,%eax; jz child
    repeat = b"\xff\xcb"  # dec %ebx; then back to the test of %ebx
    back = -(2 + len(repeat) + len(to_child) + len(make) + 4)
    loop = make + to_child + repeat + jump(back) + child
    code = b"\xbb" + struct.pack("<I", count) + b"\x85\xdb\x74" + struct.pack("<b", len(loop)) + loop + parent
    size = HEADERS + len(code)
    return headers(size) + code


def waiting():
    return program(0)


def ending():
    return program(0, parent=b"\x31\xff" + call(EXIT_GROUP))


def processes(count):
    return program(count)


def threads(count, parent=WAIT):
    return program(count, THREAD, parent=parent)


def zombies(count):
    return program(count, child=b"\x31\xff" + call(EXIT_GROUP))


def in_vfork():
    return program(1, VFORK)


def bomb():
    make = clone(PROCESS)
    code = make + jump(-len(make) - 2)
    return headers(HEADERS + len(code)) + code


def install(bundle, code):
    """Makes `code` the program of `bundle`."""
    path = bundle.rootfs / "bin/crowd"
    path.write_bytes(code)
    path.chmod(0o755)
    bundle.args("/bin/crowd")
    return bundle
