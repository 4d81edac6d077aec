"""How fast this processor's time stamp counter counts.

An emulated guest reads the same counter. Left to itself its kernel finds the rate out at boot, against an emulated timer, and where the
processor is shared it is mistaken: clocks were seen to run five times too fast, and every limit in time was off by as much.
"""

import ctypes
import mmap
import platform
import time

READ = bytes.fromhex("0f31 48c1e220 4809d0 c3")  # rdtsc; shl $32, %rdx; or %rdx, %rax; ret
SECONDS = 0.1
ATTEMPTS = 100


def kilohertz():
    """None where there is no such counter."""
    if platform.machine() != "x86_64":
        return None
    with mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC) as page:
        page.write(READ)
        start = ctypes.c_char.from_buffer(page)
        read = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(start))
        first = moment(read)
        time.sleep(SECONDS)
        last = moment(read)
        del start, read  # the page is closed only when nothing points into it
    return round((last[1] - first[1]) * 1_000_000 / (last[0] - first[0]))


def moment(read):
    """(nanoseconds, count) of one time: of many readings the one that was interrupted least."""
    readings = []
    for _ in range(ATTEMPTS):
        before = time.monotonic_ns()
        count = read()
        after = time.monotonic_ns()
        readings.append((after - before, (before + after) // 2, count))
    return min(readings)[1:]
