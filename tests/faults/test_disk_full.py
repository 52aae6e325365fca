"""The disk under PostgreSQL is full: nothing is accepted that is not kept, and work goes on when there is room."""
import os
import subprocess
import time

import psycopg2
import pytest
from promises import Load, check

from harness import GENERIC, System, make_home, remove_home
from harness.processes import wait_for

SIZE = 160 << 20    # bytes of the disk: a new cluster takes about 40 MiB, its WAL grows
LEFT = 2 << 20      # bytes that are free once it is filled


@pytest.fixture
def small_disk():
    """A home whose database is on a small disk of its own."""
    home = make_home()
    disk = home / 'postgres'
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(
            ['mount', '-t', 'tmpfs', '-o', f'size={SIZE}', 'paratope-test', disk], capture_output=True).returncode:
        remove_home(home)
        pytest.skip('a disk of its own takes the right to mount one')
    try:
        yield home
    finally:
        subprocess.run(['umount', '--lazy', disk], check=True)
        remove_home(home)


def fill(disk) -> object:
    """A file that leaves LEFT bytes free."""
    free = os.statvfs(disk)
    file = disk / 'something-else'
    with open(file, 'wb') as wanted:
        os.posix_fallocate(wanted.fileno(), 0, free.f_bavail * free.f_bsize - LEFT)
    return file


def writes_its_log(system) -> bool:
    """Asks PostgreSQL for more of its log than there is room for: then it ends itself, and cannot start again."""
    try:
        connection = psycopg2.connect(system.env['DATABASE_URL'].replace('user=paratope', 'user=postgres'))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 100000)), pg_switch_wal()")
        connection.close()
        return True
    except psycopg2.OperationalError:
        return False


@pytest.mark.timeout(500)
def test_a_full_disk_is_answered_with_503_and_loses_nothing(small_disk):
    with System(small_disk, workers=2, pipelines={'humanization': GENERIC}) as system:
        variant = system.make_variant('sleep=0.05 result=30000')
        with Load(system, variant, clients=4) as load:
            assert wait_for(lambda: len(load.accepted) > 20, 60)
            file = fill(small_disk / 'postgres')
            assert wait_for(lambda: load.refused[503] >= 4, 60), 'the disk did not become full'
            assert wait_for(lambda: not writes_its_log(system), 20), 'PostgreSQL had room for its log'
            time.sleep(3)
            assert set(load.refused) == {503}
            full = len(load.accepted)
            file.unlink()
            assert wait_for(lambda: len(load.accepted) > full + 20, 60), 'nothing is accepted though there is room'
            time.sleep(1)
        system.wait_database()
        system.wait_terminal(load.accepted, 90)
        system.wait_terminal([row['id'] for row in system.query('SELECT id::text FROM jobs')], 60)
        check(system)
        statuses = {row['status'] for row in system.query('SELECT DISTINCT status FROM jobs')}
        assert statuses == {'completed'}, 'no job failed by it'
