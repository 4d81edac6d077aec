"""A seccomp agent: takes the listeners that runtimes hand over, and answers for the calls they notify."""

import array
import dataclasses
import fcntl
import json
import os
import select
import socket
import struct
import threading

from .waiting import eventually

# <linux/seccomp.h>
NOTIFICATION = struct.Struct("=QIIiIQ6Q")  # id, pid, flags; nr, arch, instruction pointer, six arguments
RESPONSE = struct.Struct("=QqiI")  # id, val, error, flags
IOCTL_RECV = 0xC0000000 | NOTIFICATION.size << 16 | ord("!") << 8 | 0
IOCTL_SEND = 0xC0000000 | RESPONSE.size << 16 | ord("!") << 8 | 1
CONTINUE = 1


@dataclasses.dataclass
class Connection:
    """What came over one connection: the document, the descriptors with it, and if the runtime closed it."""

    socket: socket.socket
    text: bytes = b""
    descriptors: list = dataclasses.field(default_factory=list)
    ended: bool = False

    @property
    def told(self):
        return json.loads(self.text)

    def receive(self):
        control = socket.CMSG_SPACE(16 * array.array("i").itemsize)
        part, ancillary, _, _ = self.socket.recvmsg(65536, control)
        for _, kind, data in ancillary:
            if kind == socket.SCM_RIGHTS:
                received = array.array("i")
                received.frombytes(data)
                self.descriptors += received
        self.text += part
        self.ended = not part


class Agent:
    """Answers every notified call with `answer` (an error number; None lets it pass) until it is closed."""

    def __init__(self, path, answer=None):
        self.answer = answer
        self.connections = []
        self.calls = []  # (pid, number of the call)
        self.kinds = []  # what the descriptors are, while they are open
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen(8)
        self.waker, self.woken = os.pipe()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.thread.is_alive():
            os.close(self.woken)
            self.thread.join()
            os.close(self.waker)

    def message(self, number=0):
        """The connection that came as the `number`th, once the runtime has closed it."""
        arrived = lambda: len(self.connections) > number and self.connections[number].ended
        eventually(arrived, "the runtime has told its agent and closed the connection")
        return self.connections[number]

    # In the thread.

    def serve(self):
        try:
            self.handlers = {self.listener.fileno(): self.accept}
            while self.serve_once():
                pass
        finally:
            self.release()

    def serve_once(self):
        poll = select.poll()
        for descriptor in (self.waker, *self.handlers):
            poll.register(descriptor, select.POLLIN)
        for descriptor, events in poll.poll():
            if descriptor == self.waker:
                return False
            self.handlers[descriptor](descriptor, events)
        return True

    def accept(self, *_):
        connection = Connection(self.listener.accept()[0])
        self.connections.append(connection)
        self.handlers[connection.socket.fileno()] = lambda *_: self.read_from(connection)

    def read_from(self, connection):
        known = len(connection.descriptors)
        descriptor = connection.socket.fileno()
        connection.receive()
        for notifier in connection.descriptors[known:]:
            self.kinds.append(os.readlink(f"/proc/self/fd/{notifier}"))
            self.handlers[notifier] = self.notified
        if connection.ended:
            del self.handlers[descriptor]
            connection.socket.close()

    def notified(self, notifier, events):
        if not events & select.POLLIN:  # nobody is left whom the filter is for
            del self.handlers[notifier]
            os.close(notifier)
            return
        notification = bytearray(NOTIFICATION.size)
        try:
            fcntl.ioctl(notifier, IOCTL_RECV, notification)
            identifier, process, _, call, *_ = NOTIFICATION.unpack(notification)
            self.calls.append((process, call))
            flags, error = (CONTINUE, 0) if self.answer is None else (0, -self.answer)
            fcntl.ioctl(notifier, IOCTL_SEND, RESPONSE.pack(identifier, 0, error, flags))
        except FileNotFoundError:
            pass  # the process has died meanwhile

    def release(self):
        self.listener.close()
        for connection in self.connections:
            connection.socket.close()
            for notifier in connection.descriptors:
                if notifier in self.handlers:
                    os.close(notifier)
