"""What the programs say to a wrong command line or file."""
import subprocess

import pytest

from harness.processes import wait_for
from harness.system import programs

NOWHERE = {'brokers': 'tcp://127.0.0.1:1', 'events-in': 'tcp://127.0.0.1:2'}


@pytest.mark.parametrize('words', [['paratope-gateway', '--database', 'x', 'admin', 'show'], ['paratope-broker', 'admin'],
                                   ['paratope-worker', 'admin']], ids=lambda words: words[0])
def test_a_word_too_many_is_named(words):
    done = subprocess.run([programs() / words[0], *words[1:]], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert 'unexpected argument: admin' in done.stderr and '--help' in done.stderr


def test_admin_lists_its_commands():
    done = subprocess.run([programs() / 'paratope-gateway', 'admin', '--help'], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0
    assert '--database URI' in done.stdout and 'create-token ORG_ID' in done.stdout


@pytest.mark.parametrize('lines', ['pipeline = "humanization={program}"', 'pipeline\n    humanization = "{program}"'])
def test_a_file_names_pipelines_in_either_form(tmp_path, lines):
    program, mark = tmp_path / 'program', tmp_path / 'started'
    program.write_text(f'#!/bin/sh\ntouch {mark}\nexec sleep 60\n')
    program.chmod(0o755)
    file = tmp_path / 'worker.conf'
    file.write_text('\n'.join([lines.format(program=program), 'slots = "humanization=1"',
                               *(f'{name} = "{value}"' for name, value in NOWHERE.items())]) + '\n')
    worker = subprocess.Popen([programs() / 'paratope-worker', '--config', file], stderr=subprocess.DEVNULL)
    try:
        assert wait_for(mark.exists, 20)
    finally:
        worker.kill()
        worker.wait()
