"""HTTP/2 by hand: frames and headers that no client library would send."""
import socket
import ssl
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS = 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b'') -> bytes:
    return struct.pack('>I', len(payload))[1:] + struct.pack('>BBI', kind, flags, stream) + payload


def text(value: bytes) -> bytes:
    assert len(value) < 127
    return bytes([len(value)]) + value


def unfinished(headers: list[tuple[bytes, bytes]], streams: int) -> bytes:
    """So many requests at once, whose bodies are still to come."""
    block = b''.join(b'\x00' + text(name) + text(value) for name, value in headers)
    return b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + frame(SETTINGS, 0, 0) + b''.join(
        frame(HEADERS, END_HEADERS, 1 + 2 * number, block) for number in range(streams))


def request(headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    """Stream 1, each header as a literal."""
    block = b''.join(b'\x00' + text(name) + text(value) for name, value in headers)
    return (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + frame(SETTINGS, 0, 0)
            + frame(HEADERS, END_HEADERS, 1, block) + frame(DATA, END_STREAM, 1, body))


def kinds_answered(address: tuple[str, int], trust: ssl.SSLContext, data: bytes) -> list[int]:
    """The kinds of frames that come back, until stream 1 or the connection ends."""
    trust.set_alpn_protocols(['h2'])
    got, kinds = b'', []
    with socket.create_connection(address, 8) as plain, \
            trust.wrap_socket(plain, server_hostname=address[0]) as secure:
        secure.sendall(data)
        while True:
            while len(got) < 9 or len(got) < 9 + int.from_bytes(got[:3], 'big'):
                try:
                    more = secure.recv(65536)
                except (ConnectionError, ssl.SSLError):
                    more = b''
                if not more:
                    return kinds
                got += more
            size, kind, flags = int.from_bytes(got[:3], 'big'), got[3], got[4]
            stream = int.from_bytes(got[5:9], 'big')
            got = got[9 + size:]
            kinds.append(kind)
            if kind in (GOAWAY, RST_STREAM) or (stream == 1 and flags & END_STREAM):
                return kinds
