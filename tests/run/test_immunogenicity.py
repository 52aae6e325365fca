"""Plain scripts/run serves immunogenicity beside humanization."""
import httpx


def test_an_antibody_is_analysed_over_http(new_system):
    running = new_system(pipelines={})
    job = running.submit(job_type='immunogenicity')
    running.wait_terminal([job])
    answer = running.http.get(f'/v1/jobs/{job}/results')
    assert answer.status_code == httpx.codes.OK, answer.text
    body = answer.json()
    assert 0 < body['results']['risk_score'] < 1
    assert body['results']['mhc2_epitopes'] and body['results']['deimmunization_suggestions']
    assert 'mhc2' in body['model_versions']
