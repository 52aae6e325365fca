"""Candidates: what is an antibody becomes one, everything else is refused with its place."""
import json

import pytest

from commands import run_admin
from harness.antibodies import EXAMPLE
from problems import check_problem, messages

HEAVY, LIGHT = EXAMPLE['heavy'], EXAMPLE['light']
SCFV = HEAVY + 'GGGGSGGGGSGGGGS' + LIGHT
# Human lysozyme: long enough, all 20 letters, no antibody.
LYSOZYME = ('KVFERCELARTLKRLGMDGYRGISLANWMCLAKWESGYNTRATNYNAGDRSTDYGIFQINSRYWCNDGKTPGAVNACHLSCSALLQDNIADAVACAKRVV'
            'RDPQGIRAWVAWRNRCQNRDVRQYVQGCGV')


def post(api, name='example', form='mab', chains=(('heavy', HEAVY), ('light', LIGHT))):
    return api.post('/v1/therapeutic-candidates', json={
        'name': name, 'format': form, 'chains': [{'kind': kind, 'sequence': sequence} for kind, sequence in chains]})


def count(system) -> tuple[int, int]:
    row = system.query('select (select count(*) from therapeutic_candidates) as c, (select count(*) from variants) as v')
    return row[0]['c'], row[0]['v']


def test_a_candidate_is_made_with_its_variant_and_chains(api):
    answer = post(api)
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers['location'] == f'/v1/therapeutic-candidates/{made["id"]}'
    assert (made['object'], made['name'], made['format']) == ('therapeutic_candidate', 'example', 'mab')
    assert [(chain['kind'], chain['sequence'], chain['chain_type']) for chain in made['chains']] == [
        ('heavy', HEAVY, 'heavy'), ('light', LIGHT, 'kappa')]
    assert made['chains'][0]['domains'] == [{'chain_type': 'heavy', 'start': 1, 'end': 120, 'length': 120}]
    variant = api.get(f'/v1/variants/{made["variant_id"]}').json()
    assert (variant['id'], variant['object'], variant['candidate_id']) == (made['variant_id'], 'variant', made['id'])
    assert [(chain['kind'], chain['sequence']) for chain in variant['chains']] == [('heavy', HEAVY), ('light', LIGHT)]
    again = api.get(answer.headers['location']).json()
    assert {key: again[key] for key in ('id', 'object', 'name', 'format', 'variant_id', 'created_at')} == {
        key: made[key] for key in ('id', 'object', 'name', 'format', 'variant_id', 'created_at')}


@pytest.mark.parametrize('form, chains', [
    ('nanobody', [('vhh', HEAVY)]),
    ('scfv', [('scfv', SCFV)]),
    ('scfv', [('heavy', HEAVY), ('light', LIGHT)]),
    ('fc_fusion', [('vhh', HEAVY)]),
    ('mab', [('light', LIGHT), ('heavy', HEAVY)])])
def test_each_format_takes_its_chains(api, form, chains):
    answer = post(api, form=form, chains=chains)
    assert answer.status_code == 201, answer.text
    assert [chain['kind'] for chain in answer.json()['chains']] == [kind for kind, _ in chains]


@pytest.mark.parametrize('form, chains', [
    ('mab', [('heavy', HEAVY)]),
    ('mab', [('heavy', HEAVY), ('heavy', HEAVY)]),
    ('mab', [('heavy', HEAVY), ('light', LIGHT), ('light', LIGHT)]),
    ('nanobody', [('heavy', HEAVY)]),
    ('nanobody', [('vhh', HEAVY), ('vhh', HEAVY)]),
    ('scfv', [('heavy', HEAVY)])])
def test_chains_that_do_not_fit_the_format_are_named(api, form, chains):
    body = check_problem(post(api, form=form, chains=chains), 400, 'invalid_request')
    assert form in messages(body)['/chains']


@pytest.mark.parametrize('letter, word', [('J', 'amino acids'), ('X', 'amino acids'), ('B', 'amino acids'), ('Z', 'amino acids'),
                                          ('U', 'amino acids'), ('O', 'amino acids'), ('*', 'stop'), ('-', 'gap'), ('.', 'gap'),
                                          ('q', 'lower case'), (' ', 'white space'), ('\n', 'white space'), ('1', 'amino acids'),
                                          ('é', 'amino acids')])
@pytest.mark.parametrize('place', [0, 56, 119])
def test_a_bad_letter_is_named_with_its_position(system, api, letter, word, place):
    before = count(system)
    body = check_problem(post(api, chains=[('heavy', HEAVY[:place] + letter + HEAVY[place + 1:]), ('light', LIGHT)]),
                         422, 'invalid_sequence')
    first = body['errors'][0]
    assert (first['pointer'], first['position']) == ('/chains/0/sequence', place + 1)
    assert word in first['message']
    assert count(system) == before


def test_bad_letters_of_all_chains_are_named_at_once(api):
    body = check_problem(post(api, chains=[('heavy', 'J' + HEAVY[1:-1] + '*'), ('light', LIGHT[:9] + 'x' + LIGHT[10:])]),
                         422, 'invalid_sequence')
    assert [(error['pointer'], error['position']) for error in body['errors']] == [
        ('/chains/0/sequence', 1), ('/chains/0/sequence', len(HEAVY)), ('/chains/1/sequence', 10)]


def test_a_sequence_full_of_bad_letters_makes_a_short_answer(api):
    answer = post(api, form='nanobody', chains=[('vhh', 'j' * 900_000)])
    assert 1 <= len(check_problem(answer, 422, 'invalid_sequence')['errors']) <= 20


@pytest.mark.parametrize('sequence', [LYSOZYME, 'A' * 120, 'EVQLVESGGG', 'W', '', HEAVY[60:], HEAVY[:40], 'ACDEFGHIKLMNPQRSTVWY' * 400],
                         ids=['lysozyme', 'alanine', 'start', 'letter', 'empty', 'end', 'begin', 'long'])
def test_what_is_no_antibody_is_refused_with_a_reason(system, api, sequence):
    before = count(system)
    body = check_problem(post(api, form='nanobody', chains=[('vhh', sequence)]), 422, 'invalid_sequence')
    assert len(messages(body)['/chains/0/sequence']) > 20
    assert count(system) == before


@pytest.mark.parametrize('form, chains, pointer, word', [
    ('mab', [('heavy', LIGHT), ('light', LIGHT)], '/chains/0/sequence', 'light'),
    ('mab', [('heavy', HEAVY), ('light', HEAVY)], '/chains/1/sequence', 'heavy'),
    ('nanobody', [('vhh', LIGHT)], '/chains/0/sequence', 'light'),
    ('nanobody', [('vhh', SCFV)], '/chains/0/sequence', 'scfv'),
    ('scfv', [('scfv', HEAVY)], '/chains/0/sequence', 'one heavy and one light')])
def test_a_chain_of_the_wrong_kind_is_refused(api, form, chains, pointer, word):
    named = messages(check_problem(post(api, form=form, chains=chains), 422, 'invalid_sequence'))
    assert list(named) == [pointer]
    assert word in named[pointer]


def test_every_fault_of_a_candidate_is_named_at_once(api):
    body = check_problem(api.post('/v1/therapeutic-candidates', json={
        'format': 'igg', 'chains': [{'kind': 'middle'}, 7, {'kind': 'heavy', 'sequence': 5, 'x': 1}], 'extra': None}),
        400, 'invalid_request')
    assert set(messages(body)) == {'/name', '/format', '/chains/0/kind', '/chains/0/sequence', '/chains/1',
                                   '/chains/2/sequence', '/chains/2/x', '/extra'}


@pytest.mark.parametrize('name, status', [('x', 201), ('x' * 120, 201), ('ß→é' * 40, 201), ('', 400), ('x' * 121, 400),
                                          ('ß' * 121, 400), ('a\nb', 400), ('a\x7fb', 400), ("'; drop table jobs; --", 201)])
def test_names_are_1_to_120_characters(api, name, status):
    answer = post(api, name=name)
    assert answer.status_code == status
    if status == 201:
        assert answer.json()['name'] == name
        assert api.get(f'/v1/variants/{answer.json()["variant_id"]}').json()['name'] == name


@pytest.mark.parametrize('chains', [[], [{'kind': 'vhh', 'sequence': HEAVY}] * 9, {}, None, 'x'])
def test_chains_are_a_list_of_1_to_8(api, chains):
    answer = api.post('/v1/therapeutic-candidates', json={'name': 'x', 'format': 'fc_fusion', 'chains': chains})
    assert '/chains' in messages(check_problem(answer, 400, 'invalid_request'))


def test_variants_come_from_fasta(system, other, tmp_path):
    file = tmp_path / 'some.fasta'
    file.write_text(f'>pair VL of it\r\n{LIGHT[:50]}\r\n{LIGHT[50:]}\r\n>nano alone\n{HEAVY}\n\n>bad\nAAAA\n>pair VH\n{HEAVY}\n'
                    f'>single\n{SCFV}\n>half VL\n{LIGHT}\n>letter VH\n{HEAVY}\n>letter VL\nJ{LIGHT}\n')
    done = run_admin(system, 'import-variants', other.org_id, str(file))
    assert done.returncode == 1  # two of them are none
    lines = {line['name']: line for line in map(json.loads, done.stdout.splitlines())}
    assert list(lines) == ['pair', 'nano', 'bad', 'single', 'half', 'letter']
    assert [name for name, line in lines.items() if 'error' in line] == ['bad', 'half', 'letter']
    assert "'J' at position 1" in lines['letter']['error'] and 'light' in lines['letter']['error']
    for name, form, chains in (('pair', 'mab', [('heavy', HEAVY), ('light', LIGHT)]), ('nano', 'nanobody', [('vhh', HEAVY)]),
                               ('single', 'scfv', [('scfv', SCFV)])):
        variant = other.http.get(f'/v1/variants/{lines[name]["variant_id"]}').json()
        assert (variant['name'], variant['format'], variant['candidate_id']) == (name, form, lines[name]['candidate_id'])
        assert [(chain['kind'], chain['sequence']) for chain in variant['chains']] == chains


def test_an_import_without_faults_ends_with_0(system, other):
    done = run_admin(system, 'import-variants', other.org_id, 'scripts/example.fasta')
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {'name', 'candidate_id', 'variant_id'}


@pytest.mark.parametrize('content', [b'', b'\n\n', b'EVQL\n>x\nEVQL\n', b'>\nEVQL\n'])
def test_what_is_no_fasta_is_refused(system, other, tmp_path, content):
    file = tmp_path / 'none.fasta'
    file.write_bytes(content)
    done = run_admin(system, 'import-variants', other.org_id, str(file))
    assert (done.returncode, done.stdout) == (1, '')
    assert str(file) in done.stderr
