"""A network namespace for this process and all that it starts, in which TCP ports can be cut off or lose packets."""
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
LOSS = 25  # percent
ESTABLISHED, LISTEN = '01', '0A'  # in /proc/net/tcp

RULES = f"""\
table inet storm {{
    set cut {{ type inet_service; }}
    set lossy {{ type inet_service; }}
    chain input {{
        type filter hook input priority 0;
        tcp sport @cut drop
        tcp dport @cut drop
        tcp sport @lossy numgen random mod 100 < {LOSS} drop
        tcp dport @lossy numgen random mod 100 < {LOSS} drop
    }}
}}
"""


class Network:
    """Who cuts what is kept by a key, so that one fault's end does not heal another's."""

    def __init__(self) -> None:
        self.ports: dict[str, dict[object, set[int]]] = {'cut': {}, 'lossy': {}}
        nft(RULES)

    def set(self, which: str, key: object, ports: set[int]) -> None:
        self.ports[which][key] = ports
        self._write(which)

    def heal(self, key: object) -> None:
        for which in self.ports:
            if self.ports[which].pop(key, None):
                self._write(which)

    def heal_all(self) -> None:
        for which in self.ports:
            self.ports[which].clear()
            self._write(which)

    def _write(self, which: str) -> None:
        ports = set().union(*self.ports[which].values())
        elements = f'add element inet storm {which} {{ {", ".join(map(str, sorted(ports)))} }}\n' if ports else ''
        nft(f'flush set inet storm {which}\n{elements}')


def enter() -> Network | None:
    """Before any thread or process is started. None if this user, or this machine, cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(CLONE_NEWNET) != 0:
        return None
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    try:
        return Network()
    except (OSError, subprocess.CalledProcessError):
        return None


def nft(script: str) -> None:
    subprocess.run(['nft', '-f', '-'], input=script, text=True, check=True, capture_output=True)


def ports_of(pids: set[int]) -> set[int]:
    """For each TCP connection of these processes the port that no other connection has: not the listener's."""
    inodes = {link for pid in pids for link in links(f'/proc/{pid}/fd')}
    with open('/proc/self/net/tcp') as table:
        rows = [line.split() for line in list(table)[1:]]
    listening = {port_of(row[1]) for row in rows if row[3] == LISTEN}
    return {port_of(row[2] if port_of(row[1]) in listening else row[1]) for row in rows
            if row[3] == ESTABLISHED and f'socket:[{row[9]}]' in inodes}


def port_of(address: str) -> int:
    return int(address.split(':')[1], 16)


def links(folder: str) -> list[str]:
    found = []
    try:
        for name in os.listdir(folder):
            found.append(os.readlink(f'{folder}/{name}'))
    except OSError:
        pass  # it has ended, or the descriptor was closed meanwhile
    return found
