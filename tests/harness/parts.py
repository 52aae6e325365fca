"""The programs, started one by one by a test that needs them otherwise than scripts/run starts them."""
import json
import signal
import socket
import subprocess
from pathlib import Path

import httpx

from .processes import die_with_parent, wait_for
from .system import CHECKOUT, programs


class Parts:
    """Ends what it started, and keeps each one's standard error in `folder`. Ports stay held while a program is away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held: list[socket.socket] = []
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> 'Parts':
        return self

    def __exit__(self, *exception: object) -> None:
        for process in reversed(self.processes.values()):
            process.kill()
            process.wait()
        for holder in self.held:
            holder.close()

    def address(self) -> str:
        holder = socket.socket()
        holder.bind(('127.0.0.1', 0))
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.held.append(holder)
        return f'127.0.0.1:{holder.getsockname()[1]}'

    def start(self, name: str, *arguments: object) -> subprocess.Popen[bytes]:
        """`name` is the program and a number: broker-1."""
        with open(self.folder / f'{name}.log', 'ab') as log:
            self.processes[name] = subprocess.Popen(
                [programs() / f'paratope-{name.split("-")[0]}', *map(str, arguments)], stdin=subprocess.DEVNULL,
                stderr=log, preexec_fn=die_with_parent(signal.SIGKILL))
        return self.processes[name]

    def log(self, name: str) -> str:
        return (self.folder / f'{name}.log').read_text(errors='replace')

    def broker(self, name: str) -> dict[str, str]:
        """Its endpoints."""
        endpoints = {which: f'tcp://{self.address()}' for which in ('gateways', 'workers', 'events-in', 'events')}
        self.start(name, *(word for which, endpoint in endpoints.items() for word in (f'--{which}', endpoint)))
        return endpoints

    def gateway(self, name: str, database: str, broker: dict[str, str]) -> str:
        """Its URL."""
        address = self.address()
        self.start(name, '--database', database, '--listen', address, '--brokers', broker['gateways'],
                   '--events-in', broker['events-in'], '--events', broker['events'])
        return f'http://{address}'

    def worker(self, name: str, broker: dict[str, str], pipeline: Path, slots: int = 2) -> None:
        self.start(name, '--name', name, '--brokers', broker['workers'], '--events-in', broker['events-in'],
                   '--slots', f'humanization={slots}', '--pipeline', f'humanization={pipeline}')


def admin(database: str, *arguments: str) -> dict:
    """What `paratope-gateway admin` answers."""
    done = subprocess.run([programs() / 'paratope-gateway', 'admin', '--database', database, *arguments],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[0])


def wait_ready(url: str, seconds: float = 30.0) -> None:
    def ready() -> bool:
        try:
            return httpx.get(f'{url}/readyz', timeout=3, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False
    assert wait_for(ready, seconds, 0.1), f'{url} is not ready after {seconds} s'


EXAMPLE_FASTA = CHECKOUT / 'scripts' / 'example.fasta'
