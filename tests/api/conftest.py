"""A second organisation, the administration commands, and a client of the running system."""
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from commands import run_admin  # noqa: E402


@dataclass
class Tenant:
    org_id: str
    token: str
    token_id: str
    http: httpx.Client


@pytest.fixture
def admin(system):
    """admin('create-organisation', 'name'): the answer's first line, read."""
    def call(*arguments: str) -> dict:
        done = run_admin(system, *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[0])
    return call


@pytest.fixture
def api(system):
    """A client with the first organisation's token."""
    return system.http


@pytest.fixture
def other(system, admin):
    """Another organisation, new for this test."""
    org_id = admin('create-organisation', 'another')['org_id']
    made = admin('create-token', org_id, 'test')
    with httpx.Client(base_url=system.url, headers={'Authorization': f'Bearer {made["token"]}'},
                      timeout=30, trust_env=False) as client:
        yield Tenant(org_id, made['token'], made['token_id'], client)


@pytest.fixture
def anonymous(system):
    """A client without a token."""
    with httpx.Client(base_url=system.url, timeout=30, trust_env=False) as client:
        yield client
