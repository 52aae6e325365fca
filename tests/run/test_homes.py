"""Homes of all sorts, and several at once."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import System, remove_home


def test_a_second_run_in_the_same_home_is_refused(new_system):
    running = new_system(pipelines={})
    second = subprocess.run(running.command, capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert f'is used by another run (pid {running.runner.pid})' in second.stderr
    assert running.env_file.exists()
    running.wait_ready()


def test_two_run_side_by_side(new_system):
    first, second = new_system(pipelines={}), new_system(pipelines={})
    mine = {value for name, value in first.env.items() if name not in ('PARATOPE_TOKEN', 'PARATOPE_VARIANT')}
    assert not mine & set(second.env.values())
    assert second.http.get(f'/v1/variants/{second.variant}').status_code == 200
    assert second.http.get(f'/v1/variants/{first.variant}',
                           headers={'Authorization': f'Bearer {first.token}'}).status_code == 401


@pytest.fixture
def odd_home():
    """odd_home(name, mode): a home in a folder of its own, which has that mode."""
    made: list[Path] = []

    def make(name: str, mode: int) -> Path:
        made.append(Path(tempfile.mkdtemp(prefix='pt-', dir='/tmp')))
        made[-1].chmod(mode)
        home = made[-1] / name
        home.mkdir()
        return home

    yield make
    for folder in made:
        for child in folder.iterdir():
            remove_home(child)
        folder.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason='only root starts PostgreSQL as another user')
def test_a_home_where_the_database_s_user_cannot_go(odd_home):
    home = odd_home('home', 0o700)
    with System(home) as running:
        data = (home / 'postgres').resolve()
        assert not data.is_relative_to(home) and data.stat().st_mode & 0o777 == 0o700
        assert running.query('SELECT 1 AS one') == [{'one': 1}]
        variant = running.variant
    with System(home) as running:  # it is found again
        assert (home / 'postgres').resolve() == data
        assert running.variant == variant
        assert running.http.get(f'/v1/variants/{variant}').status_code == 200


@pytest.mark.parametrize('name', ['x' * 100, "with space, comma and 'quote'"])
def test_a_home_whose_path_no_socket_can_have(odd_home, name):
    with System(odd_home(name, 0o755)) as running:
        assert running.query('SELECT 1 AS one') == [{'one': 1}]


def test_a_home_without_its_database_gets_a_new_organisation(new_system):
    running = new_system(pipelines={})
    token = running.token
    running.crash()
    shutil.rmtree((running.home / 'postgres').resolve())
    running.start()
    assert running.token != token
    assert running.http.get(f'/v1/variants/{running.variant}').status_code == 200


def test_the_last_run_s_logs_are_kept(new_system):
    running = new_system(pipelines={})
    said = running.log('postgres')
    running.crash()
    running.start()
    assert (running.home / 'log' / 'postgres.log.1').read_text().startswith(said)
