"""Which processes make the system, where each listens, and how each is started."""
import http.client
import time
from dataclasses import dataclass, field
from pathlib import Path

from errors import SetupError
from home import Home
from keys import SUBSCRIBER, Keys
from options import CHECKOUT, Options
from ports import Ports
from processes import Program
from proxy import SOURCE, Proxy
from supervisor import Child, Supervisor

JOB_TYPES = ('humanization', 'immunogenicity', 'stability', 'codon_export')  # what a worker serves by itself
DECLARED = ('complex_prediction',)                                           # what nobody here computes
SLOTS = 2                      # of each job type, in each worker
STRUCTURE = 'structure'        # served with --all, in one slot of each worker: a process takes a core and 1 GB
GRACE = 1                      # seconds for what a worker runs at SIGTERM: the whole run ends within 10
READY = 60.0                   # seconds for a gateway to say that it is

# Ended from the highest to the lowest: so that a worker's last word still finds a broker,
# a gateway and the database. haproxy ends beside the workers, before the gateways.
DATABASE, BROKERS, GATEWAYS, WORKERS, EXAMPLE = range(5)


@dataclass
class Broker:
    gateways: str
    workers: str
    events_in: str
    events: str
    metrics: str


@dataclass
class Gateway:
    listen: str
    health: str

    @property
    def url(self) -> str:
        return f'http://{self.listen}'


@dataclass
class System:
    options: Options
    home: Home
    supervisor: Supervisor
    ports: Ports
    programs: Path
    brokers: list[Broker] = field(default_factory=list)
    gateways: list[Gateway] = field(default_factory=list)
    proxy: Proxy | None = None
    keys: Keys | None = None

    def __post_init__(self) -> None:
        port = self.ports
        self.brokers = [Broker(port.endpoint(), port.endpoint(), port.endpoint(), port.endpoint(), port.address())
                        for _ in range(self.options.brokers)]
        self.gateways = [Gateway(port.address(), port.address()) for _ in range(self.options.gateways)]
        if self.options.tls:
            self.proxy = Proxy(self.home.path, port.address(), self.home.log_of('haproxy'))
        if self.options.keys:
            self.keys = self._make_keys()

    def endpoints(self, which: str) -> str:
        """All brokers' endpoints of one kind, always in the same order."""
        return ' '.join(getattr(broker, which) for broker in self.brokers)

    def program(self, name: str) -> str:
        return str(self.programs / f'paratope-{name}')

    def start_brokers(self) -> None:
        for number, broker in enumerate(self.brokers, 1):
            self._add(f'broker-{number}', BROKERS, [
                self.program('broker'), '--gateways', broker.gateways, '--workers', broker.workers,
                '--events-in', broker.events_in, '--events', broker.events, '--metrics', broker.metrics,
                *(('--keys', str(self.keys.folder)) if self.keys else ())])

    def start_gateways(self, database: str) -> None:
        behind = ['--access-log', '--trusted-proxies', SOURCE] if self.proxy else []
        for number, gateway in enumerate(self.gateways, 1):
            self._add(f'gateway-{number}', GATEWAYS, [
                self.program('gateway'), '--database', database, '--listen', gateway.listen,
                '--health-listen', gateway.health, '--brokers', self.endpoints('gateways'),
                '--events-in', self.endpoints('events_in'), '--events', self.endpoints('events'), *behind,
                *self._keys_of(f'gateway-{number}')])
        if self.proxy:
            self.proxy.start(self.supervisor, [(gateway.listen, gateway.health) for gateway in self.gateways], WORKERS)

    def start_workers(self) -> None:
        pipelines = [part for job_type, program in self.options.pipelines.items()
                     for part in ('--pipeline', f'{job_type}={program}')]
        pipelines += [part for job_type, schema in self.only_declared.items()
                      for part in ('--pipelines', f'{job_type}.options={schema}')]
        for number in range(1, self.options.workers + 1):
            name = f'worker-{number}'
            spool = self.home.spool / name
            spool.mkdir(exist_ok=True)
            self._add(name, WORKERS, [
                self.program('worker'), '--brokers', self.endpoints('workers'),
                '--events-in', self.endpoints('events_in'), '--name', name,
                '--slots', ' '.join(f'{job_type}={self._slots(job_type)}' for job_type in self.served),
                '--grace', str(GRACE), '--spool', str(spool), *pipelines,
                *self._keys_of(name)])

    def wait_ready(self) -> None:
        limit = time.monotonic() + READY
        for number, gateway in enumerate(self.gateways, 1):
            while (why := not_ready(gateway.listen)) is not None:
                if time.monotonic() > limit:
                    log = self.home.log_of(f'gateway-{number}')
                    raise SetupError(f'gateway-{number} is not ready after {READY:.0f} s: {why}; log: {log}')
                self.supervisor.tick(0.05)
        if self.proxy:
            self.proxy.wait(self.supervisor)

    def env(self, database: str, token: str, variant: str) -> dict[str, str]:
        urls = [gateway.url for gateway in self.gateways]
        return {
            'PARATOPE_URL': urls[0],
            'PARATOPE_URLS': ' '.join(urls),
            'PARATOPE_TOKEN': token,
            'PARATOPE_VARIANT': variant,
            'PARATOPE_BROKER_GATEWAYS': self.endpoints('gateways'),
            'PARATOPE_BROKER_WORKERS': self.endpoints('workers'),
            'PARATOPE_EVENTS_IN': self.endpoints('events_in'),
            'PARATOPE_EVENTS': self.endpoints('events'),
            'DATABASE_URL': database,
            **self.subscriber_env,
            **(self.proxy.env if self.proxy else {}),
        }

    @property
    def subscriber_env(self) -> dict[str, str]:
        return {'PARATOPE_KEYS': str(self.keys.of(SUBSCRIBER))} if self.keys else {}

    @property
    def served(self) -> list[str]:
        return list(dict.fromkeys([*JOB_TYPES, *([STRUCTURE] if self.options.all else []), *self.options.pipelines]))

    def _slots(self, job_type: str) -> int:
        return 1 if self.options.all and job_type == STRUCTURE else SLOTS

    @property
    def only_declared(self) -> dict[str, Path]:
        """Job types that people may submit although nobody computes them yet, and the schema of their options."""
        return {job_type: CHECKOUT / 'worker' / 'pipelines' / job_type / 'options.json'
                for job_type in DECLARED if job_type not in self.served}

    def _make_keys(self) -> Keys:
        """All before the first broker starts, so that nobody is refused at first."""
        keys = Keys(self.supervisor, self.program('keys'), self.home.path / 'keys')
        for number in range(1, self.options.gateways + 1):
            keys.add(f'gateway-{number}', 'gateway')
        for number in range(1, self.options.workers + 1):
            keys.add(f'worker-{number}', 'worker', f'--job-types={" ".join([*self.served, *self.only_declared])}')
        return keys

    def _keys_of(self, name: str) -> tuple[str, ...]:
        return ('--keys', str(self.keys.of(name))) if self.keys else ()

    def _add(self, name: str, stage: int, argv: list[str]) -> None:
        self.supervisor.add(Child(Program(
            name, argv, log=self.home.log_of(name), cwd=str(self.home.path),
            env={'PARATOPE_HOME': str(self.home.path)}), stage))


def not_ready(address: str) -> str | None:
    """None when it is ready, else what it says."""
    connection = http.client.HTTPConnection(address, timeout=1)
    try:
        connection.request('GET', '/readyz')
        answer = connection.getresponse()
        text = answer.read(2000).decode(errors='replace').strip()
        return None if answer.status == 200 else text
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()
