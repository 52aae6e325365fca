"""Jobs that build on others, by the project's own pipelines: stability and immunogenicity take the newest structure."""
import pytest
from newcomers import Newcomer, newcomer
from problems import check_problem

from harness import System
from harness.processes import wait_for
from harness.system import programs

# An engine for tests: every residue of the domains on a straight line, 3.8 Å apart; heavy and light 12 Å apart.
ENGINE = """#!/usr/bin/python3
import json, subprocess, sys
import msgpack
NAMES = 'ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL'.split()
THREE = dict(zip('ARNDCQEGHILKMFPSTWYV', NAMES))

def say(message):
    sys.stdout.buffer.write(msgpack.packb(message))
    sys.stdout.buffer.flush()

def model(chains):
    fasta = ''.join(f">{c['kind']}\\n{c['sequence']}\\n" for c in chains)
    done = subprocess.run([PROGRAM, 'numbering', '--fasta', '-'], input=fasta, capture_output=True, text=True)
    for chain, line in zip('HL', done.stdout.splitlines()):
        for i, (position, letter) in enumerate(json.loads(line)['positions']):
            digits = position.rstrip('ABCDEFGH')
            insertion = position[len(digits):] or ' '
            place = f"{3.8 * i:8.3f}{12 * (chain == 'L'):8.3f}{0:8.3f}"
            yield (f"ATOM      1  CA  {THREE[letter]} {chain}{digits:>4}{insertion}   {place}"
                   "  1.00  0.00           C\\n")

say({'m': 'declare', 'title': 'Structure', 'version': '1.0.0',
     'options_schema': '{"type": "object", "properties": {}, "additionalProperties": false}'})
for job in msgpack.Unpacker(sys.stdin.buffer, read_size=1):
    files = {'model.pdb': {'media_type': 'chemical/x-pdb', 'content': ''.join(model(job['inputs']['chains']))}}
    say({'m': 'result', 'results': {'pdb': 'model.pdb'}, 'model_versions': {'engine': 'line 1'}, 'files': files})
"""


@pytest.fixture(scope='module')
def chained(tmp_path_factory):
    engine = tmp_path_factory.mktemp('engine') / 'line'
    engine.write_text(ENGINE.replace('PROGRAM', repr(str(programs() / 'paratope-pipeline'))))
    engine.chmod(0o755)
    with System(workers=1, pipelines={'structure': engine}) as running:
        assert wait_for(lambda: {'stability', 'structure', 'immunogenicity'} <= set(schemas(running)), 60)
        yield running


@pytest.fixture(scope='module')
def ours(chained) -> Newcomer:
    return newcomer(chained, 'ours')


def schemas(system) -> dict[str, dict]:
    rows = system.http.get('/v1/job-types').json()['data']
    return {row['job_type']: row['options_schema'] for row in rows if row['options_schema']}


def done(who: Newcomer, path: str, **body: object) -> dict:
    answer = who.http.post(f'/v1/{path}', json=body, headers={'Prefer': 'wait=60'})
    assert answer.status_code == 200, answer.text
    assert answer.json()['status'] == 'completed', answer.text
    return answer.json()


def test_the_newest_structure_is_taken_and_named(ours):
    variant = ours.make_candidate()[1]
    before = done(ours, 'stability-analyses', variant_id=variant)['results']
    assert (before['burial'], before['structure_result_id']) == ('position table', None)
    done(ours, 'structure-predictions', variant_id=variant)
    newest = done(ours, 'structure-predictions', variant_id=variant)['id']
    after = done(ours, 'stability-analyses', variant_id=variant)['results']
    assert (after['burial'], after['structure'], after['structure_result_id']) == ('model', 'structure job', newest)
    assert after['developability']['patches']['psh']['value'] > 0 and after['structure_note'] is None
    epitopes = done(ours, 'immunogenicity-analyses', variant_id=variant)['results']
    assert (epitopes['burial'], epitopes['structure_result_id']) == ('model', newest)
    left = done(ours, 'stability-analyses', variant_id=variant, structure='table')['results']
    assert (left['burial'], left['structure_result_id']) == ('position table', None)


def test_options_are_listed_and_checked_at_submission(chained, ours):
    variant = ours.make_candidate()[1]
    listed = schemas(chained)
    assert {'structure', 'positions', 'scheme', 'ph'} == set(listed['stability']['properties'])
    assert {'alleles', 'threshold_percent', 'suggestions', 'keep'} == set(listed['immunogenicity']['properties'])
    body = {'variant_id': variant, 'structure': 'best', 'positions': ['H31', 'X1'], 'ph': [7, 99]}
    problem = check_problem(ours.http.post('/v1/stability-analyses', json=body), 400, 'invalid_request')
    assert {e['pointer'] for e in problem['errors']} == {'/structure', '/positions/1', '/ph/1'}
    found = done(ours, 'stability-analyses', variant_id=variant, positions=['H31'], scheme='kabat', ph=[5.5])
    assert [r['position'] for r in found['results']['ddg_matrix']['vh']] == ['H31']
    assert list(found['results']['developability']['net_charge']) == ['ph_5_5']


def test_what_only_the_antibody_can_tell_is_wrong_fails_with_what_was_reached(ours):
    variant = ours.make_candidate()[1]
    answer = ours.http.post('/v1/stability-analyses', json={'variant_id': variant, 'positions': ['H200']},
                            headers={'Prefer': 'wait=60'}).json()
    assert answer['status'] == 'failed' and answer['error']['code'] == 'invalid_options'
    assert '/positions/0' in answer['error']['detail']
    assert answer['error']['partial'] == {'reached': 'numbering', 'at_fault': '/options/positions/0'}


@pytest.mark.timeout(240)
def test_what_nobody_can_read_uses_up_no_credit(chained):
    """More jobs than a broker has places for fail before they are sent: those behind them are handed out."""
    own = newcomer(chained, 'unreadable')
    variant, plain = own.make_candidate()[1], own.make_candidate()[1]
    structure = done(own, 'structure-predictions', variant_id=variant)['id']
    chained.query("update results set results = (repeat('[', 30) || repeat(']', 30))::json where job_id = %s", structure)
    rows = chained.wait_terminal([own.submit(variant, 'stability') for _ in range(90)], 90)
    assert {row['status'] for row in rows.values()} == {'failed'}
    done(own, 'stability-analyses', variant_id=plain)
