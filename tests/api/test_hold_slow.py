"""A thousand clients that hold connections and say nothing, or almost nothing: the others do not notice.

The slow ones come back as soon as they are ended, all the time that the others are timed."""
import os
import selectors
import signal
import socket
import statistics
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from commands import program
from harness.processes import die_with_parent, wait_for
from newcomers import newcomer
from raw import Connection, head
from test_listeners import free_port

MIB = 1024 * 1024
DRIP = 1.0        # seconds between two bytes
COME_BACK = 1.0   # seconds until a client that was ended comes again
SLACK = 6.0       # seconds that a busy machine may be late with an end


@dataclass
class Kind:
    """Clients that send `opening`, and then a byte of `drip` each second."""
    count: int
    opening: bytes
    drip: bytes = b''
    longest: float = 0.0  # seconds that the server may leave such a connection open


@dataclass
class Slow:
    kind: Kind
    since: float
    next_byte: float
    socket: socket.socket


@dataclass
class Crowd:
    """All the slow clients, served by one thread of ours."""
    url: str
    kinds: list[Kind]
    came: int = 0
    ended: int = 0
    kept: list[float] = field(default_factory=list)  # how long each was left open
    refused: int = 0

    def __post_init__(self) -> None:
        place = urlsplit(self.url)
        self.place = (place.hostname, place.port)
        self.selector = selectors.DefaultSelector()
        self.open: dict[socket.socket, Slow] = {}
        self.due: list[tuple[float, Kind]] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self) -> 'Crowd':
        self.due = [(0.0, kind) for kind in self.kinds for _ in range(kind.count)]
        everybody = len(self.due)
        self.thread.start()
        assert wait_for(lambda: self.came >= everybody, 60), f'{self.came} of the crowd got in'
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop.set()
        self.thread.join()
        for slow in list(self.open.values()):
            slow.socket.close()
        self.selector.close()

    def run(self) -> None:
        while not self.stop.is_set():
            now = time.monotonic()
            self.come(now)
            self.send_bytes(now)
            for key, _ in self.selector.select(0.02):
                self.hear(self.open[key.fileobj])

    def come(self, now: float) -> None:
        """A few at a time, so that the machine's own two cores are not what is measured."""
        for at, kind in self.due[:20]:
            if at > now:
                break
            self.due.pop(0)
            try:
                one = socket.create_connection(self.place, 5)
                one.sendall(kind.opening)
            except OSError:
                self.refused += 1
                self.due.append((now + COME_BACK, kind))
                continue
            self.came += 1
            self.open[one] = Slow(kind, time.monotonic(), time.monotonic() + DRIP, one)
            self.selector.register(one, selectors.EVENT_READ)

    def send_bytes(self, now: float) -> None:
        for slow in list(self.open.values()):
            if slow.kind.drip and slow.next_byte <= now:
                slow.next_byte += DRIP
                try:
                    slow.socket.send(slow.kind.drip)
                except OSError:
                    self.end(slow)

    def hear(self, slow: Slow) -> None:
        try:
            if slow.socket.recv(65536):
                return  # an answer; the end follows, or the pause before the next request
        except OSError:
            pass
        self.end(slow)

    def end(self, slow: Slow) -> None:
        self.kept.append(time.monotonic() - slow.since)
        self.ended += 1
        self.selector.unregister(slow.socket)
        slow.socket.close()
        del self.open[slow.socket]
        self.due.append((time.monotonic() + COME_BACK, slow.kind))


def idle(count: int) -> Kind:
    return Kind(count, head('GET', '/healthz'), longest=2.0)


def unfinished(count: int) -> Kind:
    return Kind(count, b'GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: ', longest=5.0)


def dripping_heads(count: int) -> Kind:
    return Kind(count, b'GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: ', b'x', longest=5.0)


def silent(count: int) -> Kind:
    return Kind(count, b'', longest=5.0)


def dripping_bodies(count: int, token: str) -> Kind:
    return Kind(count, head('POST', '/v1/jobs', token, Content_Type='application/json', Content_Length='1000'), b' ',
                longest=10.0)


def times(client: httpx.Client, method: str, path: str, count: int, status: int, json: object = None) -> list[float]:
    """Seconds of each; a connection that was closed while it was idle is no fault, as in any client."""
    found = []
    for _ in range(count):
        began = time.monotonic()
        answer = client.request(method, path, json=json)
        found.append(time.monotonic() - began)
        assert answer.status_code == status, answer.text
        time.sleep(0.005)
    return sorted(found)


@dataclass
class Latency:
    p50: float
    p99: float
    longest: float


def measure(system, health: str | None = None, count: int = 150) -> dict[str, Latency]:
    """A client that opens a connection for each request: the hardest case, since each needs a thread."""
    found = {}
    job = {'variant_id': system.variant, 'job_type': 'humanization'}
    headers = {'Authorization': f'Bearer {system.token}', 'Connection': 'close'}
    cases = [('POST', system.url, '/v1/jobs', 202, job), ('GET', system.url, '/v1/events?limit=1', 200, None),
             ('GET', system.url, '/readyz', 200, None)]
    cases += [('GET', health, '/readyz', 200, None)] if health else []
    for method, url, path, status, body in cases:
        with httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
            all_of_them = times(client, method, path, count, status, body)
        name = f'{method} {path}' + (' (health)' if url == health else '')
        found[name] = Latency(statistics.median(all_of_them), all_of_them[int(count * 0.99) - 1], all_of_them[-1])
    return found


def resident(pid: int) -> int:
    return int(Path(f'/proc/{pid}/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')


@dataclass
class Held:
    """A gateway of its own beside the system's, with a listener for health."""
    url: str
    health: str
    pid: int
    token: str
    variant: str


@pytest.fixture(scope='module')
def gateway(system, tmp_path_factory):
    main, health = (f'127.0.0.1:{free_port()}' for _ in range(2))
    log = tmp_path_factory.mktemp('hold') / 'log'
    with open(log, 'wb') as file:
        running = subprocess.Popen([program('paratope-gateway'), '--listen', main, '--health-listen', health],
                                   env={**os.environ, **system.env}, stderr=file,
                                   preexec_fn=die_with_parent(signal.SIGKILL))

    def ready() -> bool:
        try:
            return all(httpx.get(f'http://{at}/readyz', timeout=10, trust_env=False).status_code == 200
                       for at in (main, health))
        except httpx.HTTPError:
            return False
    try:
        assert wait_for(ready, 60)
        ours = newcomer(system, 'held')
        yield Held(f'http://{main}', f'http://{health}', running.pid, ours.token, ours.make_candidate()[1])
    finally:
        running.terminate()
        status = running.wait(40)
    assert status == 0
    assert log.stat().st_size < 100_000, 'a slow client is no reason to write to the log'


def compare(before: dict[str, Latency], during: dict[str, Latency]) -> None:
    for name, usual in before.items():
        held = during[name]
        print(f'{name:28} before {usual.p50 * 1e3:6.1f} {usual.p99 * 1e3:6.1f} ms, '
              f'during {held.p50 * 1e3:6.1f} {held.p99 * 1e3:6.1f} ms, longest {held.longest * 1e3:.0f} ms')
        # Behind those who are held it would be seconds; a busy machine takes tenths.
        assert held.longest < 10.0, name
        assert held.p50 < max(10 * usual.p50, 0.5), name
        assert held.p99 < max(10 * usual.p99, 3.0), name


CROWDS = {
    'idle': lambda token: [idle(1000)],
    'heads': lambda token: [unfinished(1000)],
    'dripping heads': lambda token: [dripping_heads(1000)],
    'silent': lambda token: [silent(1000)],
    'bodies': lambda token: [dripping_bodies(100, token)],
    'all': lambda token: [idle(1000), unfinished(1000), dripping_bodies(100, token)],
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize('name', CROWDS)
def test_the_others_go_on_at_their_latency(gateway, name):
    before = measure(gateway, gateway.health)
    memory = resident(gateway.pid)
    kinds = CROWDS[name](gateway.token)
    with Crowd(gateway.url, kinds) as crowd:
        during = measure(gateway, gateway.health)
        grown = resident(gateway.pid) - memory
        time.sleep(max(0.0, max(kind.longest for kind in kinds) + 1.5 - (max(crowd.kept, default=0.0))) / 4)
    print(f'{crowd.ended} were ended after at most {max(crowd.kept, default=0.0):.1f} s, {crowd.refused} not let in, '
          f'memory +{grown / MIB:.1f} MiB, {resident(gateway.pid) / MIB:.0f} in all')
    compare(before, during)
    assert crowd.refused == 0
    assert grown < 64 * MIB


def is_refused(connection: Connection) -> bool:
    """Whether it was told so, or is within a moment: who is kept is told nothing yet."""
    connection.socket.settimeout(0.05)
    try:
        return (got := connection.answer()) is not None and got.status == 503
    except OSError:
        return False


@pytest.mark.timeout(180)
def test_many_large_bodies_at_once_cost_bounded_memory(gateway):
    """Of 120 that send nearly 1 MiB and then stop, as many are kept as there is room for; a small one always is."""
    body = b' ' * (MIB - 1)
    memory = resident(gateway.pid)
    held = [Connection(gateway.url, 8) for _ in range(120)]
    try:
        for connection in held:
            connection.socket.settimeout(3)
            try:
                connection.send(head('POST', '/v1/jobs', gateway.token, Content_Type='application/json',
                                     Content_Length=str(MIB)) + body)
            except OSError:
                pass  # refused in the middle
        time.sleep(0.3)
        grown = resident(gateway.pid) - memory
        answer = httpx.post(f'{gateway.url}/v1/jobs', headers={'Authorization': f'Bearer {gateway.token}'}, timeout=5,
                            json={'variant_id': gateway.variant, 'job_type': 'humanization'}, trust_env=False)
        assert answer.status_code == 202
        refused = sum(map(is_refused, held))
        print(f'{refused} of {len(held)} refused, memory +{grown / MIB:.0f} MiB')
        assert refused >= 40, 'more than there is room for were kept'
        assert refused <= 90, 'hardly any was kept; on a busy machine those who are being refused hold room for a moment'
        assert grown < 80 * MIB
    finally:
        for connection in held:
            connection.socket.close()


@pytest.mark.timeout(180)
def test_many_bodies_of_many_values_cost_bounded_memory(gateway):
    memory = resident(gateway.pid)
    bodies = [b'[' + b'[],' * 340_000 + b'[]]'] * 40

    def post(body: bytes) -> int:
        return httpx.post(f'{gateway.url}/v1/jobs', content=body, timeout=20, trust_env=False, headers={
            'Authorization': f'Bearer {gateway.token}', 'Content-Type': 'application/json'}).status_code
    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(post, bodies)) == {400}
    grown = resident(gateway.pid) - memory
    print(f'memory +{grown / MIB:.0f} MiB')
    assert grown < 100 * MIB


@pytest.mark.timeout(300)
def test_health_holds_while_its_own_listener_is_held(gateway):
    usual = measure(gateway, gateway.health, 50)
    with Crowd(gateway.health, [idle(100), unfinished(100)]):
        compare(usual, measure(gateway, gateway.health, 50))


@pytest.mark.timeout(180)
@pytest.mark.parametrize('kind, at_least', [(idle(1), 1.5), (unfinished(1), 4.5), (dripping_heads(1), 4.0),
                                            (silent(1), 4.5)], ids=['idle', 'head', 'dripping head', 'silent'])
def test_each_is_closed_in_its_time(gateway, kind, at_least):
    """Neither later than documented nor, while threads are free, sooner."""
    with Crowd(gateway.url, [kind]) as crowd:
        assert wait_for(lambda: crowd.ended, 60)
    assert at_least <= crowd.kept[0] <= kind.longest + SLACK


@pytest.mark.timeout(180)
def test_a_dripping_body_is_closed_in_its_time(gateway):
    kind = dripping_bodies(1, gateway.token)
    with Crowd(gateway.url, [kind]) as crowd:
        assert wait_for(lambda: crowd.ended, 60)
    assert 9.0 <= crowd.kept[0] <= kind.longest + SLACK
