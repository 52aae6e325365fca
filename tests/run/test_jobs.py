"""What scripts/run shows, and what its exit status says."""
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from harness import EXAMPLE, NOOP, make_home, remove_home
from harness.system import RUN
from harness.processes import wait_gone

NO_ANTIBODY = 'MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVVHSLAKWKRQTLGQHDFSAGEGLYTHMKALRPDEDRLSPLHSVYVDQWDWERVMGDGERQFSTLKSTVEAIWAGIKATEAAVSEEFGLAPFLPDQIHFVHSQELLSRYPDLDAKGRERAIAKDLGAVFLVGIGGKLSDGHRHDVRAPDYDDW'


@pytest.fixture(scope='module')
def home():
    """One for all these runs, one after the other."""
    folder = make_home()
    yield folder
    remove_home(folder)


def run(home: Path, *arguments: str, seconds: float = 90) -> subprocess.CompletedProcess[str]:
    programs = os.environ.get('PARATOPE_TEST_PROGRAMS')
    ended = subprocess.run([str(RUN), '--home', str(home), *(('--programs', programs) if programs else ()),
                            *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
    assert not wait_gone(home)
    return ended


def test_the_example_is_humanized_and_shown(home):
    ended = run(home)
    assert ended.returncode == 0, ended.stderr
    assert re.search(r'4D5: pending\n', ended.stdout)
    assert re.search(r'4D5: pending → running \(numbering, germline search, grafting.*\) → completed\n', ended.stdout)
    assert EXAMPLE['heavy'][:60] in ended.stdout and EXAMPLE['light'][:60] in ended.stdout
    for word in (r'humanized +\S', r'changed +\^', 'IGHV', r'humanness \S+ → \S+', 'cdr_grafting', 'vernier_grafting'):
        assert re.search(word, ended.stdout), word


@pytest.mark.timeout(300)
def test_a_second_start_shows_its_result_within_ten_seconds(home):
    def seconds() -> float:
        began = time.monotonic()
        assert run(home).returncode == 0
        return time.monotonic() - began
    assert any(seconds() < 10 for _ in range(3)), 'not even the quickest of three, beside whatever else runs here'


def test_each_antibody_of_a_file_is_humanized(home, tmp_path):
    fasta = tmp_path / 'three.fasta'
    fasta.write_text(''.join(f'>ab{n} VH\n{EXAMPLE["heavy"]}\n>ab{n} VL\n{EXAMPLE["light"]}\n' for n in (1, 2, 3)))
    ended = run(home, str(fasta))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert '3 of 3 completed' in ended.stdout
    assert all(f'ab{n}: pending' in ended.stdout for n in (1, 2, 3))


def test_one_that_is_no_antibody_is_told_and_the_others_go_on(home, tmp_path):
    fasta = tmp_path / 'mixed.fasta'
    fasta.write_text(f'>phage\n{NO_ANTIBODY[:130]}\n>ab VH\n{EXAMPLE["heavy"]}\n>ab VL\n{EXAMPLE["light"]}\n')
    ended = run(home, str(fasta))
    assert ended.returncode == 1
    assert 'phage: refused: ' in ended.stdout
    assert re.search('ab: pending.* → completed', ended.stdout)
    assert ended.stdout.endswith('1 of 2 completed\n')


def test_a_job_that_fails_shows_its_reason(home, tmp_path):
    """The pipeline dies at each job; three tries, with backoff."""
    program = tmp_path / 'dies'
    program.write_text('#!/bin/sh\nhead -c 1 > /dev/null\nexit 3\n')
    program.chmod(0o755)
    ended = run(home, '--pipeline', f'humanization={program}')
    assert ended.returncode == 1
    assert re.search(r'4D5: failed: \S+', ended.stdout)


def test_another_program_serves_the_job_type(home):
    ended = run(home, '--pipeline', f'humanization={NOOP}')
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search('4D5: pending.* → completed', ended.stdout)


@pytest.mark.parametrize('text, line, what', [
    ('>a VH\nQVQ1\n', 2, "'1' is none of the 20 amino acids"),
    ('>a VH\n>b VH\nQVQ\n', 1, 'a VH has no sequence'),
    ('>a VH\nQVQ\n>a VH\nQVQ\n', 3, 'a VH stands here a second time'),
    ('QVQ\n', 1, 'a FASTA file begins with'),
    ('>\nQVQ\n', 1, 'the record has no name'),
])
def test_what_is_wrong_with_a_file_is_told_with_its_line(tmp_path, text, line, what):
    fasta = tmp_path / 'wrong.fasta'
    fasta.write_text(text)
    ended = run(tmp_path / 'home', str(fasta))
    assert ended.returncode == 1
    assert f'{fasta}, line {line}: {what}' in ended.stderr
    assert not (tmp_path / 'home').exists()  # said before anything starts


def test_no_example_submits_nothing(home):
    ended = run(home, '--no-example', '--workers', '0')
    assert (ended.returncode, ended.stdout) == (0, '')


@pytest.mark.parametrize('arguments', [
    ['--workers', '-1'], ['--brokers', '0'], ['--gateways', 'many'], ['--pipeline', 'humanization'],
    ['--pipeline', 'humanization=/no/such/program'], ['--pipeline', 'Structure=/bin/true'], ['--surprise']])
def test_a_wrong_command_line_is_refused_with_the_usage(tmp_path, arguments):
    ended = run(tmp_path / 'home', *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith('usage: scripts/run') and not (tmp_path / 'home').exists()


def test_help_tells_all_options(tmp_path):
    ended = run(tmp_path / 'home', '--help')
    assert ended.returncode == 0
    for option in ('--stay', '--no-example', '--workers', '--brokers', '--gateways', '--pipeline', '--home'):
        assert option in ended.stdout
