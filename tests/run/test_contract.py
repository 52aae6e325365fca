"""What DIR/env, DIR/pids and the database promise while the system is up (DESIGN.md)."""
import os
import re
import stat
import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest

from harness import System

NAMES = ['PARATOPE_URL', 'PARATOPE_URLS', 'PARATOPE_TOKEN', 'PARATOPE_VARIANT', 'PARATOPE_BROKER_GATEWAYS',
         'PARATOPE_BROKER_WORKERS', 'PARATOPE_EVENTS_IN', 'PARATOPE_EVENTS', 'DATABASE_URL']
ENDPOINTS = [name for name in NAMES if 'BROKER' in name or 'EVENTS' in name]


@pytest.fixture(scope='module')
def running():
    with System(brokers=2, gateways=2) as started:
        yield started


def test_env_has_the_promised_lines(running):
    lines = running.env_file.read_text().splitlines()
    assert [line.split('=')[0] for line in lines] == [f'export {name}' for name in NAMES]
    assert all(re.fullmatch(r"export [A-Z_]+='[^']+'", line) for line in lines)


def test_env_is_for_its_owner_alone(running):
    assert stat.S_IMODE(running.env_file.stat().st_mode) == 0o600


def test_env_can_be_sourced(running):
    said = subprocess.run(['sh', '-c', f'. {running.env_file}; printf %s "$DATABASE_URL"'],
                          capture_output=True, text=True, check=True)
    assert said.stdout == running.env['DATABASE_URL']


def test_urls_name_every_gateway(running):
    urls = running.env['PARATOPE_URLS'].split(' ')
    assert len(urls) == 2 and urls[0] == running.url
    assert all(re.fullmatch(r'http://127\.0\.0\.1:\d+', url) for url in urls)


@pytest.mark.parametrize('name', ENDPOINTS)
def test_endpoints_name_every_broker_on_loopback(running, name):
    endpoints = running.env[name].split(' ')
    assert len(set(endpoints)) == 2
    assert all(re.fullmatch(r'tcp://127\.0\.0\.1:\d+', endpoint) for endpoint in endpoints)


def test_pids_are_those_of_living_processes(running):
    assert running.names() == ['broker-1', 'broker-2', 'gateway-1', 'gateway-2', 'postgres', 'worker-1', 'worker-2']
    for name in running.names():
        with open(f'/proc/{running.pid(name)}/comm', encoding='utf-8') as comm:
            assert comm.read().strip() == ('postgres' if name == 'postgres' else f'paratope-{name[:-2]}'[:15])


def test_database_opens_for_its_owner_without_a_password(running):
    row, = running.query('SELECT current_user::text AS me, pg_get_userbyid(datdba)::text AS owner '
                         'FROM pg_database WHERE datname = current_database()')
    assert row['me'] == row['owner'] == 'paratope'
    assert running.env['DATABASE_URL'].startswith('postgresql://')


def test_database_is_durable_and_listens_on_no_network(running):
    for name, value in {'fsync': 'on', 'synchronous_commit': 'on', 'full_page_writes': 'on',
                        'listen_addresses': ''}.items():
        assert running.query(f'SHOW {name}') == [{name: value}]


@pytest.mark.skipif(os.geteuid() != 0, reason='becomes another user, which only root can')
def test_database_refuses_other_users(running):
    refused = subprocess.run(['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups',
                              'psql', running.env['DATABASE_URL'], '-c', 'SELECT 1'], cwd='/', capture_output=True)
    assert refused.returncode != 0


def test_sockets_path_is_short_enough(running):
    query = parse_qs(urlsplit(running.env['DATABASE_URL']).query)
    assert len(f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}") <= 107


def test_table_jobs_has_the_promised_columns(running):
    columns = {row['column_name'] for row in running.query(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'jobs'")}
    assert columns >= {'id', 'org_id', 'variant_id', 'job_type', 'status', 'attempt', 'created_at', 'started_at',
                       'completed_at', 'error_message'}


def test_token_opens_the_example_variant(running):
    assert running.http.get(f'/v1/variants/{running.variant}').status_code == 200
    assert running.http.get(f'/v1/variants/{running.variant}', headers={'Authorization': ''}).status_code == 401
