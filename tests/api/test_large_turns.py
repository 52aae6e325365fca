"""Large results, of which a few are in memory at once: slow clients of one organisation do not keep another's out."""
import socket
import threading
import time
from urllib.parse import urlsplit

from harness.processes import wait_for
from newcomers import newcomer

LARGE = 24 << 20  # more than the sockets' buffers take
READERS = 6       # more than there are turns


class Dripper:
    """Reads an answer slowly enough to keep its turn, and just quickly enough not to be ended."""

    def __init__(self, url: str, path: str, token: str) -> None:
        place = urlsplit(url)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect((place.hostname, place.port))
        self.socket.sendall(f'GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n'.encode())
        self.begun, self.over = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.drip)
        self.thread.start()

    def drip(self) -> None:
        try:
            while self.socket.recv(32768) and not self.over.wait(0.5):
                self.begun.set()
        except OSError:
            pass

    def end(self) -> None:
        self.over.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


def finished(who, name: str) -> str:
    job = who.submit(who.make_candidate(name)[1])
    assert wait_for(lambda: who.http.get(f'/v1/jobs/{job}').json()['status'] == 'completed', 60)
    return job


def test_slow_readers_of_one_organisation_leave_turns_to_others(system):
    slow, other = newcomer(system, 'slow'), newcomer(system, 'other')
    theirs, ours = finished(slow, f'result={LARGE}'), finished(other, f'result={LARGE}')
    drippers = [Dripper(system.url, f'/v1/jobs/{theirs}/results', slow.token) for _ in range(READERS)]
    try:
        assert wait_for(lambda: sum(d.begun.is_set() for d in drippers) >= 2, 20)
        time.sleep(3)  # were there more turns for them, they had them now
        answer = other.http.get(f'/v1/jobs/{ours}/results')
        assert answer.status_code == 200 and len(answer.content) > LARGE
    finally:
        for dripper in drippers:
            dripper.end()
