"""Typed resources: jobs with options, by real pipelines that declare them (tests/pipelines/echo)."""
import threading
import time
import uuid

import httpx
import pytest

from harness import System
from harness.processes import wait_for
from harness.system import CHECKOUT
from newcomers import Newcomer, newcomer
from problems import check_problem, messages

ECHO = CHECKOUT / 'tests' / 'pipelines' / 'echo'
ENVELOPE = {'id', 'object', 'status', 'created_at', 'started_at', 'completed_at', 'failed_at', 'canceled_at',
            'credit_cost', 'inputs', 'error', 'results'}
# path → (object, job type, cost), as the contract has them
RESOURCES = {'humanizations': ('humanization', 'humanization', 1),
             'structure-predictions': ('structure_prediction', 'structure', 2),
             'stability-analyses': ('stability_analysis', 'stability', 2),
             'immunogenicity-analyses': ('immunogenicity_analysis', 'immunogenicity', 2),
             'complex-predictions': ('complex_prediction', 'complex_prediction', 0),
             'codon-exports': ('codon_export', 'codon_export', 0)}
OWN = 'job-types/own_type/jobs'
SERVED = ['stability-analyses', 'structure-predictions', OWN]


@pytest.fixture(scope='module')
def typed():
    """humanization and immunogenicity are the project's own; others declare what echo does; two types nobody serves."""
    with System(gateways=2, workers=1, pipelines={'structure': ECHO, 'stability': ECHO, 'own_type': ECHO}) as running:
        served = {'structure', 'stability', 'own_type', 'immunogenicity', 'humanization'}
        assert wait_for(lambda: served <= declared(running), 60), declared(running)
        yield running


def declared(system) -> set[str]:
    return {row['job_type'] for row in system.http.get('/v1/job-types').json()['data'] if row['options_schema']}


@pytest.fixture(scope='module')
def ours(typed) -> Newcomer:
    return newcomer(typed, 'ours')


@pytest.fixture(scope='module')
def theirs(typed) -> Newcomer:
    return newcomer(typed, 'theirs')


@pytest.fixture(scope='module')
def variant(ours) -> str:
    return ours.make_candidate()[1]


def post(who: Newcomer, path: str, wait: int | None = 60, **body: object):
    headers = {} if wait is None else {'Prefer': f'wait={wait}'}
    return who.http.post(f'/v1/{path}', json=body, headers=headers)


def done(who: Newcomer, path: str, **body: object) -> dict:
    """The finished object."""
    answer = post(who, path, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()


# ---- submit

@pytest.mark.parametrize('path', [*RESOURCES, OWN])
def test_a_submission_is_answered_with_the_envelope(ours, variant, path):
    answer = post(ours, path, wait=None, variant_id=variant)
    body = answer.json()
    assert answer.status_code == 202 and set(body) == ENVELOPE
    named, _, cost = RESOURCES.get(path, ('own_type', 'own_type', 0))
    assert (body['object'], body['status'], body['credit_cost']) == (named, 'pending', cost)
    assert answer.headers['location'] == f'/v1/{path}/{body["id"]}'
    assert body['inputs'] == {'variant_id': variant}
    assert [body[key] for key in ('started_at', 'completed_at', 'failed_at', 'canceled_at', 'error', 'results')] == [None] * 6
    again = ours.http.get(answer.headers['location']).json()
    assert set(again) == ENVELOPE and again['created_at'] == body['created_at'] and again['inputs'] == body['inputs']


def test_a_type_nobody_declared_takes_no_options_yet(new_system):
    one = newcomer(new_system(workers=0))
    variant = one.make_candidate()[1]
    assert post(one, 'stability-analyses', wait=None, variant_id=variant).status_code == 202
    body = check_problem(post(one, 'stability-analyses', variant_id=variant, ph=7), 503, 'unavailable')
    assert 'options' in body['detail']
    check_problem(post(one, 'stability-analyses', variant_id='x', ph=7), 400, 'invalid_request')
    check_problem(one.http.get('/v1/job-types/own_type/jobs'), 404, 'not_found')


def test_every_fault_of_a_body_is_named_at_once(ours):
    body = check_problem(post(ours, 'stability-analyses', variant_id='x', priority='urgent', ph=14, keep=['H1', 'x', 'H1'],
                              scheme='chothia', **{'a/b~': 1}), 400, 'invalid_request')
    assert messages({'errors': [error for error in body['errors'] if error['pointer'] != '/keep']}) == {
        '/variant_id': 'must be a UUID, such as 00000000-0000-4000-8000-000000000000',
        '/priority': 'must be one of: high, normal, low', '/ph': 'must be less than 14',
        '/keep/1': 'must have the form [HL][0-9]+[A-Z]?', '/scheme': 'must be one of: imgt, kabat',
        '/a~1b~0': 'is not known here; there are: ph, keep, scheme, files, bytes, seconds, note, fail'}
    assert {error['message'] for error in body['errors'] if error['pointer'] == '/keep'} == {'must not have the same item twice'}
    assert messages(check_problem(post(ours, 'stability-analyses'), 400, 'invalid_request')) == {'/variant_id': 'is required'}


@pytest.mark.parametrize('body', ['[]', '"x"', 'null', '{"variant_id": "x"', ''])
def test_a_body_that_is_no_object_is_refused(ours, body):
    check_problem(ours.http.post('/v1/humanizations', content=body), 400, 'invalid_request')


def test_the_projects_own_pipelines_declare_what_is_checked(ours, variant):
    assert '/nonsense' in messages(check_problem(post(ours, 'humanizations', variant_id=variant, nonsense=1), 400, 'invalid_request'))
    finished = done(ours, 'humanizations', variant_id=variant)
    assert finished['status'] == 'completed' and finished['results'][0]['humanized_vh']


def test_post_jobs_takes_the_four_and_declared_types_and_names_the_others_resource(ours, variant):
    assert ours.submit(variant, 'own_type')
    for path in ('codon-exports', 'complex-predictions'):
        body = {'variant_id': variant, 'job_type': RESOURCES[path][1]}
        refused = check_problem(ours.http.post('/v1/jobs', json=body), 400, 'invalid_request')
        assert f'/v1/{path}' in messages(refused)['/job_type']
    body = {'variant_id': variant, 'job_type': 'stability', 'ph': 7}
    assert '/ph' in messages(check_problem(ours.http.post('/v1/jobs', json=body), 400, 'invalid_request'))


def test_priority_is_taken_and_is_no_option(ours, typed, variant):
    finished = done(ours, 'structure-predictions', variant_id=variant, priority='high', ph=7.1)
    assert finished['inputs'] == {'variant_id': variant, 'ph': 7.1}
    assert typed.query('select priority from jobs where id = %s', finished['id']) == [{'priority': 0}]


# ---- options and earlier jobs reach the pipeline

def test_options_reach_the_pipeline_as_they_were_asked_for(ours, variant):
    options = {'ph': 7.4, 'keep': ['H1', 'L100A'], 'scheme': 'kabat', 'note': 'é "\\/ \u2028 😀', 'seconds': 0}
    finished = done(ours, 'stability-analyses', variant_id=variant, **options)
    assert finished['inputs'] == {'variant_id': variant, **options} and finished['results']['options'] == options


def test_large_options_reach_it_too(ours, variant):
    note = 'x' * 900_000
    finished = done(ours, OWN, variant_id=variant, note=note)
    assert finished['results']['options'] == {'note': note}


def test_a_job_gets_the_newest_completed_job_that_its_pipeline_wants(ours):
    variant = ours.make_candidate()[1]
    assert done(ours, 'stability-analyses', variant_id=variant)['results']['earlier'] == {}
    done(ours, 'structure-predictions', variant_id=variant, ph=1)
    newest = done(ours, 'structure-predictions', variant_id=variant, ph=2, files=['model.pdb'])
    done(ours, 'structure-predictions', variant_id=variant, fail='no_luck')
    earlier = done(ours, 'stability-analyses', variant_id=variant)['results']['earlier']
    assert set(earlier) == {'structure'} and earlier['structure']['job_id'] == newest['id']
    assert earlier['structure']['options'] == {'ph': 2, 'files': ['model.pdb']}
    assert earlier['structure']['files']['model.pdb']['media_type'] == 'chemical/x-pdb'
    assert done(ours, 'stability-analyses', variant_id=ours.make_candidate()[1])['results']['earlier'] == {}


def test_the_earlier_job_is_fixed_at_submission(typed, ours):
    """Whatever completes while the job waits: each attempt gets the same inputs."""
    variant = ours.make_candidate()[1]
    before = done(ours, 'structure-predictions', variant_id=variant, ph=1)['id']
    typed.query("insert into limits (job_type, max_out) values ('stability', 0)")
    try:
        time.sleep(1)
        waiting = post(ours, 'stability-analyses', wait=None, variant_id=variant).json()['id']
        after = done(ours, 'structure-predictions', variant_id=variant, ph=2)['id']
        assert ours.http.get(f'/v1/stability-analyses/{waiting}').json()['status'] == 'pending'
    finally:
        typed.query("delete from limits where job_type = 'stability'")
    assert wait_for(lambda: ours.http.get(f'/v1/stability-analyses/{waiting}').json()['status'] == 'completed', 60)
    results = ours.http.get(f'/v1/stability-analyses/{waiting}').json()['results']
    assert results['earlier']['structure']['job_id'] == before
    assert done(ours, 'stability-analyses', variant_id=variant)['results']['earlier']['structure']['job_id'] == after


def test_a_large_earlier_result_comes_along(ours):
    variant = ours.make_candidate()[1]
    done(ours, 'structure-predictions', variant_id=variant, files=['a', 'b'], bytes=300_000)
    earlier = done(ours, 'stability-analyses', variant_id=variant)['results']['earlier']['structure']
    assert [len(earlier['files'][name]['content'].encode()) for name in ('a', 'b')] == [300_000] * 2


def test_resubmitting_keeps_the_options(ours, typed):
    variant = ours.make_candidate()[1]
    failed = done(ours, 'stability-analyses', variant_id=variant, fail='no_luck', note='é')
    again = ours.http.post(f'/v1/jobs/{failed["id"]}/resubmit')
    assert again.status_code == 202
    typed.wait_terminal([again.json()['id']])
    repeated = ours.http.get(f'/v1/stability-analyses/{again.json()["id"]}').json()
    assert repeated['inputs'] == failed['inputs'] and repeated['error']['code'] == 'no_luck'


# ---- failure, results, files

def test_a_failed_job_says_what_was_reached(ours, variant):
    failed = done(ours, OWN, variant_id=variant, fail='no_luck')
    partial = {'reached': 'options', 'at_fault': 'fail', 'score': 0.5}
    assert failed['status'] == 'failed' and failed['failed_at'] and failed['completed_at'] is None
    assert failed['error'] == {'type': 'urn:paratope:problem:job_failed', 'title': 'The job failed', 'status': 409,
                               'code': 'no_luck', 'detail': 'as it was asked for', 'partial': partial,
                               'instance': f'/v1/{OWN}/{failed["id"]}'}
    for path in (f'/v1/{OWN}', '/v1/jobs'):
        body = check_problem(ours.http.get(f'{path}/{failed["id"]}/results'), 409, 'job_failed')
        assert body['error'] == {'code': 'no_luck', 'message': 'as it was asked for', 'partial': partial}


def test_results_name_their_files_and_these_are_there(ours, variant):
    finished = done(ours, 'structure-predictions', variant_id=variant, files=['model.pdb', 'b-1_2.cif'], bytes=100)
    for base in ('/v1/structure-predictions', '/v1/jobs'):
        results = ours.http.get(f'{base}/{finished["id"]}/results').json()
        assert set(results) == {'job_id', 'job_type', 'results', 'model_versions', 'files'}
        assert results['files'] == [
            {'name': name, 'media_type': 'chemical/x-pdb', 'bytes': 100, 'url': f'{base}/{finished["id"]}/files/{name}'}
            for name in ('b-1_2.cif', 'model.pdb')]
        for file in results['files']:
            answer = ours.http.get(file['url'], headers={'Accept': 'chemical/x-pdb'})
            assert answer.status_code == 200 and answer.headers['content-type'] == 'chemical/x-pdb'
            assert answer.headers['content-disposition'] == f'attachment; filename="{file["name"]}"'
            assert answer.headers['x-content-type-options'] == 'nosniff'
            assert answer.content.startswith('ATOM é\n'.encode()) and len(answer.content) == 100
            assert ours.http.head(file['url']).headers['content-length'] == '100'
    check_problem(ours.http.get(f'/v1/jobs/{finished["id"]}/files/model'), 404, 'not_found')
    plain = done(ours, 'structure-predictions', variant_id=variant)
    assert 'files' not in ours.http.get(f'/v1/jobs/{plain["id"]}/results').json()
    check_problem(ours.http.get(f'/v1/jobs/{plain["id"]}/files/model.pdb'), 404, 'not_found')


def test_a_large_file_and_a_large_result_are_read_whole(ours, typed, variant):
    finished = done(ours, OWN, variant_id=variant, files=['big'], bytes=3_000_000)
    assert len(ours.http.get(f'/v1/{OWN}/{finished["id"]}/files/big').content) == 3_000_000
    typed.query('update results set results = json_build_object(%s, repeat(%s, 2000000)), bytes = 2000012 where job_id = %s',
                'x', 'é', finished['id'])
    assert len(ours.http.get(f'/v1/{OWN}/{finished["id"]}').json()['results']['x']) == 2_000_000
    assert len(ours.http.get(f'/v1/{OWN}/{finished["id"]}/results').json()['results']['x']) == 2_000_000


def test_a_media_type_that_is_none_does_not_become_a_header(ours, typed, variant):
    finished = done(ours, OWN, variant_id=variant, files=['x'])
    for said in ('text/html\r\nX-Evil: 1', 'text', 'a/b; q="', 'x' * 200 + '/y'):
        typed.query("update results set files = json_build_object('x', json_build_object('media_type', %s::text, "
                    "'content', 'abc')) where job_id = %s", said, finished['id'])
        answer = ours.http.get(f'/v1/{OWN}/{finished["id"]}/files/x')
        assert answer.headers['content-type'] == 'application/octet-stream' and 'x-evil' not in answer.headers
        assert answer.content == b'abc'


# ---- Prefer: wait

def test_who_waits_gets_the_finished_object(ours, variant):
    began = time.monotonic()
    answer = post(ours, OWN, wait=60, variant_id=variant, seconds=1)
    assert answer.status_code == 200 and answer.headers['preference-applied'] == 'wait=60'
    assert answer.headers['location'] == f'/v1/{OWN}/{answer.json()["id"]}'
    assert answer.json()['status'] == 'completed' and time.monotonic() - began < 30
    assert answer.json() == ours.http.get(answer.headers['location']).json()


def test_what_does_not_end_in_time_is_answered_as_ever(ours, variant):
    began = time.monotonic()
    answer = post(ours, 'complex-predictions', wait=1, variant_id=variant)
    assert answer.status_code == 202 and answer.json()['status'] == 'pending' and 0.9 < time.monotonic() - began < 20
    assert 'preference-applied' not in answer.headers


@pytest.mark.parametrize('prefer, applied', [('respond-async, wait=20', 'wait=20'), ('wait=500', 'wait=120'), ('wait=0', None),
                                             ('wait=x', None), ('wait', None), ('return=minimal', None)])
def test_preferences_are_read_as_their_standard_says(ours, variant, prefer, applied):
    answer = ours.http.post(f'/v1/{OWN}', json={'variant_id': variant}, headers={'Prefer': prefer})
    assert (answer.status_code, answer.headers.get('preference-applied')) == ((200, applied) if applied else (202, None))


def test_every_gateway_wakes_who_waits_for_a_job(typed, ours, variant):
    """One of the two records; the other hears of ends by the event path alone."""
    for url in typed.env['PARATOPE_URLS'].split():
        answer = ours.http.post(f'{url}/v1/{OWN}', json={'variant_id': variant, 'seconds': 9}, headers={'Prefer': 'wait=100'})
        assert answer.status_code == 200
        ended = typed.query('select extract(epoch from now() - completed_at) as ago from jobs where id = %s', answer.json()['id'])
        assert ended[0]['ago'] < 4, 'it slept until it looked again, 15.75 s after it had begun to wait'


def test_those_who_wait_leave_threads_for_others(new_system):
    """Of 512 threads 128 may wait, 64 of one organisation; the others are told at once."""
    system = new_system(workers=1)
    one = newcomer(system, 'patient')
    variant = one.make_candidate()[1]
    took = []

    def wait_long() -> None:
        began = time.monotonic()
        answer = httpx.post(f'{system.url}/v1/complex-predictions', json={'variant_id': variant}, timeout=60, trust_env=False,
                            headers={'Prefer': 'wait=20', 'Authorization': f'Bearer {one.token}'})
        assert answer.status_code == 202
        took.append(time.monotonic() - began)
    threads = [threading.Thread(target=wait_long) for _ in range(80)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(took) == 80 and sum(seconds > 19 for seconds in took) == 64


def test_a_gateway_that_ends_lets_go_of_who_waits(new_system):
    system = new_system(workers=1)
    one = newcomer(system, 'patient')
    variant = one.make_candidate()[1]
    answers = []
    thread = threading.Thread(target=lambda: answers.append(post(one, 'complex-predictions', wait=25, variant_id=variant)))
    thread.start()
    assert wait_for(lambda: system.query('select 1 from jobs where variant_id = %s', variant), 40)
    time.sleep(1)
    assert system.stop() < 10
    thread.join(40)
    assert [answer.status_code for answer in answers] == [202]


# ---- read, list, cancel

def test_lists_have_their_own_type_alone_and_leave_results_out(ours):
    variant = ours.make_candidate()[1]
    made = [done(ours, OWN, variant_id=variant, ph=n)['id'] for n in range(3)]
    failed = done(ours, OWN, variant_id=variant, fail='x')['id']
    other = done(ours, 'stability-analyses', variant_id=variant)['id']

    def ids(path: str = OWN, **query: object) -> list[str]:
        return [row['id'] for row in ours.http.get(f'/v1/{path}', params={'variant_id': variant, **query}).json()['data']]
    assert ids() == [failed, *reversed(made)] and ids('stability-analyses') == [other]
    assert ids(status='failed') == [failed] and ids(status='completed') == made[::-1] and ids(status='canceled') == []
    row = ours.http.get(f'/v1/{OWN}', params={'variant_id': variant, 'limit': 1, 'status': 'completed'}).json()['data'][0]
    assert set(row) == ENVELOPE and row['results'] is None and row['inputs'] == {'variant_id': variant, 'ph': 2}
    pages, cursor = [], ''
    while cursor is not None:
        page = ours.http.get(f'/v1/{OWN}', params={'variant_id': variant, 'limit': 3, 'cursor': cursor}).json()
        pages.append([row['id'] for row in page['data']])
        cursor = page['next_cursor']
    assert pages == [[failed, made[2], made[1]], [made[0]]]
    jobs = ours.http.get('/v1/jobs', params={'variant_id': variant}).json()['data']
    assert {row['id'] for row in jobs} == {*made, failed, other}
    check_problem(ours.http.get(f'/v1/{OWN}', params={'status': 'x', 'job_type': 'y'}), 400, 'invalid_request')


def test_cancel(ours, variant):
    waiting = post(ours, 'complex-predictions', wait=None, variant_id=variant).json()
    canceled = ours.http.post(f'/v1/complex-predictions/{waiting["id"]}/cancel')
    body = canceled.json()
    assert canceled.status_code == 200 and set(body) == ENVELOPE
    assert body['status'] == 'canceled' and body['canceled_at'] and body['completed_at'] is None and body['error'] is None
    check_problem(ours.http.post(f'/v1/complex-predictions/{waiting["id"]}/cancel'), 409, 'conflict')
    assert ours.http.get('/v1/complex-predictions', params={'status': 'canceled'}).json()['data'][0]['id'] == waiting['id']
    assert ours.http.get(f'/v1/jobs/{waiting["id"]}').json()['error_message'] == 'canceled'
    check_problem(ours.http.get(f'/v1/complex-predictions/{waiting["id"]}/results'), 409, 'job_failed')


def test_another_resources_job_is_not_there(ours, variant):
    job = done(ours, 'stability-analyses', variant_id=variant, files=['a'])['id']
    running = post(ours, OWN, wait=None, variant_id=variant, seconds=60).json()['id']
    for path in ('structure-predictions', 'codon-exports', OWN):
        for tail in ('', '/results', '/files/a'):
            check_problem(ours.http.get(f'/v1/{path}/{job}{tail}'), 404, 'not_found')
    check_problem(ours.http.post(f'/v1/stability-analyses/{running}/cancel'), 404, 'not_found')
    assert ours.http.get(f'/v1/{OWN}/{running}').json()['status'] in ('pending', 'running')
    assert ours.http.post(f'/v1/{OWN}/{running}/cancel').status_code == 200


@pytest.mark.parametrize('path', SERVED)
def test_another_organisations_is_told_from_nothing_by_nobody(ours, theirs, variant, path):
    job, nothing = done(ours, path, variant_id=variant, files=['a'])['id'], str(uuid.uuid4())

    def answers(identifier: str) -> list[bytes]:
        got = [theirs.http.request(method, f'/v1/{path}/{identifier}{tail}') for method, tail in
               (('GET', ''), ('GET', '/results'), ('GET', '/files/a'), ('POST', '/cancel'))]
        assert [answer.status_code for answer in got] == [404] * 4
        return [answer.content.replace(identifier.encode(), b'ID') for answer in got]
    assert answers(job) == answers(nothing)
    made = [post(theirs, path, variant_id=value) for value in (variant, nothing)]
    assert made[0].content == made[1].content and made[0].status_code == 404
    assert theirs.http.get(f'/v1/{path}', params={'variant_id': variant}).json() == {'data': [], 'next_cursor': None}


@pytest.mark.parametrize('path', ['job-types/stability/jobs', 'job-types/codon_export/jobs', 'job-types/never_heard_of/jobs'])
def test_only_an_operators_own_types_are_under_job_types(ours, variant, path):
    check_problem(ours.http.get(f'/v1/{path}'), 404, 'not_found')
    check_problem(post(ours, path, variant_id=variant), 404, 'not_found')
    check_problem(ours.http.get(f'/v1/{path}/{variant}'), 404, 'not_found')


# ---- GET /v1/job-types

def test_job_types_are_listed_with_what_they_take(ours):
    rows = {row['job_type']: row for row in ours.http.get('/v1/job-types').json()['data']}
    assert {path: rows[job_type]['resource'] for path, (_, job_type, _) in RESOURCES.items()} == {
        path: f'/v1/{path}' for path in RESOURCES}
    own = rows['own_type']
    assert (own['title'], own['version'], own['resource'], own['served']) == ('Echo', '1.2.3', f'/v1/{OWN}', True)
    assert own['options_schema']['properties']['ph']['default'] == 7.4
    assert rows['complex_prediction']['served'] is False
    assert set(own) == {'job_type', 'title', 'version', 'options_schema', 'resource', 'served', 'slots', 'max_tries',
                        'retry_after_seconds', 'retry_most_seconds', 'queue_timeout_seconds'}


def test_a_declaration_counts_at_every_gateway_soon(typed, ours, variant):
    schema = '{"type": "object", "properties": {"n": {"type": "integer", "default": 1, "description": "x"}}}'
    typed.query("insert into declarations (job_type, title, version, options_schema) values ('late_type', 'Late', '0.0.1', %s)", schema)
    for url in typed.env['PARATOPE_URLS'].split():
        def status(**options: object) -> int:
            return ours.http.post(f'{url}/v1/job-types/late_type/jobs', json={'variant_id': variant, **options}).status_code
        assert wait_for(lambda: status(n=2) == 202, 40)
        assert status(n='2') == 400 and status(m=2) == 400
