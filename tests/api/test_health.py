"""What operators look at, and what clients are told when a part is away."""
import json
import os
import re
import signal
import threading
import time

import httpx
import pytest

from harness.processes import wait_for
from problems import check_problem
from raw import Connection, head


def test_healthz_and_readyz_ask_for_no_token(anonymous):
    assert (anonymous.get('/healthz').status_code, anonymous.get('/healthz').json()) == (200, {'status': 'ok'})
    ready = anonymous.get('/readyz')
    assert (ready.status_code, ready.json()) == (200, {
        'ready': True, 'database': True, 'broker': True, 'recorder': True, 'unserved': ready.json()['unserved']})


def metrics(client: httpx.Client) -> dict[str, float]:
    answer = client.get('/metrics')
    assert answer.status_code == 200
    assert answer.headers['content-type'].startswith('text/plain; version=0.0.4')
    lines = [line for line in answer.text.splitlines() if not line.startswith('#')]
    assert all(re.fullmatch(r'[a-z_]+(\{[^}]*("[^"]*"[^}]*)*\})? [0-9.e+-]+', line) for line in lines), lines
    return {line.rpartition(' ')[0]: float(line.rpartition(' ')[2]) for line in lines}


def test_metrics_count_requests_by_route_and_status(anonymous):
    name = 'paratope_http_requests_total{method="GET",route="/v1/jobs/{id}",status="401"}'
    buckets = 'paratope_http_request_seconds_bucket{method="GET",route="/v1/jobs/{id}",le="+Inf"}'
    before = metrics(anonymous)
    for _ in range(3):
        anonymous.get('/v1/jobs/00000000-0000-4000-8000-000000000000')
    after = metrics(anonymous)
    assert after[name] - before.get(name, 0) == 3
    assert after[buckets] - before.get(buckets, 0) == 3


def test_metrics_do_not_grow_with_what_is_asked_for(anonymous):
    for n in range(50):
        anonymous.get(f'/nothing/{n}')
    figures = metrics(anonymous)
    assert figures['paratope_http_requests_total{method="",route="",status="404"}'] >= 50
    assert not any('nothing' in name for name in figures)


def test_metrics_count_jobs(anonymous, system):
    before = metrics(anonymous)['paratope_submitted_total']
    system.submit()
    assert metrics(anonymous)['paratope_submitted_total'] == before + 1


def readiness(url: str) -> tuple[int, dict]:
    answer = httpx.get(f'{url}/readyz', timeout=20, trust_env=False)
    return answer.status_code, answer.json()


@pytest.mark.timeout(240)
def test_a_stopped_database_is_503_in_time_and_never_a_202(new_system):
    system = new_system()
    before = system.submit()
    system.wait_terminal([before])
    main = system.kill('postgres', signal.SIGSTOP)  # first, so that it starts nobody any more
    pids = [main, *children(main)]
    for pid in pids:
        signal_process(pid, signal.SIGSTOP)
    try:
        for method, path, body in (('POST', '/v1/jobs', {'variant_id': system.variant, 'job_type': 'humanization'}),
                                   ('GET', f'/v1/jobs/{before}', None), ('GET', '/v1/events', None)):
            began = time.monotonic()
            answer = system.http.request(method, path, json=body)
            assert time.monotonic() - began < 20, path  # 5 s, on a busy machine
            check_problem(answer, 503, 'unavailable')
            assert int(answer.headers['retry-after']) >= 1
        assert wait_for(lambda: readiness(system.url)[1]['database'] is False, 40)
        assert readiness(system.url)[0] == 503
        assert httpx.get(f'{system.url}/healthz', timeout=20, trust_env=False).status_code == 200
    finally:
        for pid in reversed(pids):
            signal_process(pid, signal.SIGCONT)
    assert wait_for(lambda: readiness(system.url)[0] == 200, 60)
    assert system.http.get(f'/v1/jobs/{before}').status_code == 200
    system.wait_terminal([system.submit()])


def test_a_broker_that_is_away_is_named_and_jobs_are_still_taken(new_system):
    system = new_system()
    system.kill('broker-1', signal.SIGSTOP)
    try:
        assert wait_for(lambda: readiness(system.url)[1]['broker'] is False, 40)
        status, body = readiness(system.url)
        assert (status, body['ready'], body['database']) == (503, False, True)
        job = system.submit()
    finally:
        system.kill('broker-1', signal.SIGCONT)
    system.wait_terminal([job])


def children(pid: int) -> list[int]:
    with open(f'/proc/{pid}/task/{pid}/children') as file:
        return [int(child) for child in file.read().split()]


def signal_process(pid: int, signum: int) -> None:
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        pass


def test_a_gateway_that_ends_answers_what_it_has_begun(new_system):
    """SIGTERM while requests are under way: each is answered whole, or refused with 503, or not taken."""
    system = new_system()
    statuses: list[object] = []

    def ask() -> None:
        with httpx.Client(base_url=system.url, headers={'Authorization': f'Bearer {system.token}'}, timeout=60,
                          trust_env=False) as client:
            try:
                while True:
                    answer = client.post('/v1/jobs', json={'variant_id': system.variant, 'job_type': 'humanization'})
                    statuses.append((answer.status_code, answer.json().get('id')))
            except httpx.TransportError as error:
                statuses.append(error)

    askers = [threading.Thread(target=ask) for _ in range(8)]
    for asker in askers:
        asker.start()
    assert wait_for(lambda: len(statuses) > 50, 40)
    old = system.kill('gateway-1', signal.SIGTERM)
    for asker in askers:
        asker.join()
    system.wait_restarted('gateway-1', old)
    accepted = [status[1] for status in statuses if isinstance(status, tuple) and status[0] == 202]
    assert {status[0] for status in statuses if isinstance(status, tuple)} <= {202, 503}
    assert len(system.jobs(accepted)) == len(accepted)
    system.wait_terminal(accepted, 60)


def test_a_request_whose_body_is_still_coming_is_answered_before_the_end(new_system):
    system = new_system()
    body = b'{"variant_id": "%s", "job_type": "humanization"}' % system.variant.encode()
    with Connection(system.url) as connection:
        connection.send(head('POST', '/v1/jobs', system.token, Content_Type='application/json',
                             Content_Length=str(len(body)), Expect='100-continue') + body[:20])
        assert connection.head() == b'HTTP/1.1 100 Continue'  # so it has begun
        old = system.kill('gateway-1', signal.SIGTERM)
        assert wait_for(lambda: '"ending"' in system.log('gateway-1'), 5)
        connection.send(body[20:])
        answer = connection.answer()
    assert answer.status == 202
    assert answer.headers['connection'] == 'close'
    system.wait_restarted('gateway-1', old)
    system.wait_terminal([json.loads(answer.body)['id']])
