"""The scheduler's own rate, the broker's, and that of a relay that decides nothing."""
import subprocess
import tempfile
from functools import partial
from pathlib import Path

from programs import BENCH, PROGRAMS, ask, free_port, running
from rounds import Figures, interleave, part, ratio
from tables import Table

WORKERS = (2, 200)
JOBS = {'scheduler': part(400_000), 'broker': part(60_000), 'relay': part(120_000)}


def endpoints(count: int) -> tuple[list[int], list[str]]:
    ports = [free_port() for _ in range(count)]
    return ports, [f'tcp://127.0.0.1:{port}' for port in ports]


def rate(said: dict) -> Figures:
    return {'per_s': said['jobs'] / said['seconds']}


def scheduler(workers: int) -> Figures:
    return rate(ask('scheduler_alone', workers, JOBS['scheduler']))


def broker(workers: int, *options: str, keys: tuple[Path, ...] = ()) -> Figures:
    ports, (gateways, peers, events_in, events) = endpoints(4)
    command = [str(PROGRAMS / 'paratope-broker'), '--gateways', gateways, '--workers', peers,
               '--events-in', events_in, '--events', events, *options]
    with running(command, port=ports[3]):
        return rate(ask('broker_load', gateways, peers, events_in, workers, JOBS['broker'], *keys))


def encrypted(workers: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / 'keys'
        for arguments in (['init', keys], ['add', keys, 'gateway', '--role=gateway'],
                          ['add', keys, 'worker', '--role=worker', '--job-types=*']):
            subprocess.run([PROGRAMS / 'paratope-keys', *arguments], stdout=subprocess.DEVNULL, check=True)
        return broker(workers, '--keys', str(keys), keys=(keys / 'machines' / 'gateway', keys / 'machines' / 'worker'))


def relay(workers: int) -> Figures:
    ports, (front, back) = endpoints(2)
    with running([str(BENCH / 'relay'), 'serve', front, back], port=ports[1]):
        return rate(ask('relay', 'load', front, back, workers, JOBS['relay'], seconds=60))


def run() -> list[Table]:
    seen = interleave({f'{name}{workers}': partial(measure, workers) for workers in WORKERS
                       for name, measure in (('scheduler', scheduler), ('broker', broker), ('encrypted', encrypted), ('relay', relay))})
    table = Table('broker: jobs a second', ['what', *(f'{workers} workers' for workers in WORKERS), 'range'])
    for name, words in (('scheduler', 'the scheduler alone, in this process'),
                        ('broker', 'the broker, one gateway, 2 slots a worker'),
                        ('encrypted', 'the same, encrypted, each message judged by its certificate'),
                        ('relay', 'a bare ROUTER-ROUTER relay, as many under way')):
        table.add(words, *(seen[f'{name}{workers}']['per_s'] for workers in WORKERS),
                  '; '.join(seen[f'{name}{workers}'].range('per_s') for workers in WORKERS))
    for workers in WORKERS:
        table.notes.append(f"{workers} workers: encrypted, the broker does "
                           f"{ratio(seen[f'encrypted{workers}'], seen[f'broker{workers}'], 'per_s'):.2f} of the plain rate")
        table.notes.append(f"{workers} workers: the broker does "
                           f"{ratio(seen[f'broker{workers}'], seen[f'relay{workers}'], 'per_s'):.2f} of the relay")
    return [table]
