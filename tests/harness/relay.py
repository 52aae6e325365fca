"""A TCP relay that can be slow, and that can be cut without either side being told: its connections stay open and
carry nothing."""
import heapq
import itertools
import selectors
import socket
import threading
import time
from collections.abc import Callable


class Relay:
    """Listens on a free port of loopback and carries bytes to `target` and back. New connections always work.
    `delay` is asked for each piece; a connection's own pieces keep their order, those of several do not."""

    def __init__(self, target: tuple[str, int], delay: Callable[[], float] = lambda: 0.0) -> None:
        self.target = target
        self.delay = delay
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.wake, self.woken = socket.socketpair()
        self.partner: dict[socket.socket, socket.socket] = {}
        self.last: dict[socket.socket, float] = {}  # when the latest piece from there is due
        self.due: list[tuple[float, int, socket.socket, bytes]] = []  # a heap; no bytes: the connection's end
        self.number = itertools.count()
        self.cutting = threading.Event()
        self.ending = threading.Event()
        self.selector = selectors.DefaultSelector()
        for waited in (self.listener, self.woken):
            self.selector.register(waited, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def cut(self) -> None:
        """Every connection of now is dead, and nobody notices by TCP."""
        self.cutting.set()
        self.wake.send(b'x')

    def close(self) -> None:
        self.ending.set()
        self.wake.send(b'x')
        self.thread.join()
        for one in (*self.partner, self.listener, self.wake, self.woken):
            one.close()

    def run(self) -> None:
        while not self.ending.is_set():
            wait = max(0.0, self.due[0][0] - time.monotonic()) if self.due else None
            for key, _ in self.selector.select(wait):
                if key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj is self.woken:
                    self.woken.recv(16)
                    if self.cutting.is_set():
                        self.cutting.clear()
                        self.freeze()
                elif key.fileobj in self.partner:
                    self.take(key.fileobj)
            while self.due and self.due[0][0] <= time.monotonic():
                self.carry(*heapq.heappop(self.due)[2:])

    def accept(self) -> None:
        near = self.listener.accept()[0]
        try:
            far = socket.create_connection(self.target, 1)
        except OSError:
            near.close()
            return
        self.partner[near], self.partner[far] = far, near
        for one in (near, far):
            self.selector.register(one, selectors.EVENT_READ)

    def freeze(self) -> None:
        self.due.clear()
        for one in self.partner:
            if one.fileno() >= 0 and one in self.selector.get_map():
                self.selector.unregister(one)

    def take(self, one: socket.socket) -> None:
        try:
            data = one.recv(1 << 16)
        except OSError:
            data = b''
        if not data:
            self.selector.unregister(one)
        self.last[one] = max(self.last.get(one, 0.0), time.monotonic() + self.delay())
        heapq.heappush(self.due, (self.last[one], next(self.number), one, data))

    def carry(self, one: socket.socket, data: bytes) -> None:
        other = self.partner.get(one)
        if other is None:
            return
        try:
            if data:
                other.sendall(data)
                return
        except OSError:
            pass
        for end in (one, other):
            if end in self.selector.get_map():
                self.selector.unregister(end)
            end.close()
            self.partner.pop(end, None)
            self.last.pop(end, None)
