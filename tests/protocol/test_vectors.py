"""proto/vectors/headers.jsonl, as any msgpack reads it; the C tests read the same file."""
import json
from pathlib import Path

import msgpack
import pytest

VECTORS = [json.loads(line) for line in
           (Path(__file__).parents[2] / 'proto' / 'vectors' / 'headers.jsonl').read_text().splitlines()]


def plain(value):
    if isinstance(value, bytes):
        return 'hex:' + value.hex()
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize('vector', [vector for vector in VECTORS if 'fields' in vector], ids=lambda v: v['name'])
def test_a_header_says_its_fields(vector):
    header = msgpack.unpackb(bytes.fromhex(vector['hex']))
    assert list(header)[:2] == ['v', 'm']
    assert {key: plain(header[key]) for key in vector['fields']} == vector['fields']


def test_the_file_is_what_its_script_makes():
    import subprocess
    script = Path(__file__).parents[2] / 'proto' / 'vectors' / 'make.py'
    made = subprocess.run(['/usr/bin/python3', script], capture_output=True, text=True, check=True).stdout
    assert [json.loads(line) for line in made.splitlines()] == VECTORS
