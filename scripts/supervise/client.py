"""Paratope over HTTP, as little of it as showing a job takes."""
import http.client
import json
import time
from urllib.parse import urlsplit

AGAIN = 15.0  # seconds for which an answer of 503, or none, is asked for again


class Refused(Exception):
    """An answer that is an error, in its own words."""


class Client:
    def __init__(self, url: str, token: str) -> None:
        self.address = urlsplit(url).netloc
        self.token = token
        self.connection: http.client.HTTPConnection | None = None

    def make_variant(self, candidate: dict[str, object]) -> str:
        return self._ask('POST', '/v1/therapeutic-candidates', candidate)['variant_id']

    def submit(self, variant_id: str, job_type: str) -> str:
        return self._ask('POST', '/v1/jobs', {'variant_id': variant_id, 'job_type': job_type})['id']

    def job(self, job_id: str) -> dict:
        return self._ask('GET', f'/v1/jobs/{job_id}')

    def results(self, job_id: str) -> dict:
        return self._ask('GET', f'/v1/jobs/{job_id}/results')

    def job_events(self, job_id: str) -> list[dict]:
        return self._ask('GET', f'/v1/jobs/{job_id}/events')['data']

    def events(self, after: int) -> list[dict]:
        """The organisation's events with a number above `after`: a page of them."""
        return self._ask('GET', f'/v1/events?after={after}&limit=200')['data']

    def _ask(self, method: str, path: str, body: dict | None = None) -> dict:
        limit = time.monotonic() + AGAIN
        while True:
            try:
                status, answer = self._once(method, path, body)
                if status < 400:
                    return answer
                why = explain(status, answer)
            except (OSError, http.client.HTTPException) as error:
                status, why = 503, f'the gateway does not answer: {error}'
                self._close()
            if status != 503 or time.monotonic() > limit:
                raise Refused(why)
            time.sleep(0.2)

    def _once(self, method: str, path: str, body: dict | None) -> tuple[int, dict]:
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.address, timeout=10)
        headers = {'Authorization': f'Bearer {self.token}'}
        if body is not None:
            headers['Content-Type'] = 'application/json'
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = self.connection.getresponse()
        text = response.read()
        if response.will_close:
            self._close()
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, {}

    def _close(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None


def explain(status: int, problem: dict) -> str:
    """A problem+json body in one line, with every bad field."""
    text = problem.get('detail') or problem.get('title') or f'HTTP status {status}'
    errors = [f"{error.get('pointer', '')}: {error.get('message', '')}" for error in problem.get('errors', [])]
    return ' '.join([text, *([f"({'; '.join(errors)})"] if errors else [])])
