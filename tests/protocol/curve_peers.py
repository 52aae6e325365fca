"""What the tests of CURVE send and hear: publishers, subscribers, and what each may say."""
import time
import uuid

import msgpack
import zmq

from broker_peers import TYPE, connected, header

ORG, OTHER = uuid.UUID('abcdef01-0000-4000-8000-000000000001'), uuid.UUID('abcdef01-0000-4000-8000-000000000002')
RESULT = msgpack.packb({'results': 1, 'model_versions': {}})
DECLARED = msgpack.packb({'title': 'A title', 'version': '1.0.0', 'options_schema': '{}'})


def message(verb, org=ORG, job_type=TYPE, **more):
    """Topic, header and payload, all well-formed."""
    job = uuid.uuid4()
    fields = {'job_id': job.bytes, 'org_id': org.bytes, 'job_type': job_type, 'attempt': 1, 'at': 1}
    topic = f'{verb}.{org}.{job_type}.{job}.'
    payload = []
    if verb == 'status':
        fields |= {'status': 'running', 'type': 'started'}
    elif verb == 'result':
        fields |= {'status': 'completed', 'started_at': 1}
        payload = [RESULT]
    elif verb == 'log':
        fields |= {'offset': 0}
        payload = [msgpack.packb('a line')]
    elif verb == 'event':
        fields |= {'status': 'pending', 'type': 'created', 'seq': 1, 'timeline': 1}
    elif verb == 'edge':
        topic, fields = f'edge.{org}.', {'org_id': org.bytes, 'seq': 1, 'timeline': 1}
    elif verb == 'declare':
        topic, fields, payload = f'declare.{job_type}.', {'instance': job.bytes, 'job_type': job_type}, [DECLARED]
    elif verb == 'alive':
        topic, fields = f'alive.{job}.', {'instance': job.bytes}
    return [topic.encode(), header(verb, **(fields | more)), *payload]


class Publisher:
    def __init__(self, broker, keys):
        self.socket = connected(zmq.PUB, broker.endpoints['events-in'], keys)

    def say(self, *arguments, **more):
        parts = message(*arguments, **more)
        self.socket.send_multipart(parts)
        return parts[0]

    def close(self):
        self.socket.close()


class Listener:
    def __init__(self, broker, keys, *prefixes, kind=zmq.SUB):
        self.socket = connected(kind, broker.endpoints['events'], keys)
        for prefix in prefixes:
            self.subscribe(prefix)

    def subscribe(self, prefix, on=True):
        raw = prefix if isinstance(prefix, bytes) else prefix.encode()
        if self.socket.type == zmq.SUB:
            self.socket.setsockopt(zmq.SUBSCRIBE if on else zmq.UNSUBSCRIBE, raw)
        else:
            self.socket.send((b'\x01' if on else b'\x00') + raw)

    def topics(self, seconds=0.0):
        """All that has come, and comes within so many seconds."""
        heard, limit = [], time.monotonic() + seconds
        while self.socket.poll(max(0.0, limit - time.monotonic()) * 1000):
            heard.append(self.socket.recv_multipart()[0])
        return heard

    def wait(self, topic, say=None, seconds=40):
        """Until it hears the topic; `say` says it again and again, and returns it."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            wanted = say() if say else topic
            if wanted in self.topics(0.1):
                return wanted
        raise AssertionError(f'{topic} was not heard within {seconds} s')

    def close(self):
        self.socket.close()


def wait_until(condition, seconds=40, what='it'):
    limit = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < limit, f'no {what} within {seconds} s'
        time.sleep(0.02)
    return value
