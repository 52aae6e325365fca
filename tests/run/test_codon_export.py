"""Plain scripts/run serves codon exports; their files are what Biopython reads."""
import io

import httpx
import pytest

from harness.processes import wait_for

SeqIO = pytest.importorskip('Bio.SeqIO', reason='python3-biopython is not there: scripts/install-deps --test')


def declared(running):
    return {row['job_type'] for row in running.http.get('/v1/job-types').json()['data'] if row['options_schema']}


def export(running, seconds=60, **options):
    """The finished object."""
    answer = running.http.post('/v1/codon-exports', json={'variant_id': running.variant, **options},
                               headers={'Prefer': f'wait={seconds}'}, timeout=2 * seconds)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.json()


def test_genes_come_over_http(new_system):
    running = new_system(pipelines={})
    assert wait_for(lambda: 'codon_export' in declared(running), 30)
    made = export(running, host='ecoli', strategy='sampled', seed=3)
    assert made['status'] == 'completed' and made['inputs']['host'] == 'ecoli'
    genes = {gene['chain']: gene for gene in made['results']['chains']}
    text = running.http.get(f'/v1/codon-exports/{made["id"]}/files/genes.gb').text
    records = {record.name: record for record in SeqIO.parse(io.StringIO(text), 'genbank')}
    assert set(genes) == {'heavy', 'light'}
    assert set(records) == {f'4D5_{chain}' for chain in genes}  # the antibody's name, and its chain
    for chain, gene in genes.items():
        assert str(records[f'4D5_{chain}'].seq) == gene['dna']
        assert str(records[f'4D5_{chain}'].seq.translate()) == gene['protein']
    failed = export(running, avoid_motifs=['ATGC', 'ATGG'])  # M before Q and before D
    assert failed['status'] == 'failed' and failed['error']['code'] == 'constraints_conflict'
    assert failed['error']['partial']['conflict']['constraints'] == ['no ATGC']
    wrong = running.http.post('/v1/codon-exports', json={'variant_id': running.variant, 'host': 'tobacco'})
    assert wrong.status_code == httpx.codes.BAD_REQUEST and wrong.json()['errors'][0]['pointer'] == '/host'
