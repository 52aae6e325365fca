"""POST /v1/jobs with bodies that are none, and ones that are wrong in each way."""
import json
import uuid

import pytest

from problems import check_problem, messages

JOB_TYPES = ('humanization', 'structure', 'stability', 'immunogenicity')
JSON = {'Content-Type': 'application/json'}


def post(api, content: bytes | str):
    return api.post('/v1/jobs', content=content, headers=JSON)


@pytest.mark.parametrize('content, place', [
    ('', 'empty'),
    ('{', 'line 1, column 1'),
    ('{"variant_id": }', 'line 1, column 16'),
    ('{\n"variant_id": "x",\n]', 'line 3, column 1'),
    ('{} {}', 'line 1, column 4'),
    ("{'variant_id': 'x'}", 'line 1, column 2'),
    (b'\xff\xfe{}', 'line 1, column'),
    (b'{"variant_id": "\xc3\x28"}', 'line 1, column'),
    ('{"variant_id": "a\\u0000b"}', 'line 1, column'),
    ('{"job_type": "structure", "job_type": "stability"}', 'duplicate'),
    ('{"variant_id": 1e99999}', 'line 1, column'),
])
def test_what_is_not_json_is_refused_with_its_place(api, content, place):
    body = check_problem(post(api, content), 400, 'invalid_request')
    assert place in body['detail']


@pytest.mark.parametrize('opening', ['[', '{"a":'])
@pytest.mark.parametrize('depth', [17, 2000, 100_000])
def test_deep_nesting_is_refused_and_kills_nobody(api, opening, depth):
    body = check_problem(post(api, opening * depth), 400, 'invalid_request')
    assert 'nested' in body['detail']


def test_brackets_in_text_are_no_nesting(api, system):
    content = json.dumps({'variant_id': system.variant, 'job_type': '[{' * 50 + '\\"'})
    assert list(messages(check_problem(post(api, content), 400, 'invalid_request'))) == ['/job_type']


@pytest.mark.parametrize('content, kind', [('[]', 'a list'), ('"x"', 'a string'), ('7', 'a number'),
                                           ('null', 'null'), ('true', 'a boolean')])
def test_json_that_is_no_object_is_refused(api, content, kind):
    body = check_problem(post(api, content), 400, 'invalid_request')
    assert messages(body) == {'': f'must be an object, not {kind}'}


def test_two_missing_fields_are_both_named(api):
    body = check_problem(post(api, '{}'), 400, 'invalid_request')
    assert messages(body) == {'/variant_id': 'is required', '/job_type': 'is required'}


def test_every_fault_is_named_at_once(api):
    body = check_problem(post(api, json.dumps({'variant_id': 5, 'options': {}, 'a/b~c': 1})), 400, 'invalid_request')
    named = messages(body)
    assert named == {'/variant_id': 'must be a string, not a number', '/job_type': 'is required',
                     '/options': 'is not known here', '/a~1b~0c': 'is not known here'}


@pytest.mark.parametrize('value', [None, True, 1.5, [], {}])
@pytest.mark.parametrize('field', ['variant_id', 'job_type'])
def test_wrong_types_are_refused(api, system, field, value):
    body = check_problem(api.post('/v1/jobs', json={'variant_id': system.variant, 'job_type': 'humanization',
                                                    field: value}), 400, 'invalid_request')
    assert messages(body)[f'/{field}'].startswith('must be a string, not ')


@pytest.mark.parametrize('value', ['', 'x', '0' * 36, 'z' * 36, '01a20c42-caa2-7171-a289-d922ed52a42',
                                   '{01a20c42-caa2-7171-a289-d922ed52a421}', '01a20c42caa27171a289d922ed52a421',
                                   "' or 1=1 --"])
def test_what_is_no_uuid_is_refused(api, value):
    body = check_problem(api.post('/v1/jobs', json={'variant_id': value, 'job_type': 'humanization'}),
                         400, 'invalid_request')
    assert 'UUID' in messages(body)['/variant_id']


@pytest.mark.parametrize('value', ['', 'complex', 'Humanization', 'humanization ', 'x' * 1000])
def test_an_unknown_job_type_names_the_four(api, system, value):
    body = check_problem(api.post('/v1/jobs', json={'variant_id': system.variant, 'job_type': value}),
                         400, 'invalid_request')
    assert all(job_type in messages(body)['/job_type'] for job_type in JOB_TYPES)


def test_many_unknown_fields_make_a_short_answer(api):
    answer = post(api, json.dumps({f'{"é" * 500}{n}': n for n in range(300)}))
    body = check_problem(answer, 400, 'invalid_request')
    assert 0 < len(body['errors']) <= 50
    assert len(answer.content) < 65536


def test_an_upper_case_uuid_is_the_same_one(api, system):
    answer = api.post('/v1/jobs', json={'variant_id': system.variant.upper(), 'job_type': 'humanization'})
    assert answer.status_code == 202
    assert answer.json()['variant_id'] == system.variant.lower()


def test_nothing_refused_became_a_job(api, system):
    before = system.query('select count(*) as n from jobs')[0]['n']
    post(api, '{}')
    post(api, 'x')
    api.post('/v1/jobs', json={'variant_id': str(uuid.uuid4()), 'job_type': 'humanization'})
    assert system.query('select count(*) as n from jobs')[0]['n'] == before
