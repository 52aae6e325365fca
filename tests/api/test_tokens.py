"""Who has no token, a malformed one, an unknown one or a revoked one learns nothing else."""
import time

import httpx
import pytest

from commands import run_admin
from problems import check_problem
from raw import answers

UNKNOWN = 'ab_' + 'x' * 48
PROTECTED = (('GET', '/v1/events'), ('POST', '/v1/jobs'), ('GET', '/v1/jobs/x'),
             ('GET', '/v1/variants/00000000-0000-4000-8000-000000000000'), ('POST', '/v1/therapeutic-candidates'))


def check_refused(answer: httpx.Response) -> dict:
    assert answer.headers['www-authenticate'] == 'Bearer'
    return check_problem(answer, 401, 'unauthorized')


@pytest.mark.parametrize('method, path', PROTECTED)
def test_without_a_token_there_is_nothing(anonymous, method, path):
    check_refused(anonymous.request(method, path))


@pytest.mark.parametrize('value', [
    '', 'Bearer', 'Basic dXNlcjpwYXNz', UNKNOWN, 'Bearer ' + UNKNOWN, 'Bearer ' + UNKNOWN[:-1],
    'Bearer ' + UNKNOWN + 'x', 'Bearer xy_' + 'x' * 48, 'Bearer ab_' + "'" * 48, 'Bearer ' + 'a' * 8000])
def test_every_refusal_is_the_same(anonymous, value):
    none = check_refused(anonymous.get('/v1/events'))
    assert check_refused(anonymous.get('/v1/events', headers={'Authorization': value})) == none


def test_a_changed_letter_is_another_token(anonymous, other):
    good = other.token
    for place in (3, 25, 50):
        bad = good[:place] + ('x' if good[place] != 'x' else 'y') + good[place + 1:]
        check_refused(anonymous.get('/v1/events', headers={'Authorization': f'Bearer {bad}'}))
    assert anonymous.get('/v1/events', headers={'Authorization': f'bearer {good}'}).status_code == 200


def test_two_tokens_are_none(system, other):
    data = ('GET /v1/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n'
            f'Authorization: Bearer {system.token}\r\nAuthorization: Bearer {other.token}\r\n\r\n').encode()
    assert [answer.status for answer in answers(system.url, data)] == [400]


def test_a_token_has_the_promised_form(admin, other):
    tokens = [admin('create-token', other.org_id)['token'] for _ in range(5)]
    assert len(set(tokens)) == 5
    assert all(len(token) == 51 and token.startswith('ab_') and token[3:].isalnum() for token in tokens)


def test_a_revoked_token_is_refused_within_a_second(admin, other):
    until = time.monotonic() + 1.2
    while time.monotonic() < until:  # in every cache by now
        assert other.http.get('/v1/events').status_code == 200
    admin('revoke-token', other.token_id)
    revoked = time.monotonic()
    asked = revoked
    while (answer := other.http.get('/v1/events')).status_code == 200:
        assert asked - revoked < 1.0
        asked = time.monotonic()
    check_refused(answer)
    for _ in range(20):
        check_refused(other.http.get('/v1/events'))


def test_revoking_one_token_leaves_the_others(admin, other):
    second = admin('create-token', other.org_id, 'second')
    admin('revoke-token', second['token_id'])
    assert other.http.get('/v1/events').status_code == 200


def test_tokens_are_stored_as_hashes_alone(system, other):
    rows = system.query('select t::text as row from tokens t')
    assert rows and not any(other.token in row['row'] or other.token[3:] in row['row'] for row in rows)


def test_no_token_and_no_sequence_is_in_a_log(system, other):
    for path in ('/v1/events', f'/nowhere?token={other.token}', f'/v1/events?limit={other.token}'):
        other.http.get(path)
    other.http.post('/v1/therapeutic-candidates', json={'name': 'x', 'format': 'nanobody', 'chains': [
        {'kind': 'vhh', 'sequence': 'WWWWHHHHWWWWHHHHWWWW'}]})
    logs = ''.join(text for _, text in system.log_tails(10**7))
    assert other.token not in logs and system.token not in logs
    assert 'WWWWHHHH' not in logs


def test_the_commands_say_what_is_wrong(system, other):
    nobody = '00000000-0000-4000-8000-000000000000'
    for arguments in (('create-token', nobody), ('create-token', 'x'), ('revoke-token', nobody), ('revoke-token', ''),
                      ('import-variants', nobody, '/dev/null'), ('import-variants', other.org_id, '/nowhere'),
                      ('create-organisation', '')):
        done = run_admin(system, *arguments)
        assert (done.returncode, done.stdout) == (1, '') and done.stderr, arguments
    for arguments in ((), ('no-command',), ('create-token',), ('revoke-token', 'a', 'b')):
        done = run_admin(system, *arguments)
        assert (done.returncode, done.stdout) == (2, '') and 'usage' in done.stderr, arguments
