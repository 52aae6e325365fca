"""Tables as they are after years of use, filled by SQL in a database of their own, that no gateway touches."""
import contextlib
import os
import uuid

import psycopg2

from harness.system import CHECKOUT

FULL = bool(os.environ.get('PARATOPE_SCALE_FULL'))
JOBS = 1_000_000 if FULL else 50_000
OURS = 'aaaaaaaa-0000-4000-8000-000000000000'
OTHERS = [str(uuid.UUID(int=n)) for n in range(1, 11)]
VARIANTS = [str(uuid.UUID(int=n)) for n in range(1000, 1100)]  # ours; the first one has half of our jobs
CANDIDATE = str(uuid.UUID(int=900))
BATCH = str(uuid.UUID(int=901))  # of jobs 201 to 240
NAME = 'paratope_scale'


def address(system, database: str = NAME) -> str:
    """As PostgreSQL's superuser, whom scripts/run lets in too."""
    return system.env['DATABASE_URL'].replace('/paratope?', f'/{database}?').replace('user=paratope', 'user=postgres')


@contextlib.contextmanager
def cursor_of(system, database: str = NAME):
    """Each statement by itself, as VACUUM and CREATE DATABASE want it."""
    connection = psycopg2.connect(address(system, database))
    connection.autocommit = True
    yield connection.cursor()
    connection.close()


def make_database(system) -> None:
    """The schema, a few organisations and variants, no jobs."""
    with cursor_of(system, 'postgres') as cursor:
        cursor.execute(f'drop database if exists {NAME}')
        cursor.execute(f'create database {NAME}')
    with cursor_of(system) as cursor:
        for file in sorted((CHECKOUT / 'gateway' / 'schema').glob('*.sql')):
            cursor.execute(file.read_text())
        for table in ('jobs', 'events', 'results'):  # analyses come when a test says so
            cursor.execute(f'alter table {table} set (autovacuum_enabled = off)')
        cursor.execute("insert into organisations (id, name) select id, 'x' from unnest(%s::uuid[]) id", [[OURS, *OTHERS]])
        cursor.execute('insert into event_counters (org_id) select id from organisations')
        cursor.execute("insert into limits (org_id, job_type, max_out) values (%s, 'stability', 40), (%s, null, 60), "
                       "(null, 'stability', 50)", [OURS, OURS])
        cursor.execute("insert into declarations (job_type, title, version, options_schema, wants) "
                       "values ('stability', 'x', '1.0.0', '{}', '{humanization}')")
        cursor.execute("insert into unserved (job_type, since) values ('stability', now() - interval '2 days')")
        cursor.execute("insert into tokens (id, org_id, name, hash) values (%s, %s, 'x', '\\x00')", [OURS, OURS])
        cursor.execute("insert into therapeutic_candidates (id, org_id, name, format) values (%s, %s, 'x', 'mab')",
                       [CANDIDATE, OURS])
        cursor.execute("insert into variants (id, org_id, candidate_id, name, format, chains) "
                       "select id, %s, %s, 'x', 'mab', '[]' from unnest(%s::uuid[]) id", [OURS, CANDIDATE, VARIANTS])
        cursor.execute("insert into batches (id, org_id, job_type, priority, total) values (%s, %s, 'stability', 1, 40)",
                       [BATCH, OURS])
        cursor.execute("insert into batches (id, org_id, job_type, priority, total) "
                       "select gen_random_uuid(), %s, 'stability', 1, 40 from generate_series(1, 1000)", [OTHERS[0]])


FILL = """
insert into jobs (id, org_id, variant_id, job_type, status, due_at, created_at, started_at, completed_at, batch_id)
select job_id(n), case when n %% 3 = 0 then (%(others)s::uuid[])[1 + n %% 10] else %(ours)s::uuid end,
       (%(variants)s::uuid[])[case when n %% 2 = 0 then 1 else 1 + n / 2 %% 100 end],
       case when n %% 5 = 0 then 'stability' else 'humanization' end, status,
       case when status = 'pending' and n > 100 then at end, at,
       case when status <> 'pending' then at end,
       case when status not in ('pending', 'running') then at end,
       case when n between 201 and 240 then %(batch)s::uuid when n %% 2 = 0 then job_id(n / 1000 + 1000000000) end
from (select n, now() - interval '1 year' + n * interval '10 milliseconds' as at,
             case when n <= 50 then 'running' when n <= 100 then 'pending' when n %% 10000 = 7 then 'failed'
                  when n %% 10000 = 8 then 'canceled' when n %% 4 < 2 then 'completed' else 'pending' end as status
      from generate_series(%(first)s, %(last)s) n) kinds
"""
EVENTS = """
insert into events (org_id, seq, job_id, job_type, type, status, attempt, at)
select org_id, base + row_number() over (partition by org_id order by created_at, k), id, job_type, 'progress', status,
       1, created_at
from (select j.*, c.seq as base, k from jobs j join event_counters c using (org_id), generate_series(1, 3) k
      where j.id between job_id(%(first)s) and job_id(%(last)s)) e
"""


def fill(system, first: int, last: int) -> None:
    """Jobs first…last: half have completed, two of 10,000 failed or were canceled, the others wait; 100 are out
    however many there are. A third belongs to ten other organisations. Three events a job, a result if it completed."""
    numbers = {'first': first, 'last': last, 'ours': OURS, 'others': OTHERS, 'variants': VARIANTS, 'batch': BATCH}
    with cursor_of(system) as cursor:
        cursor.execute("create or replace function job_id(n bigint) returns uuid immutable language sql as "
                       "$$ select (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000')::uuid $$")
        cursor.execute(FILL, numbers)
        cursor.execute(EVENTS, numbers)
        cursor.execute('update event_counters c set seq = (select coalesce(max(seq), 0) from events e '
                       'where e.org_id = c.org_id)')
        cursor.execute("insert into results (job_id, results, model_versions) select id, '{}', '{}' from jobs "
                       "where status = 'completed' and id between job_id(%(first)s) and job_id(%(last)s)", numbers)


def job_id(n: int) -> str:
    return f'{n:08x}-0000-7000-8000-000000000000'
