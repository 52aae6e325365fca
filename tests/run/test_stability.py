"""Plain scripts/run serves stability beside humanization."""
import httpx


def test_an_antibody_is_analysed_over_http(new_system):
    running = new_system(pipelines={})
    job = running.submit(job_type='stability')
    running.wait_terminal([job])
    answer = running.http.get(f'/v1/jobs/{job}/results')
    assert answer.status_code == httpx.codes.OK, answer.text
    body = answer.json()
    assert len(body['results']['ddg_matrix']['vh']) > 100 and body['results']['stabilizing_mutations']
    assert 'ddg' in body['model_versions']
