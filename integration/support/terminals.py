"""Pseudo terminals and the console socket, as an engine or a user's terminal sees them."""

import array
import fcntl
import os
import pty
import select
import socket
import struct
import termios
import time

from . import waiting


class Terminal:
    """The master side of a pty."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.seen = b""

    def write(self, text):
        os.write(self.descriptor, text.encode())

    def read_until(self, wanted):
        """Reads until `wanted` has appeared; returns all that was seen so far."""
        deadline = time.monotonic() + waiting.patience
        while wanted.encode() not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted!r} did not appear in {self.seen!r}"
            if select.select([self.descriptor], [], [], left)[0]:
                self.seen += self.read_some()
        return self.seen.decode(errors="replace")

    def read_some(self):
        try:
            return os.read(self.descriptor, 65536)
        except OSError:  # EIO: the other side is closed
            raise AssertionError(f"the terminal was closed after {self.seen!r}")

    def resize(self, rows, columns):
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def size(self):
        return struct.unpack("HHHH", fcntl.ioctl(self.descriptor, termios.TIOCGWINSZ, bytes(8)))[:2]

    def close(self):
        os.close(self.descriptor)


class UserTerminal(Terminal):
    """What a person sits at: the runtime gets the other side as its controlling terminal."""

    def __init__(self, rows=24, columns=80):
        master, self.slave = pty.openpty()
        super().__init__(master)
        self.resize(rows, columns)

    @property
    def options(self):
        """How Popen starts a process on this terminal."""
        return {
            "stdin": self.slave,
            "stdout": self.slave,
            "stderr": self.slave,
            "start_new_session": True,
            "preexec_fn": lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        }

    @property
    def modes(self):
        return termios.tcgetattr(self.slave)

    def close(self):
        os.close(self.slave)
        super().close()


class ConsoleSocket:
    """Receives the master of a container's terminal, as engines do."""

    def __init__(self, path):
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.listener.settimeout(5)

    def receive(self):
        """The terminal, its name as told by the runtime and the number of descriptors that came."""
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(5)
            message, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(10 * 4))
        descriptors = array.array("i")
        for _, kind, data in ancillary:
            if kind == socket.SCM_RIGHTS:
                descriptors.frombytes(data[: len(data) - len(data) % 4])
        return Terminal(descriptors[0]), message, len(descriptors)

    def close(self):
        self.listener.close()
