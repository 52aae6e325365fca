"""Memory limits by control groups of version 2, in a virtual machine, because few machines that run tests have them:
the worker runs in a group that it may write, all else here."""
import re

import pytest
from promises import check

from harness import GENERIC, System, guest
from harness.processes import wait_for
from harness.system import programs

pytestmark = [pytest.mark.skipif(bool(guest.missing()), reason=guest.missing() or 'all is there'),
              pytest.mark.timeout(180)]
GROUP = '/sys/fs/cgroup/worker'  # as systemd makes one for a unit with Delegate=memory
LIMIT = 64  # MiB
START = """
( (echo 0 > {group}/cgroup.procs; exec {worker} --brokers {brokers} --events-in {events} --name guest --insecure \
 --slots humanization=2 --pipeline humanization={pipeline} --limits humanization:memory={limit}M) \
 < /dev/null > /dev/null 2>> /worker.log &)
"""


class Worker:
    def __init__(self, vm: guest.Guest, system: System) -> None:
        self.vm, self.system = vm, system
        vm.run(f'mount -t cgroup2 none /sys/fs/cgroup; mkdir {GROUP}; echo +memory > {GROUP}/../cgroup.subtree_control')

    def start(self) -> None:
        address = {name: self.system.env[name].replace('127.0.0.1', guest.HOST)
                   for name in ('PARATOPE_BROKER_WORKERS', 'PARATOPE_EVENTS_IN')}
        self.vm.run(f'echo -memory > {GROUP}/cgroup.subtree_control')  # as it is in a group where nobody was before
        self.vm.run(START.format(group=GROUP, worker=programs() / 'paratope-worker', pipeline=GENERIC, limit=LIMIT,
                                 brokers=address['PARATOPE_BROKER_WORKERS'], events=address['PARATOPE_EVENTS_IN']))
        assert wait_for(lambda: len(self.groups()) >= 2, 60), self.log()

    def log(self) -> str:
        return self.vm.run('cat /worker.log')

    def pids(self, program: str) -> list[int]:
        said = self.vm.run(f'grep -l {program} /proc/[0-9]*/cmdline 2> /dev/null')
        return [int(pid) for pid in re.findall('/proc/([0-9]+)/', said)]

    def groups(self) -> list[str]:
        """Of pipelines."""
        return self.vm.run(f'cd {GROUP}; ls -d pipeline-* 2> /dev/null; cd /').split()

    def read(self, group: str, file: str) -> str:
        return self.vm.run(f'cat {GROUP}/{group}/{file}').strip()

    def only_two(self) -> bool:
        """Two pipelines, each alone in a group, and nothing else."""
        groups = self.groups()
        return len(groups) == 2 and all(len(self.read(group, 'cgroup.procs').split()) == 1 for group in groups)


@pytest.fixture(scope='module')
def worker(tmp_path_factory):
    files = {programs() / 'paratope-worker', programs() / 'paratope-keeper', GENERIC,
             *guest.python_files('hashlib', 'json', 'signal', 'time', 'uuid', 'msgpack')}
    with System(workers=0) as system, guest.Guest(tmp_path_factory.mktemp('guest'), files) as vm:
        worker = Worker(vm, system)
        worker.start()
        yield worker
        check(system)


def test_each_pipeline_has_a_group_with_its_limit(worker):
    assert 'memory is limited by cgroups' in worker.log()
    assert wait_for(worker.only_two, 30)
    for group in worker.groups():
        assert worker.read(group, 'memory.max') == str(LIMIT << 20)
        assert 'generic' in worker.vm.run(f'cat /proc/$(cat {GROUP}/{group}/cgroup.procs)/cmdline')
    others = {int(pid) for pid in worker.read('agent', 'cgroup.procs').split()}
    assert others == {*worker.pids('bin/paratope-worker'), *worker.pids('paratope-keeper')}


@pytest.mark.parametrize('orders', ['grow=1000', 'leak=1000', 'children=3 fat=30 hang', 'children=3 as=daemon grow=1000'])
def test_what_takes_more_is_killed_with_all_that_it_started(worker, orders):
    """Also if only all together take more."""
    system, before = worker.system, worker.pids('bin/paratope-worker')
    job = system.submit(system.make_variant(orders))
    good = [system.submit(system.make_variant('grow=16')) for _ in range(3)]
    rows = system.wait_terminal([job, *good], 100)
    assert {rows[other]['status'] for other in good} == {'completed'}
    row = system.query('SELECT status, tries, error_code, error_message FROM jobs WHERE id = %s', job)[0]
    assert (row['status'], row['tries'], row['error_code']) == ('failed', 3, 'out_of_memory'), (row, worker.log())
    assert f'{LIMIT} MiB' in row['error_message']
    assert wait_for(worker.only_two, 30), f'left: {worker.groups()} {worker.vm.run("ps")}'
    assert worker.pids('bin/paratope-worker') == before, 'the agent did not live'
    assert not worker.pids('^sleep')


def test_what_a_killed_worker_leaves_is_gone_after_its_next_start(worker):
    groups, processes = worker.groups(), worker.pids('bin/paratope-')
    worker.vm.run(f'kill -9 {" ".join(map(str, processes))}')
    assert wait_for(lambda: not worker.pids('bin/paratope-'), 30)
    assert worker.groups() == groups, 'somebody removes them already'
    worker.start()
    assert wait_for(lambda: worker.only_two() and not set(worker.groups()) & set(groups), 30), worker.groups()
    job = worker.system.submit()
    assert worker.system.wait_terminal([job], 60)[job]['status'] == 'completed'


def test_a_worker_that_ends_leaves_no_group(worker):
    agent = next(pid for pid in worker.pids('bin/paratope-worker'))
    worker.vm.run(f'kill {agent}')
    assert wait_for(lambda: not worker.pids('bin/paratope-'), 30)
    assert worker.groups() == []
