"""A TCP relay that can be cut without either side being told: its connections stay open and carry nothing."""
import selectors
import socket
import threading


class Relay:
    """Listens on a free port of loopback and carries bytes to `target` and back. New connections always work."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.wake, self.woken = socket.socketpair()
        self.partner: dict[socket.socket, socket.socket] = {}
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
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj is self.woken:
                    self.woken.recv(16)
                    if self.cutting.is_set():
                        self.cutting.clear()
                        self.freeze()
                elif key.fileobj in self.partner:
                    self.carry(key.fileobj)

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
        for one in self.partner:
            if one.fileno() >= 0 and one in self.selector.get_map():
                self.selector.unregister(one)

    def carry(self, one: socket.socket) -> None:
        try:
            data = one.recv(1 << 16)
            if data:
                self.partner[one].sendall(data)
                return
        except OSError:
            pass
        for end in (one, self.partner[one]):
            if end in self.selector.get_map():
                self.selector.unregister(end)
            end.close()
            self.partner.pop(end, None)
