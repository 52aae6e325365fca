"""A peer of the broker's event path that says what a worker would."""
import time
import uuid

import msgpack
import zmq


class LogSender:
    def __init__(self, endpoint: str) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.PUB)
        self.socket.linger = 1000
        self.socket.connect(endpoint)
        time.sleep(0.5)  # until the broker's subscription has come

    def __enter__(self) -> 'LogSender':
        return self

    def __exit__(self, *exception: object) -> None:
        self.socket.close()
        self.context.term()

    def say(self, job: str, org: str, attempt: int, offset: int, text: str) -> None:
        header = {'v': 1, 'm': 'log', 'job_id': uuid.UUID(job).bytes, 'org_id': uuid.UUID(org).bytes,
                  'job_type': 'humanization', 'attempt': attempt, 'at': time.time_ns() // 1000, 'offset': offset}
        self.socket.send_multipart([f'log.{org}.humanization.{job}.'.encode(), msgpack.packb(header),
                                    msgpack.packb(text)])
