"""What every error looks like (RFC 9457)."""
import httpx

MEMBERS = {'type', 'title', 'status', 'code', 'instance'}


def check_problem(answer: httpx.Response, status: int, code: str) -> dict:
    """The answer is that problem, whole; returns its body."""
    assert answer.status_code == status, f'{answer.status_code}: {answer.text[:500]}'
    assert answer.headers['content-type'] == 'application/problem+json'
    assert answer.headers['cache-control'] == 'no-store'
    assert int(answer.headers['content-length']) == len(answer.content)
    assert answer.headers['x-request-id']
    body = answer.json()
    assert MEMBERS <= set(body), f'missing: {MEMBERS - set(body)}'
    assert (body['status'], body['code']) == (status, code)
    assert body['instance'] == answer.request.url.path
    return body


def messages(body: dict) -> dict[str, str]:
    """pointer → message; no pointer twice."""
    errors = body['errors']
    named = {error['pointer']: error['message'] for error in errors}
    assert len(named) == len(errors), f'named twice: {errors}'
    return named
