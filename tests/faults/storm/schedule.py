"""The faults of a storm: which, when, and at whom. A function of the seed alone."""
import random
from dataclasses import dataclass

GATEWAYS, BROKERS, WORKERS = 2, 2, 3
PROCESSES = [f'{role}-{number}' for role, count in
             (('gateway', GATEWAYS), ('broker', BROKERS), ('worker', WORKERS)) for number in range(1, count + 1)]
EVERYBODY = [*PROCESSES, 'postgres']
ENDPOINTS = ['PARATOPE_BROKER_GATEWAYS', 'PARATOPE_BROKER_WORKERS', 'PARATOPE_EVENTS_IN', 'PARATOPE_EVENTS']

LEASE = 3.0      # seconds of silence after which a peer is gone
LONGEST = 9.0    # seconds that a fault lasts


@dataclass(frozen=True)
class Fault:
    at: float               # seconds since the storm began
    kind: str               # a row of KINDS
    whom: tuple[str, ...]   # processes; or ('broker-N', endpoint)
    lasts: float = 0.0

    def __str__(self) -> str:
        return f'{self.at:7.2f} s  {self.kind:<10} {" ".join(self.whom)}' + (
            f' for {self.lasts:.1f} s' if self.lasts else '')


def one(rng: random.Random) -> tuple[str, ...]:
    return rng.choice(EVERYBODY),


def several(rng: random.Random) -> tuple[str, ...]:
    return tuple(sorted(rng.sample(EVERYBODY, rng.randint(2, 4))))


def program(rng: random.Random) -> tuple[str, ...]:
    return rng.choice(PROCESSES),


def gateway(rng: random.Random) -> tuple[str, ...]:
    return f'gateway-{rng.randint(1, GATEWAYS)}',


def endpoint(rng: random.Random) -> tuple[str, ...]:
    return f'broker-{rng.randint(1, BROKERS)}', rng.choice(ENDPOINTS)


def nobody(rng: random.Random) -> tuple[str, ...]:
    return ()


# kind: (how often, at whom, (shortest, longest) in seconds, whether it needs a network of our own)
KINDS = {
    'kill': (8, one, None, False),            # SIGKILL; scripts/run starts it again within a second
    'kill all': (2, several, None, False),    # the same moment
    'end': (2, program, None, False),         # SIGTERM: it drains
    'stop': (3, one, (0.3, LEASE - 1), False),       # SIGSTOP and SIGCONT, before anybody misses it
    'stop long': (3, one, (LEASE + 1, LONGEST), False),  # and after its leases and its lock are gone
    'backend': (1, nobody, None, False),      # PostgreSQL ends a few of the gateways' connections
    'deaf': (3, program, (LEASE + 1, LONGEST), True),    # its connections carry nothing, new ones do
    'cut': (3, endpoint, (0.5, LONGEST), True),  # a broker's endpoint cannot be reached
    'loss': (2, endpoint, (2.0, LONGEST), True),  # it loses a quarter of its packets
    'door': (1, gateway, (0.5, 4.0), True),   # a gateway's HTTP cannot be reached
    'freeze': (2, nobody, None, False),       # the far worker's connections carry nothing, new ones do
    'slow': (1, nobody, (1.0, LONGEST), False),  # its messages take up to 0.4 s, and overtake each other
}


def make(seed: int, seconds: float, pause: float, with_network: bool) -> list[Fault]:
    """By time, `pause` seconds apart on average. Without a network of our own the faults that need one are passed
    over; the others stay the same."""
    rng = random.Random(f'faults {seed}')
    faults, at = [], 0.0
    while (at := at + rng.expovariate(1 / pause)) < seconds:
        kind = rng.choices(list(KINDS), [row[0] for row in KINDS.values()])[0]
        _, whom, lasts, needs_network = KINDS[kind]
        fault = Fault(at, kind, whom(rng), rng.uniform(*lasts) if lasts else 0.0)
        if with_network or not needs_network:
            faults.append(fault)
    return faults
