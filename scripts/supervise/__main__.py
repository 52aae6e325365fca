"""scripts/run: everything, from installing packages to the example's result."""
import sys
from pathlib import Path

import fasta
import tenant
from errors import SetupError, Stop
from files import say
from home import Home
from options import Options, parse
from places import remove_if_elsewhere
from ports import Ports
from postgres import Postgres
from prepare import prepare
from processes import Program, start
from signals import Signals
from supervisor import Supervisor, end_now
from system import System

SUBMIT = Path(__file__).parent / 'submit.py'


def main() -> int:
    options = parse(sys.argv[1:])
    signals = Signals()
    try:
        if options.fasta:
            fasta.read(options.fasta)  # what is wrong with it is said before anything starts
        home = Home(options.home)
        programs = options.programs or prepare(signals, options.tls, options.all)
        supervisor = Supervisor(signals, home.pids)
        try:
            return run(options, home, supervisor, programs)
        finally:
            home.remove_env()
            supervisor.end()
            remove_if_elsewhere(home.path / 'sockets')
    except Stop as stop:
        return 128 + stop.signum
    except SetupError as error:
        say(str(error))
    except OSError as error:
        say(f'{error.strerror}{f": {error.filename}" if error.filename else ""} '
            f'(while using {options.home}): make room or rights there, or choose another --home DIR')
    return 1


def run(options: Options, home: Home, supervisor: Supervisor, programs: Path) -> int:
    ports = Ports()
    postgres = Postgres(supervisor, home.path, home.log_of('postgres'), ports.take())
    system = System(options, home, supervisor, ports, programs)

    postgres.start()
    system.start_brokers()
    postgres.wait()
    postgres.create_database()
    gateway = system.program('gateway')
    supervisor.call(Program('migrate', [gateway, '--migrate', '--database', postgres.url]),
                    "making the database's schema")
    system.start_gateways(postgres.url)
    system.start_workers()
    own = tenant.ensure(supervisor, gateway, postgres.url, home.state, postgres.data)
    system.wait_ready()
    supervisor.ready = True
    home.write_env(system.env(postgres.url, own.token, own.variant_id))
    say(f'up at {system.gateways[0].url}; its environment is in {home.env}, its logs are in {home.log}')

    status = 0
    if options.fasta or options.example:
        status = submit(options, supervisor, system, own)
    if options.stay:
        stay(supervisor)
    return status


def submit(options: Options, supervisor: Supervisor, system: System, own: tenant.Tenant) -> int:
    """Shows the jobs in a process of its own, so that nothing holds up the supervision."""
    what = [str(options.fasta)] if options.fasta else ['--variant', own.variant_id, str(tenant.EXAMPLE)]
    if not options.workers:
        say('there are no workers: jobs stay pending until one comes')
    process = start(Program('submit', [sys.executable, '-B', str(SUBMIT), *what], cwd='.', env={
        'PARATOPE_URL': system.gateways[0].url, 'PARATOPE_TOKEN': own.token, 'PARATOPE_ORG': own.org_id,
        'PARATOPE_EVENTS': system.endpoints('events'), **system.subscriber_env}))
    try:
        while process.poll() is None:
            supervisor.tick(1)
    finally:
        end_now(process)
    return process.returncode if process.returncode >= 0 else 1


def stay(supervisor: Supervisor) -> None:
    say('stays up until SIGINT (Ctrl-C) or SIGTERM')
    try:
        while True:
            supervisor.tick(60)
    except Stop:
        return


if __name__ == '__main__':
    sys.exit(main())
