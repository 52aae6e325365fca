"""The command line."""
import argparse
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

EPILOG = """\
Without --stay it ends what it started once the results are shown, and exits with 0 only if
every job completed. While it is up, `. DIR/env` tells a shell where everything listens;
DIR/pids has each process' id and DIR/log what it says. See docs/operations.md.
"""


@dataclass(frozen=True)
class Options:
    fasta: Path | None
    stay: bool
    example: bool
    workers: int
    brokers: int
    gateways: int
    pipelines: dict[str, str]
    all: bool
    tls: bool
    keys: bool
    home: Path
    programs: Path | None


def parse(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog='scripts/run', epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description='Builds Paratope, runs all of it on this machine, and humanizes an example antibody.')
    parser.add_argument('fasta', metavar='FASTA', nargs='?', type=Path,
                        help='humanize these instead of the example; records "NAME VH" and "NAME VL" '
                             'belong together, a lone one is a nanobody or single chain')
    parser.add_argument('--stay', action='store_true',
                        help='stay up until SIGINT or SIGTERM, and start again whatever dies')
    parser.add_argument('--no-example', action='store_true', help='submit nothing')
    for role, least, usual in (('workers', 0, 2), ('brokers', 1, 1), ('gateways', 1, 1)):
        parser.add_argument(f'--{role}', metavar='N', type=at_least(least), default=usual,
                            help=f'how many {role} (default {usual})')
    parser.add_argument('--pipeline', metavar='JOB_TYPE=PROGRAM', type=pipeline, action='append', default=[],
                        help='serve a job type with another program, for this run (repeatable)')
    parser.add_argument('--all', action='store_true',
                        help='serve structures too; installs ProMod3 (about 1 GB) where it is missing')
    parser.add_argument('--tls', action='store_true',
                        help='HTTPS too: haproxy in front of the gateways, with a certificate of its own')
    parser.add_argument('--keys', action='store_true',
                        help='encrypt what the processes say to each other, with a certificate for each (DIR/keys)')
    parser.add_argument('--home', metavar='DIR', type=Path, default=CHECKOUT / 'var',
                        help='holds everything that this writes (default: var/ in the checkout)')
    parser.add_argument('--programs', metavar='DIR', type=Path,
                        help='run the programs of this folder and build nothing (default: build/bin)')
    given = parser.parse_args(arguments)
    if given.fasta and given.no_example:
        parser.error('--no-example submits nothing: leave it out, or the FASTA file')
    return Options(given.fasta, given.stay, not given.no_example, given.workers, given.brokers, given.gateways,
                   dict(given.pipeline), given.all, given.tls, given.keys,
                   Path(os.path.abspath(given.home)).resolve(),
                   given.programs.resolve() if given.programs else None)


def at_least(least: int):
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= 100:
            raise argparse.ArgumentTypeError(f'{text!r} is no number from {least} to 100')
        return int(text)
    return number


def pipeline(text: str) -> tuple[str, str]:
    job_type, equals, program = text.partition('=')
    if not equals or not re.fullmatch('[a-z0-9_]+', job_type):
        raise argparse.ArgumentTypeError(f'{text!r} is not JOB_TYPE=PROGRAM (as in humanization=./program)')
    found = shutil.which(program)
    if not found:
        raise argparse.ArgumentTypeError(f'{program!r} is no program: give its path, and make it executable')
    return job_type, os.path.abspath(found)
