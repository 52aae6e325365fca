"""Carries the faults of a schedule out, at a running system, and takes them back."""
import os
import signal
import time
from pathlib import Path

from network import Network, ports_of
from schedule import Fault

from harness.processes import family

FAR_DELAY = 0.4  # seconds that a message of the far worker's takes at most while it is slow
BACKENDS = 3     # connections that PostgreSQL ends at a time


class Faults:
    """`killed` has every process that was sent a deadly signal: another that dies, died of itself."""

    def __init__(self, system, network: Network | None, far) -> None:
        self.system, self.network, self.far = system, network, far
        self.killed: set[int] = set()
        self.stopped: dict[Fault, list[int]] = {}
        self.begins = {'kill': self.kill, 'kill all': self.kill, 'end': self.end_program, 'stop': self.stop,
                       'stop long': self.stop, 'backend': self.end_backends, 'deaf': self.deafen, 'cut': self.cut,
                       'loss': self.lose, 'door': self.shut, 'freeze': self.freeze, 'slow': self.slow_down}

    def begin(self, fault: Fault) -> None:
        self.begins[fault.kind](fault)

    def end(self, fault: Fault) -> None:
        for pid in self.stopped.pop(fault, []):
            send(pid, signal.SIGCONT)
        if self.network:
            self.network.heal(fault)
        if fault.kind == 'slow':
            self.far.delay(0.0)

    def end_all(self) -> None:
        for fault in list(self.stopped):
            self.end(fault)
        self.far.delay(0.0)
        if self.network:
            self.network.heal_all()

    # Processes

    def kill(self, fault: Fault, signum: int = signal.SIGKILL) -> None:
        for pid in self.pids(fault):
            self.killed.add(pid)
            send(pid, signum)

    def end_program(self, fault: Fault) -> None:
        self.kill(fault, signal.SIGTERM)

    def stop(self, fault: Fault) -> None:
        self.stopped[fault] = [pid for whole in self.pids(fault)
                               for pid in (family(whole) if fault.whom == ('postgres',) else [whole])]
        for pid in self.stopped[fault]:
            send(pid, signal.SIGSTOP)

    def end_backends(self, fault: Fault) -> None:
        """Some of the gateways' connections: the others do not notice. By signal, so that a stopped server does not
        hold up the storm."""
        backends = [pid for pid in family(self.system.pid('postgres'))[1:] if b'paratope paratope' in command_of(pid)]
        for pid in sorted(backends)[:BACKENDS]:
            send(pid, signal.SIGTERM)

    def pids(self, fault: Fault) -> list[int]:
        return [self.system.pid(name) for name in fault.whom]

    # Connections

    def deafen(self, fault: Fault) -> None:
        self.network.set('cut', fault, ports_of(set(self.pids(fault))))

    def cut(self, fault: Fault) -> None:
        self.network.set('cut', fault, {self.port(*fault.whom)})

    def lose(self, fault: Fault) -> None:
        self.network.set('lossy', fault, {self.port(*fault.whom)})

    def shut(self, fault: Fault) -> None:
        number = int(fault.whom[0].split('-')[1])
        self.network.set('cut', fault, {port_of(self.system.env['PARATOPE_URLS'].split()[number - 1])})

    def port(self, broker: str, endpoint: str) -> int:
        return port_of(self.system.env[endpoint].split()[int(broker.split('-')[1]) - 1])

    def freeze(self, fault: Fault) -> None:
        self.far.freeze()

    def slow_down(self, fault: Fault) -> None:
        self.far.delay(FAR_DELAY)


def port_of(address: str) -> int:
    return int(address.rsplit(':', 1)[1])


def command_of(pid: int) -> bytes:
    try:
        return Path(f'/proc/{pid}/cmdline').read_bytes()
    except OSError:
        return b''  # it has ended


def send(pid: int, signum: int) -> None:
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        pass  # another fault was there first


def carry_out(faults: Faults, schedule: list[Fault], seconds: float, say) -> int:
    """Begins and ends each at its time, for so many seconds; then all have ended. How many began."""
    steps = sorted([(fault.at, n, 'begin', fault) for n, fault in enumerate(schedule)] +
                   [(fault.at + fault.lasts, n, 'end', fault) for n, fault in enumerate(schedule) if fault.lasts])
    began, start = 0, time.monotonic()
    try:
        for at, _, what, fault in steps:
            if at > seconds:
                break
            time.sleep(max(0.0, start + at - time.monotonic()))
            if what == 'begin':
                say(str(fault))
                faults.begin(fault)
                began += 1
            else:
                faults.end(fault)
    finally:
        faults.end_all()
    return began
