"""An organisation of a test's own, so that its jobs are nobody else's."""
import json
from dataclasses import dataclass

import httpx

from commands import run_admin
from harness import EXAMPLE


@dataclass
class Newcomer:
    url: str
    org_id: str
    token_id: str
    token: str

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, headers={'Authorization': f'Bearer {self.token}'}, timeout=120,
                                 trust_env=False)

    def make_candidate(self, name: str = 'plain') -> tuple[str, str]:
        """Its id, and its variant's."""
        chains = [{'kind': kind, 'sequence': sequence} for kind, sequence in EXAMPLE.items()]
        answer = self.http.post('/v1/therapeutic-candidates', json={'name': name, 'format': 'mab', 'chains': chains})
        assert answer.status_code == 201, answer.text
        return answer.json()['id'], answer.json()['variant_id']

    def submit(self, variant: str, job_type: str = 'humanization') -> str:
        answer = self.http.post('/v1/jobs', json={'variant_id': variant, 'job_type': job_type})
        assert answer.status_code == 202, answer.text
        return answer.json()['id']


def newcomer(system, name: str = 'newcomer') -> Newcomer:
    def admin(*arguments: str) -> dict:
        done = run_admin(system, *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[0])
    org_id = admin('create-organisation', name)['org_id']
    made = admin('create-token', org_id, 'test')
    return Newcomer(system.url, org_id, made['token_id'], made['token'])
