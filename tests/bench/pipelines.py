"""Each pipeline alone: processor time from a job's message to its ending, and the memory of its process."""
import csv
import json
import os
import re
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgpack
from harness.processes import die_with_parent
from programs import CHECKOUT, PROGRAMS
from rounds import Figures, interleave, number, part
from tables import Table

TYPES = {'humanization': ('humanization of an Fv, all strategies', 50),
         'immunogenicity': ('immunogenicity of an Fv', 50),
         'stability': ('stability of an Fv, whole matrix, position table', 1000),
         'codon_export': ('codon export of an Fv', 1000),
         'structure': ('structure of an Fv', 5000)}
MEMORY = {'structure': 1536}  # MiB that were asked for
JOBS, STRUCTURES, WARM = part(100), part(15), 2
FVS = Path(os.environ.get('PARATOPE_SHARED', CHECKOUT.parent / 'shared')) / 'data' / 'fv_templates.tsv'


def antibodies(job_type: str) -> list[list[dict]]:
    """Chains of Fv: of crystal structures; where these are not at hand, and for structures, whose templates they are,
    mouse germline V genes joined with J genes."""
    if FVS.exists() and job_type != 'structure':
        with open(FVS, newline='') as file:
            return [[{'kind': 'heavy', 'sequence': row['VH']}, {'kind': 'light', 'sequence': row['VL']}]
                    for row in csv.DictReader(file, delimiter='\t')]
    with open(CHECKOUT / 'worker' / 'data' / 'germlines.tsv', newline='') as file:
        genes = [row for row in csv.DictReader(file, delimiter='\t') if row['species'] == 'mouse']
    def chains(kind: str) -> list[str]:
        (*_, j) = [g['aligned'] for g in genes if g['chain'] == kind and g['segment'] == 'J']
        return [g['aligned'][:108].replace('-', '') + 'GGYDS' + j.replace('-', '') for g in genes
                if g['chain'] == kind and g['segment'] == 'V' and g['aligned'][103] == 'C' and g['aligned'][0] != '-']
    return [[{'kind': 'heavy', 'sequence': heavy}, {'kind': 'light', 'sequence': light}]
            for heavy, light in zip(chains('H'), chains('K'))]


def served() -> dict[str, list[str | Path]]:
    """Job type → command, of those that are installed."""
    commands = {job_type: [PROGRAMS / 'paratope-pipeline', job_type] for job_type in TYPES}
    commands['structure'] = [PROGRAMS / 'paratope-structure']
    if subprocess.run(['dpkg', '-s', 'promod3'], capture_output=True).returncode != 0:
        del commands['structure']
    return commands


@contextmanager
def serving(job_type: str) -> Iterator[tuple[subprocess.Popen[bytes], msgpack.Unpacker]]:
    process = subprocess.Popen(served()[job_type], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, bufsize=0, preexec_fn=die_with_parent(9))
    try:
        yield process, msgpack.Unpacker(process.stdout, read_size=4096)
    finally:
        process.stdin.close()
        process.wait(30)


def ask(process: subprocess.Popen[bytes], answers: msgpack.Unpacker, job_type: str, chains: list[dict]) -> float:
    """Seconds of a core from the job's first byte to its ending, whoever else was there."""
    message = msgpack.packb({'m': 'job', 'job_id': bytes(16), 'job_type': job_type, 'attempt': 1, 'inputs': {
        'variant_id': bytes(16), 'name': 'bench', 'format': 'mab', 'chains': chains}})
    began = on_core(process)
    process.stdin.write(message)
    while (answer := next(answers))['m'] not in ('result', 'error'):
        pass
    seconds = on_core(process) - began
    if answer['m'] != 'result':
        raise RuntimeError(f"{job_type}: {answer['message']} {json.dumps(chains)}")
    return seconds


def family(pid: int) -> list[int]:
    """The process and those that it started: a structure is computed in an inner one."""
    children = [int(child) for tasks in Path(f'/proc/{pid}/task').glob('*/children') for child in tasks.read_text().split()]
    return [pid, *(member for child in children for member in family(child))]


def on_core(process: subprocess.Popen[bytes]) -> float:
    tasks = [task for pid in family(process.pid) for task in Path(f'/proc/{pid}/task').glob('*/schedstat')]
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def memory(process: subprocess.Popen[bytes]) -> float:
    """The most that it ever had, with those that it started, MiB."""
    statuses = [Path(f'/proc/{pid}/status').read_text() for pid in family(process.pid)]
    return sum(int(re.search(r'VmHWM:\s*(\d+)', status)[1]) for status in statuses) / 1024


def measure(job_type: str) -> Figures:
    chains, count = antibodies(job_type), STRUCTURES if job_type == 'structure' else JOBS
    with serving(job_type) as (process, answers):
        seconds = sorted([ask(process, answers, job_type, chains[i % len(chains)]) for i in range(WARM + count)][WARM:])
        return {'p50': 1000 * statistics.median(seconds), 'p99': 1000 * seconds[int(0.99 * count)],
                'mib': memory(process)}


def run() -> list[Table]:
    seen = interleave({job_type: lambda job_type=job_type: measure(job_type) for job_type in served()})
    table = Table(f'pipelines: processor time of a job, {JOBS} antibodies one after the other ({STRUCTURES} structures)',
                  ['what', 'p50 ms', 'p99 ms', 'memory MiB'])
    for job_type in seen:
        words, most = TYPES[job_type]
        table.add(words, *(number(seen[job_type][key]) for key in ('p50', 'p99', 'mib')))
        table.check(f'{job_type}, p99 ms', seen[job_type]['p99'], most, below=True)
        if job_type in MEMORY:
            table.check(f'{job_type}, MiB', seen[job_type]['mib'], MEMORY[job_type], below=True)
    return [table]
