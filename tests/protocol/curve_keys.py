"""Certificates for tests, made and taken back by paratope-keys, as an operator does it."""
import subprocess
from pathlib import Path

import zmq
import zmq.auth

from broker_peers import BUILD

PROGRAM = BUILD / 'bin' / 'paratope-keys'


class Keys:
    """One machine's keys: its own, and the brokers' public one."""

    def __init__(self, public, secret, broker):
        self.public, self.secret, self.broker = public, secret, broker

    def apply(self, socket):
        socket.curve_publickey, socket.curve_secretkey, socket.curve_serverkey = self.public, self.secret, self.broker


class Folder:
    """What paratope-keys keeps, for a broker's --keys."""

    def __init__(self, path):
        self.path = Path(path)
        self.run('init')

    def run(self, command, *arguments, status=0):
        done = subprocess.run([PROGRAM, command, self.path, *arguments], capture_output=True, text=True, timeout=30)
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    def add(self, name, role, **more):
        """The keys of a new certificate; `job_types` and `org` as paratope-keys takes them."""
        options = [f'--{key.replace("_", "-")}={value}' for key, value in more.items()]
        self.run('add', name, f'--role={role}', *options)
        return self.keys_of(name, role)

    def keys_of(self, name, role):
        public, secret = zmq.auth.load_certificate(self.machine(name) / f'{role}.key_secret')
        return Keys(public, secret, self.broker)

    def stranger(self):
        """A pair of keys that somebody made himself."""
        return Keys(*zmq.curve_keypair(), self.broker)

    def machine(self, name):
        return self.path / 'machines' / name

    def authorised(self, name):
        return self.path / 'authorised' / f'{name}.key'

    @property
    def broker(self):
        return zmq.auth.load_certificate(self.path / 'broker.key')[0]

    def remove(self, name):
        self.run('remove', name)
