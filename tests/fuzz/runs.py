"""Builds the targets and runs one of them: how far it came, and what it found."""
import os
import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import seeds

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
BUILD = Path(os.environ.get('PARATOPE_FUZZ_BUILD') or SOURCE / 'build-fuzz')
# A target that hangs or eats memory has found something. Who asks for too much gets NULL, as in production.
LIMITS = ['-timeout=30', '-rss_limit_mb=2048', '-print_final_stats=1', '-close_fd_mask=3']
# What ends a program in the middle leaves to the system what it had.
LEAKS = {'options'}


def missing() -> str | None:
    """Why the targets cannot be built here, or None."""
    if not shutil.which('clang'):
        return 'clang is not installed (scripts/install-deps --test)'
    folder = subprocess.run(['clang', '--print-runtime-dir'], capture_output=True, text=True).stdout.strip()
    if not list(Path(folder).glob('libclang_rt.fuzzer-*.a')) and not list(Path(folder).glob('libclang_rt.fuzzer.a')):
        return 'clang has no libFuzzer here (scripts/install-deps --test)'
    return None


def build(target: str) -> None:
    """`fuzz` is all targets, `planted` all of them with their mistakes; one mistake that has no place any more shall
    not keep the others from being built."""
    if not (BUILD / 'build.ninja').exists():
        call('cmake', '--preset', 'fuzz', '-S', str(SOURCE), '-B', str(BUILD))
    call('cmake', '--build', str(BUILD), '--target', target, '--', '-k', '0')


def call(*command: str) -> None:
    done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True)
    assert done.returncode == 0, f'{command}: {(done.stdout + done.stderr)[-3000:]}'


@dataclass
class Run:
    target: str
    status: int
    said: str
    artifact: Path | None  # the bytes that made it fail

    def number(self, pattern: str) -> int:
        found = re.findall(pattern, self.said)
        return int(found[-1]) if found else 0

    @property
    def edges(self) -> int:
        return self.number(r'cov: (\d+)')

    @property
    def all_edges(self) -> int:
        return self.number(r'Loaded \d+ modules\s+\((\d+) inline 8-bit counters\)')

    @property
    def features(self) -> int:
        return self.number(r'ft: (\d+)')

    @property
    def executions(self) -> int:
        return self.number(r'number_of_executed_units: (\d+)') or self.number(r'^#(\d+)')

    @property
    def what(self) -> str:
        """What it found, in a line."""
        found = re.search(r'^.*(not so: .*|SUMMARY: .*|runtime error: .*|ERROR: libFuzzer: .*)$', self.said, re.MULTILINE)
        return found.group(0)[:200] if found else f'status {self.status}'


def unpack(target: str, to: Path) -> None:
    """What earlier runs came upon: the inputs that reach something new, and those that once made it fail."""
    archive = HERE / 'corpus' / f'{target}.zip'
    if archive.exists():
        with zipfile.ZipFile(archive) as file:
            file.extractall(to)
    for finding in sorted((HERE / 'findings' / target).glob('*')):
        shutil.copy(finding, to / f'finding-{finding.name}')


def run(target: str, folder: Path, seconds: int, planted: bool = False, corpus: Path | None = None) -> Run:
    """`folder` is an empty one, `corpus` one that is kept. With `planted` the mistake is in, only the seeds help to
    find it, and each run is the same; without, each goes another way."""
    corpus, artifact = corpus or folder / 'corpus', folder / 'artifact'
    corpus.mkdir(parents=True, exist_ok=True)
    seeds.write(target, corpus)
    if not planted:
        unpack(target, corpus)
    program = BUILD / 'bin' / f"{'planted' if planted else 'fuzz'}_{target}"
    sanitizers = {'ASAN_OPTIONS': f'allocator_may_return_null=1:detect_leaks={int(target not in LEAKS)}',
                  'UBSAN_OPTIONS': 'print_stacktrace=1'}
    done = subprocess.run(
        [program, *LIMITS, f'-max_total_time={seconds}', f'-exact_artifact_path={artifact}',
         *(['-seed=1'] if planted else []), str(corpus)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace', env={**os.environ, **sanitizers})
    return Run(target, done.returncode, done.stderr, artifact if artifact.exists() else None)
