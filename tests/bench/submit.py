"""The door: durable submissions, beside one commit a request, civetweb alone and PostgreSQL alone."""
import time
from functools import partial

from harness.system import System
from programs import BENCH, PROGRAMS, ask, free_port, running, wrk
from rounds import Figures, interleave, part, ratio
from tables import Table
from tenants import Tenant, add_tenants, first_tenant

SECONDS = part(3)
CONNECTIONS = (1, 16, 64, 256)
BODY = '{"variant_id":"VARIANT","job_type":"humanization"}'
THREADS = 200  # of civetweb, as the gateway has by default


def post(system: System, url: str, tenants: list[Tenant], connections: int) -> Figures:
    """Answers with 202 a second; the table must have as many rows more."""
    before = rows(system)
    said = wrk(url, connections, SECONDS, 'POST', '/v1/jobs', BODY,
               [(tenant.variant, tenant.token) for tenant in tenants])
    accepted = said['requests'] - said['status']
    time.sleep(0.3)
    made = rows(system) - before
    # wrk goes away with a request under way on each connection.
    if not accepted <= made <= accepted + connections or said['status']:
        raise RuntimeError(f'{accepted} answers with 202, but {made} rows: {said}')
    return {'per_s': accepted / said['seconds'], 'p50_ms': said['p50_ms'], 'p99_ms': said['p99_ms'],
            'broken': said['broken']}


def rows(system: System) -> int:
    return system.query('select count(*) as n from jobs')[0]['n']


def bare(url: str, connections: int) -> Figures:
    said = wrk(url, connections, SECONDS, 'POST', '/v1/jobs', BODY, [('0' * 36, 'ab_' + 'x' * 48)])
    return {'per_s': (said['requests'] - said['status']) / said['seconds'], 'p50_ms': said['p50_ms'],
            'p99_ms': said['p99_ms']}


def alone(system: System, tenant: Tenant, batch: int) -> Figures:
    said = ask('sql_alone', 'submit', system.env['DATABASE_URL'], tenant.org, tenant.variant, batch, SECONDS)
    return {'per_s': said['jobs'] / said['seconds']}


def run() -> list[Table]:
    one_port, bare_port = free_port(), free_port()
    with System(workers=0, programs=PROGRAMS) as system:
        own = [first_tenant(system)]
        many = own + add_tenants(system, 15)
        one_url, bare_url = f'http://127.0.0.1:{one_port}', f'http://127.0.0.1:{bare_port}'
        one_commit = [str(BENCH / 'one-commit-gateway'), '--listen', f'127.0.0.1:{one_port}',
                      '--database', system.env['DATABASE_URL'], '--brokers', system.env['PARATOPE_BROKER_GATEWAYS'],
                      '--events-in', system.env['PARATOPE_EVENTS_IN'], '--events', system.env['PARATOPE_EVENTS']]
        with running(one_commit, port=one_port), \
                running([str(BENCH / 'bare_http'), f'127.0.0.1:{bare_port}', str(THREADS)], port=bare_port):
            for tenants in (own, many):  # statements prepared, tokens known
                post(system, system.url, tenants, 64)
                post(system, one_url, tenants, 64)
            at_64 = interleave({
                'a': partial(post, system, system.url, own, 64),
                'b': partial(post, system, one_url, own, 64),
                'a16': partial(post, system, system.url, many, 64),
                'b16': partial(post, system, one_url, many, 64),
                'c': partial(bare, bare_url, 64),
                'd64': partial(alone, system, own[0], 64),
                'd1000': partial(alone, system, own[0], 1000),
            })
            others = interleave({
                f'{name}{connections}': measure
                for connections in CONNECTIONS if connections != 64
                for name, measure in (('a', partial(post, system, system.url, own, connections)),
                                      ('c', partial(bare, bare_url, connections)))
            })
    return [table_64(at_64), table_connections(at_64, others)]


def table_64(seen: dict) -> Table:
    table = Table('submit: POST /v1/jobs at 64 connections', ['what', 'a second', 'range', 'p50 ms', 'p99 ms', 'a is'])
    names = {
        'a': '(a) the gateway, one organisation',
        'b': '(b) the same handler, a commit for each request, one organisation',
        'a16': '(a) the gateway, 16 organisations',
        'b16': '(b) a commit for each request, 16 organisations',
        'c': '(c) civetweb alone: parse and answer',
        'd64': '(d) PostgreSQL alone, batches of 64',
        'd1000': '(d) PostgreSQL alone, batches of 1,000',
    }
    for key, name in names.items():
        base = 'a16' if key == 'b16' else 'a'
        table.add(name, seen[key]['per_s'], seen[key].range('per_s'),
                  seen[key]['p50_ms'] if key[0] != 'd' else None, seen[key]['p99_ms'] if key[0] != 'd' else None,
                  None if key[0] == 'a' else f"{ratio(seen[base], seen[key], 'per_s'):.2f} ×")
    table.check('a / b', ratio(seen['a'], seen['b'], 'per_s'), 3)
    table.check('a / b, 16 organisations', ratio(seen['a16'], seen['b16'], 'per_s'), 3)
    table.check('a / c', ratio(seen['a'], seen['c'], 'per_s'), 0.35)
    return table


def table_connections(at_64: dict, others: dict) -> Table:
    table = Table('submit: by number of connections',
                  ['connections', '202 a second', 'range', 'p50 ms', 'p99 ms', 'of civetweb alone'])
    for connections in CONNECTIONS:
        a, c = (at_64['a'], at_64['c']) if connections == 64 else \
            (others[f'a{connections}'], others[f'c{connections}'])
        table.add(str(connections), a['per_s'], a.range('per_s'), a['p50_ms'], a['p99_ms'],
                  f"{ratio(a, c, 'per_s'):.2f}")
    return table
