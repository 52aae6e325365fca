"""scripts/run --all serves structures beside the others."""
import subprocess

import httpx
import pytest

pytestmark = pytest.mark.skipif(
    subprocess.run(['dpkg', '-s', 'promod3'], capture_output=True).returncode != 0,
    reason='ProMod3 is not installed: scripts/install-deps --structure')


def test_an_antibody_is_modelled_over_http(new_system):
    running = new_system(pipelines={}, arguments=['--all'], workers=1)
    job = running.submit(job_type='structure')
    running.wait_terminal([job])
    answer = running.http.get(f'/v1/jobs/{job}/results')
    assert answer.status_code == httpx.codes.OK, answer.text
    body = answer.json()
    assert body['results']['pdb'] == 'model.pdb' and 'promod3' in body['model_versions']
    assert {entry['chain'] for entry in body['results']['per_residue_confidence']} == {'H', 'L'}
    model = running.http.get(f'/v1/jobs/{job}/files/model.pdb')
    assert model.status_code == httpx.codes.OK, model.text
    assert sum(line.startswith('ATOM') for line in model.text.splitlines()) > 1500
