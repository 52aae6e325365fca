"""The programs, started one by one by a test that needs them otherwise than scripts/run starts them."""
import json
import signal
import socket
import subprocess
from pathlib import Path

import httpx

from .processes import die_with_parent
from .system import CHECKOUT, GENERIC, System, programs

EXAMPLE_FASTA = CHECKOUT / 'scripts' / 'example.fasta'
ENDPOINTS = {'gateways': 'PARATOPE_BROKER_GATEWAYS', 'workers': 'PARATOPE_BROKER_WORKERS',
             'events-in': 'PARATOPE_EVENTS_IN', 'events': 'PARATOPE_EVENTS'}  # a broker's option → its name in env


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

    def kill(self, name: str) -> None:
        """For good."""
        self.processes[name].kill()
        self.processes[name].wait()


def admin(database: str, *arguments: str) -> dict:
    """What `paratope-gateway admin` answers."""
    done = subprocess.run([programs() / 'paratope-gateway', 'admin', '--database', database, *arguments],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[0])


class Whole(System):
    """All of a system on a database that is already there. What dies stays dead, until it is started by its name."""

    def __init__(self, parts: Parts, database: str, *, gateways: int = 1, brokers: int = 1, workers: int = 1,
                 slots: int = 2, pipeline: Path = GENERIC) -> None:
        self.parts = parts
        self.env = {'DATABASE_URL': database}
        self.commands: dict[str, list[object]] = {}
        subprocess.run([programs() / 'paratope-gateway', '--migrate', '--database', database], check=True,
                       capture_output=True)
        self.org = admin(database, 'create-organisation', 'tests')['org_id']
        self.env['PARATOPE_TOKEN'] = admin(database, 'create-token', self.org, 'tests')['token']
        self.env['PARATOPE_VARIANT'] = admin(database, 'import-variants', self.org, str(EXAMPLE_FASTA))['variant_id']
        self.plan(gateways, brokers, workers, slots, pipeline)
        for name in self.commands:
            self.start(name)
        self.http = httpx.Client(base_url=self.url, headers={'Authorization': f'Bearer {self.token}'}, timeout=30,
                                 trust_env=False)
        self.wait_ready()

    def plan(self, gateways: int, brokers: int, workers: int, slots: int, pipeline: Path) -> None:
        """Who is started how, and where each listens."""
        ends = {which: [f'tcp://{self.parts.address()}' for _ in range(brokers)] for which in ENDPOINTS}
        listens = [self.parts.address() for _ in range(gateways)]
        for number in range(brokers):
            self.commands[f'broker-{number + 1}'] = [
                word for which in ENDPOINTS for word in (f'--{which}', ends[which][number])]
        joined = {which: ' '.join(own) for which, own in ends.items()}
        for number, listen in enumerate(listens, 1):
            self.commands[f'gateway-{number}'] = [
                '--database', self.env['DATABASE_URL'], '--listen', listen, '--brokers', joined['gateways'],
                '--events-in', joined['events-in'], '--events', joined['events']]
        for number in range(1, workers + 1):
            self.commands[f'worker-{number}'] = [
                '--name', f'worker-{number}', '--brokers', joined['workers'], '--events-in', joined['events-in'],
                '--slots', f'humanization={slots}', '--pipeline', f'humanization={pipeline}']
        self.env |= {name: joined[which] for which, name in ENDPOINTS.items()}
        self.env['PARATOPE_URLS'] = ' '.join(f'http://{listen}' for listen in listens)
        self.env['PARATOPE_URL'] = f'http://{listens[0]}'

    def start(self, name: str) -> None:
        self.parts.start(name, *self.commands[name])

    def use(self, gateway: int) -> None:
        """Ask this one from now on."""
        self.env['PARATOPE_URL'] = self.env['PARATOPE_URLS'].split()[gateway - 1]
        self.http.base_url = self.url

    def log(self, name: str) -> str:
        return self.parts.log(name)

    def pid(self, name: str) -> int:
        return self.parts.processes[name].pid
