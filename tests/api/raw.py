"""HTTP by hand: what no client library would send, and what comes back byte by byte."""
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One TCP connection to the server of a URL."""

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        place = urlsplit(url)
        self.socket = socket.create_connection((place.hostname, place.port), timeout)
        self.received = b''

    def __enter__(self) -> 'Connection':
        return self

    def __exit__(self, *exception: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def more(self) -> bool:
        """Takes what has come; false at the end of the connection."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b''
        self.received += data
        return bool(data)

    def head(self) -> bytes | None:
        """The next head without its blank line; None if the connection ends before one is whole."""
        while b'\r\n\r\n' not in self.received:
            if not self.more():
                return None
        head, self.received = self.received.split(b'\r\n\r\n', 1)
        return head

    def answer(self) -> Answer | None:
        """The next answer, or None at the end of the connection."""
        head = self.head()
        if head is None:
            return None
        first, *lines = head.decode('ascii').split('\r\n')
        headers = {name.lower(): value for name, value in (line.split(': ', 1) for line in lines)}
        status, size = int(first.split()[1]), int(headers.get('content-length', 0))
        while len(self.received) < size and self.more():
            pass
        body, self.received = self.received[:size], self.received[size:]
        return Answer(status, headers, body)

    def is_closed(self, seconds: float = 5.0) -> bool:
        """Whether the server ends the connection, with nothing more said."""
        self.socket.settimeout(seconds)
        try:
            return not self.more()
        except TimeoutError:
            return False


def head(method: str, path: str, token: str | None = None, **headers: str) -> bytes:
    lines = [f'{method} {path} HTTP/1.1', 'Host: test']
    lines += [f'Authorization: Bearer {token}'] if token else []
    lines += [f'{name.replace("_", "-")}: {value}' for name, value in headers.items()]
    return '\r\n'.join([*lines, '', '']).encode()


def answers(url: str, data: bytes, seconds: float = 3.0) -> list[Answer]:
    """All answers to these bytes, until the connection ends or nothing has come for a while."""
    found: list[Answer] = []
    with Connection(url, seconds) as connection:
        connection.send(data)
        try:
            while (answer := connection.answer()) is not None:
                found.append(answer)
        except TimeoutError:
            pass
    return found


def drip(connection: Connection, data: bytes, pause: float, seconds: float) -> float:
    """Sends a byte, waits, sends the next; returns after how many seconds the server spoke or ended
    it, or `seconds` if it did not."""
    began = time.monotonic()
    connection.socket.settimeout(pause)
    for byte in data:
        try:
            connection.socket.sendall(bytes([byte]))
            connection.more()
            return time.monotonic() - began
        except TimeoutError:
            pass
        except OSError:
            return time.monotonic() - began
        if time.monotonic() - began > seconds:
            break
    return seconds
