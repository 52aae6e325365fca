"""What is sent by mistake has a named outcome: at the door, or where an old door let it through, in the job."""
import json
import uuid

import pytest

from harness.antibodies import EXAMPLE
from harness.processes import wait_for
from problems import check_problem

HEAVY, LIGHT = EXAMPLE['heavy'], EXAMPLE['light']
PAIR = [('heavy', HEAVY), ('light', LIGHT)]
# A6, chains alpha and beta.
TCR = [('heavy', 'NAGVTQTPKFQVLKTGQSMTLQCAQDMNHEYMSWYRQDPGMGLRLIHYSVGAGITDQGEVPNGYNVSRSTTEDFPLRLLSAAPSQTSVYFCASRPGLAGGRPEQYFGPGTRLTV'
        'TEDLKNVFPPEVAVFEPSEAEISHTQKATLVCLATGFYPDHVELSWWVNGKEVHSGVSTDPQPLKEQPALNDSRYALSSRLRVSATFWQNPRNHFRCQVQFYGLSENDEWTQDRAKPVT'),
       ('light', 'KEVEQNSGPLSVPEGAIASLNCTYSDRGSQSFFWYRQYSGKSPELIMSIYSNGDKEDGRFTAQLNKASQYVSLLIRDSQPSDSATYLCAVTTDSWGKLQFGAGTQVVVTPDIQNP')]
ENZYME = ('KVFERCELARTLKRLGMDGYRGISLANWMCLAKWESGYNTRATNYNAGDRSTDYGIFQINSRYWCNDGKTPGAVNACHLSCSALLQDNIADAVACAKRVVRDPQGIRAWVAWRNRC'
          'QNRDVRQYVQGCGV')
LONG = HEAVY + 'GGGGS' * 1000
H, L = '/chains/0/sequence', '/chains/1/sequence'


def instead(place: int, letters: str) -> list[tuple[str, str]]:
    return [('heavy', HEAVY[:place] + letters + HEAVY[place + 1:]), ('light', LIGHT)]


def post(api, chains, form='mab'):
    return api.post('/v1/therapeutic-candidates', json={
        'name': 'mistake', 'format': form, 'chains': [{'kind': kind, 'sequence': sequence} for kind, sequence in chains]})


@pytest.mark.parametrize('chains, status, code, places', [
    (TCR, 422, 'invalid_sequence', [(H, None), (L, None)]),
    ([('heavy', ENZYME), ('light', LIGHT)], 422, 'invalid_sequence', [(H, None)]),
    ([('heavy', HEAVY), ('heavy', HEAVY)], 400, 'invalid_request', [('/chains', None)]),
    ([('light', LIGHT)], 400, 'invalid_request', [('/chains', None)]),
    ([('heavy', LIGHT), ('light', HEAVY)], 422, 'invalid_sequence', [(H, None), (L, None)]),
    (instead(49, 'X'), 422, 'invalid_sequence', [(H, 50)]),
    (instead(0, 'q'), 422, 'invalid_sequence', [(H, 1)]),
    ([('heavy', HEAVY.lower()), ('light', LIGHT)], 422, 'invalid_sequence', [(H, place) for place in range(1, 11)]),
    ([('heavy', HEAVY[:40]), ('light', LIGHT)], 422, 'invalid_sequence', [(H, None)]),
    ([('heavy', HEAVY), ('light', LIGHT[-40:])], 422, 'invalid_sequence', [(L, None)]),
    ([('heavy', LONG[:5001]), ('light', LIGHT)], 422, 'invalid_sequence', [(H, None)]),
    ([('heavy', HEAVY), ('light', LIGHT + '*')], 422, 'invalid_sequence', [(L, len(LIGHT) + 1)]),
    (instead(30, '-'), 422, 'invalid_sequence', [(H, 31)]),
    (instead(30, '..'), 422, 'invalid_sequence', [(H, 31), (H, 32)]),
    (instead(30, 'é'), 422, 'invalid_sequence', [(H, 31), (H, 32)]),  # two bytes, each no residue
    ([('heavy', ''), ('light', LIGHT)], 422, 'invalid_sequence', [(H, None)]),
    ([], 400, 'invalid_request', [('/chains', None)]),
], ids=['tcr', 'enzyme', 'heavy-twice', 'light-alone', 'swapped', 'X', 'lower-letter', 'lower-case', 'fragment',
        'fragment-end', '5001', 'stop', 'gap', 'dots', 'non-ascii', 'empty', 'no-chains'])
def test_each_mistake_is_named_at_the_door(api, chains, status, code, places):
    body = check_problem(post(api, chains), status, code)
    assert [(error['pointer'], error.get('position')) for error in body['errors']] == places
    assert all(len(error['message']) > 10 for error in body['errors'])


@pytest.mark.parametrize('sequence', [b'EVQ\xff', b'EVQ\xed\xa0\x80', b'EVQ\\u0000'])
def test_what_is_no_text_is_refused(api, sequence):
    body = b'{"name": "x", "format": "nanobody", "chains": [{"kind": "vhh", "sequence": "' + sequence + b'"}]}'
    check_problem(api.post('/v1/therapeutic-candidates', content=body, headers={'Content-Type': 'application/json'}),
                  400, 'invalid_request')


@pytest.mark.parametrize('chains, chain, position', [
    (instead(21, 'S'), 0, 22), (instead(95, 'A'), 0, 96),
    ([('heavy', HEAVY), ('light', LIGHT.replace('ITCK', 'ITVK'))], 1, 23)])
def test_a_missing_cysteine_is_taken_with_a_warning(api, chains, chain, position):
    answer = post(api, chains)
    assert answer.status_code == 201, answer.text
    made = answer.json()['chains']
    (warning,) = made[chain]['warnings']
    assert (warning['code'], warning['position']) == ('missing_cysteine', position)
    assert 'IMGT position' in warning['message'] and 'warnings' not in made[1 - chain]


def test_5000_residues_are_taken(api):
    answer = post(api, [('heavy', LONG[:5000]), ('light', LIGHT)])
    assert answer.status_code == 201, answer.text
    assert answer.json()['chains'][0]['domains'][0]['end'] == len(HEAVY)


def let_through(system, chains, form='mab') -> str:
    """A variant that is in the table without having been checked."""
    candidate, variant = str(uuid.uuid4()), str(uuid.uuid4())
    system.query('insert into therapeutic_candidates (id, org_id, name, format) select %s, org_id, %s, %s from variants '
                 'where id = %s', candidate, 'let through', form, system.variant)
    system.query('insert into variants (id, org_id, candidate_id, name, format, chains) select %s, org_id, %s, %s, %s, %s '
                 'from variants where id = %s', variant, candidate, 'let through', form,
                 json.dumps([{'kind': kind, 'sequence': sequence} for kind, sequence in chains]), system.variant)
    return variant


@pytest.mark.parametrize('job_type', ['immunogenicity', 'stability'])  # the real programs; humanization is a generic one here
def test_what_an_old_door_let_through_fails_its_job_and_no_other(system, job_type):
    """A real worker: each job fails at its first try, for the reason, and the same process goes on."""
    mistakes = {'not_an_antibody': TCR, 'duplicate_chain': [('heavy', HEAVY), ('heavy', HEAVY)], 'missing_chain': [('light', LIGHT)],
                'invalid_residue': instead(49, 'X'), 'empty_sequence': [('heavy', ''), ('light', LIGHT)],
                'sequence_too_long': [('heavy', LONG), ('light', LIGHT)], 'wrong_chain_kind': [('heavy', LIGHT), ('light', HEAVY)],
                'invalid_inputs': [('middle', HEAVY)]}
    jobs = {}
    for code, chains in mistakes.items():
        jobs[code] = system.submit(let_through(system, chains), job_type)
        jobs['result', code] = system.submit(job_type=job_type)
    system.wait_terminal(list(jobs.values()), 60)
    for key, job in jobs.items():
        row = system.query('select status, error_code, attempt from jobs where id = %s', (job,))[0]
        wanted = ('completed', None) if isinstance(key, tuple) else ('failed', key)
        assert (row['status'], row['error_code'], row['attempt']) == (*wanted, 1), key
    for code in ('not_an_antibody', 'invalid_residue', 'missing_chain'):
        envelope = system.http.get(f'/v1/jobs/{jobs[code]}').json()
        assert envelope['status'] == 'failed' and len(envelope['error_message']) > 10
    assert wait_for(lambda: system.http.get('/readyz').status_code == 200, 30)
