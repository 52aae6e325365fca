"""Results up to 64 MiB, which wait at their worker and are fetched in chunks: sizes, memory, and whoever dies in between."""
import time

import pytest
from promises import check

from harness.processes import wait_for

MIB = 1 << 20
LIMIT = 64 * MIB
AROUND = 57  # what the generic pipeline's result has beside its blob, at least


def peak(system, name: str) -> int:
    """The most memory that the process has had, in MiB."""
    for line in open(f'/proc/{system.pid(name)}/status'):
        if line.startswith('VmHWM'):
            return int(line.split()[1]) // 1024
    raise AssertionError('no VmHWM')


def submit(system, size: int) -> str:
    return system.submit(system.make_variant(f'result={size}'))


def ended(system, jobs: list[str], seconds: float = 60) -> dict[str, dict]:
    rows = system.wait_terminal(jobs, seconds)
    assert {row['status'] for row in rows.values()} == {'completed'}
    return rows


def stored(system, job: str) -> int:
    """Bytes of the blob that the table has."""
    return system.query("SELECT length(results->>'blob') AS size FROM results WHERE job_id = %s", job)[0]['size']


@pytest.mark.parametrize('size', [65 * 1024, MIB, LIMIT - 200])
def test_a_large_result_is_stored_as_it_was(system, size):
    job = submit(system, size)
    ended(system, [job])
    assert stored(system, job) == size
    text = system.query("SELECT results->>'blob' AS blob FROM results WHERE job_id = %s", job)[0]['blob']
    assert text == 'x' * size


@pytest.mark.parametrize('size', [LIMIT - AROUND, LIMIT + 1000, 2 * LIMIT])
def test_a_result_above_64_mib_fails_for_good(system, size):
    job = submit(system, size)
    row = system.wait_terminal([job], 60)[job]
    code = system.query('SELECT error_code FROM jobs WHERE id = %s', job)[0]['error_code']
    assert (row['status'], row['attempt'], code) == ('failed', 1, 'result_too_large')
    assert '64 MiB' in row['error_message'] or str(LIMIT) in row['error_message']


def test_the_spool_is_empty_once_all_is_settled(system):
    job = submit(system, MIB)
    ended(system, [job])
    assert wait_for(lambda: not list(system.home.glob('spool/*/*')), 10), 'a spool file is left'
