"""A panel: 1,000 humanizations as one batch, beside the pipelines alone; and 10,000 at the door."""
import threading
import time

import httpx
from harness.system import System
from pipelines import antibodies, serving
from pipelines import ask as ask_pipeline
from programs import NOOP, PROGRAMS
from rounds import Figures, busy, interleave, part, ratio
from tables import Table

PANEL = part(1_000)
MANY = part(10_000)
PROCESSES = 8  # as many as a worker of scripts/run has slots


def fasta(count: int) -> str:
    chains = antibodies('humanization')
    records = []
    for n in range(count):
        heavy, light = chains[n % len(chains)]
        records.append(f'>ab{n} VH\n{heavy["sequence"]}\n>ab{n} VL\n{light["sequence"]}\n')
    return ''.join(records)


def alone() -> Figures:
    """As many pipelines as there are slots, each with its share, and nothing else: the best that can be."""
    chains = antibodies('humanization')

    def share(first: int) -> None:
        with serving('humanization') as (process, answers):
            for n in range(first, PANEL, PROCESSES):
                ask_pipeline(process, answers, 'humanization', chains[n % len(chains)])

    threads = [threading.Thread(target=share, args=(first,)) for first in range(PROCESSES)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {'s': time.monotonic() - began}


def post(system: System, text: str, job_type: str) -> str:
    answer = httpx.post(f'{system.url}/v1/batches?job_type={job_type}', content=text, timeout=60, trust_env=False,
                        headers={'Authorization': f'Bearer {system.token}', 'Content-Type': 'text/x-fasta'})
    if answer.status_code != 202:
        raise RuntimeError(answer.text)
    return answer.json()['id']


def wait_ended(system: System, batch: str) -> dict:
    while not (read := system.http.get(f'/v1/batches/{batch}').json())['completed_at']:
        time.sleep(0.2)
    if read['counts']['completed'] != read['total']:
        raise RuntimeError(f'not all have completed: {read["counts"]}')
    return read


def panel(system: System) -> Figures:
    """From the POST until the last is completed."""
    began = time.monotonic()
    batch = post(system, fasta(PANEL), 'humanization')
    used = busy(1.0)
    wait_ended(system, batch)
    return {'s': time.monotonic() - began, 'cores': used}


def door(system: System) -> Figures:
    """10,000: made, computed by a pipeline that does nothing, read, and the same canceled while they wait."""
    text, began = fasta(MANY), time.monotonic()
    batch = post(system, text, 'humanization')
    figures = {'made': time.monotonic() - began}
    wait_ended(system, batch)
    figures['ended'] = time.monotonic() - began
    for form in ('csv', 'jsonl'):
        began = time.monotonic()
        answer = system.http.get(f'/v1/batches/{batch}/results', params={'format': form})
        if answer.text.count('\n') < MANY:
            raise RuntimeError('not all results came')
        figures[form] = time.monotonic() - began
    began = time.monotonic()
    system.http.get(f'/v1/batches/{batch}')
    figures['read'] = time.monotonic() - began
    waiting = post(system, text, 'structure')
    began = time.monotonic()
    system.http.post(f'/v1/batches/{waiting}/cancel')
    figures['canceled'] = time.monotonic() - began
    return {name: 1000 * seconds for name, seconds in figures.items()}


def run() -> list[Table]:
    with System(workers=1, programs=PROGRAMS) as system:
        wait_ended(system, post(system, fasta(10), 'humanization'))
        seen = interleave({'alone': alone, 'panel': lambda: panel(system)})
    with System(workers=2, programs=PROGRAMS, pipelines={'humanization': NOOP}) as system:
        seen |= interleave({'door': lambda: door(system)})
    table = Table(f'batch: a panel of {PANEL:,} humanizations of an Fv, all strategies', ['what', 's', 'range', 'ms each'])
    for name, what in (('alone', f'{PROCESSES} pipelines alone, each with its share'),
                       ('panel', 'POST /v1/batches with a FASTA, until the last has completed')):
        table.add(what, seen[name]['s'], seen[name].range('s'), 1000 * seen[name]['s'] / PANEL)
    table.check('panel / alone', ratio(seen['panel'], seen['alone'], 's'), 1.25, below=True)
    table.notes.append(f"cores that were busy in the panel's first second: {seen['panel']['cores']:.2f}")
    many = Table(f'batch: {MANY:,} at the door', ['what', 'ms', 'range'])
    for name, what in (('made', f'POST /v1/batches with {len(fasta(MANY)) / 2**20:.1f} MiB of FASTA, until 202: checked and committed'),
                       ('ended', 'until the last has completed, with a pipeline that does nothing'),
                       ('csv', 'results as CSV'), ('jsonl', 'results as JSON lines'),
                       ('read', 'GET /v1/batches/{id}'), ('canceled', f'POST /v1/batches/{{id}}/cancel of {MANY:,} that wait')):
        many.add(what, seen['door'][name], seen['door'].range(name))
    return [table, many]
