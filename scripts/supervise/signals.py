"""Signals as wake-ups of one sleep, so that nothing happens inside a handler."""
import select
import signal
import socket
import time

from errors import Stop

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    def __init__(self) -> None:
        self.reader, self.writer = socket.socketpair()
        self.reader.setblocking(False)
        self.writer.setblocking(False)
        self.received: list[tuple[int, float]] = []
        signal.set_wakeup_fd(self.writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda signum, frame: None)
        for signum in STOPS:
            # nohup's wish is kept. A shell's ignored SIGINT is not: Ctrl-C must end a run.
            if signum == signal.SIGHUP and signal.getsignal(signum) == signal.SIG_IGN:
                continue
            signal.signal(signum, lambda number, frame: self.received.append((number, time.monotonic())))

    def sleep(self, seconds: float) -> None:
        """Until a signal comes (also the end of a child), at most so long."""
        if select.select([self.reader], [], [], max(seconds, 0))[0]:
            self.reader.recv(4096)

    def check(self) -> None:
        if self.received:
            raise Stop(self.received[0][0])

    def urgent(self) -> bool:
        """Whether somebody asked again; what came twice at once (timeout(1) does so) is one."""
        return bool(self.received) and self.received[-1][1] - self.received[0][1] > 0.5
