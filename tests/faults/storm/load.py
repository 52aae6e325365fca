"""Clients of several organisations: they submit jobs of all kinds at all gateways, and follow the events."""
import collections
import json
import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from harness import EXAMPLE
from harness.system import programs

sys.path.insert(0, str(Path(__file__).parents[2] / 'protocol'))
from subscriber import Subscriber  # noqa: E402

# What the generic pipeline is told by the variant's name: (how often, the job's end).
KINDS = {
    'sleep=0.02': (10, 'completed'),
    'result=300': (6, 'completed'),
    'result=60000': (3, 'completed'),
    'result=300000': (2, 'completed'),
    'result=4000000': (1, 'completed'),
    'progress=4 sleep=0.4': (4, 'completed'),
    'sleep=2 noise=20': (2, 'completed'),
    'sleep=5': (1, 'completed'),
    'fail=not_an_antibody': (2, 'failed'),
    'fail=busy retry=1 fail_until=2': (2, 'completed'),
    'exit=3': (1, 'failed'),
    'crash=SEGV crash_until=2': (2, 'completed'),
    'crash=KILL': (1, 'failed'),
}
PRIORITIES = ['high', 'normal', 'low']
ORGANISATIONS = 3
CLIENTS = 6
PAUSE = 0.25     # seconds between a client's requests, on average
PATIENCE = 8.0   # seconds for an answer
CANCELED = 0.08  # of the accepted jobs so many are canceled
LATER = 0.5      # seconds after the answer, on average


@dataclass
class Organisation:
    id: str
    token: str
    variants: dict[str, str] = field(default_factory=dict)  # orders → id


def make_organisations(system) -> list[Organisation]:
    made = []
    for number in range(ORGANISATIONS):
        org_id = admin(system, 'create-organisation', f'organisation {number}')['org_id']
        made.append(Organisation(org_id, admin(system, 'create-token', org_id, 'storm')['token']))
        chains = [{'kind': kind, 'sequence': sequence} for kind, sequence in EXAMPLE.items()]
        with client_of(system.url, made[-1]) as client:
            for orders in KINDS:
                answer = client.post('/v1/therapeutic-candidates',
                                     json={'name': orders, 'format': 'mab', 'chains': chains})
                answer.raise_for_status()
                made[-1].variants[orders] = answer.json()['variant_id']
    return made


def admin(system, *arguments: str) -> dict:
    done = subprocess.run([programs() / 'paratope-gateway', 'admin', '--database', system.env['DATABASE_URL'],
                           *arguments], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[0])


def client_of(url: str, organisation: Organisation) -> httpx.Client:
    return httpx.Client(base_url=url, headers={'Authorization': f'Bearer {organisation.token}'}, timeout=PATIENCE,
                        trust_env=False)


class Load:
    """What each client asks for, of whom and where follows from the seed; when, also from the answers."""

    def __init__(self, system, organisations: list[Organisation], seed: int) -> None:
        self.urls = system.env['PARATOPE_URLS'].split()
        self.organisations = organisations
        self.accepted: dict[str, tuple[str, str]] = {}  # job → (organisation, orders)
        self.cancels: dict[str, str] = {}  # job → what the cancel was answered with
        self.answers: collections.Counter[str] = collections.Counter()
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(random.Random(f'client {seed} {number}'),))
                        for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def run(self, rng: random.Random) -> None:
        clients = {(url, organisation.id): client_of(url, organisation)
                   for url in self.urls for organisation in self.organisations}
        while not self.ending.is_set():
            organisation, url = rng.choice(self.organisations), rng.choice(self.urls)
            orders = rng.choices(list(KINDS), [row[0] for row in KINDS.values()])[0]
            job = self.submit(clients[url, organisation.id], organisation, orders, rng.choice(PRIORITIES))
            if job and rng.random() < CANCELED:
                time.sleep(rng.expovariate(1 / LATER))
                self.cancel(clients[rng.choice(self.urls), organisation.id], job)
            time.sleep(rng.expovariate(1 / PAUSE))
        for client in clients.values():
            client.close()

    def submit(self, client: httpx.Client, organisation: Organisation, orders: str, priority: str) -> str | None:
        """The job, if it was accepted."""
        try:
            answer = client.post('/v1/jobs', json={'variant_id': organisation.variants[orders],
                                                   'job_type': 'humanization', 'priority': priority})
        except httpx.HTTPError:
            self.answers['none'] += 1  # it may have been accepted, but a client does not know
            return None
        self.answers[str(answer.status_code)] += 1
        if answer.status_code != 202:
            return None
        self.accepted[answer.json()['id']] = (organisation.id, orders)
        return answer.json()['id']

    def cancel(self, client: httpx.Client, job: str) -> None:
        try:
            self.cancels[job] = str(client.post(f'/v1/jobs/{job}/cancel').status_code)
        except httpx.HTTPError:
            self.cancels[job] = 'none'


class Follower(Subscriber):
    """A subscriber in a thread of its own, who reads at whichever gateway answers."""

    def __init__(self, system, organisation: Organisation) -> None:
        self.urls = system.env['PARATOPE_URLS'].split()
        self.log: list[dict] = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(system.env['PARATOPE_EVENTS'], organisation))
        self.thread.start()

    def run(self, events: str, organisation: Organisation) -> None:
        super().__init__(events, self.urls[0], organisation.token, organisation.id)
        while not self.ending.is_set():
            self.log += self.take(0.5)
        super().close()

    def read_page(self) -> dict:
        while True:
            for url in self.urls:
                self.http.base_url = url
                try:
                    return super().read_page()
                except httpx.HTTPError:
                    time.sleep(0.1)

    def close(self) -> None:
        self.ending.set()
        self.thread.join()
