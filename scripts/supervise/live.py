"""The workers' own words as they say them: every step of a job, also of one that is over at once.

The table of events has of many steps in a moment only the last one. Without pyzmq, or without
the broker's endpoint, there are no live steps and the events have to do."""
import os
import time
import uuid
from pathlib import Path

try:
    import msgpack
    import zmq
    import zmq.auth
except ImportError:
    zmq = None

FIRST_WORD = 1.2  # seconds in which a worker that is there has said that it is


class Live:
    def __init__(self) -> None:
        """From the environment: PARATOPE_EVENTS (endpoints), PARATOPE_ORG (id), and PARATOPE_KEYS if encrypted."""
        endpoints = os.environ.get('PARATOPE_EVENTS', '').split()
        organisation = os.environ.get('PARATOPE_ORG')
        self.socket = None
        if zmq and endpoints and organisation:
            self.socket = zmq.Context.instance().socket(zmq.SUB)
            self.socket.setsockopt(zmq.LINGER, 0)
            self.socket.subscribe(f'status.{organisation}.'.encode())
            if keys := os.environ.get('PARATOPE_KEYS'):
                self._encrypt(Path(keys))
            for endpoint in endpoints:
                self.socket.connect(endpoint)
            self._wait_until_heard()

    def _encrypt(self, keys: Path) -> None:
        self.socket.curve_serverkey = zmq.auth.load_certificate(keys / 'broker.key')[0]
        self.socket.curve_publickey, self.socket.curve_secretkey = zmq.auth.load_certificate(
            keys / 'subscriber.key_secret')

    def _wait_until_heard(self) -> None:
        """A subscription counts from when it has come to the broker: a worker's sign of life proves that."""
        self.socket.subscribe(b'alive.')
        limit = time.monotonic() + FIRST_WORD
        while not self.socket.poll(50) and time.monotonic() < limit:
            pass
        self.socket.unsubscribe(b'alive.')

    def read(self) -> list[dict]:
        """What has come meanwhile, in the manner of the events of HTTP."""
        said = []
        while self.socket and self.socket.poll(0):
            frames = self.socket.recv_multipart()
            if frames[0].startswith(b'status.') and len(frames) > 1:
                header = msgpack.unpackb(frames[1])
                said.append(header | {'job_id': str(uuid.UUID(bytes=header['job_id']))})
        return said
