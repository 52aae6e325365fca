"""What a worker says of its job types, by its pipelines and by its configuration; and plug-ins in the configuration.
The broker is a fake one, written from PROTOCOL.md."""
import json
import subprocess
import textwrap

import pytest
from worker_process import BUILD, PIPELINES, Worker, until

SCHEMA = {'type': 'object', 'title': 'CDR length', 'properties': {
    'cdr': {'type': 'integer', 'minimum': 1, 'maximum': 3, 'default': 3, 'description': 'Which one.'}},
    'additionalProperties': False}

# A pipeline that tells its words; what it says first comes in place of FIRST.
PIPELINE = '''\
#!/usr/bin/python3
import os, sys, msgpack
unpacker = msgpack.Unpacker(max_buffer_size=1 << 26)
FIRST
while data := os.read(0, 65536):
    unpacker.feed(data)
    for job in unpacker:
        os.write(1, msgpack.packb({'m': 'result', 'results': sys.argv[1:], 'model_versions': {}}))
'''


@pytest.fixture
def start(tmp_path, broker):
    workers = []

    def begin(**options):
        workers.append(Worker(tmp_path, [broker], **options))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.end()
        print(worker.stderr.read_text())


def program(folder, first=''):
    file = folder / 'program'
    file.write_text(PIPELINE.replace('FIRST', first))
    file.chmod(0o755)
    return file


def declaring(**more):
    """The line with which a pipeline declares."""
    message = {'m': 'declare', 'title': 'A title', 'version': '1.2.0', 'options_schema': '{}', **more}
    return f'os.write(1, msgpack.packb({message!r}))'


def schema_file(folder, schema=SCHEMA):
    file = folder / 'schema.json'
    file.write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return file


def credit(broker, job_type, n=1):
    until(lambda: any(m['credit'].get(job_type) == n for m in broker.all('credit')), 20)


def test_what_a_pipeline_declares_is_said_a_few_times(broker, start, tmp_path):
    start(config=f'pipelines\n    a_type\n        program = "{program(tmp_path, declaring(wants=["structure"], more=1))}"\n')
    said = broker.wait('declare', 20)
    assert said.payload == {'title': 'A title', 'version': '1.2.0', 'options_schema': '{}', 'wants': ['structure']}
    assert (said['job_type'], said['machine'], len(said['instance'])) == ('a_type', 'tested', 16)
    until(lambda: len(broker.all('declare')) >= 4, 20)
    assert [m.payload for m in broker.all('declare')][1:4] == [said.payload] * 3


def test_a_new_session_hears_it_again(broker, start):
    start()
    broker.wait('declare', 20)
    until(lambda: len(broker.all('declare')) >= 4, 20)
    mark = broker.mark()
    broker.send('bye', reason='a test')
    broker.wait('hello', 20, after=mark)
    broker.wait('declare', 20, after=mark)


@pytest.mark.parametrize('wrong', [{'title': ''}, {'title': 7}, {'version': '1'}, {'options_schema': {}}, {'wants': 'x'},
                                   {'wants': ['No Type']}, {'options_schema': 'x' * 32769}, {'title': 'x' * 101}],
                         ids=lambda wrong: f'{next(iter(wrong))}-{len(str(wrong))}')
def test_one_that_declares_nonsense_works_without_options(broker, start, tmp_path, wrong):
    worker = start(config=f'pipelines\n    a_type\n        program = "{program(tmp_path, declaring(**wrong))}"\n')
    credit(broker, 'a_type')
    job = broker.job(job_type='a_type')
    assert broker.wait('result', 20, job_id=job)['status'] == 'completed'
    log = until(lambda: 'declares what is not acceptable' in worker.stderr.read_text() and worker.stderr.read_text())
    assert f'a pipeline of a_type declares what is not acceptable: {next(iter(wrong))}' in log
    assert broker.all('declare') == []


def test_one_that_never_declares_is_as_before(broker, start):
    start(pipeline='noop')
    credit(broker, 'humanization')
    job = broker.job()
    assert broker.wait('result', 20, job_id=job)['status'] == 'completed'
    assert broker.all('declare') == []


def test_an_entry_starts_its_program_with_its_arguments_in_its_slots(broker, start, tmp_path):
    start(config=textwrap.dedent(f'''\
        pipelines
            cdr_length
                program = "{program(tmp_path)}"
                arguments = "--fast  -n 2"
                slots = 2
                limits = "memory=1G,files=100"
                timeout = 77
                options = "{schema_file(tmp_path)}"
                version = "2.0.1"
                wants = "structure humanization"
            another
                program = "{program(tmp_path)}"
        '''))
    assert broker.wait('hello', 20)['slots'] == {'cdr_length': 2, 'another': 1}
    said = broker.wait('declare', 20)
    assert said['job_type'] == 'cdr_length' and json.loads(said.payload.pop('options_schema')) == SCHEMA
    assert said.payload == {'title': 'CDR length', 'version': '2.0.1', 'wants': ['structure', 'humanization']}
    credit(broker, 'cdr_length', 2)
    job, other = broker.job(job_type='cdr_length'), broker.job(job_type='another')
    assert broker.wait('result', 20, job_id=job).payload['results'] == ['--fast', '-n', '2']
    assert broker.wait('result', 20, job_id=other).payload['results'] == []


def test_an_argument_keeps_its_spaces_and_quotes(broker, start, tmp_path):
    start(config=textwrap.dedent(f"""\
        pipelines
            a_type
                program = "{program(tmp_path)}"
                argument = "two words"
                arguments = "-a -b"
                argument = '  a "quoted"  one = # no comment'
                argument = "é"
        """))
    credit(broker, 'a_type')
    job = broker.job(job_type='a_type')
    assert broker.wait('result', 20, job_id=job).payload['results'] == \
        ['-a', '-b', 'two words', '  a "quoted"  one = # no comment', 'é']


def test_the_configurations_schema_counts_more_than_the_pipelines(broker, start, tmp_path):
    start(config=textwrap.dedent(f'''\
        pipelines
            a_type
                program = "{program(tmp_path, declaring(version="9.0.0"))}"
                options = "{schema_file(tmp_path)}"
                title = "By the operator"
        '''))
    credit(broker, 'a_type')
    until(lambda: len(broker.all('declare')) >= 4, 20)
    assert {(m.payload['title'], m.payload['version']) for m in broker.all('declare')} == {('By the operator', '1.0.0')}


def test_one_without_a_program_is_only_declared(broker, start, tmp_path):
    start(options=['--pipelines', f'complex_prediction.options={schema_file(tmp_path)}'])
    assert broker.wait('hello', 20)['slots'] == {'humanization': 1}
    assert broker.wait('declare', 20, job_type='complex_prediction').payload['title'] == 'CDR length'
    credit(broker, 'humanization')
    assert all('complex_prediction' not in m['credit'] for m in broker.all('credit'))


def test_flags_count_more_than_entries(broker, start, tmp_path):
    start(config=f'pipelines\n    a_type\n        program = "/nowhere"\n        slots = 3\n        timeout = 3600\n',
          options=['--slots', 'a_type=1', '--pipeline', f'a_type={PIPELINES / "generic"}', '--timeout', 'a_type=1'])
    assert broker.wait('hello', 20)['slots'] == {'a_type': 1}
    credit(broker, 'a_type')
    job = broker.job('sleep=60', job_type='a_type')
    assert broker.wait('result', 20, job_id=job)['code'] == 'timed_out'


def test_files_and_what_was_reached_come_as_the_pipeline_says(broker, start):
    start()
    credit(broker, 'humanization')
    job = broker.job('files=2')
    files = {f'file-{n}.txt': {'media_type': 'text/plain', 'content': str(n)} for n in (1, 2)}
    assert broker.wait('result', 20, job_id=job).payload['files'] == files
    credit(broker, 'humanization', 2)
    job = broker.job('fail=no_template reached=numbering')
    failed = broker.wait('result', 20, job_id=job)
    assert (failed['code'], failed.payload) == ('no_template', {'reached': 'numbering'})


ENTRY = 'pipelines\n    a_type\n        '


@pytest.mark.parametrize('config, said', [
    (ENTRY + 'programme = /bin/cat\n', 'unknown key of a job type in pipelines: a_type.programme'),
    (ENTRY + 'timeout = 5\n', 'a job type in pipelines needs a program, slots or options: a_type'),
    (ENTRY + 'program = /bin/cat\n        slots = 0\n', 'the number must be from 1'),
    (ENTRY + 'program = /bin/cat\n        limits = "memory=1"\n', 'the least are 16M of memory'),
    (ENTRY + 'program = /bin/cat\n        version = "1.0.0"\n', 'title, version and wants come with options'),
    (ENTRY + 'slots = 1\n        arguments = "-x"\n', 'arguments without a program'),
    (ENTRY + 'slots = 1\n        argument = "-x"\n', 'arguments without a program'),
    (ENTRY + 'program = /bin/cat\n' + '        argument = "a b"\n' * 33, 'too many arguments'),
    (ENTRY + 'options = /nowhere.json\n', 'No such file or directory: /nowhere.json'),
    (ENTRY + 'options = SCHEMA\n        timeout = 5\n', 'without slots: a_type'),
    (ENTRY + 'options = SCHEMA\n        version = 1\n', 'a version is three numbers'),
    (ENTRY + 'options = SCHEMA\n        wants = "A"\n', 'wants is a list of job types'),
    ('pipelines\n    A-Type\n        program = /bin/cat\n', 'not JOB_TYPE.KEY=VALUE'),
    ('pipelines\n    a_type = /bin/cat\n', 'a section of KEY = VALUE'),
])
def test_what_is_wrong_in_a_file_is_named(tmp_path, config, said):
    file = tmp_path / 'worker.conf'
    file.write_text(config.replace('SCHEMA', str(schema_file(tmp_path))))
    done = subprocess.run([BUILD / 'bin' / 'paratope-worker', '--brokers', 'tcp://127.0.0.1:1', '--events-in',
                           'tcp://127.0.0.1:2', '--config', file], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and said in done.stderr


@pytest.mark.parametrize('schema, said', [('{', 'line 1'), ('{"type": "string"}', 'schema.json, '), ('x' * 40000, '32 KiB'),
                                          ({**SCHEMA, 'oneOf': []}, 'oneOf')], ids=['json', 'type', 'size', 'keyword'])
def test_a_schema_that_no_gateway_takes_is_refused_at_the_start(tmp_path, schema, said):
    done = subprocess.run([BUILD / 'bin' / 'paratope-worker', '--brokers', 'tcp://127.0.0.1:1', '--events-in',
                           'tcp://127.0.0.1:2', '--pipelines', f'a.options={schema_file(tmp_path, schema)}'],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and said in done.stderr
