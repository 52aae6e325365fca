"""docs/plugins.md: its program, its entry and its commands, exactly as they stand there, on a running system."""
import json
import os
import re
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.processes import die_with_parent, wait_for
from harness.system import CHECKOUT, GENERIC, System, programs

PAGE = (CHECKOUT / 'docs' / 'plugins.md').read_text()
FOLDER = '/opt/paratope'  # as the page has it; here it is elsewhere


def blocks(language: str, folder: Path) -> list[str]:
    return [text.replace(FOLDER, str(folder)) for text in re.findall(rf'^```{language}\n(.*?)^```$', PAGE, re.M | re.S)]


@pytest.fixture(scope='module')
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp('plugins')
    program = made / 'cdr3_length'
    program.write_text(blocks('python', made)[0])
    program.chmod(0o755)
    return made


@pytest.fixture(scope='module')
def system():
    with System(workers=1, pipelines={'of_ones_own': GENERIC}) as running:
        yield running


@contextmanager
def started(system, folder: Path, name: str, entries: str):
    """A worker with these entries as its configuration."""
    (folder / f'{name}.conf').write_text(entries)
    with open(folder / f'{name}.log', 'wb') as log:
        process = subprocess.Popen(
            [programs() / 'paratope-worker', '--config', folder / f'{name}.conf', '--name', name, '--brokers',
             system.env['PARATOPE_BROKER_WORKERS'], '--events-in', system.env['PARATOPE_EVENTS_IN']],
            stderr=log, preexec_fn=die_with_parent(signal.SIGKILL))
    yield process
    process.terminate()
    process.wait(60)


@pytest.fixture(scope='module')
def worker(system, folder):
    """Started with the page's entry."""
    with started(system, folder, 'worker', blocks('conf', folder)[0]) as process:
        yield process


def type_of(system, name: str) -> dict | None:
    listed = system.http.get('/v1/job-types').json()['data']
    return next((one for one in listed if one['job_type'] == name), None)


def test_the_program_is_short(folder):
    lines = (folder / 'cdr3_length').read_text().splitlines()
    assert len([line for line in lines if line.strip()]) < 40


def test_by_hand_it_says_what_the_page_shows(folder):
    done = subprocess.run(['bash', '-c', blocks('sh', folder)[0]], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr + done.stdout == blocks('text', folder)[0]


def test_submitted_as_the_page_says_it_computes(system, worker, folder):
    assert wait_for(lambda: (type_of(system, 'cdr3_length') or {}).get('slots') == 2, 60), (folder / 'worker.log').read_text()
    (folder / 'var').symlink_to(system.home)
    bare = {name: value for name, value in os.environ.items() if not name.startswith('PARATOPE_')}
    done = subprocess.run(['bash', '-c', f"curl() {{ command curl --noproxy '*' -w '\\n' \"$@\"; }}\n{blocks('sh', folder)[1]}"],
                          cwd=folder, env=bare, capture_output=True, text=True, timeout=100)
    listed, submitted, finished = answers(done.stdout)
    declared = next(one for one in listed['data'] if one['job_type'] == 'cdr3_length')
    assert declared['title'] == 'CDR3 length' and set(declared['options_schema']['properties']) == {'long_from'}
    assert submitted['status'] == 'pending'
    assert finished['status'] == 'completed'
    assert finished['results'] == [{'kind': 'heavy', 'cdr3': 'SRWGGDGFYAMDY', 'long': True},
                                   {'kind': 'light', 'cdr3': 'QQHYTTPPT', 'long': False}]
    system.wait_terminal([submitted['id']])
    results = system.http.get(f'/v1/jobs/{submitted["id"]}/results').json()
    assert [chain['long'] for chain in results['results']] == [False, False]
    assert results['model_versions'] == {'cdr3_length': '1.0'}

    def log() -> str:
        return system.http.get(f'/v1/jobs/{submitted["id"]}/logs', headers={'Accept': 'text/plain'}).text
    assert wait_for(lambda: 'chains' in log(), 40), log()  # logs are stored beside the ending, not with it


def test_options_are_checked_at_the_door(system, worker):
    assert wait_for(lambda: type_of(system, 'cdr3_length') is not None, 60)
    for wrong in ({'long_from': 61}, {'long_form': 10}, {'long_from': '10'}):
        answer = system.http.post('/v1/job-types/cdr3_length/jobs', json={'variant_id': system.variant, **wrong})
        assert answer.status_code == 400 and next(iter(wrong)) in answer.text


def test_its_error_and_what_it_had_reached_are_told(system, worker):
    assert wait_for(lambda: type_of(system, 'cdr3_length') is not None, 60)
    scfv = 'EVQLVESGGGLVQPGGSLRLSCAASGFTFSSYAMSWVRQAPGKGLEWVSAISGSGGSTYYADSVKGRFTISRDNSKNTLYLQMNSLRAEDTAVYYCAKDRGGYWAQATLVTVSS'
    variant = system.make_variant('no motif', {'vhh': scfv})
    job = system.submit(variant, 'cdr3_length')
    system.wait_terminal([job])
    found = system.query('SELECT error_code, error_details, error_message FROM jobs WHERE id = %s', job)[0]
    assert found == {'error_code': 'no_cdr3', 'error_details': {'at_fault': '/chains/0', 'reached': []},
                     'error_message': 'the vhh chain has no CDR3 that ends in [WF]GxG'}


def test_a_type_of_ones_own_is_served_for_a_trial(system):
    assert wait_for(lambda: (type_of(system, 'of_ones_own') or {}).get('served'), 60)
    job = system.http.post('/v1/job-types/of_ones_own/jobs', json={'variant_id': system.variant, 'level': 3}).json()['id']
    assert system.wait_terminal([job])[job]['status'] == 'completed'


def answers(text: str) -> list[dict]:
    """One after the other, each as it was laid out."""
    found, at = [], 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        answer, at = json.JSONDecoder().raw_decode(text, at)
        found.append(answer)
    return found


def test_another_engine_serves_a_type_that_exists(system, folder):
    entry = f'pipelines\n    structure\n        program = "{GENERIC}"\n'
    with started(system, folder, 'engine', entry):
        assert wait_for(lambda: type_of(system, 'structure')['served'], 60)
        job = system.submit(job_type='structure')
        assert system.wait_terminal([job])[job]['status'] == 'completed'
        assert system.http.get(f'/v1/jobs/{job}/results').json()['model_versions'] == {'generic': '1'}


# What is only declared

def test_complex_prediction_is_listed_and_waits_for_an_engine(system):
    assert wait_for(lambda: type_of(system, 'complex_prediction') is not None, 60)
    declared = type_of(system, 'complex_prediction')
    assert declared['title'] == 'Complex prediction' and not declared['served'] and 'antigen' in declared['options_schema']['properties']
    answer = system.http.post('/v1/complex-predictions', json={'variant_id': system.variant, 'antigen': ['ACDEFGHIK']})
    assert answer.status_code == 202, answer.text
    job = answer.json()['id']
    refused = system.http.post('/v1/complex-predictions', json={'variant_id': system.variant, 'antigen': ['AXE']})
    assert refused.status_code == 400 and '/antigen/0' in refused.text
    assert wait_for(lambda: 'complex_prediction' in system.http.get('/readyz').json().get('unserved', []), 60)
    assert system.http.get(f'/v1/jobs/{job}').json()['status'] == 'pending'
    subprocess.run([programs() / 'paratope-gateway', 'admin', '--database', system.env['DATABASE_URL'], 'job-type',
                    'complex_prediction', '--queue-timeout', '1'], check=True, capture_output=True)
    system.wait_terminal([job], 60)
    assert system.query('SELECT error_code FROM jobs WHERE id = %s', job) == [{'error_code': 'not_served'}]
