"""GET /v1/jobs/{id}: one job from many connections, and many jobs."""
from functools import partial

from harness.system import System
from programs import PROGRAMS, wrk
from rounds import Figures, interleave, part
from tables import Table
from tenants import first_tenant

SECONDS = part(3)
JOBS = part(200)  # different ones, each connection begins anywhere


def get(system: System, ids: list[str], connections: int) -> Figures:
    said = wrk(system.url, connections, SECONDS, 'GET', '/v1/jobs/VARIANT', '', [(job, system.token) for job in ids])
    if said['status']:
        raise RuntimeError(f'not all were answered with 200: {said}')
    return {'per_s': said['requests'] / said['seconds'], 'p50_ms': said['p50_ms'], 'p99_ms': said['p99_ms']}


def run() -> list[Table]:
    with System(workers=0, programs=PROGRAMS) as system:
        tenant = first_tenant(system)
        ids = [system.submit(tenant.variant) for _ in range(JOBS)]
        cases = [(name, some, connections) for connections in (1, 64)
                 for name, some in ((f'{JOBS} jobs', ids), ('one job', ids[:1]))]
        get(system, ids, 64)
        seen = interleave({f'{name}, {connections}': partial(get, system, some, connections)
                           for name, some, connections in cases})
    table = Table('read: GET /v1/jobs/{id}', ['jobs, connections', '200 a second', 'range', 'p50 ms', 'p99 ms'])
    for name, median in seen.items():
        table.add(name, median['per_s'], median.range('per_s'), median['p50_ms'], median['p99_ms'])
    table.notes.append('reads that come while two queries are under way share the next one (gateway/database/gather.c)')
    return [table]
