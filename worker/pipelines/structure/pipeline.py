"""The outer process: proto/PIPELINE.md on standard input and output. The engine works in a process of its own
(server.py): it does not let go of the interpreter while it computes, so that only another process can say twice a
second what is being done, and when it crashes, that is the end of one job with a reason and not of the pipeline."""
import os
import select
import signal
import subprocess
import sys
import time

import msgpack
import options

LARGEST = (64 << 20) + 1024  # bytes of a message
SAY_AGAIN, SAY_LEAST = 0.4, 0.05  # s: progress is said again after, and not before
BLOCK = 1 << 18


class ProtocolError(Exception):
    """What came in is no message."""


class Inner:
    """The engine's process."""

    def __init__(self, command):
        self.command = command
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.unpacker = msgpack.Unpacker(max_buffer_size=LARGEST)

    def ask(self, job):
        """Yields the messages that answer the job, and None when there was none for a while."""
        try:
            self.process.stdin.write(msgpack.packb(job))
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # seen below
        while True:
            yield from self.unpacker
            if not select.select([self.process.stdout], [], [], SAY_AGAIN)[0]:
                yield None
                continue
            data = os.read(self.process.stdout.fileno(), BLOCK)
            if not data:
                yield self.died()
                return
            self.unpacker.feed(data)

    def died(self):
        status = self.process.wait()
        self.start()
        what = f'signal {signal.Signals(-status).name}' if status < 0 else f'exit status {status}'
        return {'m': 'error', 'code': 'engine_failed', 'message': f"ProMod3's process ended in the middle ({what})",
                'retry': -status == signal.SIGKILL, 'partial': {}}


def send(message):
    data = memoryview(msgpack.packb(message))
    while data:
        data = data[os.write(1, data):]


def jobs():
    unpacker = msgpack.Unpacker(max_buffer_size=LARGEST)
    taken = came = 0
    while data := os.read(0, BLOCK):
        came += len(data)
        try:
            unpacker.feed(data)
            for message in unpacker:
                taken = unpacker.tell()
                if not isinstance(message, dict):
                    raise ProtocolError('a message is no map')
                if message.get('m') == 'job':
                    yield message
        except (ValueError, msgpack.UnpackException) as error:  # of its kinds of bad bytes
            raise ProtocolError(f'bytes that are no msgpack: {error}') from None
    if taken < came:
        raise ProtocolError('the input ends within a message')


def run(inner, job):
    """Passes on what the inner process says of one job."""
    said, reached = 0.0, {'m': 'progress', 'step': 'starting', 'fraction': 0.0}
    for message in inner.ask(job):
        if message and message['m'] != 'progress':
            if message['m'] == 'error':
                message['partial'].setdefault('reached', reached['step'])
            send(message)
            return
        reached = message or reached
        if time.monotonic() - said >= SAY_LEAST:
            send(reached)
            said = time.monotonic()


def serve(command):
    """Until end of file; the exit status."""
    send({'m': 'declare', 'title': options.TITLE, 'version': options.VERSION, 'options_schema': options.SCHEMA})
    inner = Inner(command)
    try:
        for job in jobs():
            if job.get('job_type') != 'structure':
                send({'m': 'error', 'code': 'wrong_job_type', 'message': 'this pipeline computes structure',
                      'retry': False})
            else:
                run(inner, job)
        return 0
    except ProtocolError as error:
        print(f'paratope-structure: {error}', file=sys.stderr)
        return 1
    finally:
        inner.process.kill()
        inner.process.wait()
