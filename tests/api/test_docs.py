"""docs/api.md says what the gateway does: its commands are run, its tables compared with the gateway's."""
import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from itertools import groupby, zip_longest
from pathlib import Path

import pytest

from harness.system import CHECKOUT

PAGE = (CHECKOUT / 'docs' / 'api.md').read_text()
FENCE = re.compile(r'^```(\w*)\n(.*?)^```$', re.MULTILINE | re.DOTALL)
DOCUMENTED = re.compile(r'  # (\d{3})$', re.MULTILINE)
ANSWERED = re.compile(r'^answered (\d{3})$', re.MULTILINE)
# Each curl says its status on standard error; the blocks are told apart on both streams.
PRELUDE = '''set -u
curl() { command curl --noproxy '*' --max-time 20 -w '%{stderr}answered %{http_code}\\n' "$@"; }
'''
MARK = 'block-7f3a-ends'
# What stands in an example for the holes of a path.
HOLES = {'id': r'\$[A-Z]+', 'resource': '[a-z-]+', 'job_type': '[a-z0-9_]+', 'name': r'[\w.-]+'}


@dataclass
class Block:
    line: int
    commands: str
    shown: dict | None  # the answer as the page shows it
    printed: str = ''
    said: str = ''
    statuses: list[int] = field(default_factory=list)


def read_blocks(page: str) -> list[Block]:
    """The blocks marked sh, each with the json that follows it at once."""
    blocks: list[Block] = []
    end = -1
    for fence in FENCE.finditer(page):
        if fence[1] == 'sh':
            blocks.append(Block(page[:fence.start()].count('\n') + 1, fence[2], None))
            end = fence.end()
        elif fence[1] == 'json' and fence.start() == end + 1:
            blocks[-1].shown = json.loads(fence[2])
    return blocks


def run_in_order(blocks: list[Block], home: Path, folder: Path) -> None:
    """In one shell, as a reader would, in a folder where var/ is the system's home."""
    (folder / 'var').symlink_to(home)
    script = PRELUDE + ''.join(f'{block.commands}\necho; echo {MARK}; echo {MARK} >&2\n' for block in blocks)
    bare = {name: value for name, value in os.environ.items() if not name.startswith('PARATOPE_')}
    try:
        done = subprocess.run(['bash', '-c', script], cwd=folder, env=bare, capture_output=True, timeout=100)
        printed, said = done.stdout.decode(), done.stderr.decode()
    except subprocess.TimeoutExpired as late:
        printed, said = (late.stdout or b'').decode(), (late.stderr or b'').decode() + 'out of time'
    reached = zip_longest(blocks, printed.split(f'{MARK}\n')[:len(blocks)], said.split(f'{MARK}\n')[:len(blocks)],
                          fillvalue='not reached')
    for block, block.printed, block.said in reached:
        block.statuses = [int(status) for status in ANSWERED.findall(block.said)]


def distinct(statuses: list[int]) -> list[int]:
    """A command in a loop is documented once."""
    return [status for status, _ in groupby(statuses)]


BLOCKS = read_blocks(PAGE)


@pytest.fixture(scope='module')
def ran(system, tmp_path_factory):
    run_in_order(BLOCKS, system.home, tmp_path_factory.mktemp('reader'))


@pytest.mark.parametrize('block', BLOCKS, ids=lambda block: f'line {block.line}')
def test_a_command_does_what_the_page_says(ran, block):
    documented = [int(status) for status in DOCUMENTED.findall(block.commands)]
    assert block.commands.count('curl ') == len(documented), 'a command without its status'
    assert distinct(block.statuses) == distinct(documented), block.printed + block.said
    assert ANSWERED.sub('', block.said).strip() == ''


def shape(value: object) -> object:
    """Keys and types, of a list the first item's."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return 'number' if type(value) in (int, float) else type(value).__name__


@pytest.mark.parametrize('block', [block for block in BLOCKS if block.shown], ids=lambda block: f'line {block.line}')
def test_an_answer_has_the_shape_that_the_page_shows(ran, block):
    printed = json.loads(block.printed)
    if printed.get('unserved') == []:  # a type is named once nobody has served it for 6 s
        printed['unserved'] = block.shown['unserved']
    if printed.get('completed_at') and block.shown['completed_at'] is None:  # it has ended already
        printed['completed_at'] = None
    assert shape(printed) == shape(block.shown)


def test_the_error_is_shown_word_for_word(ran):
    block = next(block for block in BLOCKS if block.statuses == [422])
    assert json.loads(block.printed) == block.shown


def test_every_route_has_a_heading_and_an_example_and_no_other_has():
    table = re.findall(r'\{"([A-Z]+)",\s*"([^"]+)"', (CHECKOUT / 'gateway' / 'api' / 'routes.c').read_text())
    assert len(table) >= 11
    sections = re.split(r'^(?=##)', PAGE, flags=re.MULTILINE)
    documented = {match[1]: section for section in sections
                  if (match := re.match(r'### ([A-Z]+ /\S+)$', section, re.MULTILINE))}
    assert sorted(documented) == sorted(f'{method} {path}' for method, path in table)
    for route, section in documented.items():
        start = re.sub(r'\\{\w+\\}', lambda hole: HOLES[hole[0].strip('\\{}')], re.escape(route.split()[1]))
        assert re.search(rf'curl -s "\$PARATOPE_URL{start}["?]', section), f'no example of {route}'


def test_every_problem_is_in_the_table_and_is_told_what_to_do_about():
    source = (CHECKOUT / 'gateway' / 'http' / 'problem.c').read_text()
    table = re.findall(r'= \{(\d{3}), "(\w+)"', source)
    assert len(table) >= 15
    assert re.findall(r'^\| (\d{3}) \| `(\w+)` \|', PAGE, re.MULTILINE) == table
    advice = PAGE.partition('What to do:\n')[2].partition('\n\nThe first fault')[0]
    assert [code for _, code in table if f'`{code}`' not in advice] == []


def test_every_metric_is_explained(anonymous):
    served = set(re.findall(r'^# TYPE (\w+)', anonymous.get('/metrics').text, re.MULTILINE))
    assert set(re.findall(r'`(paratope_\w+)`', PAGE)) == served


def test_what_is_not_there_yet_is_not(api):
    missing = re.findall(r'`(?:(GET|POST) )?(/[\w/{}.-]+)`', PAGE.partition('## What is not there yet')[2])
    assert len(missing) >= 5
    for method, path in missing:
        answer = api.request(method or 'GET', path.replace('{id}', '00000000-0000-4000-8000-000000000000'))
        assert answer.status_code in (404, 405), f'{method} {path} is there'


@pytest.mark.parametrize('name', ['README.md', 'docs/api.md'])
def test_links_lead_somewhere(name):
    text = FENCE.sub('', (CHECKOUT / name).read_text())
    headings = {re.sub(r'[^\w -]', '', heading.lower()).replace(' ', '-')
                for heading in re.findall(r'^#+ (.*)$', text, re.MULTILINE)}
    for target in re.findall(r'\]\((?!https?:)([^)]+)\)', text):
        file, _, anchor = target.partition('#')
        assert not file or (CHECKOUT / name).parent.joinpath(file).exists(), target
        assert not anchor or file or anchor in headings, target


def test_the_readmes_commands_work(system, tmp_path):
    text = (CHECKOUT / 'README.md').read_text()
    commands = next(fence[2] for fence in FENCE.finditer(text) if 'curl' in fence[2])
    block = Block(0, commands, None)
    run_in_order([block], system.home, tmp_path)
    assert block.statuses == [202, 200, 200, 200], block.printed + block.said
    assert ANSWERED.sub('', block.said).strip() == ''
    assert '"status":"completed"' in block.printed
