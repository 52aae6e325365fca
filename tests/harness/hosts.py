"""Hosts with addresses of their own: network namespaces on one bridge, as cables lead to one switch."""
import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .processes import die_with_parent

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def ip(*words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(['ip', *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return done


class Hosts:
    """Namespaces are named after this process; they and all that was started in them are gone at the end."""

    def __init__(self, folder: Path) -> None:
        """`folder` has a subfolder for each host, which stands for its /etc/paratope."""
        self.folder = folder
        self.prefix = f'pt{os.getpid()}'
        self.switch = f'{self.prefix}-switch'
        self.numbers: dict[str, int] = {}  # a host's port of the switch
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> 'Hosts':
        ip('netns', 'add', self.switch)
        ip('-n', self.switch, 'link', 'add', 'br0', 'type', 'bridge')
        ip('-n', self.switch, 'link', 'set', 'br0', 'up')
        return self

    def __exit__(self, *exception: object) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        for host in self.numbers:
            ip('netns', 'del', self.name(host), check=False)
        ip('netns', 'del', self.switch, check=False)

    def name(self, host: str) -> str:
        return f'{self.prefix}-{host}'

    def add(self, host: str, address: str) -> None:
        """`address` with its network's length: 192.0.2.10/24."""
        number = self.numbers[host] = len(self.numbers)
        ip('netns', 'add', self.name(host))
        ip('-n', self.switch, 'link', 'add', f'port{number}', 'type', 'veth', 'peer', 'name', 'eth0', 'netns',
           self.name(host))
        ip('-n', self.switch, 'link', 'set', f'port{number}', 'master', 'br0', 'up')
        ip('-n', self.name(host), 'addr', 'add', address, 'dev', 'eth0')
        for device in ('eth0', 'lo'):
            ip('-n', self.name(host), 'link', 'set', device, 'up')
        (self.folder / host).mkdir(exist_ok=True)

    def cut(self, host: str) -> None:
        """Pulls its cable out of the switch: nobody is told, packets are lost."""
        ip('-n', self.switch, 'link', 'set', f'port{self.numbers[host]}', 'nomaster')

    def heal(self, host: str) -> None:
        ip('-n', self.switch, 'link', 'set', f'port{self.numbers[host]}', 'master', 'br0')

    def mute(self, host: str, *addresses: str) -> None:
        """A cut in one direction, by blackhole routes: it hears these others, and cannot answer them."""
        for address in addresses:
            ip('-n', self.name(host), 'route', 'add', 'blackhole', f'{address}/32')

    def unmute(self, host: str, *addresses: str) -> None:
        for address in addresses:
            ip('-n', self.name(host), 'route', 'del', 'blackhole', f'{address}/32')

    def start(self, host: str, *command: object, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        with open(self.folder / host / 'log', 'ab') as log:
            process = self.processes[host] = subprocess.Popen(
                ['ip', 'netns', 'exec', self.name(host), *map(str, command)], stdin=subprocess.DEVNULL, stderr=log,
                env=os.environ | (env or {}), preexec_fn=die_with_parent(signal.SIGKILL))
        return process

    @contextlib.contextmanager
    def inside(self, host: str) -> Iterator[None]:
        """This thread, and those that it starts, speak from that host."""
        with open('/proc/self/ns/net') as own, open(f'/run/netns/{self.name(host)}') as other:
            enter(other.fileno())
            try:
                yield
            finally:
                enter(own.fileno())


def enter(descriptor: int) -> None:
    if LIBC.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'setns')


def possible() -> bool:
    """Whether this user, on this machine, can make such hosts."""
    name = f'pt{os.getpid()}-probe'
    if os.geteuid() != 0 or ip('netns', 'add', name, check=False).returncode != 0:
        return False
    made = ip('-n', name, 'link', 'add', 'br0', 'type', 'bridge', check=False).returncode == 0
    ip('netns', 'del', name)
    return made
