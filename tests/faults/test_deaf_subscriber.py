"""A subscriber stops reading: its own messages are dropped, nobody else's, and it catches up by number."""
import sys
import threading
from pathlib import Path

import msgpack
import pytest
import zmq

from harness.processes import wait_for

sys.path.insert(0, str(Path(__file__).parents[1] / 'protocol'))
from subscriber import Subscriber  # noqa: E402

JOBS = 1200
RESULT = 60000  # bytes; who follows results gets them as well
GROWTH = 80     # MiB that the broker may grow by: 1,000 messages of 64 KiB wait for a subscriber at the very most


def resident(pid: int) -> float:
    """MiB."""
    with open(f'/proc/{pid}/statm') as file:
        return int(file.read().split()[1]) * 4096 / 2**20


class Listener(Subscriber):
    """Remembers the number of each event that came as a message, also of those that came out of order: two threads
    of a gateway publish what they committed, so the one may overtake the other."""

    def __init__(self, *who: str) -> None:
        self.heard: set[int] = set()
        super().__init__(*who)

    def handle(self, topic: bytes, header: bytes, *payload: bytes) -> list[dict]:
        if topic.startswith(b'event.'):
            self.heard.add(msgpack.unpackb(header)['seq'])
        return super().handle(topic, header)


    def open(self, endpoint: str, prefixes: tuple[str, ...], **options: int) -> None:
        """Another socket in place of the first."""
        self.socket.close()
        self.socket = self.context.socket(zmq.SUB)
        self.socket.linger = 0
        for name, value in options.items():
            setattr(self.socket, name, value)
        self.socket.connect(endpoint)
        for prefix in prefixes:
            self.socket.subscribe(f'{prefix}.{self.org}.'.encode())


class Deaf(Listener):
    """Follows results, too, and reads nothing until take() is called; its own buffers are small."""

    def __init__(self, *who: str) -> None:
        super().__init__(*who)
        self.open(who[0], ('event', 'edge', 'result'), rcvhwm=10, rcvbuf=4096)


class Reader(threading.Thread):
    """Follows the organisation's events all the time. Its own queue has no bound: on a busy machine it is this thread
    that is slow, and what is dropped for that is not the broker's."""

    def __init__(self, *arguments: object) -> None:
        super().__init__()
        self.arguments, self.log, self.ending = arguments, [], threading.Event()
        self.start()

    def run(self) -> None:
        self.subscriber = Listener(*self.arguments)
        self.subscriber.open(self.arguments[0], ('event', 'edge'), rcvhwm=0)
        while not self.ending.is_set():
            self.log += self.subscriber.take(0.3)
        self.subscriber.close()

    def end(self) -> list[dict]:
        self.ending.set()
        self.join()
        return self.log


def submit_all(system, variant: str) -> None:
    def some() -> None:
        for _ in range(JOBS // 8):
            system.submit(variant)
    threads = [threading.Thread(target=some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.timeout(400)
def test_only_its_own_messages_are_dropped(new_system):
    system = new_system(workers=4)
    org = system.query('SELECT org_id::text FROM variants WHERE id = %s', system.variant)[0]['org_id']
    who = system.env['PARATOPE_EVENTS'], system.url, system.token, org
    deaf = Deaf(*who)
    reader = Reader(*who)
    try:
        caught_up = deaf.take(0.5)
        first = system.submit()
        system.wait_terminal([first])
        assert wait_for(lambda: reader.subscriber.last == 3, 40)
        before = resident(system.pid('broker-1'))
        submit_all(system, system.make_variant(f'result={RESULT}'))
        assert wait_for(lambda: system.query('SELECT count(*) FROM jobs WHERE completed_at IS NOT NULL')[0]['count'] ==
                        JOBS + 1, 150)
        grown = resident(system.pid('broker-1')) - before
        last = system.query('SELECT seq FROM event_counters WHERE org_id = %s', org)[0]['seq']
        assert wait_for(lambda: reader.subscriber.last == last, 60)
        while deaf.last < last:
            caught_up += deaf.take(0.5)
    finally:
        heard = reader.end()
        deaf.close()
    print(f'{last} events, {len(reader.subscriber.heard)} came to the reader and {len(deaf.heard)} to the deaf one; '
          f'the broker grew by {grown:.1f} MiB')
    for log in (heard, caught_up):
        assert [event['seq'] for event in log] == list(range(1, last + 1))
    assert reader.subscriber.heard >= set(range(4, last + 1)), 'some were dropped for the reader'
    assert len(deaf.heard) < last - JOBS, 'nothing was dropped: the test is too small'
    assert grown < GROWTH
