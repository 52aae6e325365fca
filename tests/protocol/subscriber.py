"""A subscriber written from proto/PROTOCOL.md alone (section 6): pyzmq, msgpack and one HTTP call.

It shares no code with the system or its tests, so that it shows what a stranger can build.
"""
import time
import uuid
from pathlib import Path

import httpx
import msgpack
import zmq
import zmq.auth


class Subscriber:
    """Follows one organisation's events: take() hands them out in order, none missing, none twice."""

    def __init__(self, events: str, url: str, token: str, org: str, last: int = 0, keys: Path | None = None) -> None:
        """`keys`: the folder that the operator made with paratope-keys, if the broker encrypts (section 8)."""
        self.org = org
        self.last = last
        self.timeline = None
        self.reads = 0  # pages read over HTTP
        self.http = httpx.Client(base_url=url, headers={'Authorization': f'Bearer {token}'}, timeout=10,
                                 trust_env=False)
        self.context = zmq.Context()  # its own: a context's thread stays in the network namespace that it was made in
        self.socket = self.context.socket(zmq.SUB)
        self.socket.linger = 0
        if keys:
            self.socket.curve_serverkey = zmq.auth.load_certificate(keys / 'broker.key')[0]
            self.socket.curve_publickey, self.socket.curve_secretkey = zmq.auth.load_certificate(
                keys / 'subscriber.key_secret')
        for endpoint in events.split():
            self.socket.connect(endpoint)
        for prefix in (f'event.{org}.', f'edge.{org}.'):
            self.socket.subscribe(prefix.encode())

    def close(self) -> None:
        self.socket.close()
        self.context.term()
        self.http.close()

    def take(self, seconds: float) -> list[dict]:
        """The events that come within so many seconds, in order."""
        taken = self.read_gap() if self.reads == 0 else []
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.socket.poll(int(left * 1000) + 1):
                taken += self.handle(*self.socket.recv_multipart())
        return taken

    def handle(self, topic: bytes, header: bytes) -> list[dict]:
        message = msgpack.unpackb(header)
        if message['v'] != 1 or message['m'] not in ('event', 'edge'):
            return []
        former, self.timeline = self.timeline, message['timeline']
        if former not in (None, self.timeline):
            return self.read_gap()
        if message['seq'] <= self.last:
            return []
        if message['m'] == 'edge' or message['seq'] != self.last + 1:
            return self.read_gap()
        assert topic.decode() == (f"event.{uuid.UUID(bytes=message['org_id'])}.{message['job_type']}."
                                  f"{uuid.UUID(bytes=message['job_id'])}.")
        self.last = message['seq']
        return [{'seq': message['seq'], 'job_id': str(uuid.UUID(bytes=message['job_id'])), 'type': message['type'],
                 'status': message['status'], 'attempt': message['attempt'], 'live': True}]

    def read_gap(self) -> list[dict]:
        """What the table has behind the last number."""
        taken = []
        while True:
            page = self.read_page()
            if not page['data']:
                self.last = page.get('rewound_to', self.last)
                return taken
            for event in page['data']:
                self.last = event['seq']
                taken.append({**{key: event[key] for key in ('seq', 'job_id', 'type', 'status', 'attempt')},
                              'live': False})

    def read_page(self) -> dict:
        self.reads += 1
        answer = self.http.get('/v1/events', params={'after': self.last, 'limit': 1000})
        answer.raise_for_status()
        return answer.json()
