"""What a batch comes to, as JSON lines, CSV and FASTA, while it runs and afterwards."""
import csv
import io
import json
import resource

import httpx
import pytest

from harness.processes import wait_for
from harness.system import programs
from problems import check_problem
from raw import Connection
from test_batches import submit, wait_ended

TYPES = {'jsonl': 'application/jsonl', 'csv': 'text/csv; charset=utf-8', 'fasta': 'text/x-fasta; charset=utf-8'}


def results(api, batch: str, form: str) -> httpx.Response:
    answer = api.get(f'/v1/batches/{batch}/results', params={'format': form})
    assert answer.status_code == 200, answer.text
    assert answer.headers['content-type'] == TYPES[form]
    assert answer.headers['content-disposition'] == f'attachment; filename="batch-{batch}.{form}"'
    return answer


def lines(api, batch: str) -> list[dict]:
    return [json.loads(line) for line in results(api, batch, 'jsonl').text.splitlines()]


def table(api, batch: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(results(api, batch, 'csv').text, newline='')))


@pytest.fixture(scope='module')
def finished(system):
    """Two that completed, one that failed, one whose name is a formula, one that is large."""
    names = ['plain', '=cmd|calc', 'fail=no_luck', 'result=3000000', 'last']
    batch = submit(system.http, [system.make_variant(name) for name in names])['id']
    wait_ended(system.http, batch)
    return batch


def test_lines_are_what_the_jobs_have(api, finished):
    found = lines(api, finished)
    assert [line['name'] for line in found] == ['plain', '=cmd|calc', 'fail=no_luck', 'result=3000000', 'last']
    for line in found:
        assert list(line) == ['job_id', 'variant_id', 'name', 'status', 'error', 'results', 'model_versions']
        answer = api.get(f'/v1/jobs/{line["job_id"]}/results')
        if line['status'] == 'completed':
            assert (line['results'], line['model_versions']) == (answer.json()['results'], answer.json()['model_versions'])
            assert line['error'] is None
        else:
            assert line['error'] == answer.json()['error'] == {'code': 'no_luck', 'message': 'failed as the name orders'}
            assert line['results'] is line['model_versions'] is None


def test_a_line_says_what_a_failed_job_had_reached(api, system):
    batch = submit(api, [system.make_variant('fail=x reached=numbering')])['id']
    wait_ended(api, batch)
    (line,) = lines(api, batch)
    assert line['error']['partial']
    assert line['error'] == api.get(f'/v1/jobs/{line["job_id"]}/results').json()['error']


def test_the_table_has_a_row_a_job(api, finished):
    found = table(api, finished)
    assert list(found[0]) == ['name', 'variant_id', 'job_id', 'status', 'error_code', 'error_message', 'attempt', 'pid',
                              'results.name', 'other']
    assert [row['name'] for row in found] == ['plain', "'=cmd|calc", 'fail=no_luck', 'result=3000000', 'last']
    assert [row['status'] for row in found] == ['completed', 'completed', 'failed', 'completed', 'completed']
    assert (found[2]['error_code'], found[2]['error_message'], found[2]['attempt']) == ('no_luck', 'failed as the name orders', '')
    assert (found[0]['attempt'], found[1]['results.name'], found[0]['other']) == ('1', "'=cmd|calc", '')
    assert found[3]['other'].startswith('too large for a table') and found[3]['job_id'] in found[3]['other']
    assert results(api, finished, 'csv').text.count('\r\n') == 6


def test_the_same_question_has_the_same_answer(api, finished):
    assert all(results(api, finished, form).content == results(api, finished, form).content for form in TYPES)


@pytest.mark.parametrize('accept, form', [
    ('', 'jsonl'), ('*/*', 'jsonl'), ('application/jsonl', 'jsonl'), ('text/csv', 'csv'), ('text/*', 'csv'),
    ('text/x-fasta', 'fasta'), ('text/html, text/csv;q=0.5', 'csv'), ('text/csv;q=0, */*', 'jsonl')])
def test_the_format_is_what_accept_names_first(api, finished, accept, form):
    answer = api.get(f'/v1/batches/{finished}/results', headers={'Accept': accept})
    assert answer.status_code == 200 and answer.headers['content-type'] == TYPES[form]


@pytest.mark.parametrize('accept', ['application/json', 'text/html', 'text/csv;q=0'])
def test_a_format_that_there_is_not_is_406(api, finished, accept):
    body = check_problem(api.get(f'/v1/batches/{finished}/results', headers={'Accept': accept}), 406, 'not_acceptable')
    assert 'text/csv' in body['detail'] and 'text/x-fasta' in body['detail']
    check_problem(api.get(f'/v1/batches/{finished}/results?format=xlsx'), 400, 'invalid_request')


def test_no_fasta_of_what_has_no_sequences(api, system):
    batch = submit(api, [system.make_variant()], job_type='structure')['id']
    body = check_problem(api.get(f'/v1/batches/{batch}/results?format=fasta'), 406, 'not_acceptable')
    assert 'x-fasta' not in body['detail']
    assert results(api, batch, 'jsonl').text == ''
    assert table(api, batch) == []
    api.post(f'/v1/batches/{batch}/cancel')
    assert {row['error_code'] for row in table(api, batch)} == {'canceled'}
    assert [line['error'] for line in lines(api, batch)] == [{'code': 'canceled', 'message': 'canceled'}]


def test_only_what_has_ended_so_far(api, system):
    batch = submit(api, [system.make_variant(name) for name in ('hang', 'plain')])['id']
    assert wait_for(lambda: api.get(f'/v1/batches/{batch}').json()['counts']['completed'] == 1, 30)
    assert [line['name'] for line in lines(api, batch)] == ['plain']
    api.post(f'/v1/batches/{batch}/cancel')
    assert [line['status'] for line in lines(api, batch)] == ['canceled', 'completed']


def test_head_has_no_body_and_keeps_the_connection(api, finished):
    head = api.head(f'/v1/batches/{finished}/results')
    assert (head.status_code, head.headers['content-type'], head.content) == (200, 'application/jsonl', b'')
    assert api.get('/v1/me').status_code == 200


def test_http_1_0_gets_it_without_chunks(system, finished):
    with Connection(system.url) as connection:
        connection.send(f'GET /v1/batches/{finished}/results?format=csv HTTP/1.0\r\n'
                        f'Authorization: Bearer {system.token}\r\n\r\n'.encode())
        while connection.more():
            pass
    head, _, body = connection.received.partition(b'\r\n\r\n')
    assert b'chunked' not in head and b'Content-Length' not in head and b'Connection: close' in head
    assert body.startswith(b'name,variant_id,') and body.count(b'\r\n') == 6


def make_results(system, batch: str, size: int) -> None:
    """Of jobs that nobody computes: each completes with a result of so many bytes."""
    system.query("update jobs set status = 'completed', due_at = null, started_at = now(), completed_at = now() "
                 'where batch_id = %s', batch)
    system.query("insert into results (job_id, results, model_versions, bytes) select j.id, r.text::json, '{}', "
                 "octet_length(r.text) from jobs j, lateral (select json_build_object('a', j.id, 'blob', json_build_array("
                 "json_build_object('x', repeat('y', %s))))::text) r (text) where j.batch_id = %s", size, batch)


def test_a_small_result_with_many_wide_rows_comes_whole(api, system):
    """Half a megabyte of results, 8 MiB of table: it is sent in pieces, and the job behind follows."""
    wide = [{str(group): {str(column): 1 for column in range(60)} for group in range(10)}, *[{}] * 12_000]
    batch = submit(api, [system.make_variant(name) for name in ('wide', 'large number', 'last')], job_type='structure')['id']
    make_results(system, batch, 10)
    for name, result in (('wide', wide), ('large number', {'a': 2**64 - 1})):
        system.query('update results set results = %s::json where job_id = (select j.id from jobs j join variants v '
                     'on v.id = j.variant_id where j.batch_id = %s and v.name = %s)', json.dumps(result), batch, name)
    found = table(api, batch)
    assert [row['name'] for row in found] == ['wide'] * 12_001 + ['large number', 'last']
    assert [row['9.59'] for row in found[:3]] == ['1', '', '']
    assert 'not to be read' in found[-2]['other'] and found[-2]['job_id'] in found[-2]['other']
    assert found[-1]['a'] == found[-1]['job_id']


def memory(pid: int) -> int:
    with open(f'/proc/{pid}/statm') as file:
        return int(file.read().split()[1]) * resource.getpagesize() >> 20


@pytest.mark.parametrize('form, count', [('jsonl', 5_000), ('csv', 2_000)])
def test_memory_stays_flat_however_much_there_is(api, system, form, count):
    """Results of 50 KiB each, a quarter of a gigabyte."""
    copies = system.query('insert into variants (id, org_id, candidate_id, name, format, chains) '
                          'select gen_random_uuid(), org_id, candidate_id, name, format, chains '
                          'from variants, generate_series(1, %s) where id = %s returning id::text', count, system.make_variant())
    batch = submit(api, [row['id'] for row in copies], job_type='structure')['id']
    make_results(system, batch, 50 * 1024)
    gateway, most, size, rows = system.pid('gateway-1'), 0, 0, 0
    before = memory(gateway)
    with api.stream('GET', f'/v1/batches/{batch}/results', params={'format': form}, timeout=120) as answer:
        for piece in answer.iter_raw(1 << 20):
            most, size, rows = max(most, memory(gateway)), size + len(piece), rows + piece.count(b'\n')
    assert rows == count + (form == 'csv')
    assert size > (count * 50 << 10 if form == 'jsonl' else count * 100)
    print(f'{form}: {size >> 20} MiB, the gateway took {most - before} MiB more')
    assert most - before < (512 if 'san' in str(programs()) else 24)  # sanitizers keep what was freed


def test_a_database_that_goes_away_breaks_it_off_visibly(new_system):
    """The client is told that it has not got all."""
    system = new_system(workers=0)
    copies = system.query('insert into variants (id, org_id, candidate_id, name, format, chains) '
                          'select gen_random_uuid(), org_id, candidate_id, name, format, chains '
                          'from variants, generate_series(1, 2000) where id = %s returning id::text', system.variant)
    batch = submit(system.http, [row['id'] for row in copies], job_type='structure')['id']
    make_results(system, batch, 200_000)
    with pytest.raises(httpx.RemoteProtocolError):
        with system.http.stream('GET', f'/v1/batches/{batch}/results', timeout=120) as answer:
            assert answer.status_code == 200
            pieces = answer.iter_raw(1 << 16)
            next(pieces)
            system.kill('postgres')
            for _ in pieces:
                pass
