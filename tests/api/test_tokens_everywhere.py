"""A revoked token is refused by every gateway within a second, also by one that hears nothing; and no log has one."""
import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager

import httpx
import psycopg2
import pytest

from commands import program, run_admin
from harness import EXAMPLE, GENERIC, System
from harness.processes import die_with_parent, wait_for
from newcomers import newcomer
from problems import check_problem
from raw import answers, head
from test_listeners import free_port

CONTROL = ("select pid from pg_stat_activity where datname = current_database() and usename = 'paratope' and "
           "(query in ('select true', 'listen paratope_tokens') or starts_with(query, 'select pg_try_advisory_lock'))")


@pytest.fixture(scope='module')
def pair():
    """Two gateways."""
    with System(gateways=2, workers=1, pipelines={'humanization': GENERIC}) as running:
        yield running


def make_token(system) -> tuple[str, str]:
    """Of a new organisation: (id, token)."""
    made = newcomer(system, 'short-lived')
    return made.token_id, made.token


@contextmanager
def clients(system, token: str):
    urls = system.env['PARATOPE_URLS'].split()
    assert len(urls) == 2
    assert wait_for(lambda: len(system.query(CONTROL)) == 2, 40), 'both listen, also after what the test before did'
    opened = [httpx.Client(base_url=url, headers={'Authorization': f'Bearer {token}'}, timeout=20, trust_env=False)
              for url in urls]
    yield opened
    for client in opened:
        client.close()


def statuses(opened: list[httpx.Client]) -> list[int]:
    return [client.get('/v1/me').status_code for client in opened]


def warm(opened: list[httpx.Client]) -> None:
    until = time.monotonic() + 1.2  # in both caches by then
    while time.monotonic() < until:
        assert statuses(opened) == [200, 200]


def revoke(system, token_id: str) -> float:
    """As `admin revoke-token` does it, on a connection that is there already; when it was done."""
    rows = system.query("with done as (update tokens set revoked_at = now() where id = %s returning id) "
                        "select pg_notify('paratope_tokens', id::text) from done", token_id)
    assert len(rows) == 1
    return time.monotonic()


def check_refused_within_a_second(opened: list[httpx.Client], since: float) -> None:
    asked = since
    while (got := statuses(opened)) != [401, 401]:
        assert asked - since < 1.0, f'{got} a second after it was revoked'
        asked = time.monotonic()
    for _ in range(20):
        assert statuses(opened) == [401, 401]


def test_by_both_gateways(pair):
    token_id, token = make_token(pair)
    with clients(pair, token) as opened:
        warm(opened)
        assert run_admin(pair, 'revoke-token', token_id).returncode == 0
        check_refused_within_a_second(opened, time.monotonic())


@pytest.mark.timeout(180)
def test_while_the_listening_connections_are_ended_over_and_over(pair):
    token_id, token = make_token(pair)
    stop = threading.Event()

    def end_them() -> None:
        while not stop.is_set():
            pair.query(f'select pg_terminate_backend(pid) from ({CONTROL}) c')
            time.sleep(0.02)

    with clients(pair, token) as opened:
        warm(opened)
        ender = threading.Thread(target=end_them)
        ender.start()
        try:
            time.sleep(0.1)
            check_refused_within_a_second(opened, revoke(pair, token_id))
        finally:
            stop.set()
            ender.join()
    pair.wait_ready()


@pytest.mark.timeout(180)
def test_while_no_listening_connection_can_be_opened(pair):
    """The handlers' own connections still work; only who would be told of the change is away."""
    token_id, token = make_token(pair)
    admin = psycopg2.connect(pair.env['DATABASE_URL'], user='postgres')
    admin.autocommit = True
    with clients(pair, token) as opened:
        warm(opened)
        with admin.cursor() as cursor:
            cursor.execute('alter role paratope connection limit 0')
            try:
                cursor.execute(f'select count(pg_terminate_backend(pid)) from ({CONTROL}) c')
                assert cursor.fetchone()[0] == 2
                cursor.execute("with done as (update tokens set revoked_at = now() where id = %s returning id) "
                               "select pg_notify('paratope_tokens', id::text) from done", (token_id,))
                check_refused_within_a_second(opened, time.monotonic())
            finally:
                cursor.execute('alter role paratope connection limit -1')
    admin.close()
    pair.wait_ready()


@pytest.mark.timeout(180)
def test_while_the_listening_connections_are_stopped(pair):
    token_id, token = make_token(pair)
    with clients(pair, token) as opened:
        warm(opened)
        pids = [row['pid'] for row in pair.query(CONTROL)]
        assert len(pids) == 2
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            check_refused_within_a_second(opened, revoke(pair, token_id))
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
    pair.wait_ready()


def leaders(pair) -> int:
    return sum('\nparatope_recorder_leader 1\n' in httpx.get(f'{url}/metrics', trust_env=False).text
               for url in pair.env['PARATOPE_URLS'].split())


@pytest.mark.timeout(180)
def test_after_their_connections_were_ended_the_gateways_listen_again_and_one_leads(pair):
    """A token in force is not disturbed by it, and the next that is revoked is heard of."""
    token_id, token = make_token(pair)
    old = {row['pid'] for row in pair.query(CONTROL)}
    with clients(pair, token) as opened:
        warm(opened)
        pair.query(f'select pg_terminate_backend(pid) from ({CONTROL}) c')
        for _ in range(50):
            assert statuses(opened) == [200, 200]
        assert wait_for(lambda: len(new := pair.query(CONTROL)) == 2 and {row['pid'] for row in new}.isdisjoint(old), 40)
        warm(opened)
        assert wait_for(lambda: leaders(pair) == 1, 40)
        check_refused_within_a_second(opened, revoke(pair, token_id))


# ---- GET /v1/me ----------------------------------------------------------------------------------


def test_me_names_the_organisation_and_its_plan(api, other, system):
    mine, theirs = api.get('/v1/me').json(), other.http.get('/v1/me').json()
    assert theirs == {'object': 'organisation', 'org_id': other.org_id, 'plan': 'unlimited', 'subscription_balance': None,
                      'purchased_balance': None, 'total_credits': None, 'monthly_grant': None}
    assert mine == {**theirs, 'org_id': mine['org_id']} and mine['org_id'] != other.org_id
    assert system.query('select org_id::text from jobs where id = %s', system.submit()) == [{'org_id': mine['org_id']}]


def test_me_asks_for_a_token(anonymous):
    check_problem(anonymous.get('/v1/me'), 401, 'unauthorized')


# ---- logs ----------------------------------------------------------------------------------------

LETTERS = 'WWHHWWHHMMCCWWHHWWHHMMCC'  # of no antibody, so that it is seen wherever it stands


def provoke(url: str, token: str) -> None:
    """Errors of all kinds, with the token and the sequence at every place where somebody may put them."""
    good = {'Authorization': f'Bearer {token}'}
    molecule = {'name': LETTERS, 'format': 'nanobody', 'chains': [{'kind': 'vhh', 'sequence': LETTERS}]}
    with httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
        for secret in (token, LETTERS, token[3:]):
            for path in (f'/{secret}', f'/v1/jobs/{secret}', f'/v1/events?after={secret}', f'/v1/me?token={secret}',
                         f'/v1/variants/{secret}/x', f'/{"x" * 200}/{secret}', f'/v1/jobs/{secret[:30]}'):
                for method in ('GET', 'POST', 'DELETE'):
                    client.request(method, path, headers=good)
                    client.request(method, path)
            client.get('/v1/events', headers={'Authorization': secret})
            client.get('/v1/events', headers={'Authorization': f'Basic {secret}'})
            client.get('/v1/events', headers={**good, 'Accept': secret, 'X-Request-Id': token, 'User-Agent': secret})
            client.post('/v1/jobs', content=secret, headers={**good, 'Content-Type': 'application/json'})
            client.post('/v1/jobs', content=secret, headers={**good, 'Content-Type': secret})
            client.post('/v1/jobs', json={secret: secret, 'job_type': secret, 'variant_id': secret}, headers=good)
            client.post('/v1/therapeutic-candidates', json={**molecule, 'name': secret}, headers=good)
            client.post('/v1/therapeutic-candidates', json={**molecule, secret: 1}, headers=good)
            client.post('/v1/therapeutic-candidates', json={**molecule, 'name': '\0' + secret}, headers=good)
    for secret in (token, LETTERS):
        for data in (f'{secret} / HTTP/1.1\r\nHost: a\r\n\r\n', f'GET /{secret} HTTP/9.9\r\nHost: a\r\n\r\n',
                     f'GET / HTTP/1.1\r\n{secret}\r\n\r\n', f'GET / HTTP/1.1\r\nHost: {secret}\r\nHost: a\r\n\r\n',
                     f'GET http://{secret}/ HTTP/1.1\r\nHost: a\r\n\r\n', secret,
                     f'GET / HTTP/1.1\r\nHost: a\r\nX: {secret * 400}\r\n\r\n'):
            answers(url, data.encode(), 0.3)
        answers(url, head('POST', '/v1/jobs', token, Content_Length='9', Transfer_Encoding=secret), 0.3)


@pytest.mark.timeout(300)
def test_no_log_of_any_process_has_a_token_or_a_sequence(new_system):
    """Nor when everything is logged, jobs fail and the database is away."""
    system = new_system()
    _, other_token = make_token(system)
    log = system.home / 'log' / 'gateway-loud.log'
    at = f'127.0.0.1:{free_port()}'
    with open(log, 'wb') as file:
        loud = subprocess.Popen([program('paratope-gateway'), '--listen', at, '--access-log'],
                                env={**os.environ, **system.env}, stderr=file, preexec_fn=die_with_parent(signal.SIGKILL))

    def is_up() -> bool:
        try:
            return httpx.get(f'http://{at}/healthz', timeout=10, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False
    try:
        assert wait_for(is_up, 40)
        for url in (system.url, f'http://{at}'):
            provoke(url, other_token)
        failed = [system.submit(system.make_variant(name)) for name in ('plain', 'fail=no', 'crash=9', 'garbage')]
        system.wait_terminal(failed, 60)
        old = system.kill('postgres')
        provoke(f'http://{at}', other_token)
        system.wait_restarted('postgres', old)
        system.wait_database()
    finally:
        loud.terminate()
        loud.wait(40)
    logs = dict(system.log_tails(10**8))
    assert {name.rpartition('/')[2].partition('-')[0] for name in logs} >= {'broker', 'gateway', 'worker', 'postgres.log'}
    assert '"request"' in logs[str(log)], 'the loud one was loud'
    for secret in (other_token, system.token, other_token[3:43], LETTERS, *(chain[:40] for chain in EXAMPLE.values())):
        assert [(name, text[max(0, text.find(secret) - 200):][:400]) for name, text in logs.items() if secret in text] == []
