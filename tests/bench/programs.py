"""The programs that are measured and those that measure: built in a folder of their own, so that a
normal build does not grow; each that is started here ends when this process does."""
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.processes import die_with_parent

CHECKOUT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get('PARATOPE_BENCH_BUILD') or CHECKOUT / 'build-bench')
PROGRAMS = BUILD / 'bin'
BENCH = BUILD / 'bench'
NOOP = BENCH / 'noop'


def build() -> None:
    """Optimised, like the preset `release`."""
    def step(*command: str) -> None:
        done = subprocess.run(command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, preexec_fn=die_with_parent(signal.SIGTERM))
        if done.returncode != 0:
            raise SystemExit(f'scripts/bench: the build failed:\n{done.stdout[-3000:]}')
    if not (BUILD / 'build.ninja').exists():
        step('cmake', '-S', '.', '-B', str(BUILD), '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
             '-DPARATOPE_BENCH=ON')
    step('ninja', '-C', str(BUILD), 'paratope-bench')


def ask(program: str, *arguments: object, seconds: float = 600) -> dict:
    """What a program of tests/bench says, one line of JSON."""
    command = [str(BENCH / program), *map(str, arguments)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=seconds,
                          preexec_fn=die_with_parent(signal.SIGKILL))
    if done.returncode != 0:
        raise RuntimeError(f'{program} ended with status {done.returncode}')
    return json.loads(done.stdout)


def processor_seconds(command: list[object], seconds: float = 600) -> float:
    """What a program took of a core, whoever else was there; what it says is dropped."""
    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    before = spent()
    subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=seconds,
                   check=True, preexec_fn=die_with_parent(signal.SIGKILL))
    return spent() - before


def wrk(url: str, connections: int, seconds: float, method: str, path: str, body: str,
        callers: list[tuple[str, str]]) -> dict:
    """callers: (variant, token); VARIANT in path and body is replaced by theirs."""
    command = ['wrk', '-t', str(min(2, connections)), '-c', str(connections), '-d', f'{seconds:g}s',
               '-s', str(HERE / 'wrk.lua'), url, '--', method, path, body,
               *(f'{variant}={token}' for variant, token in callers)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, timeout=seconds + 60, preexec_fn=die_with_parent(signal.SIGKILL))
    if done.returncode != 0 or not done.stderr.startswith('{'):
        raise RuntimeError(f'wrk: {done.stderr}')
    return json.loads(done.stderr)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


@contextmanager
def running(command: list[str], *, port: int | None = None, env: dict[str, str] | None = None,
            cwd: Path | None = None, argv0: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A server for as long as the block lasts; begins when its port takes connections."""
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen([argv0 or command[0], *command[1:]], executable=shutil.which(command[0]),
                                 stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=cwd,
                                 env={**os.environ, **(env or {})}, preexec_fn=die_with_parent(signal.SIGKILL))
        try:
            if port:
                wait_for_port(port, child, log)
            yield child
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def wait_for_port(port: int, child: subprocess.Popen[bytes], log: object) -> None:
    limit = time.monotonic() + 30
    while time.monotonic() < limit and child.poll() is None:
        try:
            socket.create_connection(('127.0.0.1', port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    log.seek(0)
    raise RuntimeError(f'{child.args} does not listen: {log.read()[-2000:].decode(errors="replace")}')
