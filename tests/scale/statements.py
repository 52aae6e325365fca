"""Every statement of the gateway's stores, read from their sources as the compiler sees them, and run as
gateway/database/pg.c runs them: prepared, with its settings, its plan looked at while it works."""
import ast
import json
import re
import subprocess
from dataclasses import dataclass, field
from functools import cache

import psycopg2

from harness.system import CHECKOUT
from tables import address

STORES = ('gateway/store/move.c', 'gateway/store/read.c', 'gateway/store/lifecycle.c', 'gateway/store/lists.c',
          'gateway/store/results.c', 'gateway/store/batches.c', 'gateway/store/read_batches.c')
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')


def preprocessed(source: str) -> str:
    flags = subprocess.run(['pkg-config', '--cflags', 'libpq', 'libczmq', 'jansson', 'msgpack'], check=True,
                           capture_output=True, text=True).stdout.split()
    return subprocess.run(['cc', '-E', '-P', '-D_GNU_SOURCE', f'-I{CHECKOUT}', *flags, str(CHECKOUT / source)],
                          check=True, capture_output=True, text=True).stdout


def joined(literals: str) -> str:
    return ''.join(ast.literal_eval(text) for text in STRINGS.findall(literals))


@cache
def statements() -> dict[str, str]:
    """name → SQL"""
    found = {}
    for source in STORES:
        for body in re.findall(r'pt_sql_t \w+ = \{(.*?)\};', preprocessed(source), re.DOTALL):
            first = STRINGS.search(body)
            found[ast.literal_eval(first[0])] = joined(body[first.end():])
    return found


def settings() -> str:
    """The options that every connection of the gateway has."""
    return joined(re.search(r'values\[\] = \{((?:\s*"[^"]*")+)', preprocessed('gateway/database/pg_connect.c'))[1])


@dataclass
class Ran:
    """What one execution did, with the statements inside of functions."""
    scans: set[tuple[str, str, str]] = field(default_factory=set)  # (kind, table, index)
    buffers: int = 0
    rows: int = 0  # that its nodes gave or threw away, whether read from a table or from a list

    def add(self, node: dict) -> None:
        self.rows += round(node['Actual Loops'] * sum(
            node.get(key, 0) for key in ('Actual Rows', 'Rows Removed by Filter', 'Rows Removed by Join Filter')))
        if 'Relation Name' in node and 'Scan' in node['Node Type']:
            self.scans.add((node['Node Type'], node['Relation Name'], node.get('Index Name', '')))
        elif node['Node Type'] == 'Bitmap Index Scan':
            self.scans.add((node['Node Type'], '', node['Index Name']))
        for child in node.get('Plans', ()):
            self.add(child)

    @property
    def indexes(self) -> set[str]:
        return {index for _, _, index in self.scans if index}

    @property
    def read_whole(self) -> set[str]:
        return {table for kind, table, _ in self.scans if kind == 'Seq Scan'}


def as_text(value: object) -> object:
    """Arrays as the gateway sends them."""
    if not isinstance(value, list):
        return value
    return '{' + ','.join('NULL' if item is None else f'"{item}"' for item in value) + '}'


class Session:
    """A connection like the gateway's whose plans can be seen. Nothing that it does stays."""

    def __init__(self, system) -> None:
        # auto_explain also shows what functions do; only the superuser may load it.
        url = address(system)
        self.connection = psycopg2.connect(url, options=settings())
        self.cursor = self.connection.cursor()
        self.cursor.execute("load 'auto_explain'; set auto_explain.log_min_duration = 0; "
                            "set auto_explain.log_analyze = on; set auto_explain.log_buffers = on; "
                            "set auto_explain.log_nested_statements = on; set auto_explain.log_format = 'json'; "
                            "set client_min_messages = log")
        self.connection.commit()
        self.prepared: set[str] = set()

    def run(self, name: str, arguments: list) -> Ran:
        if name not in self.prepared:
            self.cursor.execute(f'prepare {name} as {statements()[name]}')
            self.prepared.add(name)
        del self.connection.notices[:]
        marks = ', '.join(['%s'] * len(arguments))
        try:
            self.cursor.execute(f'execute {name} ({marks})' if arguments else f'execute {name}',
                                [as_text(value) for value in arguments])
        finally:
            notices = list(self.connection.notices)
            self.connection.rollback()
        ran = Ran()
        for notice in notices:
            plan = json.loads(notice[notice.index('{'):])['Plan']
            ran.add(plan)
            # The outermost one comes last, and counts what is inside of it.
            ran.buffers = plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
        assert notices, f'no plan of {name} was seen'
        return ran

    def close(self) -> None:
        self.connection.close()
