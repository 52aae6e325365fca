"""Humanization by the project's own pipeline: what may be asked for over HTTP, and what comes back."""
import pytest
from newcomers import Newcomer, newcomer
from problems import check_problem

from harness import System
from harness.processes import wait_for

STRATEGIES = ['cdr_grafting', 'vernier_grafting', 'resurfacing', 'optimized']


@pytest.fixture(scope='module')
def humanizing():
    with System(workers=1) as running:
        assert wait_for(lambda: 'humanization' in schemas(running), 60)
        yield running


@pytest.fixture(scope='module')
def ours(humanizing) -> Newcomer:
    return newcomer(humanizing, 'ours')


def schemas(system) -> dict[str, dict]:
    rows = system.http.get('/v1/job-types').json()['data']
    return {row['job_type']: row['options_schema'] for row in rows if row['options_schema']}


def humanize(who: Newcomer, **options: object) -> dict:
    body = {'variant_id': who.make_candidate()[1], **options}
    answer = who.http.post('/v1/humanizations', json=body, headers={'Prefer': 'wait=60'})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_defaults_are_those_of_a_job_without_options(humanizing, ours):
    properties = schemas(humanizing)['humanization']['properties']
    assert set(properties) == {'strategies', 'scheme', 'cdr_definition', 'target_germlines', 'keep', 'humanness_target'}
    plain = humanize(ours)
    assert [r['strategy'] for r in plain['results']] == STRATEGIES
    named = humanize(ours, **{name: p['default'] for name, p in properties.items()})
    assert named['results'] == plain['results']


def test_options_are_followed(ours):
    done = humanize(ours, strategies=['optimized'], scheme='kabat', keep=['H71'], humanness_target=0.8,
                    target_germlines={'vh': 'IGHV3-66'})
    result, = done['results']
    assert result['strategy'] == 'optimized' and result['numbering']['scheme'] == 'kabat'
    assert result['germlines']['vh']['v']['gene'].startswith('IGHV3-66*')
    assert 'H71' not in {d['position'] for d in result['mutation_details']['vh']}
    assert result['humanness_target']['target'] == 0.8
    assert done['inputs']['keep'] == ['H71']


def test_wrong_options_are_named_all_at_once(ours):
    body = {'variant_id': ours.make_candidate()[1], 'strategies': ['sapiens'], 'scheme': 'wolfguy', 'keep': ['71'],
            'humanness_target': 1.5, 'target_germlines': {'v': 'IGHV3-66'}}
    problem = check_problem(ours.http.post('/v1/humanizations', json=body), 400, 'invalid_request')
    assert {e['pointer'] for e in problem['errors']} == {'/strategies/0', '/scheme', '/keep/0', '/humanness_target',
                                                         '/target_germlines/v'}


def test_what_does_not_suit_the_antibody_fails_with_what_was_reached(ours):
    failed = humanize(ours, target_germlines={'vh': 'IGHV3-666'})
    assert failed['status'] == 'failed' and failed['error']['code'] == 'invalid_options'
    assert '/target_germlines/vh' in failed['error']['detail'] and 'IGHV3-66*' in failed['error']['detail']
    partial = failed['error']['partial']
    assert (partial['reached'], partial['at_fault']) == ('numbering', '/options/target_germlines/vh')
    assert [d['domain'] for d in partial['domains']] == ['vh', 'vl']
