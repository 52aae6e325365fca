"""Panels from a FASTA: each antibody a candidate, checked at the door, all of them or none."""
import csv
import io
import time

import pytest

from harness import System
from harness.antibodies import EXAMPLE
from harness.processes import wait_for
from problems import check_problem
from raw import Connection
from test_batches import jobs_of, wait_ended

HEAVY, LIGHT = EXAMPLE['heavy'], EXAMPLE['light']
LINKED = HEAVY + 'GGGGSGGGGSGGGGS' + LIGHT
PLAIN = {'Content-Type': 'text/x-fasta'}
MANY = 8 * 1024 * 1024


def count(system) -> list[dict]:
    return system.query('select (select count(*) from batches) as batches, (select count(*) from variants) as variants, '
                        '(select count(*) from therapeutic_candidates) as candidates, (select count(*) from jobs) as jobs')


def test_pairs_nanobodies_and_single_chains(api):
    text = f'>a VL any words\n{LIGHT}\n>b\n{HEAVY}\n>a VH\n{HEAVY[:60]}\n{HEAVY[60:]}\n\n>c\r\n{LINKED}\r\n'
    answer = api.post('/v1/batches', json={'job_type': 'humanization', 'fasta': text})
    assert answer.status_code == 202, answer.text
    assert wait_ended(api, answer.json()['id'])['counts']['completed'] == 3
    variants = [api.get(f'/v1/variants/{job["variant_id"]}').json() for job in jobs_of(api, answer.json()['id'])]
    assert [(variant['name'], variant['format']) for variant in variants] == [('a', 'mab'), ('b', 'nanobody'), ('c', 'scfv')]
    assert variants[0]['chains'] == [{'kind': 'heavy', 'sequence': HEAVY}, {'kind': 'light', 'sequence': LIGHT}]
    assert variants[2]['chains'] == [{'kind': 'scfv', 'sequence': LINKED}]
    candidate = api.get(f'/v1/therapeutic-candidates/{variants[1]["candidate_id"]}').json()
    assert (candidate['variant_id'], candidate['name']) == (variants[1]['id'], 'b')


def test_the_text_itself_as_a_body(api):
    answer = api.post('/v1/batches?job_type=humanization&priority=high&name=panel-1', headers=PLAIN,
                      content=f'>a VH\n{HEAVY}\n>a VL\n{LIGHT}\n>b\n{HEAVY}\n')
    assert answer.status_code == 202, answer.text
    assert (answer.json()['total'], answer.json()['name'], answer.json()['priority']) == (2, 'panel-1', 'high')
    wait_ended(api, answer.json()['id'])


@pytest.mark.parametrize('query, parameter', [('?job_type=x', 'job_type'), ('?job_type=humanization&colour=1', 'colour'),
                                              ('?job_type=humanization&name=a%20b', 'name'),
                                              (f'?job_type=humanization&name={"a" * 121}', 'name')])
def test_bad_parameters_are_named(api, query, parameter):
    body = check_problem(api.post(f'/v1/batches{query}', headers=PLAIN, content=f'>a\n{HEAVY}'), 400, 'invalid_request')
    assert [error['parameter'] for error in body['errors']] == [parameter]


def test_without_a_job_type(api):
    body = check_problem(api.post('/v1/batches', headers=PLAIN, content=f'>a\n{HEAVY}'), 400, 'invalid_request')
    assert 'job_type' in body['detail']


@pytest.mark.parametrize('content', [b'', b'EVQL', b'>\nEVQL', b'>a\x00\nEVQL'])
def test_what_is_no_fasta(api, content):
    check_problem(api.post('/v1/batches?job_type=humanization', headers=PLAIN, content=content), 400, 'invalid_request')


def test_every_bad_record_is_named_and_nothing_is_made(api, system):
    before = count(system)
    text = (f'>good\n{HEAVY}\n>letter VH\n{HEAVY[:9]}J{HEAVY[10:]}\n>letter VL\n{LIGHT}\n>short\nEVQL\n'
            f'>swapped VH\n{LIGHT}\n>swapped VL\n{HEAVY}\n')
    answer = api.post('/v1/batches', json={'job_type': 'humanization', 'fasta': text})
    errors = check_problem(answer, 422, 'invalid_sequence')['errors']
    assert [(error['record'], error['name']) for error in errors] == [(2, 'letter'), (4, 'short'), (5, 'swapped')]
    assert {error['pointer'] for error in errors} == {'/fasta'}
    assert errors[0]['position'] == 10 and errors[0]['message'].startswith('heavy chain: ')
    assert 'position' not in errors[1]
    assert count(system) == before


def test_half_of_a_pair_is_told_of_the_other(api):
    """Typing errors in names are what makes them."""
    text = f'>one VH\n{HEAVY}\n>One VL\n{LIGHT}\n>two\n{LIGHT}\n'
    answer = api.post('/v1/batches', json={'job_type': 'humanization', 'fasta': text})
    heavy, light, lone = check_problem(answer, 422, 'invalid_sequence')['errors']
    assert light['name'] == 'One' and light['message'].endswith('there is no record of the same name with VH')
    assert (heavy['name'], heavy['record']) == ('one', 1) and 'no record of the same name with VL' in heavy['message']
    assert lone['name'] == 'two' and 'no record' not in lone['message']


def test_a_vh_alone_is_no_nanobody(api, system):
    before = count(system)
    for text in (f'>a VH\n{HEAVY}\n', f'>a VH\n{HEAVY}\n>a VL\n{LIGHT}\n>a VH\n{HEAVY}\n', f'>a VH job=x\n{LINKED}\n'):
        answer = api.post('/v1/batches?job_type=humanization', headers=PLAIN, content=text)
        error, = check_problem(answer, 422, 'invalid_sequence')['errors']
        assert 'half of an antibody' in error['message'] and 'with VL' in error['message'] and 'nanobody' in error['message']
    assert count(system) == before
    assert api.post('/v1/batches?job_type=humanization', headers=PLAIN, content=f'>a\n{HEAVY}\n').status_code == 202


def test_names_are_checked(api):
    for content in (f'>{"x" * 121}\n{HEAVY}'.encode(), b'>\xff\n' + HEAVY.encode(), f'>a\x01b\n{HEAVY}'.encode()):
        answer = api.post('/v1/batches?job_type=humanization', headers=PLAIN, content=content)
        assert 'name' in check_problem(answer, 422, 'invalid_sequence')['errors'][0]['message']


def test_names_have_one_limit_that_counts_characters(api):
    """In the query, in JSON and in the FASTA: 120 of them, however many bytes they take."""
    answer = api.post(f'/v1/batches?job_type=humanization&name={"a" * 120}', headers=PLAIN,
                      content=f'>{"é" * 120}\n{HEAVY}'.encode())
    assert answer.status_code == 202 and answer.json()['name'] == 'a' * 120
    body = {'job_type': 'humanization', 'fasta': f'>a\n{HEAVY}'}
    assert api.post('/v1/batches', json={**body, 'name': 'é' * 120}).status_code == 202
    check_problem(api.post('/v1/batches', json={**body, 'name': 'é' * 121}), 400, 'invalid_request')


def test_at_most_50_are_named(api):
    text = ''.join(f'>a{n}\nEVQL\n' for n in range(70))
    answer = api.post('/v1/batches', json={'job_type': 'humanization', 'fasta': text})
    assert len(check_problem(answer, 422, 'invalid_sequence')['errors']) == 50


@pytest.mark.timeout(600)
def test_10000_and_no_more(api, system):
    text = ''.join(f'>ab{n}\n{HEAVY}\n' for n in range(10_000))
    began = time.monotonic()
    answer = api.post('/v1/batches?job_type=structure', headers=PLAIN, content=text, timeout=300)
    assert answer.status_code == 202, answer.text
    print(f'10,000 nanobodies of {len(text) >> 10} KiB: {time.monotonic() - began:.1f} s')
    assert answer.json()['total'] == answer.json()['counts']['pending'] == 10_000
    assert api.post(f'/v1/batches/{answer.json()["id"]}/cancel', timeout=300).json()['counts']['canceled'] == 10_000
    more = api.post('/v1/batches?job_type=structure', headers=PLAIN, content=text + f'>one-more\n{HEAVY}\n', timeout=300)
    assert '10000 antibodies' in check_problem(more, 400, 'invalid_request')['errors'][0]['message']


def test_a_body_may_have_8_mib(api):
    """That it is no FASTA is said of it once it was read."""
    content = b'x' * MANY
    check_problem(api.post('/v1/batches?job_type=humanization', headers=PLAIN, content=content), 400, 'invalid_request')
    body = check_problem(api.post('/v1/batches?job_type=humanization', headers=PLAIN, content=content + b'x'), 413,
                         'content_too_large')
    assert '8 MiB' in body['detail']
    chunks = (b'x' * 65536 for _ in range(129))
    check_problem(api.post('/v1/batches?job_type=humanization', headers=PLAIN, content=chunks), 413, 'content_too_large')
    body = check_problem(api.post('/v1/jobs', json={'variant_id': 'x' * MANY}), 413, 'content_too_large')
    assert '1 MiB' in body['detail']


def test_other_types_and_codings_are_415(api):
    answer = api.post('/v1/batches?job_type=humanization', headers={'Content-Type': 'text/plain'}, content='>a\nE')
    check_problem(answer, 415, 'unsupported_media_type')
    assert answer.headers['accept'] == 'application/json, text/x-fasta'
    check_problem(api.post('/v1/jobs', headers=PLAIN, content='>a\nE'), 415, 'unsupported_media_type')
    check_problem(api.post('/v1/batches', headers={**PLAIN, 'Content-Encoding': 'gzip'}, content='>a\nE'), 415,
                  'unsupported_media_type')


def test_slow_large_bodies_leave_room_for_others(api, system):
    """Four clients that stop after 7.9 MiB take all the room there is for such bodies, and none of the others'."""
    head = (f'POST /v1/batches?job_type=humanization HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {system.token}\r\n'
            f'Content-Type: text/x-fasta\r\nContent-Length: {MANY}\r\n\r\n').encode()
    slow = [Connection(system.url, 60) for _ in range(4)]
    try:
        for connection in slow:
            connection.send(head + b'x' * (MANY - 65536))
        def refused() -> bool:
            return api.post('/v1/batches?job_type=humanization', headers=PLAIN, content=b'x' * 2_000_000).status_code == 503
        assert wait_for(refused, 20), 'there is room although all of it is taken'
        assert api.post('/v1/jobs', content=b'x' * 1_000_000, headers={'Content-Type': 'application/json'}).status_code == 400
        assert api.post('/v1/batches?job_type=structure', headers=PLAIN, content=f'>a\n{HEAVY}').status_code == 202
    finally:
        for connection in slow:
            connection.socket.close()


@pytest.mark.timeout(300)
def test_a_humanized_panel_goes_in_again():
    """With the real pipeline: strategies are rows of the table and records of the FASTA, which is the next panel."""
    with System(workers=2) as system:
        text = f'>mouse VH\n{HEAVY}\n>mouse VL\n{LIGHT}\n>lone\n{HEAVY}\n'
        batch = system.http.post('/v1/batches?job_type=humanization', headers=PLAIN, content=text).json()['id']
        assert wait_ended(system.http, batch)['counts']['completed'] == 2
        jobs = [job['id'] for job in jobs_of(system.http, batch)]
        whole = [system.http.get(f'/v1/jobs/{job}/results').json()['results'] for job in jobs]
        answer = system.http.get(f'/v1/batches/{batch}/results?format=csv')
        rows = list(csv.DictReader(io.StringIO(answer.text, newline='')))
        assert [(row['job_id'], row['strategy']) for row in rows] == [
            (job, item['strategy']) for job, items in zip(jobs, whole) for item in items]
        items = [item for items in whole for item in items]
        assert [row['humanized_vh'] for row in rows] == [item['humanized_vh'] for item in items]
        assert [float(row['humanness.before']) for row in rows] == [item['humanness']['before'] for item in items]
        assert [row['mutations.vh'] for row in rows] == [';'.join(item['mutations']['vh']) for item in items]
        fasta = system.http.get(f'/v1/batches/{batch}/results?format=fasta').text
        assert fasta.startswith(f'>mouse.{items[0]["strategy"]} VH job={jobs[0]}\n')
        again = system.http.post('/v1/batches?job_type=humanization', headers=PLAIN, content=fasta)
        assert again.status_code == 202, again.text
        assert again.json()['total'] == len(items)
        assert wait_ended(system.http, again.json()['id'])['counts']['completed'] == len(items)
        genes = system.http.post('/v1/batches', json={'job_type': 'codon_export', 'fasta': text}).json()['id']
        assert wait_ended(system.http, genes)['counts']['completed'] == 2
        rows = list(csv.DictReader(io.StringIO(system.http.get(f'/v1/batches/{genes}/results?format=csv').text, newline='')))
        assert [(row['name'], row['chains.chain']) for row in rows] == [('mouse', 'heavy'), ('mouse', 'light'), ('lone', 'vhh')]
        records = system.http.get(f'/v1/batches/{genes}/results?format=fasta').text.split('>')[1:]
        assert [record.split()[0] for record in records] == ['mouse.heavy', 'mouse.light', 'lone.vhh']
        assert [''.join(record.splitlines()[1:]) for record in records] == [row['chains.dna'] for row in rows]
