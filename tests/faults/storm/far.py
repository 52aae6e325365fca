"""A worker that sees the brokers through relays, as one far away does."""
import random
import signal
import subprocess
from pathlib import Path

from harness.processes import die_with_parent
from harness.relay import Relay
from harness.system import programs

NAME = 'far'


class Far:
    def __init__(self, system, pipeline: Path, seed: int) -> None:
        self.random = random.Random(f'far {seed}')
        self.most = 0.0
        self.relays: list[Relay] = []
        self.log = open(system.home / 'log' / f'{NAME}.log', 'ab')
        self.process = subprocess.Popen(
            [programs() / 'paratope-worker', '--name', NAME, '--slots', 'humanization=2',
             '--brokers', self.through(system.env['PARATOPE_BROKER_WORKERS']),
             '--events-in', self.through(system.env['PARATOPE_EVENTS_IN']),
             '--pipeline', f'humanization={pipeline}'],
            stdin=subprocess.DEVNULL, stderr=self.log, preexec_fn=die_with_parent(signal.SIGKILL))

    def through(self, endpoints: str) -> str:
        """The same endpoints, each behind a relay."""
        relays = []
        for endpoint in endpoints.split():
            host, port = endpoint.removeprefix('tcp://').split(':')
            relays.append(Relay((host, int(port)), lambda: self.random.uniform(0.0, self.most)))
        self.relays += relays
        return ' '.join(f'tcp://127.0.0.1:{relay.port}' for relay in relays)

    def delay(self, most: float) -> None:
        self.most = most

    def freeze(self) -> None:
        for relay in self.relays:
            relay.cut()

    def close(self) -> bool:
        """Whether it lived until now."""
        lived = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        for relay in self.relays:
            relay.close()
        self.log.close()
        return lived
