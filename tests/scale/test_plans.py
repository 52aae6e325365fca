"""Each statement of the stores finds its rows by the index that is meant for it, and reads as little of a
large table as of a small one, whether its plan was made before the rows came or after."""
import contextlib
import datetime
import re
import uuid

import psycopg2
import pytest
from statements import Session, statements
from tables import BATCH, CANDIDATE, JOBS, OTHERS, OURS, VARIANTS, cursor_of, fill, job_id, make_database

pytestmark = pytest.mark.timeout(900)

NOW = '2100-01-01T00:00:00+00:00'
TOP = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
FIRST_PAGE = [OURS, 'infinity', TOP, '100']
SHORT_PAGE = [OURS, 'infinity', TOP, '10']  # full in a small table too
TYPES, STATUSES = ['humanization', 'structure', 'stability', 'immunogenicity'], \
                  ['pending', 'running', 'completed', 'failed', 'canceled']
COMPLETED = [job_id(n) for n in range(400, 440, 4)]
LIMITS = 'limits_org_id_job_type_key'
NEW = [str(uuid.UUID(int=n)) for n in range(5000, 5010)]


def half_way() -> list[str]:
    """Behind a job in the middle: of a small table, of a large one."""
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=365) + datetime.timedelta(seconds=20)
    return [OURS, at.isoformat(), TOP, '100']


SUBMIT = {'jobs_pkey', 'jobs_waiting', 'jobs_newest', 'variants_pkey', 'event_counters_pkey', 'events_pkey',
          'declarations_pkey', LIMITS}

# (statement, arguments, indexes that it may use, tables that it may read whole)
CASES = [
    *(('submit', [NEW, [OURS] * 10, VARIANTS[:10], ['humanization'] * 10, [True] * 10, [priority] * 10, ['x'] * 10,
                  [repeated] * 10, [None] * 10, [None] * 10],
       SUBMIT, {'limits', 'declarations'})
      for priority, repeated in ((0, None), (1, None), (2, COMPLETED[0]))),
    ('submit', [NEW, [OURS] * 10, VARIANTS[:10], ['stability'] * 10, [True] * 10, [1] * 10, ['x'] * 10,  # wants others
                [None] * 10, ['{}'] * 10, [None] * 10],
     SUBMIT, {'limits', 'declarations'}),
    ('lock_jobs', [COMPLETED], {'jobs_pkey'}),
    ('update_jobs', [COMPLETED, ['completed'] * 10, [1] * 10, [0] * 10, [0] * 10, [None] * 10, [NOW] * 10, [NOW] * 10,
                     [None] * 10, [None] * 10, [None] * 10, [None] * 10, [None] * 10], {'jobs_pkey'}),
    ('insert_results', [[job_id(n) for n in (6, 10)], ['{}'] * 2, ['{}'] * 2, [None] * 2], {'jobs_pkey'}),
    ('awaits_ending', [COMPLETED[0], OURS, 'humanization', '1'], {'jobs_pkey'}),
    ('job_inputs', [COMPLETED[0]], {'jobs_pkey', 'variants_pkey', 'results_pkey'}),
    ('append_events', [COMPLETED[:2], [OURS, OTHERS[0]], ['humanization'] * 2, ['created'] * 2, ['pending'] * 2,
                       [1] * 2, [NOW] * 2, [None] * 2], {'event_counters_pkey'}),
    *((name, arguments, {'jobs_waiting', 'jobs_pkey', 'jobs_out', 'variants_pkey', 'organisations_pkey', LIMITS}, {'limits'})
      for name, arguments in (('hand_out', ['humanization', '64', '{"%s": 5}' % OURS, '0']),
                              ('hand_out', ['stability', '64', '{}', '0']),  # has a limit, and so have ours
                              ('next_due', ['humanization']), ('next_due', ['stability']))),
    ('lock_hand_out', [], set()),
    ('cancel', [OURS, job_id(50), 'x'], {'jobs_pkey', 'event_counters_pkey'}),
    ('patiences', [], {'job_types_pkey'}),
    ('note_unserved', [['structure'], ['structure', 'stability']], {'unserved_pkey'}, {'unserved'}),
    ('expired', ['stability', '100'], {'jobs_waiting', 'job_types_pkey', 'unserved_pkey'}),
    ('next_expiry', ['stability'], {'jobs_waiting', 'job_types_pkey', 'unserved_pkey'}),
    ('waiting_types', [], {'jobs_waiting'}),
    ('out_page', [str(uuid.UUID(int=0)), '1000'], {'jobs_out', 'jobs_pkey'}),
    ('out_page', [job_id(20), '1000'], {'jobs_out', 'jobs_pkey'}),
    ('edges', [], set(), {'event_counters'}),
    ('edges_of', [[OURS, OTHERS[0]]], {'event_counters_pkey'}),
    ('read_token', ['\\x00'], {'tokens_hash_key', 'organisations_pkey'}),
    ('read_jobs_by_id', [[OURS] * 10, COMPLETED], {'jobs_pkey'}),
    *((name, [OURS, COMPLETED[1], job_type, 'jobs'], {'jobs_pkey', 'results_pkey'})
      for name in ('read_results', 'read_large_result', 'read_file', 'read_large_file')
      for job_type in (None, 'humanization', 'stability')),
    *((name, [OURS, COMPLETED[1], job_type, 'humanization', '1', 'humanizations'], {'jobs_pkey', 'results_pkey'})
      for name in ('read_typed', 'read_large_typed') for job_type in ('humanization', 'stability')),
    ('declarations', [], {'declarations_pkey'}, {'declarations'}),
    *((name, [OURS, COMPLETED[1], attempt, '0'], {'jobs_pkey', 'job_logs_pkey'})
      for name in ('read_job_logs', 'read_job_logs_text') for attempt in ('0', '2')),
    ('read_job_events', [OURS, COMPLETED[1], '0', '1000'], {'jobs_pkey', 'events_of_job'}),
    ('read_events', [OURS, '100', '1000'], {'events_pkey', 'event_counters_pkey'}),
    ('read_variant', [OURS, VARIANTS[0]], {'variants_pkey'}),
    ('read_candidate', [OURS, CANDIDATE], {'therapeutic_candidates_pkey', 'variants_of_candidate'}),
    ('make_candidate', [OURS, NEW[0], NEW[1], 'x', 'mab', '[]'],
     {'therapeutic_candidates_pkey', 'organisations_pkey'}),
    ('read_jobs', FIRST_PAGE, {'jobs_of_org', 'jobs_pkey'}),
    ('read_jobs', half_way(), {'jobs_of_org', 'jobs_pkey'}),
    *(('read_jobs_by_kind', [*SHORT_PAGE, types, statuses], {'jobs_by_kind', 'jobs_pkey'})
      for types in (None, TYPES, ['stability'], ['structure'])
      for statuses in (STATUSES, ['pending'], ['running'], ['completed'], ['failed', 'canceled'])),
    ('read_jobs_by_kind', [*half_way(), None, ['completed']], {'jobs_by_kind', 'jobs_pkey'}),
    *(('read_jobs_of_variant', [*SHORT_PAGE, None, statuses, variant], {'jobs_of_variant', 'jobs_pkey', 'variants_pkey'})
      for variant in (VARIANTS[0], VARIANTS[5], NEW[0])
      for statuses in (STATUSES, ['running'], ['failed', 'canceled'])),
    *(('read_typed_page', [*SHORT_PAGE, ['stability'], statuses, None, 'x', '1', 'y'], {'jobs_by_kind', 'jobs_pkey'})
      for statuses in (STATUSES, ['running'], ['canceled'])),
    *(('read_typed_of_variant', [*SHORT_PAGE, ['stability'], statuses, variant, 'x', '1', 'y'],
       {'jobs_of_variant', 'jobs_pkey', 'variants_pkey'})
      for variant in (VARIANTS[0], VARIANTS[5]) for statuses in (STATUSES, ['running'])),
    *(('read_jobs_by_error', [*SHORT_PAGE, types, ['failed'], variant, 'x'], {'jobs_by_error', 'jobs_pkey'})
      for types in (None, ['stability']) for variant in (None, VARIANTS[0])),
    ('add_batch', [NEW[0], OURS, 'x', 'stability', '1', '{}', '10'], {'organisations_pkey'}),
    ('add_molecules', [OURS, NEW, NEW, ['x'] * 10, ['mab'] * 10, ['[]'] * 10],
     {'organisations_pkey', 'therapeutic_candidates_pkey'}),
    ('add_batch_jobs', [BATCH, NEW, VARIANTS[:10], 'x'],  # of a type that wants others
     {'batches_pkey', 'variants_pkey', 'jobs_newest', 'declarations_pkey'}),
    ('announce_batch', [BATCH], {'batches_pkey', 'jobs_of_batch', 'event_counters_pkey'}),
    ('is_batch', [BATCH], {'batches_pkey', 'jobs_of_batch', 'events_of_job'}),
    ('cancel_batch', [OURS, BATCH], {'batches_pkey', 'jobs_of_batch'}),
    ('cancel_batch_jobs', [BATCH, 'x', '10'], {'batches_pkey', 'jobs_of_batch', 'jobs_pkey', 'event_counters_pkey'}),
    ('read_batch', [OURS, BATCH], {'batches_pkey', 'jobs_of_batch'}),
    ('read_batches', FIRST_PAGE, {'batches_of_org', 'batches_pkey', 'jobs_of_batch'}),
    ('read_batch_jobs', [OURS, BATCH, job_id(210), '10'], {'batches_pkey', 'jobs_of_batch', 'jobs_pkey'}),
    ('read_batch_type', [OURS, BATCH], {'batches_pkey'}),
    ('missing_variants', [OURS, [*VARIANTS[:10], *NEW], '50'], {'variants_pkey'}),
    *((name, [BATCH, job_id(210)], {'jobs_of_batch', 'jobs_pkey', 'variants_pkey', 'results_pkey'})
      for name in ('read_batch_ended', 'read_batch_lines')),
    ('read_large_line', [COMPLETED[0]], {'jobs_pkey', 'variants_pkey', 'results_pkey'}),
    ('read_position', [OURS, job_id(102)], {'jobs_pkey', 'jobs_waiting'}),
    ('read_position', [OURS, COMPLETED[1]], {'jobs_pkey', 'jobs_waiting'}),
    ('read_dead', [OURS, COMPLETED[1]], {'jobs_pkey'}),
    ('read_job_types', [TYPES, [1, 0, 2, -1], TYPES, TYPES], {'job_types_pkey', 'declarations_pkey'}, {'declarations'}),
    ('read_waiting', [], {'jobs_waiting'}),
    *(('has_type', [OURS, job_type], {'jobs_by_kind'}) for job_type in ('stability', 'nowhere')),
    # Another organisation asks for our variant, which has half of all jobs.
    ('read_jobs_of_variant', [OTHERS[0], *FIRST_PAGE[1:], None, STATUSES, VARIANTS[0]],
     {'jobs_of_variant', 'jobs_pkey', 'variants_pkey'}),
]
NAMES = [f'{n}-{case[0]}' for n, case in enumerate(CASES)]


@pytest.fixture(scope='module')
def database(new_module_system):
    make_database(new_module_system)
    return new_module_system


@pytest.fixture(scope='module')
def new_module_system():
    from harness import System
    with System(workers=0) as running:
        yield running


def run_all(session) -> list:
    return [session.run(name, arguments) for name, arguments, *_ in CASES]


@pytest.fixture(scope='module')
def ran(database) -> dict:
    """How each case ran: [old, fresh] plans, with JOBS / 10 and with JOBS rows."""
    old = Session(database)
    for case in CASES:  # on empty tables; these plans are kept
        with contextlib.suppress(psycopg2.IntegrityError):  # a result of a job that is not there yet
            old.run(*case[:2])
    small, large = JOBS // 10, JOBS
    fill(database, 1, small)
    found = {'old, small': run_all(old)}
    fill(database, small + 1, large)
    found['old, large'] = run_all(old)
    with cursor_of(database) as cursor:
        cursor.execute('vacuum analyze')
    fresh = Session(database)
    run_all(fresh)  # making plans reads the catalogue
    found['fresh, large'] = run_all(fresh)
    fresh.close()
    old.close()
    return found


def test_no_statement_is_left_out():
    assert {name for name, *_ in CASES} == set(statements())


@pytest.mark.parametrize('when', ['old, small', 'old, large', 'fresh, large'])
@pytest.mark.parametrize('number', range(len(CASES)), ids=NAMES)
def test_finds_its_rows_by_its_index(ran, when, number):
    _, _, indexes, *whole = CASES[number]
    this = ran[when][number]
    assert this.read_whole <= (whole[0] if whole else set())
    assert this.indexes <= indexes


@pytest.mark.parametrize('number', range(len(CASES)), ids=NAMES)
def test_reads_no_more_of_a_table_ten_times_as_large(ran, number):
    small, large, fresh = (ran[when][number].buffers for when in ('old, small', 'old, large', 'fresh, large'))
    allowed = 1.5 * small + 100  # a level more in each index
    assert large <= allowed and fresh <= allowed, f'{small} pages, then {large} and {fresh}'


def test_nothing_counts_rows_of_a_table():
    """count(*) of what was given, as in append_events, is no count over a table; nor is one that ends at a limit."""
    bounded = re.compile(r'count\(\*\)( as n)? from \(select 1 from ([^()]|\(([^()]|\(\))*\))* limit [^()]*\)')
    assert [name for name, text in statements().items() if 'count(' in bounded.sub('', text.lower())] == []
