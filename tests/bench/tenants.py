"""Organisations for the load: each has a token and a variant."""
import json
import subprocess
from dataclasses import dataclass

import httpx

from harness.antibodies import EXAMPLE
from harness.system import System
from programs import PROGRAMS


@dataclass(frozen=True)
class Tenant:
    org: str
    token: str
    variant: str


def first_tenant(system: System) -> Tenant:
    """The one that scripts/run made."""
    org = system.query('select org_id::text as id from variants where id = %s', system.variant)[0]['id']
    return Tenant(org, system.token, system.variant)


def add_tenants(system: System, count: int) -> list[Tenant]:
    return [add_tenant(system, f'tenant {number}') for number in range(count)]


def add_tenant(system: System, name: str) -> Tenant:
    def admin(*arguments: str) -> dict:
        done = subprocess.run([str(PROGRAMS / 'paratope-gateway'), 'admin', *arguments, '--database',
                               system.env['DATABASE_URL']], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=True)
        return json.loads(done.stdout)
    org = admin('create-organisation', name)['org_id']
    token = admin('create-token', org)['token']
    answer = httpx.post(f'{system.url}/v1/therapeutic-candidates', trust_env=False, json={
        'name': name, 'format': 'mab',
        'chains': [{'kind': kind, 'sequence': sequence} for kind, sequence in EXAMPLE.items()],
    }, headers={'Authorization': f'Bearer {token}'})
    answer.raise_for_status()
    return Tenant(org, token, answer.json()['variant_id'])
