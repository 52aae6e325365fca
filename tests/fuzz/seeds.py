"""What each target begins with: small, valid, and near to what is not. From the vectors, the protocol and examples."""
import base64
import hashlib
import json
import struct
import sys
from pathlib import Path

import msgpack

SOURCE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / 'tests'))

from harness.antibodies import EXAMPLE  # noqa: E402

ORG = '10111213-1415-1617-1819-1a1b1c1d1e1f'
PAYLOAD = msgpack.packb({'results': {'score': 0.5, 'list': [1, -2, None, True, 'text']}, 'model_versions': {'m': '1'}})


DECLARED = msgpack.packb({'title': 'CDR length', 'version': '1.0.0', 'options_schema': '{"type": "object"}', 'wants': ['a']})


def vectors() -> list[dict]:
    return [json.loads(line) for line in (SOURCE / 'proto/vectors/headers.jsonl').read_text().splitlines()]


def sized(header: bytes) -> bytes:
    return struct.pack('<H', len(header)) + header


def message() -> list[bytes]:
    payloads = {'job': PAYLOAD, 'result': PAYLOAD, 'declare': DECLARED, 'chunk': msgpack.packb(b'piece'), 'log': msgpack.packb('a line\n')}
    found = []
    for vector in vectors():
        verb = vector.get('fields', {}).get('m')
        found.append(sized(bytes.fromhex(vector['hex'])) + payloads.get(verb, b''))
    return [seed for seed in found if len(seed) < 4096]


def check() -> list[bytes]:
    found = []
    for vector in vectors():
        fields = vector.get('fields')
        if not fields:
            continue
        verb, header = fields['m'], bytes.fromhex(vector['hex'])
        ids = {name: value[4:] for name, value in fields.items() if str(value).startswith('hex:')}
        uuid = {name: '-'.join((h[:8], h[8:12], h[12:16], h[16:20], h[20:])) for name, h in ids.items()}
        topic = b''
        if verb in ('status', 'result', 'log', 'event'):
            topic = f"{verb}.{uuid['org_id']}.{fields['job_type']}.{uuid['job_id']}.".encode()
        elif verb == 'declare':
            topic = f"declare.{fields['job_type']}.".encode()
        elif verb in ('alive', 'edge'):
            topic = f"{verb}.{uuid['instance' if verb == 'alive' else 'org_id']}.".encode()
        large = 'size' in fields
        payload = {'log': msgpack.packb('a line\n'), 'chunk': msgpack.packb(b'piece'), 'declare': DECLARED}.get(
            verb, PAYLOAD if verb in ('job', 'result') and not large else b'')
        found.append(bytes([bool(topic), len(topic)]) + struct.pack('<H', len(header)) + topic + header + payload)
    return found


def chunks() -> list[bytes]:
    def size(n: int) -> bytes:
        return struct.pack('<H', (n - 65537) // 8)

    right = b''.join(bytes([3, 0, n]) for n in range(4))
    wrong = b''.join(bytes([3, n == 1, n]) for n in range(4))
    return [size(65537) + bytes([2]) + right, size(4 * 65536) + bytes([2]) + right[::-1] + right,
            size(3 * 65536 + 9) + bytes([2]) + wrong + bytes([2]) + wrong, size(100001) + bytes([2, 0, 40, 2, 1, 2]) + right,
            size(150001) + bytes([3, 2, 0, 3, 3, 1, 3, 0, 9]) + right]


def submit() -> list[bytes]:
    return [json.dumps(body).encode() for body in (
        {'variant_id': ORG, 'job_type': 'humanization'}, {'job_type': 'structure', 'variant_id': ORG.upper()},
        {'variant_id': 'x', 'job_type': ''}, [], {'variant_id': None, 'more': [1, 2.5, {'a': 'b'}]})]


def candidates() -> list[bytes]:
    chains = [{'kind': kind, 'sequence': sequence} for kind, sequence in EXAMPLE.items()]
    heavy = EXAMPLE['heavy']
    return [json.dumps(body).encode() for body in (
        {'name': 'a', 'format': 'mab', 'chains': chains}, {'name': 'b' * 120, 'format': 'nanobody', 'chains': [
            {'kind': 'vhh', 'sequence': heavy}]}, {'name': 'é', 'format': 'nanobody', 'chains': [
            {'kind': 'vhh', 'sequence': heavy}]}, {'name': 'a', 'format': 'scfv', 'chains': [
                {'kind': 'scfv', 'sequence': heavy + 'GGGGSGGGGSGGGGS' + EXAMPLE['light']}]},
        {'name': 'a', 'format': 'mab', 'chains': [{'kind': 'heavy', 'sequence': ''}]}, {'name': 'a'})]


def lists() -> list[bytes]:
    jobs = [b'', b'limit=1000', b'status=running&job_type=structure&limit=20', b'variant_id=' + ORG.encode(), b'cursor=',
            b'limit=1000&cursor=' + a_cursor(1795500000123456)]
    events = [b'after=0&limit=1000', b'after=1000000000000000000', b'limit=1&&after=5', b'after&limit=']
    return [b'\0' + query for query in jobs] + [bytes([which]) + query for which in (1, 2) for query in events]


def a_cursor(at: int) -> bytes:
    """Of the organisation of nothing but zeros: a position and its check, as gateway/http/cursor.c has it."""
    position = struct.pack('>q', at) + bytes(range(16))
    check = hashlib.blake2b(position, digest_size=16, key=bytes(16)).digest()[:8]
    return base64.urlsafe_b64encode(position + check).rstrip(b'=')


def cursor() -> list[bytes]:
    return [a_cursor(1795500000123456), a_cursor(253402300800000000), b'A' * 43, bytes(24), struct.pack('>q', 253402300800000000) + bytes(16)]


def schema() -> list[bytes]:
    """Those of the project's pipelines alone; small ones with values that fit and do not."""
    found = [file.read_bytes() for file in sorted((SOURCE / 'worker/pipelines').glob('*/options.json'))]
    own = {'type': 'object', 'additionalProperties': False, 'required': ['n'], 'properties': {
        'n': {'type': 'integer', 'minimum': 0, 'exclusiveMaximum': 9, 'default': 1, 'description': 'x'},
        's': {'type': 'string', 'pattern': '[HL][0-9]{1,3}', 'minLength': 2, 'maxLength': 4, 'default': 'H1', 'description': 'x'},
        'e': {'enum': ['a', 'é' * 30, None, 1.5], 'default': None, 'description': 'x'},
        'l': {'type': 'array', 'items': {'type': 'object', 'properties': {'b': {'type': 'boolean'}}}, 'uniqueItems': True,
              'minItems': 0, 'maxItems': 2, 'default': [], 'description': 'x'}}}
    values = [{}, {'n': 1, 's': 'L100', 'e': 1.5, 'l': [{'b': True}]}, {'n': 9.5, 's': 'x', 'e': [], 'l': [1, 1, {'b': 2}]},
              {'/~' + 'é' * n: n for n in (1, 60, 61, 62)}, {'a' * 124: 0}, {'a' * 126: 0}, []]
    text = json.dumps(own, ensure_ascii=False).encode()
    return [*found, text, *(text + b'\0' + json.dumps(value, ensure_ascii=False).encode() for value in values)]


def fasta() -> list[bytes]:
    heavy, light = (EXAMPLE[kind].encode() for kind in ('heavy', 'light'))
    return [b'>one VH\n' + heavy + b'\n>one VL\n' + light + b'\n', b'>two vhh\r\n' + heavy[:40] + b'\r\n' + heavy[40:] +
            b'\r\n\r\n', b'\n>a\n>b x y\nACD EFG\n>a VL\nA*\n', b'no record\n', b'>\nAC\n', b'>a VH\nA\n>a VH\nC\n>a VL\nD\n']


def batch() -> list[bytes]:
    ids = ['01a20c42-caa2-7171-a289-d922ed52a421', '00000000-0000-4000-8000-000000000000']
    bodies = [{'job_type': 'humanization', 'variants': ids, 'name': 'é', 'priority': 'low'},
              {'job_type': 'humanization', 'variants': [ids[0], ids[1], ids[0].upper()]},
              {'job_type': 'humanization', 'variants': ids[1:] * 2},
              {'job_type': 'stability', 'fasta': fasta()[0].decode(), 'options': {}}, {'job_type': 'x', 'variants': [1], 'options': []}]
    return [*(b'\0' + json.dumps(body).encode() for body in bodies), *(b'\1' + text for text in fasta())]


def table() -> list[bytes]:
    strategies = [{'strategy': 'a', 'humanized_vh': 'EVQL', 'humanized_vl': 'DIQM', 'humanness': {'before': 0.5, 'after': -1e-9}},
                  {'strategy': '=1+1', 'mutations': {'vh': ['Q5V', 'x,"y'], 'vl': []}, 'lines': 'a\nb', 'cr': '\r'}]
    genes = {'host': 'cho', 'chains': [{'chain': 'heavy', 'dna': 'ATG', 'gc': 0.5}], 'seed': 0, 'none': None, 'yes': True}
    texts = [json.dumps(value).encode() for value in (strategies, genes, [], [[1, 2]], {'a': {'b': {'c': [1, 'x']}}}, 'text', 7)]
    return [b'\0\1' + b'\0'.join(texts[:2]), b'\1\2' + b'\0'.join(texts[1:4]), b'\2\4' + b'\0'.join(texts[3:]), b'\0\4' + texts[0]]


def molecule() -> list[bytes]:
    heavy, light = (EXAMPLE[kind].encode() for kind in ('heavy', 'light'))
    return [b'\0\1' + heavy + b'\n\2' + light, b'\1\3' + heavy, b'\0\4' + heavy + b'GGGGSGGGGSGGGGS' + light,
            b'\0\0' + light[:60], b'\0\2' + light + b'\n\2' + light, b'\1\0ACD']


def structure() -> list[bytes]:
    def atom(name: str, residue: str, number: str, x: float, element: str) -> bytes:
        place = f'{x:8.3f}   2.500  -3.250  1.00  0.00'
        return f'ATOM      1  {name:4}{residue} H{number:5}   {place}          {element:>2}\n'.encode()
    lysine = [atom('N', 'LYS', ' 111 ', 0, 'N'), atom('CA', 'LYS', ' 111 ', 1.5, 'C'), atom('NZ', 'LYS', ' 111 ', 3, 'N')]
    other = [atom('OD1', 'ASP', ' 111A', 6, 'O'), atom('OD2', 'ASP', ' 111A', 6.5, 'O'), atom('SG', 'CYS', '  -4 ', 9, 'S')]
    whole = b''.join(lysine + other)
    return [whole, b'MODEL\n' + whole.replace(b'\n', b'\r\n') + b'ENDMDL\n' + whole, whole[:100], lysine[0][:54],
            lysine[1].replace(b' C\n', b' H\n') + other[0], b'HETATM' + whole]


def says() -> list[bytes]:
    result = {'m': 'result', 'results': {'deep': [[[1.5, 'x' * 40]]]}, 'model_versions': {'a': '1', 'b': 'é'},
              'files': {'a.fasta': {'media_type': 'text/plain', 'content': '>a'}}}
    error = {'m': 'error', 'code': 'no_antibody', 'message': 'nö' * 30, 'retry': False}
    declared = {'m': 'declare', 'title': 'CDR length', 'version': '1.0.0', 'options_schema': '{}', 'wants': ['a_type']}
    messages = [{'m': 'progress', 'step': 'germlines', 'fraction': 0.25}, {'m': 'progress', 'step': 's', 'fraction': 1},
                result, error, {**error, 'partial': {'reached': 'numbering'}}, declared, {**declared, 'wants': 'a_type'},
                {'m': 'result', 'results': None, 'model_versions': {}}]
    streams = [msgpack.packb(one) for one in messages] + [b''.join(map(msgpack.packb, messages[:3])), b'\xc1', b'text\n',
                                                          b'\xdd\xff\xff\xff\xff', b'\x91' * 23 + b'\xc0']
    return [b'\xff' + stream for stream in streams]


def jobs() -> list[bytes]:
    chains = [{'kind': kind, 'sequence': sequence[:20]} for kind, sequence in EXAMPLE.items()]
    job = {'m': 'job', 'job_id': bytes(16), 'job_type': 'humanization', 'attempt': 1,
           'inputs': {'variant_id': bytes(16), 'name': 'a', 'format': 'mab', 'chains': chains}}
    return [msgpack.packb(job), msgpack.packb(job) * 2, msgpack.packb({**job, 'job_type': 'structure'}),
            msgpack.packb({**job, 'inputs': {'chains': [{'kind': 'vhh', 'sequence': 'ACDE'}], 'format': 'nanobody'}}),
            msgpack.packb({'m': 'later'}), msgpack.packb({**job, 'inputs': {}})]


def lines() -> list[bytes]:
    return [b'\0\x02first\nsecond\n', b'\0\1one\n\n\r\n\x0a\1two\n' * 10, b'\0\xff' + b'a' * 1000,
            b'\0\xff' + b'line\n' * 30 + b'\xc3\x28\n' + 'é'.encode() * 20]


def options() -> list[bytes]:
    return [b'brokers = "tcp://127.0.0.1:5570 tcp://127.0.0.1:5571"\nname = w1\n', b'slots = 4\n#  a comment\ninsecure = 1\n',
            b'pipeline\n    humanization = "/bin/a b"\n    structure = /bin/c\n', b'unknown = 1\n',
            b'pipelines\n    a_type\n        program = "/bin/a"\n        slots = 2\n    b\n        options = c.json\n', b'name = "a\n',
            b'brokers = "tcp://a:1  tcp://b:1 "\n']


def render() -> list[bytes]:
    odd = {'results': [1e300, 0.1, -0.0, 2**63, -2**63, 'a"\\\n\x1e', {'': []}], 'model_versions': {}}
    file = {'media_type': 'text/plain; charset=utf-8', 'content': '>a'}
    files = {'results': 1, 'model_versions': {}, 'files': {'a.fasta': file, 'b': file}}
    return [PAYLOAD, msgpack.packb(files), msgpack.packb({'reached': 'numbering'}), msgpack.packb(odd), msgpack.packb({'results': b'bin', 'model_versions': {}}), msgpack.packb([1]),
            msgpack.packb({'results': float('nan'), 'model_versions': {'a': 1}}), msgpack.packb({'results': 1})]


def right() -> list[bytes]:
    def text(value: str | None) -> bytes:
        return b'\xff' if value is None else bytes([len(value)]) + value.encode()

    headers = [bytes.fromhex(vector['hex']) for vector in vectors() if vector['name'] in ('job', 'status, started', 'event')]
    event = f'event.{ORG}.'.encode()
    return [text(role) + text(types) + text(org) + bytes([door, len(event)]) + event + header
            for header in headers for role, types, org, door in (
                ('gateway', None, None, 0), ('worker', 'humanization structure', None, 1), ('worker', '*', None, 1),
                ('subscriber', None, ORG, 3), ('subscriber', None, '*', 3), ('subscriber', 'x', None, 2))]


def certificate() -> list[bytes]:
    """As paratope-keys writes them."""
    key = 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7'  # the example of zmq_curve(7)
    curve = f'curve\n    public-key = "{key}"\n'
    return [(meta + curve).encode() for meta in (
        'metadata\n    role = "gateway"\n', 'metadata\n    role = "worker"\n    job_types = "a b"\n',
        f'metadata\n    role = "subscriber"\n    org = "{ORG}"\n', '')] + [
            (curve + f'    secret-key = "{key}"\n').encode(), b'curve\n    public-key = "short"\n']


# Verbs of the job sockets by their number, see proto/message.h.
HELLO, WELCOME, HELLO_AGAIN, JOB, CREDIT, BEAT, STOP, SETTLED, HAVE, GONE, FETCH, CHUNK, BYE = range(13)


def about(job: int, attempt: int = 1, optional: int = 8 + 32, org: int = 0) -> bytes:
    """As say_job of saying.h reads it."""
    return bytes([job, optional, org, attempt - 1, 1, 0])


def hello(who: int, leases: int = 0, unsettled: int = 0) -> bytes:
    return bytes([who, who, 3, 3, leases, 0, unsettled, 0])


def scheduler() -> list[bytes]:
    def says(peer: int, verb: int, rest: bytes) -> bytes:
        return bytes([0, peer, verb]) + rest

    def tick(n: int = 1) -> bytes:
        return bytes([8, 5]) * n

    gateway = says(0, HELLO, hello(0)) + says(0, BEAT, b'\1')
    worker = says(2, HELLO, hello(1)) + bytes([6, 1]) + says(2, CREDIT, b'\3\3' + about(0)) + tick()
    other = says(3, HELLO, hello(2, leases=4)) + bytes([6, 2]) + tick()
    job = says(0, JOB, about(0)) + says(0, JOB, about(1, org=1))
    settle = says(0, SETTLED, about(0)) + says(2, GONE, about(1, optional=7))
    asked = says(0, HAVE, b'\xff\0' + about(0)) + says(0, STOP, about(1))
    return [gateway + worker + job + settle, gateway + worker + job + other + asked, worker + gateway + job + tick(12),
            gateway + worker + job + bytes([10, 2]) + tick() + says(2, HELLO, hello(1, leases=3)),
            gateway + worker + job + says(2, BYE, about(0)) + bytes([11, 0, 12]), gateway + worker + says(
                0, JOB, about(2, optional=24)) + says(0, JOB, about(2, attempt=2)) + says(2, HELLO_AGAIN, about(0))]


def agent() -> list[bytes]:
    def says(verb: int, rest: bytes) -> bytes:
        return bytes([0, 0, verb]) + rest

    def tick(n: int = 1, ms: int = 5) -> bytes:
        return bytes([4, ms, 1]) * n

    welcome = tick() + says(WELCOME, hello(0) + about(0)) + tick()
    job = says(JOB, about(0)) + says(JOB, about(2))
    progress = bytes([7, 0, 0, 50, 0])
    result, failed = bytes([7, 0, 1, 0, 0]), bytes([7, 1, 2, 0, 1])
    return [welcome + job + progress + result + tick() + says(SETTLED, about(2, attempt=2)) + failed + tick(3, 60),
            welcome + job + says(STOP, about(0)) + bytes([10, 0, 1]) + bytes([13, 0]) + tick(),
            welcome + job + bytes([9, 0]) + bytes([10, 0, 3]) + tick(2, 200), welcome + job + bytes([12, 0]) + tick(9, 100),
            welcome + job + says(HELLO_AGAIN, about(0)) + tick(4, 100) + says(WELCOME, hello(0) + about(0)) + bytes([11]),
            welcome + says(JOB, about(0, optional=16)) + says(CHUNK, about(0, optional=64)) + says(CHUNK, about(0)) +
            progress + result + tick(2), welcome + says(BEAT, b'\1') + tick(20, 50) + says(BYE, about(0))]


TARGETS = {
    'message': message, 'check': check, 'chunks': chunks, 'submit': submit, 'candidates': candidates, 'lists': lists,
    'cursor': cursor, 'batch': batch, 'table': table, 'schema': schema, 'fasta_gateway': fasta, 'fasta_pipeline': fasta, 'molecule': molecule, 'says': says, 'jobs': jobs,
    'structure': structure, 'lines': lines, 'options': options, 'render': render, 'right': right,
    'certificate': certificate, 'scheduler': scheduler, 'agent': agent}


def write(target: str, folder: Path) -> None:
    for n, seed in enumerate(TARGETS[target]()):
        (folder / f'seed-{n:02}').write_bytes(seed)
