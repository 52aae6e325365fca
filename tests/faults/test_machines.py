"""Several machines, all encrypted, as docs/operations.md sets them up: the commands and files are read from there.

The machines are network namespaces; programs are started by hand, as an operator's service manager does it. Under a
load, a node is added, one is cut off, one can no longer be heard, a broker is cut off, and all come back; then all is
counted.
"""
import collections
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from promises import Load, check

from harness.cluster import Server
from harness.hosts import Hosts, possible
from harness.parts import EXAMPLE_FASTA, admin
from harness.processes import wait_for
from harness.system import CHECKOUT, GENERIC, System, programs

sys.path.insert(0, str(CHECKOUT / 'tests' / 'protocol'))
from subscriber import Subscriber  # noqa: E402

PAGE = (CHECKOUT / 'docs' / 'operations.md').read_text()
ADDRESSES = dict(re.findall(r'`([a-z]+(?:-\d)?)`\s\((192\.0\.2\.\d+)\)', PAGE))
NEW = 'node-3'
NODES = ('node-1', 'node-2', NEW)
DATABASE = 'postgresql:///paratope?host=/run/postgresql&user=paratope'

pytestmark = [pytest.mark.timeout(500),
              pytest.mark.skipif(not possible(), reason='no network namespaces with a bridge here')]


def commands() -> list[list[str]]:
    """The lines of the page that make certificates, in their order."""
    blocks = re.findall(r'<!-- the test runs these lines -->\n```\n(.*?)```', PAGE, re.DOTALL)
    return [line.replace("'", '').split() for block in blocks for line in block.splitlines()]


def file_of(host: str) -> tuple[str, str]:
    """(program, text) of the file that the page shows for this host."""
    for hosts, program, text in re.findall(r'```\n# ([^:\n]+): /etc/paratope/(\w+)\.conf\n(.*?)```', PAGE, re.DOTALL):
        if host in hosts.split(', '):
            return program, text
    raise LookupError(f'docs/operations.md has no file for {host}')


class Machines(System):
    """All of them, in the namespaces of `hosts`; PostgreSQL's socket is in the file system, which they share."""

    def __init__(self, hosts: Hosts, server: Server) -> None:
        self.hosts = hosts
        self.env = {'DATABASE_URL': server.create_database().url()}
        for host, address in ADDRESSES.items():
            hosts.add(host, f'{address}/24')
        self.keys = hosts.folder / 'broker-1' / 'keys'
        *first, self.for_new = commands()
        for words in first:
            self.run_keys(words)
        self.write('front')
        self.run('paratope-gateway', '--migrate', '--config', self.config('front'))
        self.org = self.admin('create-organisation', 'tests')['org_id']
        self.env |= {'PARATOPE_URL': 'http://127.0.0.1:8080',
                     'PARATOPE_TOKEN': self.admin('create-token', self.org, 'tests')['token'],
                     'PARATOPE_VARIANT': self.admin('import-variants', self.org, str(EXAMPLE_FASTA))['variant_id'],
                     'PARATOPE_EVENTS': ' '.join(f'tcp://{ADDRESSES[host]}:7004' for host in ('broker-1', 'broker-2'))}
        for host in ADDRESSES:
            self.start_host(host)

    def admin(self, *arguments: str) -> dict:
        return admin(self.env['DATABASE_URL'], *arguments)

    def run(self, program: str, *arguments: object) -> None:
        done = subprocess.run([programs() / program, *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def run_keys(self, words: list[str]) -> None:
        """A line of the page, and the copies that it asks for."""
        assert words[0] == 'paratope-keys' and words[2] == '/etc/paratope/keys', words
        self.run(words[0], words[1], self.keys, *words[3:])
        if words[1] == 'add' and words[3] in (*ADDRESSES, NEW):
            shutil.move(self.keys / 'machines' / words[3], self.hosts.folder / words[3] / 'keys')
        other = self.hosts.folder / 'broker-2' / 'keys'
        other.mkdir(parents=True, exist_ok=True)
        for name in ('broker.key', 'broker.key_secret'):
            shutil.copy(self.keys / name, other)
        shutil.copytree(self.keys / 'authorised', other / 'authorised', dirs_exist_ok=True)

    def config(self, host: str) -> Path:
        return self.hosts.folder / host / f'{file_of(host)[0]}.conf'

    def write(self, host: str) -> None:
        """The page's file, with this host's folder and the test's database in it."""
        text = file_of(host)[1].replace('/etc/paratope', str(self.hosts.folder / host))
        assert host != 'front' or DATABASE in text
        self.config(host).write_text(text.replace(DATABASE, self.env['DATABASE_URL']))

    def start_host(self, host: str) -> None:
        self.write(host)
        program = file_of(host)[0]
        more = ['--name', host, '--pipeline', f'humanization={GENERIC}'] if program == 'worker' else []
        self.hosts.start(host, programs() / f'paratope-{program}', '--config', self.config(host), *more,
                         env={'PARATOPE_TEST_LOG': str(self.hosts.folder / host / 'executed')})

    def add_node(self) -> None:
        self.hosts.add(NEW, '192.0.2.23/24')
        self.run_keys(self.for_new)
        self.start_host(NEW)

    def executed(self, host: str) -> list[str]:
        """The jobs that this node began, once for each time."""
        log = self.hosts.folder / host / 'executed'
        return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []

    def log_tails(self, characters: int = 2000) -> list[tuple[str, str]]:
        return [(str(file), file.read_text(errors='replace')[-characters:])
                for file in sorted(self.hosts.folder.glob('*/log'))]


@pytest.fixture
def machines(tmp_path):
    server = Server()
    try:
        server.initialise().start()
        with Hosts(tmp_path) as hosts:
            system = Machines(hosts, server)
            System.running.append(system)
            with hosts.inside('front'), httpx.Client(
                    base_url=system.url, headers={'Authorization': f'Bearer {system.token}'}, timeout=30,
                    trust_env=False) as system.http:
                system.wait_ready()
                yield system
            System.running.remove(system)
    finally:
        server.remove()


class Progress:
    """How much work is done, as a test sees it."""

    def __init__(self, system: Machines) -> None:
        self.system = system

    def of(self, host: str) -> int:
        return len(self.system.executed(host))

    def wait(self, host: str, more: int, seconds: float) -> float:
        """Until this node has begun so many more jobs; the seconds that it took."""
        began, before = time.monotonic(), self.of(host)
        assert wait_for(lambda: self.of(host) >= before + more, seconds), f'{host} began no {more} jobs in {seconds} s'
        return time.monotonic() - began


def wait_silent(progress: Progress, host: str) -> None:
    """Until a node begins nothing any more for two seconds."""
    def quiet() -> bool:
        before = progress.of(host)
        time.sleep(2)
        return progress.of(host) == before
    assert wait_for(quiet, 30), f'{host} goes on'


def test_a_node_more_nodes_cut_off_a_broker_cut_off(machines):
    progress, system = Progress(machines), machines
    # Slightly more than six slots can do: a broker with idle workers is given less than it has slots for, so with
    # little to do the lone node of the other broker would rightly stand idle.
    with Load(system, system.make_variant('sleep=0.25'), clients=3, pause=0.1) as load:
        for node in ('node-1', 'node-2'):
            progress.wait(node, 10, 30)

        system.add_node()
        took = progress.wait(NEW, 1, 30)
        print(f'the new node began its first job {took:.2f} s after it was started')
        before = {node: progress.of(node) for node in NODES}
        progress.wait(NEW, 20, 30)
        shares = {node: progress.of(node) - before[node] for node in NODES}
        assert shares[NEW] >= sum(shares.values()) / 6, f'a third of the slots, but {shares}'

        system.hosts.cut('node-1')
        wait_silent(progress, 'node-1')
        system.wait_terminal(system.executed('node-1'), 60)  # what it held was done elsewhere
        system.hosts.heal('node-1')
        progress.wait('node-1', 10, 30)

        brokers = [ADDRESSES['broker-1'], ADDRESSES['broker-2']]
        system.hosts.mute('node-2', *brokers)
        wait_silent(progress, 'node-2')
        system.wait_terminal(system.executed('node-2'), 60)
        system.hosts.unmute('node-2', *brokers)
        progress.wait('node-2', 10, 30)

        system.hosts.cut('broker-1')
        accepted = len(load.accepted)
        for node in NODES:
            progress.wait(node, 10, 40)
        assert len(load.accepted) > accepted, 'jobs are accepted with one broker'
        system.hosts.heal('broker-1')
        time.sleep(3)
    system.wait_terminal(load.accepted, 60)
    check(system)
    count(system, load)


def count(system: Machines, load: Load) -> None:
    """Every job that was accepted is completed; more executions than attempts there are none."""
    jobs = system.jobs(load.accepted)
    assert len(set(load.accepted)) == len(load.accepted)
    assert {job['status'] for job in jobs.values()} == {'completed'}
    times = collections.Counter(job for node in NODES for job in system.executed(node))
    assert all(1 <= times[job] <= jobs[job]['attempt'] for job in jobs), 'begun, and at most once an attempt'
    again = sum(times[job] - 1 for job in jobs)
    print(f'{len(jobs)} jobs, {again} of them begun again elsewhere')


def test_a_subscriber_with_a_certificate_sees_all_from_both_brokers(machines):
    system = machines
    ids = [system.submit(system.make_variant('x')) for _ in range(20)]
    subscriber = Subscriber(system.env['PARATOPE_EVENTS'], system.url, system.token, system.org,
                            keys=system.keys / 'machines' / 'dashboard')
    try:
        taken = subscriber.take(1)
        system.hosts.cut('broker-2')
        ids += [system.submit(system.make_variant('x')) for _ in range(20)]
        system.wait_terminal(ids, 60)
        limit = time.monotonic() + 60
        while time.monotonic() < limit and sum(event['type'] == 'completed' for event in taken) < len(ids):
            taken += subscriber.take(1)
    finally:
        subscriber.close()
    assert [event['seq'] for event in taken] == list(range(1, len(taken) + 1))
    assert {event['job_id'] for event in taken if event['type'] == 'completed'} == set(ids)
    assert any(event['live'] for event in taken)


def test_units_start_these_programs_with_these_files():
    for program in ('gateway', 'broker', 'worker'):
        unit = (CHECKOUT / 'docs' / 'systemd' / f'paratope-{program}.service').read_text()
        assert f'ExecStart=/usr/local/bin/paratope-{program} --config /etc/paratope/{program}.conf\n' in unit
        assert f': /etc/paratope/{program}.conf\n' in PAGE
