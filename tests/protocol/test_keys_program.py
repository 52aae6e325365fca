"""paratope-keys, and the programs' --keys and --insecure, as an operator meets them."""
import os
import stat
import subprocess

import pytest
import zmq
import zmq.auth

from broker_peers import BUILD
from curve_keys import PROGRAM, Folder

LOCAL = ['tcp://127.0.0.1:1', 'tcp://127.8.9.10:1', 'tcp://localhost:1', 'tcp://[::1]:1', 'ipc:///tmp/pt-nobody']
WIDE = ['tcp://10.255.255.1:1', 'tcp://0.0.0.0:1', 'tcp://*:1', 'tcp://127.0.0.1.example.org:1',
        'tcp://127.example:1', 'tcp://localhost.example.org:1', 'tcp://[::]:1',
        'tcp://10.255.255.1:1;127.0.0.1:1', 'tcp://eth0:1']


def run(*command, **environment):
    """Ends within a moment, because something is wrong with it."""
    return subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL,
                          env={**os.environ, **environment})


def program(name, endpoints, *more):
    """The command; broker, gateway or worker with these endpoints at every option."""
    path = BUILD / 'bin' / f'paratope-{name}'
    options = {'broker': ('gateways', 'workers', 'events-in', 'events'), 'worker': ('brokers', 'events-in'),
               'gateway': ('brokers', 'events-in', 'events')}[name]
    flags = [part for option in options for part in (f'--{option}', endpoints)]
    database = ['--database', 'postgresql://nobody@127.0.0.1:1/nothing'] if name == 'gateway' else []
    return [path, *flags, *database, *more]


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / 'keys')


def test_files_are_for_their_owner_alone_and_hold_what_was_asked_for(folder):
    folder.add('w.1_a-b', 'worker', job_types='humanization stability')
    folder.add('everything', 'subscriber', org='*')
    files = [file for file in folder.path.rglob('*') if file.is_file()]
    assert len(files) == 8 and all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in folder.path.rglob('*') if path.is_dir())
    public, secret = zmq.auth.load_certificate(folder.authorised('w.1_a-b'))
    assert secret is None and folder.keys_of('w.1_a-b', 'worker').public == public
    assert zmq.curve_public(folder.keys_of('w.1_a-b', 'worker').secret) == public
    text = folder.authorised('w.1_a-b').read_text()
    assert 'role = "worker"' in text and 'job_types = "humanization stability"' in text
    assert 'secret' not in text.lower()
    assert folder.keys_of('everything', 'subscriber').broker == folder.broker


def test_the_list_shows_each_with_its_role(folder):
    folder.add('one', 'gateway')
    keys = folder.add('two', 'worker', job_types='*')
    lines = folder.run('list').splitlines()
    assert [line.split()[:2] for line in lines] == [['one', 'gateway'], ['two', 'worker']]
    assert keys.public.decode() in lines[1]
    folder.remove('two')
    assert len(folder.run('list').splitlines()) == 1 and not folder.machine('two').exists()
    folder.add('two', 'gateway')  # the name is free again


def test_what_cannot_be_is_said_and_leaves_nothing(folder):
    before = sorted(folder.path.rglob('*'))
    add = ('add', folder.path, 'x')
    for why, *arguments in (
            ('role is none of', *add, '--role=king'),
            ("--job-types 'TYPE …', or '*'", *add, '--role=worker'),
            ("a-z, 0-9 and _, or '*' alone", *add, '--role=worker', '--job-types=A B'),
            ('is empty', *add, '--role=worker', '--job-types= '),
            ('no UUID', *add, '--role=subscriber', '--org=acme'),
            ("--org ID, or '*'", *add, '--role=subscriber'),
            ('workers only', *add, '--role=gateway', '--job-types=*'),
            ('needed: --role', *add),
            ('not a certificate', *add, '--role=gateway', '--public=/dev/null'),
            ('letters', 'add', folder.path, '../x', '--role=gateway'),
            ('letters', 'add', folder.path, '.x', '--role=gateway'),
            ('letters', 'add', folder.path, 'x' * 64, '--role=gateway'),
            ('there already', 'init', folder.path),
            ('no such machine', 'remove', folder.path, 'nobody'),
            ('folder and a name', 'add', folder.path),
            ('no such command', 'frobnicate', folder.path),
            ('a command is missing',),
            ('init makes it', 'list', folder.path / 'elsewhere')):
        done = run(PROGRAM, *arguments)
        assert done.returncode in (1, 2) and why in done.stderr and done.stderr.startswith('paratope-keys: '), done
        assert done.stderr.count('\n') == 1
    assert sorted(folder.path.rglob('*')) == before


def test_a_key_is_authorised_once(folder):
    folder.add('one', 'gateway')
    done = run(PROGRAM, 'add', folder.path, 'again', '--role=gateway', f'--public={folder.authorised("one")}')
    assert done.returncode == 1 and 'one.key' in done.stderr


@pytest.mark.parametrize('name', ['broker', 'gateway', 'worker'])
@pytest.mark.parametrize('endpoint', WIDE)
def test_nothing_goes_beyond_this_machine_without_keys(name, endpoint):
    done = run(*program(name, endpoint))
    assert done.returncode == 2 and endpoint in done.stderr
    assert '--keys' in done.stderr and 'paratope-keys' in done.stderr and '--insecure' in done.stderr


@pytest.mark.parametrize('name', ['broker', 'gateway', 'worker'])
def test_one_wide_endpoint_among_others_is_enough(name):
    command = program(name, LOCAL[0])
    command[command.index('--events-in') + 1] = f'{LOCAL[0]} {WIDE[0]}' if name != 'broker' else WIDE[0]
    done = run(*command)
    assert done.returncode == 2 and WIDE[0] in done.stderr


@pytest.mark.parametrize('name, endpoint, more', [
    *(('worker', endpoint, ()) for endpoint in LOCAL), ('worker', WIDE[0], ('--insecure',)),
    ('broker', 'tcp://0.0.0.0:*', ('--insecure',))])
def test_what_stays_here_or_is_told_to_be_insecure_starts(name, endpoint, more):
    process = subprocess.Popen(program(name, endpoint, *more), stderr=subprocess.PIPE, text=True)
    try:
        lines = [process.stderr.readline() for _ in range(1)]
        assert 'started' in lines[0] or 'ready' in lines[0], lines
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_with_keys_a_broker_listens_wide_and_missing_keys_are_named(folder, tmp_path):
    for name, folder_, what in (('broker', tmp_path, 'broker.key_secret'), ('worker', folder.path, 'worker.key_secret'),
                                ('gateway', tmp_path, 'gateway.key_secret')):
        done = run(*program(name, WIDE[0], '--keys', str(folder_)))
        assert done.returncode == 2 and what in done.stderr
    folder.add('w', 'worker', job_types='*')
    (folder.machine('w') / 'broker.key').unlink()
    done = run(*program('worker', WIDE[0], '--keys', str(folder.machine('w'))))
    assert done.returncode == 2 and 'broker.key' in done.stderr
    (folder.machine('w') / 'broker.key').write_text('nonsense')
    assert 'not a certificate' in run(*program('worker', WIDE[0], '--keys', str(folder.machine('w')))).stderr
    (folder.path / 'authorised').rename(folder.path / 'other')
    done = run(*program('broker', 'tcp://0.0.0.0:*'), PARATOPE_KEYS=str(folder.path))
    assert done.returncode == 1 and 'authorised' in done.stderr
    process = subprocess.Popen(program('broker', 'tcp://0.0.0.0:*', '--keys', str(folder.path), '--authorised',
                                       str(folder.path / 'other')), stderr=subprocess.PIPE, text=True)
    try:
        assert '"encryption":"curve"' in process.stderr.readline()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
